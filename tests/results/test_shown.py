"""What the shell and a notebook show of results: a line, a table, never thousands of figures."""

import csv
from dataclasses import replace

import pytest

import accelsim
from accelsim.cli.folder import write_comparison
from accelsim.errors import UserError
from accelsim.hardware.read import read_hardware
from accelsim.results.comparison import Comparison
from accelsim.results.table import Column, Table
from accelsim.simulation.prepare import prepare
from accelsim.simulation.simulate import compare
from accelsim.workload.trace_file import read_trace

A_LINE = 250


@pytest.fixture
def comparison(make_result):
    coded = replace(make_result(0.5), codec_area_kge=8.4)
    return Comparison({"zvc": coded, "raw": make_result(1.0, codec="raw")}, "replan")


def test_a_comparison_is_a_mapping_that_shows_itself_as_a_table(comparison):
    assert list(comparison) == ["zvc", "raw"] and comparison["raw"].codec == "raw"
    assert repr(comparison) == "<Comparison of zvc, raw: tiny_net on made_up>"
    assert str(comparison) == comparison.table().plain()
    assert comparison._repr_html_().count("<tr>") == 1 + 2
    assert repr(Comparison({}, "replan")) == "<Comparison of nothing>"


def test_a_result_is_a_line_in_the_shell_and_tables_in_a_notebook(make_result):
    result = make_result(0.5)
    assert len(repr(result)) < A_LINE and "tiny_net on made_up, zvc" in repr(result)
    assert f"{result.totals.cycles:,} cycles" in repr(result)
    assert result._repr_html_().count("<table>") == 3
    assert str(result).count("TOTAL") == 3


def test_a_chip_and_what_is_prepared_are_a_line_in_the_shell():
    chip = read_hardware("edge_npu", {"codec.name": "zvc"})
    assert repr(chip) == (
        "<Chip edge_npu: 16 x 16 PEs at 1000 MHz, 256 KiB, 1 x ddr4_2400_x16, codec zvc>"
    )
    assert "nvdla.org" in chip._repr_html_()
    with read_trace("fmnist_resnet8_q8") as trace:
        prepared = prepare(chip, trace)
        found = compare(chip, trace, ["raw"])
    assert repr(prepared).startswith("<Prepared: ") and len(repr(prepared)) < A_LINE
    assert isinstance(found, Comparison) and len(repr(found)) < A_LINE


def test_text_is_no_html():
    table = Table("a < b", (Column("x", "<i>", is_text=True),), (("<script>",),), ("&",))
    assert "<script>" not in table.html() and "<i>" not in table.html()
    assert "a &lt; b" in table.html() and "&amp;" in table.html()


def test_the_file_of_a_comparison_has_gains_area_and_all_that_the_table_has(comparison, tmp_path):
    write_comparison(comparison, tmp_path, "energy")
    coded, raw = csv.DictReader((tmp_path / "compare.csv").open())
    assert (coded["codec"], coded["baseline"], coded["codec_area_kge"]) == ("zvc", "raw", "8.4")
    # Made up: raw 3200 + 4000 + 10 + 900 pJ; zvc 3200 + 2000 + 10 + 450.
    assert float(coded["gain.energy"]) == pytest.approx(8110 / 5660)
    assert [float(raw[f"gain.{name}"]) for name in ("energy", "speed", "dram")] == [1, 1, 1]
    assert float(coded["energy_per_image_uj"]) == pytest.approx(5660e-6)
    assert coded["accuracy.top1"] == "0.75"


def test_one_function_draws_whatever_there_is(comparison, make_result, tmp_path):
    for what, name in ((comparison, "codecs.png"), (make_result(), "run.svg")):
        path = accelsim.plot(what, tmp_path / "pictures" / name)
        assert path.stat().st_size > 10_000
    with pytest.raises(TypeError, match="cannot plot a dict"):
        accelsim.plot({}, tmp_path / "no.png")  # type: ignore[arg-type]
    with pytest.raises(UserError, match="is a folder"):
        accelsim.plot(comparison, tmp_path)
