"""What makes figures doubtful reaches everybody who reads them: stderr, JSON, files, tables."""

import csv
import json

import pytest

INI = """\
[dram_structure]
protocol = DDR4
nonsense = 3
"""
NODE = "28 nm lies between points of the SRAM table"
UNKNOWN = "memory odd: [dram_structure] nonsense is not a key of DRAMsim3: ignored"


@pytest.fixture
def doubtful(tmp_path):
    """Options for a memory file with an unknown key."""
    path = tmp_path / "odd.ini"
    path.write_text(INI)
    return ("--set", f"dram.standard={path}")


def warnings_in(err: str) -> list[str]:
    lead = "accelsim: warning: "
    return [line.removeprefix(lead) for line in err.splitlines() if line.startswith(lead)]


def test_a_run_says_its_warnings_once_and_keeps_them(accelsim, trace, tmp_path, doubtful):
    out = tmp_path / "out"
    node = ("--set", "energy.node_nm=28")
    said = accelsim("run", "edge_npu", trace, *doubtful, *node, "--out", out)
    assert said.code == 0, said.err
    found = warnings_in(said.err)
    assert found.count(UNKNOWN) == 1 and sum(NODE in text for text in found) == 1
    assert json.loads((out / "result.json").read_text())["warnings"] == found
    written = (out / "table.txt").read_text().splitlines()
    assert [line for line in written if line.startswith("warning: ")] == [
        f"warning: {text}" for text in found
    ]
    assert UNKNOWN not in said.out, "a terminal shows both streams: each warning stands there once"


def test_json_on_stdout_holds_what_stderr_says(accelsim, trace, doubtful):
    said = accelsim("run", "edge_npu", trace, *doubtful, "--json")
    assert json.loads(said.out)["warnings"] == warnings_in(said.err)
    assert UNKNOWN in warnings_in(said.err)


def test_a_comparison_says_each_warning_once_for_all_codecs(accelsim, trace, tmp_path, doubtful):
    out = tmp_path / "out"
    said = accelsim("compare", "edge_npu", trace, "--codecs", "raw,zvc", *doubtful, "--out", out)
    assert said.code == 0, said.err
    assert warnings_in(said.err).count(UNKNOWN) == 1
    kept = json.loads((out / "result.json").read_text())["warnings"]
    assert UNKNOWN in kept["raw"] and UNKNOWN in kept["zvc"]
    rows = list(csv.DictReader((out / "compare.csv").open()))
    assert len(rows) == 2 and all(UNKNOWN in row["warnings"] for row in rows)
    assert f"warning: {UNKNOWN}\n" in (out / "table.txt").read_text()


def test_a_sweep_has_a_column_of_warnings_and_says_how_many_points_they_concern(
    accelsim, trace, tmp_path, doubtful
):
    study = tmp_path / "study.yaml"
    memory = doubtful[1].partition("=")[2]
    study.write_text(
        f"hardware: edge_npu\ntrace: {trace}\nvary:\n  dram.standard: [{memory}, lpddr4_3200_x16]\n"
    )
    said = accelsim("sweep", study, "--jobs", 1, "--out", tmp_path / "out")
    assert said.code == 0, said.err
    assert warnings_in(said.err).count(f"{UNKNOWN} (1 of 2 points)") == 1
    assert "lpddr4_3200_x16: partly assumed; odd: as in its file: maxima, no pins" in said.err
    odd, native = csv.DictReader((tmp_path / "out" / "points.csv").open())
    assert UNKNOWN in odd["warnings"] and native["warnings"] == ""


def test_hw_show_and_memory_commands_say_them_too(accelsim, tmp_path, doubtful):
    shown = accelsim("hw", "show", "edge_npu", *doubtful)
    assert warnings_in(shown.err).count(UNKNOWN) == 1
    requests = tmp_path / "two.trc"
    requests.write_text("0x0 READ 0\n0x40 READ 1\n")
    memory = doubtful[1].partition("=")[2]
    replayed = accelsim("dram", "replay", "--config", memory, "--trace", requests, "--json")
    assert any("nonsense" in text for text in warnings_in(replayed.err))


def test_a_chip_without_doubts_says_nothing(accelsim, trace):
    assert warnings_in(accelsim("run", "edge_npu", trace).err) == []
