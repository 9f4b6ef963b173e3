"""What the command line says when something is wrong: one or two lines, exit code 2."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from pickle import UnpicklingError

import numpy as np
import pytest

from accelsim import kernel_cache

STUDY = Path(__file__).parents[2] / "hw_configs" / "studies" / "buffers.yaml"
RUN = ("run", "edge_npu", "squeezenet1_1")
BAD = [
    (("ruin",), 'Unknown command "ruin". Did you mean "run"?'),
    (("dram", "lst"), 'Did you mean "list"?'),
    (("run", "edge_npu"), "TRACE requires an argument"),
    ((*RUN, "--codex", "zvc"), "Unknown option: --codex. Did you mean --codec?"),
    ((*RUN, "--images", "many"), "many"),
    ((*RUN, "--images", "0"), "0 images"),
    ((*RUN, "--codec", "zcv"), "Did you mean 'zvc'?"),
    ((*RUN, "--codec", "ofmaps=zvc"), "Did you mean 'ofmap'?"),
    ((*RUN, "--set", "array.rowz=3"), "Did you mean"),
    ((*RUN, "--set", "array.rows"), "array.rows"),
    ((*RUN, "--set", "array.rows=-3"), "array.rows"),
    (("run", "edge_npuu", "squeezenet1_1"), "Did you mean 'edge_npu'?"),
    (("run", "edge_npu", "squeezenet"), "squeezenet1_1"),
    (("run", "edge_npu", "/no/such/trace.h5"), "/no/such/trace.h5"),
    (("compare", "edge_npu", "squeezenet1_1", "--codecs", "raw,,zvc"), "empty or repeated"),
    (("compare", "edge_npu", "squeezenet1_1", "--codecs", "raw,raw"), "empty or repeated"),
    (("compare", "edge_npu", "squeezenet1_1", "--codecs", "raw", "--mapping", "free"), "free"),
    (("sweep", "/no/study.yaml"), "/no/study.yaml"),
    (("sweep", "bufers"), "Did you mean 'buffers'?"),
    (("sweep", "/no/study.yaml", "--jobs", "0"), "--jobs"),
    (("codecs", "measure", "/no/x.npy", "--codec", "zvc"), "/no/x.npy: no such file"),
    (("codecs", "measure", "/no/x.npy", "--codec", "zcv"), "Did you mean 'zvc'?"),
    (("dram", "replay", "--config", "ddr4", "--trace", "x.trc"), "unknown DRAM standard 'ddr4'"),
    (("dram", "replay", "--config", "/no/x.ini", "--trace", "x.trc"), "/no/x.ini"),
    (("dram", "check", "c.csv", "--dram", "ddr4"), "unknown DRAM standard 'ddr4'"),
    (("dram", "check", "/no/c.csv", "--dram", "hbm2_2000"), "/no/c.csv: No such"),
    (("dram", "check", "c.csv", "--dram", "hbm2_2000", "--level", "x"), "--level"),
    (("hw", "show", "edge"), "no such hardware file"),
    (("trace", "info", "/no/such.h5"), "/no/such.h5"),
    (("trace", "export", "squeezenet9"), "Did you mean 'squeezenet1_1'?"),
]


@pytest.mark.parametrize(("tokens", "sentence"), BAD, ids=lambda value: str(value)[:60])
def test_a_mistake_gets_a_sentence_and_exit_code_2(accelsim, tokens, sentence):
    said = accelsim(*tokens)
    assert said.code == 2
    assert sentence in said.err
    assert said.err.startswith("accelsim: ")
    assert said.err.count("\n") <= 2
    assert said.out == ""


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_refused(accelsim, tmp_path):
    tmp_path.chmod(0o500)
    said = accelsim(*RUN, "--out", tmp_path / "out")
    assert said.code == 2
    assert "cannot write" in said.err


@pytest.mark.parametrize(
    "command",
    [
        (*RUN, "--out"),
        ("compare", "edge_npu", "squeezenet1_1", "--codecs", "raw", "--out"),
        ("sweep", STUDY, "--out"),
    ],
    ids=lambda command: command[0],
)
def test_an_output_that_cannot_be_written_is_refused_before_the_work(accelsim, tmp_path, command):
    (tmp_path / "out").write_text("a file")
    said = accelsim(*command, tmp_path / "out")
    assert said.code == 2
    assert "is a file" in said.err
    assert (tmp_path / "out").read_text() == "a file"


def test_values_outside_the_word_are_named(accelsim, tmp_path):
    np.save(tmp_path / "x.npy", np.array([1, 200], np.int16))
    said = accelsim("codecs", "measure", tmp_path / "x.npy", "--codec", "zvc", "--bits", 8)
    assert said.code == 2
    assert str(tmp_path / "x.npy") in said.err


def test_a_request_that_is_none_is_named_by_its_line(accelsim, tmp_path):
    (tmp_path / "x.trc").write_text("0x40 READ 0\n0x80 REAL\n")
    said = accelsim("dram", "replay", "--config", "ddr4_2400_x16", "--trace", tmp_path / "x.trc")
    assert said.code == 2
    assert "x.trc:2" in said.err


def start(*tokens, **options):
    command = [sys.executable, "-m", "accelsim", *map(str, tokens)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
    )


def test_ctrl_c_ends_a_sweep_with_one_line_and_it_goes_on_later(tmp_path):
    out = tmp_path / "out"
    process = start("sweep", STUDY, "--out", out, start_new_session=True)
    deadline = time.monotonic() + 300
    while not (out / "ledger.sqlite").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.5)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 2
    assert err.splitlines()[-1] == (
        "accelsim: interrupted: finished points are kept, and the same command continues"
    )
    assert "Traceback" not in err
    assert not (out / "points.csv").exists()


def test_a_reader_that_has_seen_enough_is_no_error():
    process = start("hw", "schema")
    assert process.stdout.read(1) == "{"
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait() == 0


@pytest.mark.parametrize(
    "tokens",
    [
        ("codecs", "measure", "x.npy", "--codec", "zvc", "--bits", "1.5"),
        ("run", "edge_npu", "squeezenet1_1", "--images", "1.5"),
    ],
)
def test_a_fraction_is_no_whole_number(accelsim, tokens):
    said = accelsim(*tokens)
    assert said.code == 2
    assert "1.5" in said.err and len(said.err.splitlines()) <= 2


def test_what_is_said_twice_is_refused(accelsim):
    for codec in ("zvc:group=16:group=8", "ofmap=zvc,ofmap=raw"):
        said = accelsim("run", "edge_npu", "squeezenet1_1", "--codec", codec)
        assert said.code == 2 and "twice" in said.err


def test_kernels_of_an_unwritable_cache_lie_where_nobody_else_writes(tmp_path, monkeypatch):
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("ACCELSIM_CACHE_DIR", str(blocked / "below"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    folder = kernel_cache.kernel_folder()
    assert folder.is_relative_to(tmp_path) and folder.parent.stat().st_mode & 0o777 == 0o700
    monkeypatch.setenv("ACCELSIM_CACHE_DIR", str(tmp_path / "own"))
    assert kernel_cache.kernel_folder().is_relative_to(tmp_path / "own")


def test_damaged_kernels_are_named_with_their_folder(accelsim, monkeypatch):
    def broken(*_):
        raise UnpicklingError("pickle data was truncated")

    monkeypatch.setattr("accelsim.kernel_compiling.cold_modules", broken)
    said = accelsim("codecs", "measure", "x.npy", "--codec", "zvc")
    assert said.code == 2
    assert "compiled kernels are damaged" in said.err and "delete that folder" in said.err
