"""``accelsim dram replay``: what it says beside its counts."""

import json
from pathlib import Path

import pytest

DATA = Path(__file__).parents[1] / "data" / "dram"


def test_a_memory_that_outruns_the_driver_is_said(accelsim, tmp_path):
    """Eight channels of 128 bits at BL4, two clocks a burst: four bursts a clock, offered one."""
    (tmp_path / "x.trc").write_text("0x40 READ 0\n")
    replay = ("dram", "replay", "--trace", tmp_path / "x.trc", "--json", "--config")
    said = accelsim(*replay, DATA / "configs" / "HBM2_8Gb_x128.ini")
    assert json.loads(said.out)["peak_gb_s"] == 256
    assert (
        "the driver offers one line per clock to all channels together, at most 64 of" in said.err
    )
    said = accelsim(*replay, "ddr4_3200_x64")
    assert said.err == ""


def test_a_word_that_is_neither_read_nor_write(accelsim, tmp_path):
    (tmp_path / "x.trc").write_text("0x80 W 0\n")
    said = accelsim("dram", "replay", "--trace", tmp_path / "x.trc", "--config", "ddr4_3200_x64")
    assert said.code == 2
    assert "x.trc:1: '0x80 W 0' is not a request: 'W' is neither READ nor WRITE" in said.err


@pytest.mark.parametrize("line_bytes", [16, 64])
def test_lines_of_arrays_are_bursts(accelsim, tmp_path, line_bytes):
    import numpy as np

    zeros, name = np.zeros(1000, int), {16: "ddr4_2400_x16", 64: "ddr4_2400_x64"}[line_bytes]
    np.savez(tmp_path / "x.npz", line=np.arange(1000), w=zeros, t_ns=zeros)
    said = accelsim("dram", "replay", "--trace", tmp_path / "x.npz", "--config", name, "--json")
    report = json.loads(said.out)
    assert report["reads"] == 1000
    assert report["bandwidth_gb_s"] == pytest.approx(report["served_gb_s"])
    assert 0.85 * report["peak_gb_s"] < report["bandwidth_gb_s"] <= report["peak_gb_s"]
