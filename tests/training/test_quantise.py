"""Quantisation and calibration on a network small enough to reckon."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from accelsim.training.float_maps import float_maps  # noqa: E402
from accelsim.workload.graph import Edge, Graph  # noqa: E402
from accelsim.workload.layer import Concat, Conv, Pool, Window  # noqa: E402
from accelsim.workload.quantising.float_network import FloatNetwork  # noqa: E402
from accelsim.workload.quantising.quantise import fixed_point, quantise  # noqa: E402
from accelsim.workload.quantising.words import rounded_up  # noqa: E402
from accelsim.workload.replay import replay  # noqa: E402


def network(padding: int = 0) -> FloatNetwork:
    rng = np.random.default_rng(3)
    size = 8 + 2 * padding
    window = Window((3, 3), padding=(padding,) * 4)
    layers = (
        Conv("first", "input", "first", 3, 8, window, activation="relu"),
        Conv("one", "first", "one", 8, 4, Window((1, 1)), activation="relu"),
        Conv("two", "first", "two", 8, 4, Window((3, 3), padding=(1, 1, 1, 1)), activation="none"),
        Concat("both", ("one", "two"), "both"),
        Pool("max", "both", "max", Window((2, 2), (2, 2))),
        Pool("avg", "max", "avg", Window((size // 2, size // 2)), "avg"),
    )
    edges = (
        Edge("input", 3, 10, 10),
        Edge("first", 8, size, size),
        Edge("one", 4, size, size),
        Edge("two", 4, size, size),
        Edge("both", 8, size, size),
        Edge("max", 8, size // 2, size // 2),
        Edge("avg", 8, 1, 1),
    )
    convs = [x for x in layers if isinstance(x, Conv)]
    weights = {
        x.name: rng.normal(0, 0.2, (x.out_channels, x.in_channels, *x.window.kernel)).astype("f4")
        for x in convs
    }
    biases = {x.name: rng.normal(0, 5, x.out_channels).astype("f4") for x in convs}
    graph = Graph(layers, edges, ("input",), ("avg",))
    return FloatNetwork(
        name="small",
        graph=graph,
        weights=weights,
        biases=biases,
        input_mean=(120.0, 110.0, 100.0),
        input_std=(1.0, 1.0, 1.0),
        source="random",
    )


def pixels(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (3, 10, 10)).astype(np.uint8)


def calibrated(net: FloatNetwork, seeds: range) -> dict[str, tuple[float, float]]:
    maps = [float_maps(net, pixels(s)) for s in seeds]
    return {
        n: (min(float(m[n].min()) for m in maps), max(float(m[n].max()) for m in maps))
        for n in maps[0]
    }


def test_integer_maps_stay_near_the_float_maps() -> None:
    net = network()
    quantised = quantise(net, calibrated(net, range(8)))
    for seed in range(8):
        real = float_maps(net, pixels(seed))
        maps = replay(quantised.graph, quantised.arithmetic, {"input": pixels(seed)})
        for name in ("first", "one", "two", "both", "max", "avg"):
            edge = quantised.graph.edge[name]
            found = (maps[name].astype(float) - edge.zero_point) * edge.scale
            span = quantised.graph.edge["both"].scale * 255
            assert np.abs(found - real[name].numpy()).max() < 0.03 * span


def test_maps_after_a_relu_are_unsigned_and_clip_at_the_calibrated_maximum() -> None:
    net = network()
    ranges = calibrated(net, range(4))
    edge = quantise(net, ranges).graph.edge["first"]
    assert not edge.signed and edge.bits == 8
    assert edge.scale * 255 == pytest.approx(ranges["first"][1], rel=2**-11)


def test_a_concatenation_its_parts_and_its_pooling_share_one_word() -> None:
    net = network()
    graph = quantise(net, calibrated(net, range(4))).graph
    words = {
        (graph.edge[n].scale, graph.edge[n].signed, graph.edge[n].bits)
        for n in ("one", "two", "both", "max")
    }
    assert len(words) == 1 and next(iter(words))[1]  # "two" has no ReLU: signed
    average = graph.edge["avg"]
    assert average.bits == 16 and average.scale * 256 == graph.edge["max"].scale


def test_the_input_is_the_image_itself_and_its_mean_lies_in_the_first_bias() -> None:
    net = network()
    quantised = quantise(net, calibrated(net, range(4)))
    edge = quantised.graph.edge["input"]
    assert (edge.scale, edge.zero_point, edge.signed) == (1.0, 0, False)
    constants = quantised.arithmetic["first"]
    weights = constants.weights.astype(float)
    mean = np.array(net.input_mean)
    real = (constants.bias + (weights.sum((2, 3)) @ mean)) * constants.weight_scale
    np.testing.assert_allclose(real, net.biases["first"], atol=constants.weight_scale.max())


@settings(deadline=None)
@given(st.floats(1e-30, 1e30))
def test_scales_have_twelve_bits_and_never_shrink(scale: float) -> None:
    rounded = rounded_up(scale)
    assert scale <= rounded <= scale * (1 + 2**-11)
    assert np.ldexp(np.frexp(rounded)[0], 12) % 1 == 0


@settings(deadline=None)
@given(st.lists(st.floats(1e-6, 1e3), min_size=1, max_size=5))
def test_multipliers_are_nearest_to_their_factors(factors: list[float]) -> None:
    multipliers, shift = fixed_point(np.array(factors))
    assert 1 <= shift <= 62 and 2**29 <= multipliers.max() <= 2**30
    # One multiplier step is 2**-shift, and the largest factor has 30 bits of them.
    np.testing.assert_allclose(multipliers * 2.0**-shift, factors, atol=2.0**-shift / 2, rtol=1e-12)
