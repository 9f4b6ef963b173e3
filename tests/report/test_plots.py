"""Pictures: written whole, with what they must say, for any number of bars."""

from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest

from accelsim.codecs.base import Word
from accelsim.codecs.measure_file import measure_array
from accelsim.codecs.named import codec_named
from accelsim.report import (
    compare_plot,
    io_plot,
    measure_plot,
    pareto_plot,
    run_plot,
    sweep_plot,
)
from accelsim.report.style import ENERGY_COLOURS, STALL_COLOURS, TENSOR_COLOURS, look, styled
from accelsim.results.groups import ENERGY_GROUPS, STALL_GROUPS
from accelsim.sim.counts import TENSOR_KINDS
from accelsim.sweeps.study import StudyAxis

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def results(make_result):
    return {
        "raw": make_result(1.0, codec="raw"),
        "zvc": make_result(0.5, codec="zvc"),
        "huffman": make_result(0.4, codec="huffman"),
    }


def texts(figure):
    found = [figure.get_suptitle(), figure.get_supxlabel()]
    for axes in figure.axes:
        found += [axes.get_title(loc="left"), axes.get_xlabel(), axes.get_ylabel()]
        found += [text.get_text() for text in (*axes.texts, *axes.get_yticklabels())]
    return found


def test_every_part_of_a_stack_has_a_colour_of_its_own():
    for colours, parts in (
        (ENERGY_COLOURS, ENERGY_GROUPS),
        (STALL_COLOURS, STALL_GROUPS),
        (TENSOR_COLOURS, TENSOR_KINDS),
    ):
        assert set(colours) == set(parts)
        assert len(set(colours.values())) == len(colours)


def test_the_comparison_is_written_in_one_step(results, tmp_path):
    compare_plot.plot_comparison(results, tmp_path / "plot.png", "replan")
    assert [path.name for path in tmp_path.iterdir()] == ["plot.png"]
    assert (tmp_path / "plot.png").read_bytes().startswith(PNG)


def test_equal_results_give_equal_pictures(results, tmp_path):
    for name in ("a.svg", "b.svg"):
        compare_plot.plot_comparison(results, tmp_path / name, "replan")
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_the_comparison_names_machine_trace_units_and_baseline(results):
    said = texts(compare_plot._figure(results, "fixed", "energy"))
    assert any("tiny_net on made_up" in text for text in said)
    assert any("gain over raw; one tiling for all" in text for text in said)
    assert {"uJ", "MB", "images/s"} <= set(said)
    assert [text for text in said if text in results] == ["huffman", "zvc", "raw"]
    # 8110 pJ raw; with half the DRAM energy 3210 + 2450 pJ.
    assert "0.00566  (1.43x)" in said


@pytest.mark.parametrize("n_codecs", [1, 15])
def test_bars_of_any_number_of_codecs_do_not_overlap(make_result, n_codecs):
    many = {f"codec_{i}": make_result(1 / (i + 1)) for i in range(n_codecs)}
    figure = compare_plot._figure(many, "replan", "dram")
    figure.draw_without_rendering()
    first = figure.axes[0]
    labels = [label.get_window_extent() for label in first.get_yticklabels()]
    assert not any(a.overlaps(b) for a, b in pairwise(labels))
    legend = first.get_legend().get_window_extent()
    assert not legend.overlaps(first.xaxis.label.get_window_extent())
    assert not legend.overlaps(figure._supxlabel.get_window_extent())


def test_bars_of_a_run_are_as_long_as_its_cycles(make_result):
    result = make_result()
    figure = run_plot._figure(result)
    cycles = figure.axes[0]
    tops = [max(bar.get_y() + bar.get_height() for bar in bars) for bars in zip(*cycles.containers)]  # noqa: B905
    assert tops == pytest.approx([layer.cycles / 1e3 for layer in result.layers])


def test_a_run_is_written_as_a_picture(make_result, tmp_path):
    run_plot.plot_run(make_result(), tmp_path / "plot.png")
    assert (tmp_path / "plot.png").read_bytes().startswith(PNG)


@pytest.fixture
def swept(make_result):
    sizes = StudyAxis(("buffers.ifmap_kib", "buffers.ofmap_kib"), ((8, 4), (32, 16), (128, 64)))
    codecs = StudyAxis(("codec.name",), (("raw",), ("zvc",)))
    memories = StudyAxis(("dram.standard",), (("fast",), ("slow",)))
    nodes = StudyAxis(("energy.node_nm",), ((22,), (45,)))

    def build(*axes, without=()):
        steps = [()]
        for axis in axes:
            steps = [
                s + tuple(zip(axis.keys, step, strict=True)) for s in steps for step in axis.steps
            ]
        points = [SimpleNamespace(index=i, overrides=dict(s)) for i, s in enumerate(steps)]
        done = {
            p.index: make_result(8 / p.overrides.get("buffers.ifmap_kib", 8))
            for p in points
            if p.index not in without
        }
        study = SimpleNamespace(name="study", axes=axes)
        return SimpleNamespace(study=study, points=points, results=done)

    return SimpleNamespace(build=build, sizes=sizes, codecs=codecs, memories=memories, nodes=nodes)


def test_a_sweep_draws_lines_along_its_numbers_for_each_codec(swept):
    figure = sweep_plot._figure(swept.build(swept.sizes, swept.codecs, swept.memories))
    assert len(figure.axes) == 6  # energy, throughput and gain, fast and slow
    lines = figure.axes[0].get_lines()
    assert [line.get_label() for line in lines] == ["raw", "zvc"]
    assert list(lines[0].get_xdata()) == [12, 48, 192]
    assert "buffers: ifmap_kib + ofmap_kib" in texts(figure)


def test_points_that_failed_leave_a_gap(swept):
    figure = sweep_plot._figure(swept.build(swept.sizes, swept.codecs, without=(2,)))
    raw, zvc = figure.axes[0].get_lines()
    assert list(raw.get_xdata()) == [12, 192]
    assert list(zvc.get_xdata()) == [12, 48, 192]


def test_the_gain_over_raw_is_that_of_the_same_step_and_memory(swept, make_result):
    result = swept.build(swept.sizes, swept.codecs)
    # 8110 pJ at full traffic; the fake points of a quarter and a sixteenth move less.
    result.results = {0: make_result(1.0), 1: make_result(0.5), 4: make_result(0.25)}
    figure = sweep_plot._figure(result)
    raw, zvc = figure.axes[2].get_lines()
    assert list(raw.get_ydata()) == [1.0, 1.0]
    whole, half = (result.results[i].totals.energy_pj["total"] for i in (0, 1))
    assert list(zvc.get_xdata()) == [12] and list(zvc.get_ydata()) == pytest.approx([whole / half])


def test_labels_of_ticks_do_not_touch_and_the_last_stands(swept):
    sizes = StudyAxis(("buffers.ifmap_kib",), tuple((n,) for n in (8, 9, 10, 12, 16, 24, 60, 64)))
    figure = sweep_plot._figure(swept.build(sizes, swept.codecs, swept.memories))
    figure.draw_without_rendering()
    for axes in figure.axes[-2:]:
        labels = [label for label in axes.get_xticklabels() if label.get_text()]
        boxes = [label.get_window_extent() for label in labels]
        assert not any(a.overlaps(b) for a, b in pairwise(boxes))
        assert {labels[0].get_text(), labels[-1].get_text()} == {"8", "64"}


def test_a_memory_from_a_file_is_called_by_the_files_name(swept):
    files = StudyAxis(("dram.standard",), (("/a/very/long/path/odd.ini",), ("fast",)))
    figure = sweep_plot._figure(swept.build(swept.sizes, swept.codecs, files))
    assert {"odd", "fast"} <= {axes.get_title() for axes in figure.axes}


def test_markers_are_not_cut_at_the_axis(swept):
    figure = sweep_plot._figure(swept.build(swept.sizes, swept.codecs))
    assert not any(line.get_clip_on() for axes in figure.axes for line in axes.get_lines())


def test_each_of_49_series_has_a_look_of_its_own():
    looks = {(look(i)["color"], look(i)["marker"]) for i in range(49)}
    assert len(looks) == 49


@pytest.mark.parametrize(
    ("more_is_better", "expected"),
    # Energies 1, 2, 2, 3 at places 1, 4, 4, 2; less energy costs speed, or area.
    [(True, [0, 1]), (False, [0])],
)
def test_the_front_is_what_no_other_beats_in_both(more_is_better, expected):
    places, energies = [1.0, 4.0, 4.0, 2.0], [1.0, 2.0, 2.0, 3.0]
    assert pareto_plot.front(places, energies, more_is_better=more_is_better) == expected


def test_the_front_of_codecs_is_drawn_against_speed_and_area(results, tmp_path):
    marks = {"": [pareto_plot.Mark(name, name, each) for name, each in results.items()]}
    for name in ("a.svg", "b.svg"):
        pareto_plot.plot_pareto(marks, tmp_path / name, "A title")
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    with styled():
        figure = pareto_plot._figure(marks, "A title")
    said = texts(figure)
    assert {"A title", "images/s, one image, cold start", "codec area, all lanes, kGE"} <= set(said)
    energies = [line.get_ydata() for line in figure.axes[0].get_lines()]
    expected = [result.totals.energy_pj["total"] / 1e6 for result in results.values()]
    assert [float(e[0]) for e in energies[:3]] == pytest.approx(expected)


def test_the_front_of_a_sweep_has_two_plots_for_each_memory(swept, tmp_path):
    result = swept.build(swept.sizes, swept.codecs, swept.memories)
    for done in result.results.values():
        assert done.codec
    sweep_plot.plot_sweep_front(result, tmp_path / "plot.png")
    assert (tmp_path / "plot.png").read_bytes().startswith(PNG)


def test_further_axes_are_held_at_their_first_value_and_named(swept):
    result = swept.build(swept.sizes, swept.codecs, swept.memories, swept.nodes)
    figure = sweep_plot._figure(result)
    assert len(figure.axes[0].get_lines()[0].get_xdata()) == 3
    assert "Held: energy.node_nm 22" in figure.get_supxlabel()


def test_the_codecs_plot_shows_whole_bars_up_to_the_raw_size_and_names_what_goes_on():
    """Values of 2 bits in words of 8: raw is four times the ideal code, and still seen whole."""
    flat = {"few": np.tile(np.array([0, 1, 2, 3], np.uint8), 4096), "tiny": np.ones(4, np.uint8)}
    panels = {
        name: {
            array: [measure_array(values, codec_named(name, Word(8)))]
            for array, values in flat.items()
        }
        for name in ("raw", "zvc", "huffman")
    }
    with styled():
        figure = measure_plot._figure(panels, "Source: a test.")
    top = figure.axes[0].get_ylim()[1]
    assert 8 < top <= 10
    bars = [b.get_height() for axes in figure.axes[:3] for b in axes.patches if b.get_x() < 0]
    assert max(bars) <= top, "no bar of the large array is cut"
    # Four values in a burst of 64 bytes are 128 bits each; with Huffman's table 1024 / 4 more.
    assert {"128", "257"} <= set(texts(figure))


@pytest.mark.parametrize("names", [["codecs"], ["codecs", "memories"], ["sizes"]])
def test_sweeps_of_any_shape_can_be_drawn(swept, names, tmp_path):
    result = swept.build(*(getattr(swept, name) for name in names))
    sweep_plot.plot_sweep(result, tmp_path / "plot.png")
    assert (tmp_path / "plot.png").read_bytes().startswith(PNG)


def test_the_codecs_plot_has_a_panel_for_each_codec_fewest_bits_first(tmp_path):
    values = np.tile(np.array([0, 0, 0, 9], np.uint8), 64)
    measures = {
        name: {f"map[{i}]": measure_array(values, codec_named(name, Word(8))) for i in range(2)}
        for name in ("raw", "zvc", "huffman")
    }
    panels = {codec: measure_plot._by_map(found) for codec, found in measures.items()}
    assert all(list(found) == ["map"] for found in panels.values())
    with styled():
        figure = measure_plot._figure(panels, "Source: a test.")
    said = texts(figure)
    # 8 bits; 1 + 8 / 4; 1 bit and a table of 1024 bits for 256 values.
    for title in ("raw: 8.00 bits", "zvc: 3.00 bits", "huffman: 5.00 bits"):
        assert title in said
    assert figure.get_supxlabel() == "Source: a test."
    measure_plot.plot_measures(measures, tmp_path / "plot.png", "Source: a test.")
    assert (tmp_path / "plot.png").read_bytes().startswith(PNG)


def test_the_pins_of_each_memory_are_drawn_raw_and_coded(make_result, tmp_path):
    results = {"raw": make_result(1.0, codec="raw"), "zvc": make_result(0.5, codec="zvc")}
    memories = {"slow_memory": results, "fast_memory": results}
    for name in ("a.svg", "b.svg"):
        io_plot.plot_io(memories, tmp_path / name)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    said = texts(io_plot._figure(memories))
    assert {"slow_memory", "fast_memory", "uJ", "raw", "zvc"} <= set(said)
    # 4000 pJ are read and 900 pJ spent on the pins; half of both with the codec.
    assert " 0.00490, pins 18 %" in said and " 0.00245, pins 18 %" in said
    assert said.count("2.00") == 2, "the pins cost half on both memories"
