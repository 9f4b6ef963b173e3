"""``accelsim dram`` with bad input: one message, exit code 2, and nothing half-written."""

import gzip
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest

INI = (Path(__file__).parents[1] / "data/dram/configs/DDR4_8Gb_x8_3200.ini").read_text()
NPZ = {"line": np.arange(9), "w": np.zeros(9, int), "t_ns": np.zeros(9)}
BIG = 1 << 40


def npz(path, **changed):
    np.savez(path, **{key: value for key, value in {**NPZ, **changed}.items() if value is not None})


def cut_npz(path):
    npz(path)
    path.write_bytes(path.read_bytes()[:-100])


def lying_npz(path):
    npz(path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["t_ns.npy"] = members["t_ns.npy"].replace(b"(9,)", b"(99999999999,)")
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


TEXTS = [
    ("0x40 READ\n", ":1: '0x40 READ' is not a request"),
    ("0x40 READ 0\nhello\n", ":2: 'hello' is not a request"),
    ("0x40 READ 0 4\n", ":1: '0x40 READ 0 4' is not a request"),
    ("0x40 READ 9\n0x40 READ 8\n", ":2: cycle 8 comes after 9"),
    ("0x40 READ -9\n", ":1: cycle -9 comes after 0"),
    ("0x40 READ nan\n", ":1: '0x40 READ nan' is not a request"),
    (
        "0x200000000 READ 0\n",
        ":1: address 0x200000000 lies outside the memory of 0x200000000 bytes",
    ),
    (f"0x{1 << 80:X} READ 0\n", "lies outside the memory"),
    (f"0x40 READ {1 << 80}\n", "hours of memory time"),
    ("LD 0x40\nSD 0x80\n", ":2: 'SD 0x80' is not a request"),
    ("R 0,0,0,0,0\n", "a number for each of ch,ra,bg,ba,ro,co"),
    ("R 0,0,9,0,0,0\n", ":1: bg 9 lies outside the memory, which has 4"),
    ("", "holds no request"),
    ("\n\n  \n", "holds no request"),
    ("\x7fELF\x02\x01\x00\x00", ":1: "),
    ("\xff" * 5000, ":1: "),
]
ARRAYS = [
    (cut_npz, "is not a readable .npz"),
    (lying_npz, "bytes for 99999999999 float64"),
    (lambda path: path.write_bytes(b""), "is not a readable .npz"),
    (lambda path: path.write_bytes(b"PK\x03\x04" + bytes(500)), "is not a readable .npz"),
    (lambda path: path.mkdir(), "Is a directory"),
    (lambda path: npz(path, line=np.array([{}] * 9, object)), "line holds Python objects"),
    (lambda path: npz(path, w=None), "named 'w' or 'is_write'"),
    (lambda path: npz(path, t_ns=np.arange(9.0)[::-1]), "request 1: arrives before"),
    (lambda path: npz(path, t_ns=np.full(9, np.inf)), "request 0: has a time"),
    (lambda path: npz(path, line=np.arange(9) + BIG), "request 0: has an address outside"),
    (lambda path: npz(path, line=np.zeros(0, int)), "arrays differ in shape"),
    (lambda path: npz(path, **{key: value[:0] for key, value in NPZ.items()}), "holds no request"),
]


def replay(accelsim, folder, trace, config="ddr4_3200_x64"):
    """Replay with commands; nothing may be left but what was there."""
    before = {path.name for path in folder.iterdir()}
    commands = folder / "commands.csv"
    said = accelsim(
        "dram", "replay", "--config", config, "--trace", trace, "--commands", commands, "--json"
    )
    assert {path.name for path in folder.iterdir()} == before
    return said


def assert_refused(said, sentence):
    assert sentence in said.err
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("accelsim: ") and "internal error" not in said.err
    assert said.err.count("\n") <= 2


@pytest.mark.parametrize(("text", "sentence"), TEXTS, ids=lambda value: repr(value)[:40])
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_a_bad_text_trace(accelsim, tmp_path, text, sentence, pack):
    trace = tmp_path / "trace.txt"
    trace.write_bytes(pack(text.encode("latin-1")))
    assert_refused(replay(accelsim, tmp_path, trace), sentence)


@pytest.mark.parametrize(("make", "sentence"), ARRAYS, ids=[sentence for _, sentence in ARRAYS])
def test_a_bad_array_trace(accelsim, tmp_path, make, sentence):
    trace = tmp_path / "trace.npz"
    make(trace)
    assert_refused(replay(accelsim, tmp_path, trace), sentence)


def test_a_trace_that_is_not_there_or_a_folder(accelsim, tmp_path):
    assert_refused(replay(accelsim, tmp_path, tmp_path / "no.txt"), "No such file")
    assert_refused(replay(accelsim, tmp_path, tmp_path), "Is a directory")


def test_a_mistake_late_in_a_trace_leaves_no_commands(accelsim, tmp_path):
    trace = tmp_path / "trace.txt"
    trace.write_text("0x40 READ 0\n" * 200_000 + "0x40 READ\n")
    assert_refused(replay(accelsim, tmp_path, trace), ":200001: '0x40 READ' is not a request")


IMPOSSIBLE = [
    ("CL = 0", "CL: must be at least 1 cycles, got 0"),
    ("tRP = -4", "tRP: must be at least 1 cycles, got -4"),
    ("tRFC = 99999", "tREFI: 12480 for 2 rank(s) leaves no time"),
    ("tWR = 99999999999999999999", "tWR: must be at least 0 cycles"),
    ("tCK = 0", "tCK: must be between 0.001 and 1000 ns, got 0.0"),
    ("tCK = -0.63", "tCK: must be between"),
    ("tCK = 1e99", "tCK: must be between"),
    ("BL = 0", "an ideal bus (BL = 0) is not supported"),
    ("BL = 3", "burst_length: must be a power of two"),
    ("bankgroups = 0", "counts and sizes must be at least 1"),
    ("banks_per_group = -4", "counts and sizes must be at least 1"),
    ("rows = 70000", "rows: must be a power of two"),
    ("channels = 0", "channels: must be a power of two"),
    ("cmd_queue_size = 0", "command_queue_size: must be between 1 and 4096"),
    ("address_mapping = rorobabgcoch", "must name each of ch ra bg ba ro co once"),
    ("IDD0 = -5", "IDD0: must be a current"),
    ("protocol = HMC", "'HMC' is not supported"),
    ("channels = 65536", "has 2,097,152 banks in all channels, more than 65,536"),
]


@pytest.mark.parametrize(("line", "sentence"), IMPOSSIBLE, ids=lambda value: str(value)[:30])
def test_an_impossible_memory(accelsim, tmp_path, line, sentence):
    key = line.split()[0]
    config, trace = tmp_path / "x.ini", tmp_path / "trace.txt"
    lines = [line if old.split("=")[0].strip() == key else old for old in INI.splitlines()]
    config.write_text("\n".join(lines))
    trace.write_text("0x40 READ 0\n")
    said = replay(accelsim, tmp_path, trace, config)
    assert (said.code, said.out) == (2, "")
    assert sentence in said.err and "internal error" not in said.err
    assert f"accelsim: {config}" in said.err or "accelsim: DRAM x: " in said.err


@pytest.mark.parametrize("value", ["abc", "nan", "inf", ""])
def test_what_dramsim3_takes_a_default_for_is_warned_of(accelsim, tmp_path, value):
    """It reads no number there, silently; so do imported files, with a warning."""
    config, trace = tmp_path / "x.ini", tmp_path / "trace.txt"
    config.write_text(
        INI.replace("tCK = 0.63", f"tCK = {value}").replace("CL = 22", f"CL = {value}")
    )
    trace.write_text("0x40 READ 0\n")
    said = accelsim("dram", "replay", "--config", config, "--trace", trace, "--json")
    assert said.code == 0
    for key in ("CL", "tCK"):
        assert any(f"{key} = {value!r} is no" in line for line in said.err.splitlines())


def test_what_no_memory_has_but_dramsim3_runs_with_is_warned_of(accelsim, tmp_path):
    config, trace = tmp_path / "x.ini", tmp_path / "trace.txt"
    config.write_text(INI.replace("tRAS = 52", "tRAS = 9").replace("tFAW = 34", "tFAW = 1"))
    trace.write_text("0x40 READ 0\n")
    said = accelsim("dram", "replay", "--config", config, "--trace", trace, "--json")
    assert said.code == 0
    assert "tRAS = 9 is shorter than tRCD (22, 22): no real memory" in said.err
    assert "tFAW = 1 is shorter than tRRD_S = 4: no real memory" in said.err


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ("ddr4_3200_x46", "Did you mean 'ddr4_3200_x64'?"),
        ("no.ini", "No such file"),
        ("no.yaml", "no such hardware file"),
        (".ini", "No such file"),
        ("folder.ini", "Is a directory"),
        ("empty.ini", "holds no `key = value` line"),
        ("binary.ini", "holds no `key = value` line"),
    ],
)
@pytest.mark.parametrize("command", [("export",), ("replay", "--trace", "x.txt", "--config")])
def test_a_memory_that_is_none(accelsim, tmp_path, monkeypatch, config, sentence, command):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.ini").mkdir()
    (tmp_path / "empty.ini").write_text("")
    (tmp_path / "binary.ini").write_bytes(bytes(range(256)).replace(b"=", b"").replace(b":", b""))
    assert_refused(accelsim("dram", *command, config), sentence)


def test_an_output_that_cannot_be_written(accelsim, tmp_path):
    trace = tmp_path / "trace.txt"
    trace.write_text("0x40 READ 0\n")
    memory = ("--config", "ddr4_3200_x64", "--trace", trace)
    for option in (("replay", *memory, "--commands"), ("export", "hbm2_2000", "--out")):
        said = accelsim("dram", *option, tmp_path)
        assert_refused(said, "is a folder")
        assert_refused(accelsim("dram", *option, trace / "x"), "is a file, or lies below one")
    assert list(tmp_path.iterdir()) == [trace]


@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="needs /dev/full")
def test_a_full_disk(accelsim, tmp_path, trace):
    requests = tmp_path / "trace.txt"
    requests.write_text("0x40 READ 0\n")
    memory = ("--config", "ddr4_3200_x64", "--trace", requests)
    said = accelsim("dram", "replay", *memory, "--commands", "/dev/full")
    assert_refused(said, "/dev/full: cannot write: No space left on device")
    said = accelsim("run", "edge_npu", trace, "--dram-trace", "/dev/full")
    assert_refused(said, "/dev/full: cannot write: No space left on device")
    said = accelsim("dram", "export", "hbm2_2000", "--out", "/dev/full")
    assert said.code == 2 and "cannot write: No space left on device" in said.err
    assert Path("/dev/full").is_char_device()
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-m", "accelsim", "dram", "replay", *map(str, memory)]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert (done.returncode, done.stderr) == (
        2,
        "accelsim: cannot write: No space left on device\n  fix: free space on the disk\n",
    )


def test_ctrl_c_in_a_long_replay_leaves_no_file(tmp_path):
    zeros, lines = np.zeros(10_000_000, np.uint8), np.arange(10_000_000).astype(np.uint8)
    np.savez_compressed(tmp_path / "long.npz", line=lines, w=zeros, t_ns=zeros)
    command = ["dram", "replay", "--config", "ddr4_3200_x64", "--trace", tmp_path / "long.npz"]
    process = subprocess.Popen(
        [sys.executable, "-m", "accelsim", *map(str, command), "--commands", tmp_path / "c.csv"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 120
    while sum(p.stat().st_size > 0 for p in tmp_path.iterdir()) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (2, "", "accelsim: interrupted\n")
    assert [path.name for path in tmp_path.iterdir()] == ["long.npz"]


def test_the_trace_itself_is_not_overwritten(accelsim, tmp_path):
    trace = tmp_path / "trace.txt"
    trace.write_text("0x40 READ 0\n")
    memory = ("--config", "ddr4_3200_x64", "--trace", trace)
    said = accelsim("dram", "replay", *memory, "--commands", trace)
    assert_refused(said, "is the trace itself")
    assert trace.read_text() == "0x40 READ 0\n"


def test_a_cycle_that_would_take_hours_is_refused(accelsim, tmp_path):
    trace = tmp_path / "trace.txt"
    for cycle in (1 << 44, 9 * 10**18, 10**30):
        trace.write_text(f"0x40 READ 0\n0x40 READ {cycle}\n")
        assert_refused(
            replay(accelsim, tmp_path, trace), "the cycle lies beyond 17,592,186,044,416"
        )


def test_an_address_of_any_length_is_refused_without_another_number(accelsim, tmp_path):
    trace = tmp_path / "trace.txt"
    trace.write_text("0x99999999999999999 READ 0\n")
    assert_refused(replay(accelsim, tmp_path, trace), "address lies outside the memory")


def test_a_byte_order_mark_is_no_part_of_a_trace(accelsim, tmp_path):
    trace = tmp_path / "trace.txt"
    trace.write_bytes(b"\xef\xbb\xbf0x40 READ 0\n")
    said = accelsim("dram", "replay", "--config", "ddr4_3200_x64", "--trace", trace, "--json")
    assert json.loads(said.out)["reads"] == 1


def test_form_and_name_of_a_trace_go_together(accelsim, tmp_path):
    run = ("run", "edge_npu", "fmnist_resnet8_q8")
    for name, form in (("a.npz", "load_store"), ("a.txt", "npz")):
        said = accelsim(*run, "--dram-trace", tmp_path / name, "--dram-trace-form", form)
        assert_refused(said, f"does not go with the form {form}")
    assert_refused(accelsim(*run, "--dram-trace-form", "npz"), "has no file to write")
    said = accelsim(*run, "--out", tmp_path, "--dram-trace", tmp_path / "result.json")
    assert_refused(said, "is a file of --out")
    assert not list(tmp_path.iterdir())


def test_what_dram_io_compares_is_said_once(accelsim, tmp_path):
    io = ("dram", "io", "edge_npu", "fmnist_resnet8_q8")
    assert_refused(accelsim(*io, "--set", "dram.dbi=on"), "dram.dbi is what this command compares")
    config = Path(__file__).parents[1] / "data" / "dram" / "configs" / "DDR4_8Gb_x8_2400.ini"
    assert_refused(accelsim(*io, "--memories", config), "are not known")


def test_a_file_without_any_key_of_dramsim3(accelsim, tmp_path):
    (tmp_path / "x.ini").write_text("[tool]\nname = x\n")
    assert_refused(accelsim("dram", "export", tmp_path / "x.ini"), "holds no key that DRAMsim3")


def test_commands_without_a_command(accelsim, tmp_path):
    path = tmp_path / "c.csv"
    path.write_text("cycle,command,channel,rank,bankgroup,bank,row,col\n")
    said = accelsim("dram", "check", path, "--dram", "ddr4_3200_x64")
    assert_refused(said, "holds no command")


def test_commands_are_gzipped_by_their_name(accelsim, tmp_path):
    trace, out = tmp_path / "trace.txt", tmp_path / "c.csv.gz"
    trace.write_text("0x40 READ 0\n")
    memory = ("--config", "edge_npu", "--trace", trace)
    assert accelsim("dram", "replay", *memory, "--commands", out).code == 0
    assert gzip.decompress(out.read_bytes()).startswith(b"cycle,command")
    assert accelsim("dram", "check", out, "--dram", "edge_npu").code == 0
