"""Synthetic traces of SCALE-Sim topologies: what a codec makes of them, and what is doubted."""

import json
from math import sqrt

import pytest

HEADER = "Layer, IH, IW, FH, FW, C, N, Stride,\n"
CHAINED = HEADER + "a,34,34,3,3,32,64,1,\nb,32,32,3,3,64,64,1,\n"
APART = HEADER + "a,34,34,3,3,32,64,1,\nb,16,16,3,3,64,128,1,\n"


@pytest.fixture
def run_synthetic(accelsim, tmp_path):
    """A synthetic trace of density .2 and 1.2 bits of entropy, run with a codec."""

    def run(topology: str, codec: str):
        (tmp_path / "t.csv").write_text(topology)
        drawn = ("--density", 0.2, "--entropy", 1.2, "--seed", 1, "--out", tmp_path / "t.h5")
        made = accelsim("trace", "synth", "--topology", tmp_path / "t.csv", *drawn)
        assert made.code == 0, made.err
        said = accelsim("run", "edge_npu", tmp_path / "t.h5", "--codec", codec, "--json")
        assert said.code == 0, said.err
        return json.loads(said.out), made

    return run


@pytest.mark.parametrize(("topology", "n_maps"), [(CHAINED, 3), (APART, 4)])
def test_every_map_of_a_synthetic_trace_is_coded(run_synthetic, topology, n_maps):
    result, _ = run_synthetic(topology, "zvc")
    totals, notes = result["totals"], result["notes"]
    # A mask bit for each value, and 8 bits for each of the 20 % that are not zero.
    n_values = 64 * 32 * 32 + 64 * 30 * 30 if n_maps == 3 else 64 * 32 * 32 + 128 * 14 * 14
    spread = 5 * 8 * sqrt(0.2 * 0.8 / n_values)
    assert totals["bits_per_value"]["stream"] == pytest.approx(1 + 0.2 * 8, abs=spread)
    assert any(note.startswith(f"maps coded: {n_maps} of {n_maps}, ") for note in notes)
    assert not result["warnings"]
    raw, _ = run_synthetic(topology, "raw")
    assert raw["totals"]["dram"]["fetched_bytes"] > totals["dram"]["fetched_bytes"]


def test_a_codec_that_codes_nothing_is_said(run_synthetic):
    # Huffman's table of 256 lengths of 4 bits is larger than any of these maps.
    tiny = HEADER + "a,6,6,3,3,2,2,1,\nb,4,4,3,3,2,2,1,\n"
    result, _ = run_synthetic(tiny, "huffman")
    (warning,) = result["warnings"]
    assert warning.startswith("codec huffman coded no map of this trace")
    assert any(note.startswith("maps coded: 0 of 3, 0 of ") for note in result["notes"])


def test_a_doubtful_row_is_said_when_it_is_read_and_wherever_it_is_used(accelsim, run_synthetic):
    doubtful = HEADER + "dw,34,34,3,3,32,1,1,\npw,32,32,1,1,32,64,1,\n"
    result, made = run_synthetic(doubtful, "zvc")
    (warning,) = result["warnings"]
    assert "put DP into its name" in warning and f"warning: {warning}" in made.err


def test_an_absurd_topology_is_refused_at_once(accelsim, tmp_path):
    (tmp_path / "t.csv").write_text(HEADER + "a,60000,60000,3,3,3,64,1,\n")
    drawn = ("--density", 0.2, "--entropy", 1.2, "--seed", 1, "--out", tmp_path / "t.h5")
    said = accelsim("trace", "synth", "--topology", tmp_path / "t.csv", *drawn)
    assert said.code == 2 and "a trace holds maps of up to 268435456" in said.err
    assert not (tmp_path / "t.h5").exists()
