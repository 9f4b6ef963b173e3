"""Request traces: what is read, and what is refused with its place."""

import tracemalloc
import zipfile
from fractions import Fraction
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accelsim.dram.replay import replay
from accelsim.dram.standard import STANDARDS
from accelsim.dram.traces import npz as trace_npz
from accelsim.dram.traces.arrays import first_edge
from accelsim.dram.traces.command_csv import CommandCsv
from accelsim.dram.traces.requests import read_requests, request_chunks
from accelsim.errors import DramTraceError
from tests.dram import golden

DDR4 = STANDARDS["ddr4_2400_x16"].config()


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "trace.txt"
    path.write_text(text)
    return path


def save(tmp_path: Path, **arrays: object) -> Path:
    path = tmp_path / "trace.npz"
    np.savez(path, **arrays)  # type: ignore[arg-type]
    return path


def test_text_is_read_as_dramsim3_does(tmp_path: Path) -> None:
    text = "0x10 READ 0\n20 WRITE 3\n\n0x30 P_MEM_WR 3\n0x40 BOFF 9\n0x50 P_FETCH 9\n"
    trace = read_requests(write(tmp_path, text), DDR4)
    assert trace.address.tolist() == [0x10, 0x20, 0x30, 0x40, 0x50]
    assert trace.is_write.tolist() == [0, 1, 1, 1, 0]
    assert trace.arrival_cycle.tolist() == [0, 3, 3, 9, 9]


def test_arrival_is_the_first_edge_not_before_the_time(tmp_path: Path) -> None:
    config = golden.config("DDR4_8Gb_x8_3200")
    path = save(tmp_path, line=np.array([0, 1, 2]), w=np.zeros(3, int), t_ns=[0.0, 0.63, 0.64])
    assert read_requests(path, config).arrival_cycle.tolist() == [0, 1, 2]


CLOCKS = (
    *(Fraction(5, 6), Fraction(3, 4), Fraction(5, 8), Fraction(15, 32), Fraction(4, 7)),
    *(Fraction(5, 14), Fraction(63, 100), Fraction(833, 1000), Fraction(1, 3), Fraction(1)),
)


@settings(deadline=None)
@given(st.sampled_from(CLOCKS), st.lists(st.integers(0, 1 << 43), min_size=1, max_size=50))
def test_a_time_on_an_edge_meets_it_at_every_clock(clock: Fraction, cycles: list[int]) -> None:
    """However it was computed: rounded from the exact edge, or a product of rounded numbers.
    A picosecond later (or four units in the last place) it is the next."""
    cycle, period = np.array(cycles), float(clock)
    exact = np.array([float(c * clock) for c in cycles])
    summed = np.array([c // 2 * period + (c - c // 2) * period for c in cycles])
    for t_ns in (exact, cycle * period, cycle / float(1 / clock), summed):
        assert first_edge(t_ns, period).tolist() == cycles
    later = exact + np.maximum(1e-3, 16 * np.spacing(exact))
    assert first_edge(later, period).tolist() == [c + 1 for c in cycles]


def test_the_edges_of_a_real_trace_are_met(tmp_path: Path) -> None:
    """tCK = 5/6 ns: the ceiling of the quotient in floating point is late for 13 % of them."""
    cycle = np.arange(100_000)
    zeros, t_ns = np.zeros(len(cycle), int), cycle * (5 / 6)
    assert round((np.ceil(t_ns / (5 / 6)) != cycle).mean(), 2) == 0.13
    path = save(tmp_path, line=zeros, w=zeros, t_ns=t_ns)
    assert read_requests(path, DDR4).arrival_cycle.tolist() == cycle.tolist()


@pytest.mark.parametrize("name", ["ddr4_2400_x16", "lpddr5_6400_x16", "ddr4_3200_x64"])
def test_a_line_is_one_burst_and_moves_what_it_says(tmp_path: Path, name: str) -> None:
    """16, 32 and 64 bytes: neighbours touch, and a thousand lines are a thousand bursts."""
    config = STANDARDS[name].config()
    n = 1000
    zeros = np.zeros(n, int)
    requests = read_requests(save(tmp_path, line=np.arange(n), w=zeros, t_ns=zeros), config)
    assert requests.address.tolist() == list(range(0, n * config.line_bytes, config.line_bytes))
    assert replay(config, requests).reads == n


def test_lines_and_addresses_mean_the_same(tmp_path: Path) -> None:
    line = np.array([1, 5], np.uint32)
    by_line = read_requests(save(tmp_path, line=line, w=[0, 1], t_ns=[0, 0]), DDR4)
    addr = line.astype(np.uint64) * DDR4.line_bytes
    by_addr = read_requests(save(tmp_path, addr=addr, is_write=[0, 1], t_ns=[0, 0]), DDR4)
    assert by_line.address.tolist() == by_addr.address.tolist() == [16, 80]


def test_text_and_npz_replay_alike(tmp_path: Path) -> None:
    config = golden.config("DDR4_8Gb_x8_3200")
    trace = golden.requests("z_hot256", config)
    kind = ("READ", "WRITE")
    rows = zip(trace.address.tolist(), trace.is_write.tolist(), trace.arrival_cycle, strict=True)
    text = "".join(f"{a:#x} {kind[w]} {t}\n" for a, w, t in rows)
    again = read_requests(write(tmp_path, text), config)
    assert replay(config, again).cycles == replay(config, trace).cycles


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("0x10 READ 0\nnonsense\n", ":2", "'nonsense' is not a request"),
        ("0x10 READ\n", ":1", "is not a request"),
        ("0xZZ READ 0\n", ":1", "is not a request"),
        ("0x10 READ 1.5\n", ":1", "is not a request"),
        ("0x10 READ 5\n0x10 READ 4\n", ":2", "cycle 4 comes after 5"),
        ("0x10 READ -4\n", ":1", "cycle -4 comes after 0"),
        ("0x10 READ 99999999999999999999\n", ":1", "hours of memory time"),
        ("0x40000000 READ 0\n", ":1", "lies outside the memory of 0x40000000 bytes"),
        ("-0x10 READ 0\n", ":1", "lies outside"),
        ("\x00\x01\x02", ":1", "is not a request"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, text: str, place: str, message: str) -> None:
    with pytest.raises(DramTraceError) as error:
        read_requests(write(tmp_path, text), DDR4)
    assert message in str(error.value) and f"trace.txt{place}:" in str(error.value)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"w": [0], "t_ns": [0]}, "named 'line' or 'addr'"),
        ({"line": [0], "addr": [0], "w": [0], "t_ns": [0]}, "exactly one integer array"),
        ({"line": [0], "t_ns": [0]}, "named 'w' or 'is_write'"),
        ({"line": [0], "w": [0]}, "needs an array of numbers (arrival in ns) named 't_ns'"),
        ({"line": [0.5], "w": [0], "t_ns": [0]}, "integer array"),
        ({"line": [0, 1], "w": [0], "t_ns": [0, 0]}, "arrays differ in shape"),
        ({"line": [[0]], "w": [[0]], "t_ns": [[0]]}, "arrays differ in shape"),
        ({"line": [0, 1 << 26], "w": [0, 0], "t_ns": [0, 0]}, "request 1: has an address outside"),
        ({"line": [-1], "w": [0], "t_ns": [0]}, "request 0: has an address outside"),
        ({"line": [0, 1], "w": [0, 2], "t_ns": [0, 0]}, "request 1: has a write flag"),
        ({"line": [0, 1], "w": [0, 0], "t_ns": [5, 4]}, "request 1: arrives before"),
        ({"line": [0], "w": [0], "t_ns": [float("nan")]}, "request 0: has a time"),
        ({"line": [0], "w": [0], "t_ns": [-1.0]}, "request 0: has a time"),
        ({"line": [0], "w": [0], "t_ns": [1e30]}, "request 0: has a time"),
        (
            {"line": np.array([2**63 + 1], np.uint64), "w": [0], "t_ns": [0]},
            "request 0: has an address outside",
        ),
        ({"line": np.array([{}], object), "w": [0], "t_ns": [0]}, "is not a readable .npz"),
    ],
)
def test_bad_arrays_are_named(tmp_path: Path, arrays: dict[str, object], message: str) -> None:
    with pytest.raises(DramTraceError) as error:
        read_requests(save(tmp_path, **arrays), DDR4)
    assert message in str(error.value)


def test_foreign_and_missing_files_are_one_message(tmp_path: Path) -> None:
    foreign = tmp_path / "x.npz"
    foreign.write_bytes(b"PK\x03\x04 not a zip")
    for path, message in ((foreign, "a readable .npz"), (tmp_path / "no.npz", "No such file")):
        with pytest.raises(DramTraceError, match=message):
            read_requests(path, DDR4)


def test_a_bomb_is_read_in_pieces(tmp_path: Path) -> None:
    zeros = np.zeros(1 << 22, np.int64)
    path = tmp_path / "bomb.npz"
    np.savez_compressed(path, line=zeros, w=zeros, t_ns=zeros)
    tracemalloc.start()
    n = sum(len(chunk) for chunk in request_chunks(path, DDR4))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # 96 MiB unpacked; a piece has seven arrays of 1 MiB at most, and the one before it three.
    assert n == len(zeros) and peak < 16 << 20


def test_members_that_are_no_arrays_and_lying_headers_are_refused(tmp_path: Path) -> None:
    path = save(tmp_path, line=np.arange(9), w=np.zeros(9, int), t_ns=np.zeros(9))
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    for bad in (b"no array", members["line.npy"].replace(b"(9,)", b"(9000000000000,)")):
        broken = tmp_path / "broken.npz"
        with zipfile.ZipFile(broken, "w") as archive:
            for name, content in {**members, "line.npy": bad}.items():
                archive.writestr(name, content)
        with pytest.raises(DramTraceError):
            read_requests(broken, DDR4)


def test_commands_are_written_under_their_names(tmp_path: Path) -> None:
    trace = read_requests(write(tmp_path, "0x0 READ 0\n"), DDR4)
    file = StringIO(newline="")
    CommandCsv(file).write(replay(DDR4, trace, record_commands=True).commands)
    assert file.getvalue().splitlines() == [
        "cycle,command,channel,rank,bankgroup,bank,row,col",
        "2,activate,0,0,0,0,0,0",
        "19,read,0,0,0,0,0,0",
    ]


def test_requests_are_counted_and_ordered_over_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trace_npz, "CHUNK_REQUESTS", 4)
    times = [0.0, 1, 2, 9, 8, 8, 8, 8, 8]
    path = save(tmp_path, line=np.arange(9), w=np.zeros(9, int), t_ns=times)
    with pytest.raises(DramTraceError, match="request 4: arrives before the one in front"):
        read_requests(path, DDR4)
    path = save(tmp_path, line=np.arange(9), w=np.arange(9) == 6, t_ns=np.arange(9))
    shares: list[float] = []
    chunks = list(request_chunks(path, DDR4, on_progress=shares.append))
    assert [len(chunk) for chunk in chunks] == [4, 4, 1]
    assert shares == [4 / 9, 8 / 9, 1.0]
    assert read_requests(path, DDR4).is_write.tolist() == [0, 0, 0, 0, 0, 0, 1, 0, 0]
