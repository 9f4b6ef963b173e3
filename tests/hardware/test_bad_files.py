"""Every mistake gets its sentence: where, what was read, what is allowed, how to mend it."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accelsim.errors import AccelsimError, ConfigError
from accelsim.hardware.document import Document
from accelsim.hardware.problems import find
from accelsim.hardware.read import chip_from_resolved, read_hardware
from accelsim.hardware.yaml_file import parse

GOOD = """\
core:
  clock_mhz: 500
array:
  rows: 8
  cols: 4
buffers: {ifmap_kib: 16, weight_kib: 32, ofmap_kib: 8}
dram:
  standard: ddr4_2400_x16
codec:
  name: raw
"""


def message(path: Path, text: str, overrides: tuple[str, ...] = ()) -> str:
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_hardware(path, overrides)
    assert caught.value.fix, "every error says how to mend it"
    return str(caught.value)


# What is replaced in the good file, by what, and what the message must say.
CASES = [
    ("rows: 8", "rws: 8", ":4: array.rws: unknown key 'rws'. Did you mean 'rows'?"),
    ("rows: 8", "rws: 8", "known here: rows, cols, dataflow, fold_overlap, psum_bits"),
    ("rows: 8", "rws: 8", "(1 more: `accelsim hw check` lists all)"),
    ("array:", "aray:", ":3: aray: unknown key 'aray'. Did you mean 'array'?"),
    ("rows: 8", "clock_mhz: 8", "Did you mean 'core.clock_mhz'?"),
    ("cols: 4", "rows: 4", ':5: found duplicate key "rows"'),
    ("rows: 8", "rows: 0", ":4: array.rows: must be a whole number from 1 to 4096 (PEs), got 0"),
    ("rows: 8", "rows: -3", "got -3"),
    ("rows: 8", "rows: 99999", "must be a whole number from 1 to 4096 (PEs), got 99999"),
    ("rows: 8", "rows: '8'", "must be a whole number from 1 to 4096 (PEs), got '8'"),
    ("rows: 8", "rows: 8.5", "got 8.5"),
    ("rows: 8", "rows: true", "got True"),
    ("rows: 8", "rows:", "got nothing"),
    ("rows: 8", "rows: [8]", "got [8]"),
    ("  rows: 8\n", "", "array.rows: is missing"),
    ("clock_mhz: 500", "clock_mhz: .nan", ":2: core.clock_mhz: must be a number from 1 to 10000"),
    ("clock_mhz: 500", "clock_mhz: .inf", "got inf"),
    ("clock_mhz: 500", "clock_mhz: 0", "got 0"),
    (
        "ifmap_kib: 16",
        "ifmap_kib: 0",
        ":6: buffers.ifmap_kib: must be above 0 where no buffer is shared",
    ),
    ("ifmap_kib: 16, ", "", "buffers.ifmap_kib: is missing"),
    ("ifmap_kib: 16", "ifmap_kib: -1", ":6: buffers.ifmap_kib: must be a number from 0 to"),
    ("ofmap_kib: 8", "ofmap_kib: 8, shared_kib: 64", ":6: buffers.ifmap_kib: must be 0, got 16"),
    ("ofmap_kib: 8", "shared_kib: .inf", "buffers.shared_kib: must be a number from 0"),
    ("ifmap_kib: 16", "ifmap_kib: true", "to 1048576 (KiB), got True"),
    ("ifmap_kib: 16", "ifmap_kib: 1048577", "to 1048576 (KiB), got 1048577"),
    ("ifmap_kib: 16", "ifmap_kib: 0.3", "must be a whole number of bytes, a multiple of 1/1024"),
    ("ifmap_kib: 16", "ifmap_kib: 16, port_bits: 8", "from 64 to 512 (bits), got 8"),
    ("x16\n", "x16\n  dbi: yes\n", "dram.dbi: must be one of default, on, off, got 'yes'"),
    (
        "ddr4_2400_x16\n",
        "ddr3l_1600_x64\n  dbi: on\n",
        ":9: dram.dbi: ddr3l_1600_x64 has no inversion that saves costly bits",
    ),
    ("ddr4_2400_x16\n", "ddr5_4800_x32\n  dbi: on\n", "ddr5_4800_x32 has no inversion"),
    ("ddr4_2400_x16\n", "hbm2_2400_x64\n  dbi: on\n", "choose off or default"),
    (
        "codec:",
        "energy: {dram_data: vampire_a}\ncodec:",
        "energy.dram_data: vampire_a is measured on DDR3L modules, not on ddr4_2400_x16",
    ),
    ("codec:", "energy: {dram_data: vampire}\ncodec:", "must be one of pins, vampire_a, vampire_b"),
    ("x16\n", "x61\n", ":8: dram.standard: unknown DRAM standard 'ddr4_2400_x61'. Did you mean"),
    (
        "x16\n",
        "x16\n  policy: dramsim\n",
        "unknown DRAM policy 'dramsim'. Did you mean 'dramsim3'?",
    ),
    ("x16\n", "x16\n  channels: 3\n", "must be a power of two"),
    ("x16\n", "x16\n  address_map: rochraba\n", "must name each of ch, ra, bg, ba, ro, co once"),
    ("x16\n", "x16\n  allocation: stagered\n", "must be one of staggered, packed, got 'stagered'"),
    ("ddr4_2400_x16", "my.ini", "no such file: my.ini"),
    ("name: raw", "name: zcv", ":10: codec.name: unknown codec 'zcv'. Did you mean 'zvc'?"),
    ("name: raw", "weight_name: zcv", "codec.weight_name: must be one of raw, got 'zcv'"),
    ("name: raw", "name: 3", "must be text, got 3"),
    ("name: raw", "lanes: 0", "from 1 to 4096 or null (lanes), got 0"),
    ("name: raw", "block: [16, 1]", "a list of three whole numbers, each 1 or more"),
    ("name: raw", "block: [16, 0, 4]", "got [16, 0, 4]"),
    ("name: raw", "block: [16, true, 4]", "got [16, True, 4]"),
    ("name: raw", "block: 64", "got 64"),
    ("name: raw", "block: [4096, 4096, 1]", "at most 1048576 values"),
    ("name: raw", "name: zvc\n  layout: linear", ":11: codec.layout: linear has no blocks, which"),
    ("name: raw", "hardware: {decode_rate: 3}", "codec.hardware.decode_rate: unknown key"),
    ("name: raw", "hardware: 3", "codec.hardware: must be a section of keys, got 3"),
    ("rows: 8", "rows: 8\n  dataflow: row_stationary", "unknown dataflow 'row_stationary'"),
    ("rows: 8", "rows: 8\n  fold_overlap: yes", "must be true or false, got 'yes'"),
    ("codec:\n  name: raw", "energy: {node_nm: 7}", "from 22 to 65 (nm), got 7"),
    ("codec:\n  name: raw", "energy: {sram_cell: lo}", "one of hp, lop, lstp, got 'lo'"),
    ("codec:\n  name: raw", "frame_rate_hz: 0", "got 0"),
    ("codec:\n  name: raw", "codec: [raw]", "codec: must be a section of keys, got ['raw']"),
    ("codec:\n  name: raw", "sources: {array.rws: x}", "Did you mean 'array.rows'?"),
    ("codec:\n  name: raw", "sources: {array.rows: 3}", "sources.array.rows"),
    ("codec:\n  name: raw", "derived: [array.rws]", "Did you mean 'array.rows'?"),
    ("codec:\n  name: raw", "derived: array.rows", "derived: must be a list of keys"),
    ("x16\n", "x16\n  changes: {timing.tRQ: 3}\n", "timing.tRQ is not a value of a memory"),
    ("x16\n", "x16\n  changes: {timing.tRP: x}\n", "timing.tRP cannot be 'x'"),
    ("x16\n", "x16\n  changes: {timing.tRP: -3}\n", "tRP: must be at least 1 cycles, got -3"),
    ("x16\n", "x16\n  changes: {timing: 3}\n", "timing cannot be 3"),
    ("x16\n", "x16\n  changes: 3\n", "changes: must be a mapping of keys to values or null"),
    ("codec:\n  name: raw", "3: 4", "unknown key '3'"),
    ("codec:\n  name: raw", "sources: {3: x}", "sources.3"),
    ("codec:\n  name: raw", "? [1, 2]\n: 4", "unknown key"),
    ("codec:\n  name: raw", "codec: {3: x}", "codec.3: unknown key '3'"),
    ("core:\n  clock_mhz: 500\n", "", "core: section is missing"),
    ("core:", "core: [", ":3: expected ',' or ']'"),
    ("core:", "core: !!python/name:os.system", "could not determine a constructor"),
    ("rows: 8", "rows: !!bool 3", "cannot be read"),
    ("rows: 8", "rows: 2001-13-45", "cannot be read: month must be in 1..12"),
    ("core:", "---\na: 1\n---\ncore:", "expected a single document in the stream"),
    ("codec:\n  name: raw", "a: &a [*a]", "no alias inside of what it names"),
]


@pytest.mark.parametrize(("old", "new", "expected"), CASES)
def test_a_mistake_gets_its_message(tmp_path: Path, old: str, new: str, expected: str) -> None:
    assert old in GOOD
    said = message(tmp_path / "bad.yaml", GOOD.replace(old, new, 1))
    assert expected in said
    assert said.startswith(str(tmp_path / "bad.yaml"))
    assert said.count("\n") == 1, "one line for what is wrong, one for the fix"


@pytest.mark.parametrize(
    ("text", "expected"),
    [("", "found nothing"), ("- core", "found a list"), ("[" * 5000, "nested more than 16 deep")],
)
def test_a_file_that_is_no_mapping_says_so(tmp_path: Path, text: str, expected: str) -> None:
    assert expected in message(tmp_path / "bad.yaml", text)


def test_foreign_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_bytes(b"\x89PNG\r\n\x1a\n\xff\xff")
    with pytest.raises(ConfigError, match="not UTF-8 text"):
        read_hardware(path)
    path.write_bytes(b"#" * (2 << 20))
    with pytest.raises(ConfigError, match="larger than 64 KiB"):
        read_hardware(path)


OVERRIDES = [
    ("array.rws=3", "unknown key 'array.rws'. Did you mean 'array.rows'?"),
    ("rows=3", "Did you mean 'array.rows'?"),
    ("array=3", "is a section, not a key"),
    ("array.rows", "has no `=`"),
    ("array.rows=0", "--set array.rows=0: must be a whole number from 1 to 4096 (PEs), got 0"),
    ("array.rows=x", "got 'x'"),
    ("array.rows=", "got nothing"),
    ("array.rows=[1", "--set array.rows=[1: expected ',' or ']'"),
    ("codec.name=zcv", "--set codec.name=zcv: unknown codec 'zcv'. Did you mean 'zvc'?"),
    ("dram.standard=no.ini", "no such file: no.ini"),
]


@pytest.mark.parametrize(("option", "expected"), OVERRIDES)
def test_a_bad_override_is_named_itself(tmp_path: Path, option: str, expected: str) -> None:
    assert expected in message(tmp_path / "good.yaml", GOOD, (option,))


def test_an_override_mends_a_file(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(GOOD.replace("rows: 8", "rows: 0"))
    assert read_hardware(path, ["array.rows=2"]).array.rows == 2


def test_all_problems_are_found_at_once(tmp_path: Path) -> None:
    text = GOOD.replace("rows: 8", "rows: 0").replace("name: raw", "name: zcv")
    document = Document("bad.yaml", parse(text.replace("  cols: 4\n", ""), "bad.yaml"), text)
    assert [(problem.where, problem.problem[:12]) for problem in find(document)] == [
        ("bad.yaml:4: array.rows", "must be a wh"),
        ("bad.yaml:10: codec.name", "unknown code"),
        ("bad.yaml:5: array.cols", "is missing"),
    ]


@pytest.mark.parametrize("resolved", [[], {}, {"core": 3}, {"nonsense": {}}])
def test_a_broken_result_is_refused(resolved: object) -> None:
    with pytest.raises(ConfigError):
        chip_from_resolved(resolved)  # type: ignore[arg-type]


# Characters that mean something to YAML; anything else is just text.
yaml_text = st.text(st.sampled_from("ab:-[]{},&*!|>%@`'\"#?~ \n\t0.1e"), max_size=40)


@settings(deadline=None, max_examples=150)
@given(yaml_text)
def test_no_text_causes_a_traceback(text: str) -> None:
    try:
        document = Document("fuzz.yaml", {"core": parse(text, "fuzz.yaml")}, text)
    except AccelsimError:
        return
    assert find(document)
