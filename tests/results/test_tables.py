"""Tables: what they say, in a width that fits, and the ranking with its baseline."""

import csv
from dataclasses import replace

import pytest

from accelsim.results.flat import flat_layers, write_csv
from accelsim.results.ranking import baseline_of, compare_table, rank
from accelsim.results.table import Column, Table


def cells(table, first):
    """A row by its first cell, as {header unit: text}."""
    row = next(row for row in table.rows if row[0] == first)
    heads = [f"{c.header} {c.unit}".strip() for c in table.columns]
    return dict(zip(heads, row, strict=True))


def test_plain_text_is_aligned_and_keeps_every_character():
    table = Table("t", (Column("name", is_text=True), Column("n", "MB")), (("a", "1,234"),))
    assert table.plain().splitlines() == ["t", "", "name      n", "         MB", "a     1,234"]


def test_the_three_tables_of_a_run_fit_120_columns(make_result):
    for table in make_result().tables():
        assert max(map(len, table.plain().splitlines())) <= 120


def test_stalls_are_shares_of_the_cycles_of_the_layer(make_result):
    time = cells(make_result().tables()[0], "conv1")
    assert time["cycles"] == "1,020"
    assert time["busy %"] == "58.8"  # 600 of 1020
    assert time["ifmap %"] == "39.2"  # 400 of 1020
    assert time["decode %"] == "2.0"
    assert time["weight %"] == "."


def test_the_total_stands_below_the_layers(make_result):
    for table in make_result().tables():
        assert [row[0] for row in table.rows] == ["conv1", "add2", "TOTAL"]


def test_energy_is_in_microjoules(make_result):
    assert cells(make_result().tables()[2], "TOTAL")["total uJ"] == "0.008"  # 8110 pJ


def test_the_best_energy_comes_first(make_result):
    results = {"raw": make_result(1.0), "b": make_result(0.5), "a": make_result(0.5)}
    assert rank(results) == ["a", "b", "raw"]
    assert rank(results, "dram") == ["a", "b", "raw"]
    assert rank(results, "throughput") == ["a", "b", "raw"]


def test_gains_refer_to_raw_and_say_so(make_result):
    results = {"zvc": make_result(0.5), "raw": make_result(1.0)}
    table = compare_table(results, "replan")
    row = cells(table, "raw")
    assert row["gain x"] == "1.00"
    # The first gain of zvc: 8110 pJ over 3210 + 4900 / 2.
    assert next(r for r in table.rows if r[0] == "zvc")[2] == f"{8110 / 5660:.2f}"
    assert "better than raw" in table.footer[0]
    assert "each codec with its own best tiling" in table.footer[0]


def test_without_raw_the_first_codec_is_the_baseline(make_result):
    results = {"zvc": make_result(0.5), "huffman": make_result(0.4)}
    assert baseline_of(results) == "zvc"
    assert "better than zvc" in compare_table(results, "fixed").footer[0]


def test_runs_of_several_traces_show_their_accuracy(make_result):
    plain = replace(make_result(1.0), trace="plain", accuracy={"top1": 0.928})
    trained = replace(make_result(0.5), trace="trained", accuracy={})
    results = {"plain raw": plain, "trained raw": trained}
    assert baseline_of(results) == "plain raw"
    table = compare_table(results, "replan")
    assert "plain, trained on" in table.title
    assert [row[:2] for row in table.rows] == [("trained raw", "-"), ("plain raw", "92.8")]
    assert "better than plain raw" in table.footer[0]


def test_one_trace_tells_its_accuracy_below(make_result):
    known = replace(make_result(1.0), accuracy={"top1": 0.5, "n_images": 20.0})
    assert "accuracy: top-1 50.0 % of 20 images" in compare_table({"raw": known}, "replan").footer
    assert "accuracy: top-1 50.0 % of 20 images" in known.tables()[2].footer


def test_figures_of_several_images_are_for_one(make_result):
    one = compare_table({"raw": make_result(1.0)}, "replan")
    two = compare_table({"raw": make_result(1.0, images=2)}, "replan")
    assert float(two.rows[0][1]) == pytest.approx(float(one.rows[0][1]) / 2, abs=1e-3)
    assert "steady state" in two.footer[0]


def test_layers_as_csv_can_be_read_back(make_result, tmp_path):
    result = make_result(0.3)
    write_csv(flat_layers(result), tmp_path / "layers.csv")
    with (tmp_path / "layers.csv").open() as file:
        lines = list(csv.DictReader(file))
    assert [line["name"] for line in lines] == ["conv1", "add2"]
    assert float(lines[0]["bits_per_value.fetched"]) == result.layers[0].bits_per_value.fetched
    assert int(lines[0]["dram.by_tensor.ifmap.read_bytes"]) == 300 + 32


def test_rows_with_other_columns_share_one_header(tmp_path):
    write_csv([{"a": 1}, {"b": 0.1, "a": None}], tmp_path / "x.csv")
    assert (tmp_path / "x.csv").read_text() == "a,b\n1,\n,0.1\n"
