"""What `hw list`, `hw show` and `hw check` say."""

from pathlib import Path

import pytest

from accelsim.hardware.catalogue import (
    check_hardware,
    json_schema,
    list_hardware,
    show_hardware,
    summary,
)
from accelsim.hardware.keys import KeyFacts, leaves
from accelsim.hardware.read import read_hardware, shipped_files
from accelsim.hardware.schema import HardwareFile


def warnings_of(tmp_path: Path, *options: tuple[str, str]) -> list[str]:
    """Warnings of the edge chip with some text replaced."""
    text = next(path for path in shipped_files() if path.stem == "edge_npu").read_text()
    for old, new in options:
        assert old in text
        text = text.replace(old, new, 1)
    path = tmp_path / "changed.yaml"
    path.write_text(text)
    report = check_hardware(path)
    assert report.errors == ()
    return [f"{warning.where}: {warning.problem}" for warning in report.warnings]


def test_the_list_has_every_shipped_file() -> None:
    assert [chip.name for chip in list_hardware()] == ["edge_npu", "eyeriss_like", "tpu_like"]


def test_balance_is_peak_macs_over_peak_bytes() -> None:
    """256 MACs at 1 GHz; DDR4-2400 x16 moves 2 bytes 2.4e9 times a second."""
    chip = summary(read_hardware("edge_npu"))
    assert chip.pes == 16 * 16
    assert chip.peak_gmac_s == 256.0
    assert chip.peak_gb_s == pytest.approx(4.8)
    assert chip.macs_per_byte == pytest.approx(256 / 4.8)
    assert chip.ifmap_kib + chip.weight_kib + chip.ofmap_kib == 256


def test_show_has_every_leaf_with_value_unit_and_source() -> None:
    shown = {line.key: line for line in show_hardware(read_hardware("edge_npu"))}
    assert shown["core.clock_mhz"].value == 1000.0
    assert shown["core.clock_mhz"].unit == "MHz"
    assert "nvdla" in shown["core.clock_mhz"].source
    assert shown["frame_rate_hz"].source == "default: images follow one another"
    assert shown["codec.layout"].value == "linear", "what `auto` is here"
    assert (shown["codec.lanes"].value, shown["codec.block"].value) == (1, [16, 1, 64])
    assert shown["codec.hardware.decode_fill_cycles"].source.startswith("codec raw")
    assert all(line.meaning and line.source for line in shown.values())


@pytest.mark.parametrize("path", shipped_files(), ids=lambda path: path.stem)
def test_shipped_files_pass_their_check_without_a_warning(path: Path) -> None:
    report = check_hardware(path)
    assert (report.errors, report.warnings) == ((), ())


def test_check_finds_all_errors_at_once(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text("core: {clock_mhz: 0}\narray: {rows: 0, cols: x}\n")
    errors = [error.where.removeprefix(f"{path}:") for error in check_hardware(path).errors]
    assert errors == [
        "1: core.clock_mhz",
        "2: array.rows",
        "2: array.cols",
        " buffers",
        " dram",
    ]


def test_check_reports_broken_yaml_and_missing_files(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text("core: [")
    assert len(check_hardware(path).errors) == 1
    assert "no such hardware file" in check_hardware(tmp_path / "none.yaml").errors[0].problem


def test_check_warns_of_a_wide_port_on_a_tiny_macro(tmp_path: Path) -> None:
    """8 KiB behind 512 bits are 8 * 8192 / 512 = 128 rows."""
    found = warnings_of(
        tmp_path, ("ofmap_kib: 64", "ofmap_kib: 8"), ("port_bits: 128", "port_bits: 512")
    )
    assert len(found) == 1
    assert "buffers.ofmap_kib: a port of 512 bits leaves 128 rows, below 256" in found[0]


def test_check_warns_of_a_decoder_slower_than_the_memory(tmp_path: Path) -> None:
    """At 1 GHz 4.8 GB/s are 4.8 bytes per cycle; run-length lanes give one value each."""
    slow = ("name: raw", "name: zero_rle"), ("lanes: null\n  block", "lanes: 4\n  block")
    found = warnings_of(tmp_path, *slow)
    assert any("4 lanes decode 4 values per cycle, DRAM moves 4.8 bytes" in text for text in found)
    enough = ("name: raw", "name: zero_rle"), ("lanes: null\n  block", "lanes: 5\n  block")
    assert warnings_of(tmp_path, *enough) == []


def test_check_warns_of_fifos_nodes_and_missing_sources(tmp_path: Path) -> None:
    fifo = warnings_of(
        tmp_path, ("fifo_blocks: 32", "fifo_blocks: 8"), ("name: raw", "name: huffman")
    )
    assert "8 blocks cannot feed 16 lanes" in fifo[0]
    node = warnings_of(tmp_path, ("node_nm: 22", "node_nm: 28"))
    assert "28 nm lies between points of the SRAM table" in node[0]
    source = warnings_of(tmp_path, ('  dram.channels: "one device"\n', ""))
    assert [text.split(": ", 1)[1] for text in source] == ["without a source: dram.channels"]


def test_check_says_in_one_line_what_has_no_source_after_all_that_matters(tmp_path: Path) -> None:
    path = tmp_path / "bare.yaml"
    path.write_text(
        "core: {clock_mhz: 500}\narray: {rows: 8, cols: 4}\nenergy: {node_nm: 28}\n"
        "buffers: {ifmap_kib: 16, weight_kib: 32, ofmap_kib: 1}\n"
        "dram: {standard: ddr4_2400_x16}\n"
    )
    node, macro, sources = check_hardware(path).warnings
    assert "28 nm" in node.problem and "64 rows" in macro.problem  # 8 x 1024 / 128
    assert sources.problem == (
        "without a source: core.clock_mhz, array.rows, array.cols, buffers.ifmap_kib, "
        "buffers.weight_kib, buffers.ofmap_kib, dram.standard, energy.node_nm"
    )


def test_check_repeats_the_warnings_of_an_imported_memory(tmp_path: Path) -> None:
    (tmp_path / "mine.ini").write_text("[dram_structure]\nprotocol = DDR4\nnonsense = 3\n")
    options = (("ddr4_2400_x16\n", "mine.ini\n"),)
    found = warnings_of(tmp_path, *options)
    assert any("dram.standard: " in text and "nonsense" in text for text in found)


def test_the_json_schema_describes_every_key() -> None:
    schema = json_schema()
    text = str(schema)
    for facts in leaves(HardwareFile):
        assert facts.meaning, facts.key
        assert facts.meaning in text
    assert schema["additionalProperties"] is False
    assert schema["required"] == ["core", "array", "buffers", "dram"]
    assert schema["$defs"]["ArraySection"]["properties"]["rows"]["maximum"] == 4096


def test_every_default_has_a_reason() -> None:
    for facts in leaves(HardwareFile):
        from_the_codec = facts.key.startswith("codec.hardware.")
        if (
            not facts.required
            and not from_the_codec
            and facts.key not in ("sources", "dram.ini_text")
        ):
            assert facts.default_reason, facts.key


def test_the_documentation_lists_every_key_as_the_schema_has_it() -> None:
    text = (Path(__file__).parents[2] / "docs" / "hardware.md").read_text()
    for facts in leaves(HardwareFile):
        if facts.key != "dram.ini_text":
            assert documented(facts) in text, f"docs/hardware.md should say: {documented(facts)}"


def documented(facts: KeyFacts) -> str:
    values = facts.allowed.replace("a whole number", "integer").replace("a number", "number")
    unit = f", {facts.unit}" if facts.unit else ""
    return f"| `{facts.key}` | {facts.meaning} | {values}{unit} |"
