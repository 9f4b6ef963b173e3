"""Topology files of SCALE-Sim: their grammar, their shapes, and ours."""

import csv
from pathlib import Path

import pytest

from accelsim.errors import UserError
from accelsim.workload.importers.scalesim import (
    Form,
    TopologyRow,
    doubtful_rows,
    read_topology,
)
from accelsim.workload.importers.topology_graph import topology_graph
from accelsim.workload.layer import Conv

DATA = Path(__file__).parents[1] / "data" / "scalesim"
HEADER = "Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, ...,\n"


def rows(tmp_path: Path, text: str, form: Form | None = None) -> tuple[TopologyRow, ...]:
    (tmp_path / "t.csv").write_text(text)
    return read_topology(tmp_path / "t.csv", form)


def test_a_conv_row(tmp_path: Path) -> None:
    found = rows(tmp_path, HEADER + "Conv1, 224,224,7,7,3,64,2,\n")
    assert found == (TopologyRow("Conv1", 224, 224, 7, 7, 3, 64, (2, 2)),)


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
    assert row == TopologyRow("fc", 5, 512, 1, 512, 1, 1000, (1, 1))
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


def test_repeated_names_are_numbered(tmp_path: Path) -> None:
    graph = topology_graph(rows(tmp_path, HEADER + "A,8,8,3,3,4,8,1,\nA,8,8,1,1,4,8,1,\n"))
    assert [x.name for x in graph.layers] == ["A", "A #2"]


def test_rows_of_unequal_shapes_are_pieces_whose_ends_are_all_cuts(tmp_path: Path) -> None:
    # 8 channels of 6 x 6 are made; 4 channels of 8 x 8 are read.
    graph = topology_graph(rows(tmp_path, HEADER + "A,8,8,3,3,4,8,1,\nB,8,8,1,1,4,8,1,\n"))
    assert graph.inputs == ("A/input", "B/input") and graph.outputs == ("A", "B")
    assert set(graph.cut) == {"A/input", "B/input", "A", "B"}


def test_a_row_that_fits_reads_the_row_above(tmp_path: Path) -> None:
    graph = topology_graph(rows(tmp_path, HEADER + "A,8,8,3,3,4,8,1,\nB,6,6,3,3,8,16,1,\n"))
    assert graph.inputs == ("A/input",) and graph.outputs == ("B",)
    second = graph.layers[1]
    assert second.inputs == ("A",) and graph.edge["B"].shape == (16, 4, 4)


def test_a_row_that_fits_with_padding_of_its_own_filter_is_padded(tmp_path: Path) -> None:
    # Files list unpadded sizes: 56 x 56 shrinks to 54 x 54, and 56 x 56 is read again.
    text = HEADER + "A,56,56,3,3,64,64,1,\nB,56,56,3,3,64,64,1,\n"
    graph = topology_graph(rows(tmp_path, text))
    first, second = graph.layers
    assert isinstance(first, Conv) and isinstance(second, Conv)
    assert first.window.padding == (0, 0, 0, 0) and second.window.padding == (1, 1, 1, 1)
    # Each row computes what it says: 54 x 54 outputs of 9 x 64 products, 64 times.
    assert [graph.macs(x) for x in graph.layers] == [54 * 54 * 9 * 64 * 64] * 2


def test_a_larger_ifmap_than_its_filter_explains_is_another_map(tmp_path: Path) -> None:
    graph = topology_graph(rows(tmp_path, HEADER + "A,8,8,3,3,4,8,1,\nB,9,9,3,3,8,8,1,\n"))
    assert graph.inputs == ("A/input", "B/input")
    graph = topology_graph(rows(tmp_path, HEADER + "A,8,8,3,3,4,8,1,\nB,5,5,3,3,8,8,1,\n"))
    assert graph.inputs == ("A/input", "B/input")


def test_a_dp_row_is_depthwise_as_scalesim_reads_it(tmp_path: Path) -> None:
    # SCALE-Sim 3.0.0 runs it as one layer of one channel for each of its 32 channels, each
    # with all its filters.
    (row,) = rows(tmp_path, HEADER + "Conv2_DP,114,114,3,3,32,1,2,\n")
    assert row.is_depthwise and row.product == (56 * 57 + 57, 1, 9)  # 57 x 57, rounded up
    graph = topology_graph([row])
    (layer,) = graph.layers
    assert isinstance(layer, Conv) and layer.kind == "depthwise" and layer.groups == 32
    assert graph.edge["Conv2_DP"].shape == (32, 56, 56)
    assert graph.macs(layer) == 32 * 56 * 56 * 9
    (wide,) = topology_graph(rows(tmp_path, HEADER + "X_DP,8,8,3,3,4,2,1,\n")).layers
    assert isinstance(wide, Conv) and wide.out_channels == 8 and wide.n_weights == 8 * 9


def test_a_depthwise_layer_that_is_written_as_one_filter_is_doubted(tmp_path: Path) -> None:
    text = HEADER + "dw,114,114,3,3,32,1,1,\npw,112,112,1,1,32,64,1,\n"
    (warning,) = doubtful_rows(rows(tmp_path, text))
    assert "'dw' makes one channel, but 'pw' reads 32" in warning and "DP" in warning
    assert not list(doubtful_rows(rows(tmp_path, text.replace("dw", "dw_DP"))))
    one_filter = HEADER + "a,8,8,3,3,32,1,1,\nb,6,6,3,3,1,8,1,\n"
    assert not list(doubtful_rows(rows(tmp_path, one_filter)))


def test_the_first_row_tells_gemm_from_conv(tmp_path: Path) -> None:
    for row in ("fc, 5, 1000, 512,", "fc,5,1000,512", "fc,5,1000,512,2:4,"):
        (found,) = rows(tmp_path, f"Layer, M, N, K,\n{row}\n")
        assert found.product == (5, 1000, 512)
    with pytest.raises(UserError, match="a gemm row has 3"):
        rows(tmp_path, "Layer, M, N, K,\nfc, 5, 1000, 512,\nfc2, 5,\n")


def test_two_strides_are_read_where_the_header_names_both(tmp_path: Path) -> None:
    header = "Layer name, IFMAP height, width, Filter height, width, Channels, Num filter, "
    two = header + "Stride height, Stride width,\n"
    (row,) = rows(tmp_path, two + "A,9,20,3,3,4,8,2,1,\n")
    assert row.stride == (2, 1) and row.product == (4 * 18, 8, 36)
    assert topology_graph([row]).edge["A"].shape == (8, 4, 18)
    with pytest.raises(UserError, match="line 2: has '1' behind the 7 numbers"):
        rows(tmp_path, header + "Strides, Batch Size,\nA,9,20,3,3,4,8,2,1,\n")


def test_notes_behind_a_row_and_lines_of_commas_are_skipped(tmp_path: Path) -> None:
    good = rows(tmp_path, HEADER + "A,8,8,3,3,4,8,1,\n")
    # SCALE-Sim drops what follows the last comma; spreadsheets leave columns behind an empty one.
    for text in ("A,8,8,3,3,4,8,1,#dw", "A,8,8,3,3,4,8,1,,,110,110,12100", "A,8,8,3,3,4,8,1, "):
        assert rows(tmp_path, f"{HEADER},,,,,,,,\n{text}\n") == good


@pytest.mark.parametrize(
    ("line", "form", "problem"),
    [
        ("A,8,8,3,3,4,8,", "conv", "line 3: has 6 numbers after its name 'A', a conv row has 7"),
        ("A,5,6,7,", "conv", "has 3 numbers"),
        ("A,8,8,3,3,4,8,1,", "gemm", "has '3' behind the 3 numbers of a gemm row"),
        (",8,8,3,3,4,8,1,", "conv", "after its name ''"),
        ("A,8,8,3,3,four,8,1,", "conv", "channels is 'four', not a positive whole number"),
        ("A,8,8,3,3,-4,8,1,", "conv", "channels is '-4'"),
        ("A,8,8,3,3,4.0,8,1,", "conv", "channels is '4.0'"),
        ("A,8,8,3,3,4,8,0,", "conv", "stride is 0"),
        ("A,8,99999999999,3,3,4,8,1,", "conv", "ifmap columns is '99999999999'"),
        ("A,8,2,3,3,4,8,1,", "conv", "line 3: has a filter larger than its ifmap"),
        ("A,8,8,3,3,4,8,1,5,", "conv", "has '5' behind the 7 numbers of a conv row"),
        ("MobileNet,", "conv", "has 0 numbers after its name 'MobileNet'"),
        ("A,,8,3,3,4,8,1,", "conv", "ifmap rows is ''"),
        ("A\t8\t8\t3\t3\t4\t8\t1", "conv", "has 0 numbers"),
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
