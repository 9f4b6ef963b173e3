"""Traces as text: what is fast agrees with what is careful, and what is written is read back."""

import gzip
import re
import tracemalloc
from pathlib import Path
from time import perf_counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accelsim.dram.address_map import address_map
from accelsim.dram.standard import STANDARDS
from accelsim.dram.system import ADDRESS_FIELDS
from accelsim.dram.traces import text as trace_text
from accelsim.dram.traces import text_kernel as trace_kernel
from accelsim.dram.traces.arrays import LAST_CYCLE
from accelsim.dram.traces.requests import Requests, read_requests, request_chunks
from accelsim.dram.traces.text import levels
from accelsim.dram.traces.write import TraceForm, write_requests
from accelsim.errors import DramTraceError
from tests.dram import golden

DDR4 = STANDARDS["ddr4_2400_x16"].config(channels=2)
FORMS: tuple[TraceForm, ...] = ("dramsim3", "load_store", "read_write", "npz")


def same(a: Requests, b: Requests) -> bool:
    return all(np.array_equal(x, vars(b)[key]) for key, x in vars(a).items())


def outcome(path: Path) -> tuple[list[list[int]], str]:
    """The requests of a file, or what is said about it."""
    try:
        return [array.tolist() for array in vars(read_requests(path, DDR4)).values()], ""
    except DramTraceError as error:
        return [], str(error)


READS = "READ|read|IFETCH|P_FETCH|P_MEM_RD|P_LOCK_RD|P_LOCK_WR"
WRITES = "WRITE|write|P_MEM_WR|BOFF"
FORM_OF = {"LD": "load_store", "ST": "load_store", "R": "read_write", "W": "read_write"}
LEVELS = ",".join(["(-?[0-9]+)"] * 6)
GRAMMAR = {
    form: re.compile(f"[ \t\r]*{line}[ \t\r]*")
    for form, line in {
        "dramsim3": rf"(-?(?:0[xX])?[0-9a-fA-F]+)[ \t\r]+({READS}|{WRITES})[ \t\r]+(-?[0-9]+)",
        "load_store": r"(LD|ST)[ \t\r]+(-?(?:0[xX][0-9a-fA-F]+|[0-9]+))",
        "read_write": rf"(R|W)[ \t\r]+{LEVELS}",
    }.items()
}


def by_regular_expressions(text: str) -> list[tuple[int, bool, int]] | int:
    """(address, is_write, cycle) of each request; or the line that is none."""
    form, found, last_cycle = "", [], 0
    mapping, end = address_map(DDR4), DDR4.n_lines * DDR4.line_bytes
    for number, line in enumerate(text.split("\n"), 1):
        words = line.strip(" \t\r").split()
        if not line.strip(" \t\r"):
            continue
        if not form:
            form = {
                "LD": "load_store",
                "ST": "load_store",
                "R": "read_write",
                "W": "read_write",
            }.get(words[0] if words else "", "dramsim3")
        match = GRAMMAR[form].fullmatch(line)
        if not match:
            return number
        cycle = 0
        if form == "dramsim3":
            address, cycle = int(match[1], 16), int(match[3])
            is_write = match[2] in WRITES.split("|")
        elif form == "load_store":
            address = int(match[2], 16 if "x" in match[2].lower() else 10)
            is_write = match[1] == "ST"
        else:
            address, is_write = 0, match[1] == "W"
            for field, level in zip(ADDRESS_FIELDS, match.groups()[1:], strict=True):
                place = ADDRESS_FIELDS.index(field)
                if not 0 <= int(level) < 1 << mapping.bits[place]:
                    return number
                address += (int(level) << mapping.shift[place]) * DDR4.line_bytes
        if not 0 <= address < end or not last_cycle <= cycle < LAST_CYCLE:
            return number
        last_cycle = cycle
        found.append((address, is_write, cycle))
    return found


NUMBER = st.one_of(
    st.integers(0, 1 << 34).map(hex),
    st.integers(0, 1 << 34).map(lambda n: f"{n:X}"),
    st.integers(-3, 40).map(str),
    st.sampled_from(
        [
            "0X1f",
            "0x",
            "",
            "1.5",
            "1_0",
            "+4",
            "-0x4",
            "9" * 16,
            "9" * 30,
            "0" * 20 + "4",
            "\u0663",
            "0x1g",
        ]
    ),
)
WORD = st.sampled_from(
    [
        "READ",
        "WRITE",
        "write",
        "P_MEM_WR",
        "BOFF",
        "P_FETCH",
        "P_LOCK_RD",
        "READ",
        "READS",
        "_",
        "*",
    ]
)
BLANK = st.sampled_from([" ", " ", " ", "\t", "  ", "\r"])


@st.composite
def lines_like(draw: st.DrawFn) -> str:
    """Mostly requests of one of the three forms."""
    form = draw(st.sampled_from(["dramsim3", "load_store", "read_write"]))
    rows = []
    for _ in range(draw(st.integers(0, 6))):
        if draw(st.integers(0, 9)) == 0:
            rows.append(draw(st.sampled_from(["", "  ", "\r", "nonsense", "LD", "R 0", "\x00"])))
            continue
        if form == "dramsim3":
            words = [draw(NUMBER), draw(WORD), draw(NUMBER)]
        elif form == "load_store":
            words = [draw(st.sampled_from(["LD", "ST", "LDX"])), draw(NUMBER)]
        else:
            n = draw(st.sampled_from([6, 6, 6, 5, 7]))
            words = [
                draw(st.sampled_from("RW")),
                ",".join(draw(st.one_of(st.integers(0, 2).map(str), NUMBER)) for _ in range(n)),
            ]
        words += draw(st.sampled_from([[], [], [], ["more"]]))
        rows.append(draw(BLANK).join(words) + draw(st.sampled_from(["", "", " ", "\r"])))
    return "\n".join(rows) + draw(st.sampled_from(["", "\n", "\n\n"]))


@settings(deadline=None, max_examples=400)
@given(lines_like(), st.sampled_from([trace_text.BLOCK_BYTES, 64]))
def test_a_trace_is_what_its_grammar_says(
    tmp_path_factory: pytest.TempPathFactory, text: str, block_bytes: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "trace.txt"
    path.write_bytes(text.encode())
    expected = by_regular_expressions(text)
    with pytest.MonkeyPatch.context() as patch:
        if max(map(len, text.encode().split(b"\n")), default=0) < block_bytes:
            patch.setattr(trace_text, "BLOCK_BYTES", block_bytes)
        for compiled in (True, False):
            if not compiled:
                for name, value in vars(trace_kernel).copy().items():
                    if hasattr(value, "py_func"):
                        patch.setattr(trace_kernel, name, value.py_func)
                patch.setattr(trace_text, "parse_lines", trace_kernel.parse_lines)
            requests, problem = outcome(path)
            if isinstance(expected, int):
                assert f"trace.txt:{expected}: " in problem
            elif expected:
                assert list(zip(*requests, strict=True)) == expected
            else:
                assert "holds no request" in problem


@pytest.mark.parametrize("word", ["Write", "W", "ST", "WRTIE", "writes", "R", "_", "\u00e9"])
@pytest.mark.parametrize("address", ["0x80", "0x0000000000000080"])
def test_a_word_that_is_neither_is_refused_whatever_the_address(
    tmp_path: Path, word: str, address: str
) -> None:
    """DRAMsim3 reads all of them."""
    path = tmp_path / "trace.txt"
    path.write_text(f"0x40 READ 0\n{address} {word} 0\n")
    with pytest.raises(DramTraceError) as error:
        read_requests(path, DDR4)
    said = f"trace.txt:2: '{address} {word} 0' is not a request: {word!r} is neither READ nor WRITE"
    assert said in str(error.value)


def test_zeros_in_front_of_an_address_take_no_longer(tmp_path: Path) -> None:
    """64-bit addresses of fixed width are what many tracers write. They double the bytes; what
    reads a line in Python takes 25 times as long."""
    n, seconds = 50_000, []
    for digits in (1, 16):
        path = tmp_path / f"{digits}.txt"
        path.write_text("".join(f"0x{64 * i:0{digits}X} READ {i}\n" for i in range(n)))
        took = []
        for _ in range(4):
            start = perf_counter()
            requests = read_requests(path, DDR4)
            took.append(perf_counter() - start)
        assert requests.address[-1] == 64 * (n - 1)
        seconds.append(min(took))
    assert seconds[1] < 8 * seconds[0]


def test_ramulators_lines_mean_what_ramulator_makes_of_them(tmp_path: Path) -> None:
    path = tmp_path / "x.trace"
    path.write_text("LD 0x12340\nST 4096\n")
    loads = read_requests(path, DDR4)
    assert loads.address.tolist() == [0x12340, 4096]
    assert loads.is_write.tolist() == [0, 1]
    assert loads.arrival_cycle.tolist() == [0, 0]
    path.write_text("R 1,0,1,2,100,32\nW 0,0,0,3,200,16\n")
    places = read_requests(path, DDR4)
    mapping = address_map(DDR4)
    found = [mapping.decode(int(a) // DDR4.line_bytes) for a in places.address]
    assert [tuple(place[f] for f in levels(DDR4)) for place in found] == [
        (1, 0, 1, 2, 100, 32),
        (0, 0, 0, 3, 200, 16),
    ]
    assert places.is_write.tolist() == [0, 1]


def test_levels_are_those_of_ramulators_standards() -> None:
    """Its DDR3 and LPDDR4 have no bank groups, its GDDR6 no ranks."""
    assert levels(STANDARDS["ddr4_3200_x64"].config()) == ("ch", "ra", "bg", "ba", "ro", "co")
    assert levels(STANDARDS["ddr3_1600_x64"].config()) == ("ch", "ra", "ba", "ro", "co")
    assert levels(STANDARDS["gddr6_14000_x16"].config()) == ("ch", "bg", "ba", "ro", "co")


@settings(deadline=None)
@given(
    st.sampled_from(sorted(STANDARDS)),
    st.sampled_from(FORMS),
    st.sampled_from(["x", "x.gz", "x.npz"]),
    st.integers(1, 300),
    st.integers(0, 1 << 30),
)
def test_what_is_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory,
    name: str,
    form: TraceForm,
    file: str,
    n: int,
    seed: int,
) -> None:
    config = STANDARDS[name].config(channels=4)
    if (form == "npz") != file.endswith(".npz"):
        return
    rng = np.random.default_rng(seed)
    requests = Requests(
        rng.integers(0, config.n_lines, n) * config.line_bytes,
        rng.integers(0, 2, n),
        np.sort(rng.integers(0, [3, 1 << 20, 1 << 43][seed % 3], n)),
    )
    path = tmp_path_factory.getbasetemp() / file
    write_requests(path, requests, config, form)
    again = read_requests(path, config)
    if form in ("load_store", "read_write"):
        requests = Requests(requests.address, requests.is_write, 0 * requests.arrival_cycle)
    assert same(again, requests)


def test_a_gzipped_trace_is_the_same_whenever_it_is_written(tmp_path: Path) -> None:
    requests = golden.requests("f_rndmix", golden.config("DDR4_8Gb_x8_3200"))
    config = golden.config("DDR4_8Gb_x8_3200")
    for name in ("a.gz", "b.gz"):
        write_requests(tmp_path / name, requests, config)
    assert (tmp_path / "a.gz").read_bytes() == (tmp_path / "b.gz").read_bytes()
    text = gzip.decompress((tmp_path / "a.gz").read_bytes()).decode()
    assert text.startswith("0x") and text.count("\n") == len(requests)


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("LD 0x10\nREAD 0x20\n", 2, "'READ 0x20' is not a request"),
        ("LD 0x10 5\n", 1, "write `LD|ST ADDRESS`"),
        ("LD 0x80000000\n", 1, "address 0x80000000 lies outside"),
        ("R 0,0,0,0,0\n", 1, "a number for each of ch,ra,bg,ba,ro,co"),
        ("R 0,0,0,0,0,0\nR 0,0,2,0,0,0\n", 2, "bg 2 lies outside the memory, which has 2"),
        ("R 0,0,0,-1,0,0\n", 1, "ba -1 lies outside"),
        ("0x10 READ 0 0x20 READ 0\n", 1, "is not a request"),
        ("\n\n0x10 READ\n", 3, "'0x10 READ' is not a request"),
        ("\n\n0x10 READ 7\n\n0x10 READ 6", 5, "cycle 6 comes after 7"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, text: str, place: int, message: str) -> None:
    path = tmp_path / "trace.txt"
    path.write_text(text)
    with pytest.raises(DramTraceError) as error:
        read_requests(path, DDR4)
    assert message in str(error.value) and f"trace.txt:{place}:" in str(error.value)


def test_lines_are_counted_over_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trace_text, "CHUNK_REQUESTS", 7)
    path = tmp_path / "trace.txt"
    path.write_text("0x10 READ 1\n\n" * 50 + "0x10 REED\n")
    with pytest.raises(DramTraceError, match=r"trace.txt:101: '0x10 REED'"):
        read_requests(path, DDR4)


@pytest.mark.parametrize("byte", [b"7", b" ", b"\x00"])
def test_one_huge_line_needs_no_memory(tmp_path: Path, byte: bytes) -> None:
    path = tmp_path / "trace.txt"
    path.write_bytes(b"0x10 READ 0\n" + byte * (32 << 20))
    tracemalloc.start()
    with pytest.raises(DramTraceError, match=r"trace.txt:2: .* is not a request"):
        sum(len(chunk) for chunk in request_chunks(path, DDR4))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # Arrays of 6 + 1 + 1 numbers for 2^17 requests, and a few blocks of 2 MiB.
    assert peak < 8 * (1 << 20) + 8 * trace_text.BLOCK_BYTES


def test_a_damaged_gzip_is_one_message(tmp_path: Path) -> None:
    path = tmp_path / "x.gz"
    whole = gzip.compress(b"0x10 READ 0\n" * 10_000)
    for damaged in (whole[:-20], whole[:30], whole[:40] + b"\x00" + whole[41:]):
        path.write_bytes(damaged)
        with pytest.raises(DramTraceError, match="is not a readable gzip"):
            read_requests(path, DDR4)
