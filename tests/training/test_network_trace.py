"""Traces of any float network: replayed from themselves, with and without extras."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from accelsim.errors import UserError
from accelsim.training.float_maps import float_maps, float_outputs
from accelsim.training.network_trace import export_network
from accelsim.workload.layer import Add, Conv, Pool, Window
from accelsim.workload.quantising.comparison import Checks
from accelsim.workload.quantising.float_network import FloatNetwork, TrainedWord
from accelsim.workload.replay import replay
from accelsim.workload.trace_file import read_trace
from tests.training.float_networks import float_network, images

SAME = Window((3, 3), padding=(1, 1, 1, 1))
LAYERS = (
    Conv("a", "input", "a", 3, 4, SAME, activation="relu"),
    Conv("b", "a", "b", 4, 4, SAME),
    Add("sum", ("a", "b"), "sum", "relu"),
    Pool("mean", "sum", "mean", Window((10, 10)), "avg"),
    Conv("fc", "mean", "fc", 4, 3, Window((1, 1)), fully_connected=True),
)


def export(path: Path, network: FloatNetwork, n: int = 3, **options: object) -> dict[str, float]:
    pixels = images(30)
    checks = Checks(pixels, float_outputs(network, pixels), np.zeros(30, np.int64))
    return export_network(
        network,
        pixels[:n],
        path,
        calibration=pixels,
        checks=checks,
        **options,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize("mean", [(127.0,) * 3, (120.5, 110.0, 100.0)])
@pytest.mark.parametrize("words", [{}, {"a": TrainedWord(4, 0.2), "sum": TrainedWord(4, 0.3)}])
def test_an_exported_trace_can_be_replayed_from_its_input(
    tmp_path: Path, mean: tuple[float, ...], words: dict[str, TrainedWord]
) -> None:
    network = float_network(LAYERS, mean=mean, trained_words=words)
    figures = export(tmp_path / "t.h5", network)
    with read_trace(tmp_path / "t.h5") as trace:
        assert trace.facts.n_images == 3 and trace.facts.accuracy == figures
        for image in range(3):
            maps = replay(trace.graph, trace.constants(), {"input": trace.values("input", image)})
            for edge in trace.graph.edge:
                np.testing.assert_array_equal(maps[edge], trace.values(edge, image))
    prefix = "fake_quantised" if words else "float"
    assert set(figures) == {"n_images", "top1", f"{prefix}_top1", "top1_agreement"}


def test_a_trace_says_how_it_was_made(tmp_path: Path) -> None:
    network = float_network(LAYERS, mean=(127.0,) * 3, trained_words={"a": TrainedWord(4, 0.2)})
    export(
        tmp_path / "t.h5",
        network,
        accuracy={"float_top1": 0.5},
        training={"recipe": "short"},
        provenance={"images": "noise"},
    )
    with read_trace(tmp_path / "t.h5") as trace:
        facts = trace.facts
    assert facts.accuracy["float_top1"] == 0.5
    assert facts.training["recipe"] == "short" and facts.training["weights"] == "random"
    assert facts.training["method"].startswith("trained words for 1 maps; for the others 8-bit")
    assert facts.provenance["input"] == "pixels, 0 to 255; the mean is the zero point"
    assert facts.provenance["images"] == "noise"


def test_weights_may_stay_out_of_a_trace(tmp_path: Path) -> None:
    export(tmp_path / "t.h5", float_network(LAYERS), weights=False)
    with read_trace(tmp_path / "t.h5") as trace:
        assert trace.constants() == {} and trace.values("sum", 2).any()


def test_maps_before_a_relu_are_its_input_and_do_not_change_the_trace(tmp_path: Path) -> None:
    network = float_network(LAYERS, trained_words={"a": TrainedWord(4, 0.2)})
    export(tmp_path / "plain.h5", network)
    export(tmp_path / "t.h5", network, pre_activations=True)
    real = float_maps(network, images(30)[0])
    with read_trace(tmp_path / "t.h5") as trace, read_trace(tmp_path / "plain.h5") as plain:
        assert trace.graph == plain.graph
        for layer in ("a", "sum"):
            edge, before = trace.pre_activation_edge(layer), trace.pre_activations(layer, 0)
            assert edge is not None and before is not None
            assert (edge.bits, edge.signed) == (8, True) and before.min() < 0 < before.max()
            after, out = trace.values(layer, 0), trace.graph.edge[layer]
            # Both are roundings of one sum: half a step of each apart, below the clip.
            seen = before * edge.scale
            kept = (after < out.high) & (np.abs(before) < 127)
            apart = np.abs(after * out.scale - np.maximum(seen, 0))[kept]
            assert apart.max() <= (edge.scale + out.scale) / 2 * 1.001
        assert trace.pre_activation_edge("b") is None and trace.pre_activation_edge("fc") is None
    assert real["a"].min() == 0


def test_nothing_is_written_when_quantisation_changes_the_network(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"keep the best class of only \d+ of 30 images"):
        export(tmp_path / "t.h5", float_network(LAYERS, seed=5), map_bits=2)
    assert list(tmp_path.iterdir()) == []


def test_no_images_no_trace(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no image to run"):
        export(tmp_path / "t.h5", float_network(LAYERS), n=0)
