"""Topology files of SCALE-Sim: their grammar, their shapes, and ours."""

import csv
from pathlib import Path

import pytest

from accelsim.errors import UserError
from accelsim.workload.importers.scalesim import (
    Form,
    TopologyRow,
    read_topology,
    topology_graph,
)

DATA = Path(__file__).parents[1] / "data" / "scalesim"
HEADER = "Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, ...,\n"


def rows(tmp_path: Path, text: str, form: Form = "conv") -> tuple[TopologyRow, ...]:
    (tmp_path / "t.csv").write_text(text)
    return read_topology(tmp_path / "t.csv", form)


def test_a_conv_row(tmp_path: Path) -> None:
    found = rows(tmp_path, HEADER + "Conv1, 224,224,7,7,3,64,2,\n")
    assert found == (TopologyRow("Conv1", 224, 224, 7, 7, 3, 64, 2),)


def test_the_first_line_is_skipped_even_when_it_is_a_layer(tmp_path: Path) -> None:
    found = rows(tmp_path, "A,8,8,3,3,4,8,1,\nB,8,8,3,3,4,8,1,\n")
    assert [r.name for r in found] == ["B"]


def test_blank_lines_and_windows_line_ends_and_a_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(
        b"\xef\xbb\xbf" + HEADER.replace("\n", "\r\n").encode() + b"\r\n  \r\nA,8,8,3,3,4,8,1,\r\n"
    )
    assert [r.name for r in read_topology(tmp_path / "t.csv")] == ["A"]


def test_a_row_means_the_same_without_its_trailing_comma(tmp_path: Path) -> None:
    with_comma = rows(tmp_path, HEADER + "A,8,8,3,3,4,8,2,\n")
    assert rows(tmp_path, HEADER + "A,8,8,3,3,4,8,2\n") == with_comma


def test_the_sparsity_column(tmp_path: Path) -> None:
    assert rows(tmp_path, HEADER + "A,8,8,3,3,4,8,1,2:4,\n")[0].sparsity == (2, 4)
    assert rows(tmp_path, HEADER + "A,5,6,7,1:4\n", "gemm")[0].sparsity == (1, 4)
    assert rows(tmp_path, HEADER + "A,8,8,3,3,4,8,1,\n")[0].sparsity == (1, 1)


def test_a_gemm_row_is_scalesims_convolution_and_our_matrix_product(tmp_path: Path) -> None:
    # M, N, K becomes an ifmap of M x K, a filter of 1 x K, one channel, N filters.
    (row,) = rows(tmp_path, "Layer, M, N, K,\nfc, 5, 1000, 512,\n", "gemm")
    assert row == TopologyRow("fc", 5, 512, 1, 512, 1, 1000, 1)
    assert row.product == (5, 1000, 512)
    graph = topology_graph([row])
    assert graph.edge["fc/input"].shape == (512, 5, 1)
    assert graph.edge["fc"].shape == (1000, 5, 1)
    assert graph.macs(graph.layers[0]) == 5 * 1000 * 512


def test_scalesim_rounds_output_sizes_up_and_the_graph_rounds_them_down(tmp_path: Path) -> None:
    # Specified example: 28 x 28, 1 x 1, stride 2 is 15 x 15 for SCALE-Sim, really 14 x 14.
    (row,) = rows(tmp_path, HEADER + "Conv4_s,28,28,1,1,128,256,2,\n")
    assert row.product == (15 * 15, 256, 128)
    graph = topology_graph([row])
    assert graph.edge["Conv4_s"].shape == (256, 14, 14)


def test_rows_are_independent_layers_and_repeated_names_are_numbered(tmp_path: Path) -> None:
    graph = topology_graph(rows(tmp_path, HEADER + "A,8,8,3,3,4,8,1,\nA,8,8,1,1,4,8,1,\n"))
    assert [x.name for x in graph.layers] == ["A", "A #2"]
    assert graph.inputs == ("A/input", "A #2/input") and graph.outputs == ("A", "A #2")


@pytest.mark.parametrize(
    ("line", "form", "problem"),
    [
        ("A,8,8,3,3,4,8,", "conv", "line 3: has 6 numbers after its name 'A', a conv row has 7"),
        ("A,5,6,7,", "conv", "has 3 numbers"),
        ("A,8,8,3,3,4,8,1,", "gemm", "a gemm row has 3"),
        (",8,8,3,3,4,8,1,", "conv", "after its name ''"),
        ("A,8,8,3,3,four,8,1,", "conv", "channels is 'four', not a positive whole number"),
        ("A,8,8,3,3,-4,8,1,", "conv", "channels is '-4'"),
        ("A,8,8,3,3,4.0,8,1,", "conv", "channels is '4.0'"),
        ("A,8,8,3,3,4,8,0,", "conv", "stride is 0"),
        ("A,8,99999999999,3,3,4,8,1,", "conv", "ifmap columns is '99999999999'"),
        ("A,8,2,3,3,4,8,1,", "conv", "line 3: has a filter larger than its ifmap"),
        ("A,8,8,3,3,4,8,1,5,", "conv", "sparsity is '5'"),
        ("A,8,8,3,3,4,8,1,4:2,", "conv", "keeps more weights"),
    ],
)
def test_a_wrong_row_is_named_by_its_line(
    tmp_path: Path, line: str, form: Form, problem: str
) -> None:
    good = "ok,8,8,3,3,4,8,1," if form == "conv" else "ok,5,6,7,"
    with pytest.raises(UserError) as caught:
        rows(tmp_path, f"{HEADER}{good}\n{line}\n", form)
    assert problem in str(caught.value) and "t.csv, line 3" in str(caught.value)


def test_resnet18_has_the_products_of_scalesims_own_reports() -> None:
    # closed_form_resnet18.csv was checked against SCALE-Sim 3.0.0's reports.
    found = read_topology(DATA / "r18_full.csv")
    with (DATA / "closed_form_resnet18.csv").open() as file:
        expected = {
            line["layer"]: (int(line["M"]), int(line["N"]), int(line["K"]))
            for line in csv.DictReader(file)
        }
    assert {row.name: row.product for row in found} == expected


def test_files_that_are_no_topologies(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such file"):
        read_topology(tmp_path / "none.csv")
    with pytest.raises(UserError, match="has no layers"):
        rows(tmp_path, HEADER)
    (tmp_path / "t.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="is not text"):
        read_topology(tmp_path / "t.csv")
    with pytest.raises(UserError):
        read_topology(tmp_path)
