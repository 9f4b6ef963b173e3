"""Which word each map gets: trained ones exactly, others by sign, range and place."""

import numpy as np
import pytest

pytest.importorskip("torch")

from accelsim.training.float_maps import map_ranges
from accelsim.workload.graph import Edge, Graph
from accelsim.workload.layer import Add, Concat, Conv, Pool, Window
from accelsim.workload.quantising.float_network import TrainedWord
from accelsim.workload.quantising.input_map import input_form
from accelsim.workload.quantising.words import sharing_groups, with_words
from tests.training.float_networks import float_network, images

ONE = Window((1, 1))
SAME = Window((3, 3), padding=(1, 1, 1, 1))


def words(network: object, map_bits: int = 8) -> dict[str, Edge]:
    ranges = map_ranges(network, images(4))  # type: ignore[arg-type]
    return with_words(network, ranges, input_form(network), map_bits).edge  # type: ignore[arg-type]


def test_a_trained_word_is_kept_exactly_and_its_clip_replaces_the_six() -> None:
    word = TrainedWord(5, 1.7 / 31)  # no 12-bit number
    layers = (
        Conv("a", "input", "a", 3, 4, SAME, activation="relu6"),
        Pool("p", "a", "p", Window((2, 2), (2, 2))),
    )
    network = float_network(layers, trained_words={"a": word})
    graph = with_words(network, map_ranges(network, images(2)), input_form(network))
    for name in ("a", "p"):
        edge = graph.edge[name]
        assert (edge.bits, edge.signed, edge.scale, edge.zero_point) == (5, False, 1.7 / 31, 0)
    first = graph.layers[0]
    assert isinstance(first, Conv) and first.activation == "relu"


def test_the_sign_follows_from_the_graph_not_from_the_values_seen() -> None:
    layers = (
        Conv("linear", "input", "linear", 3, 4, ONE),
        Conv("rectified", "linear", "rectified", 4, 4, ONE, activation="relu6"),
        Add("mixed", ("linear", "rectified"), "mixed"),
        Add("both", ("rectified", "rectified"), "both"),
        Add("clipped", ("linear", "mixed"), "clipped", "relu"),
    )
    network = float_network(layers, outputs=("clipped",))
    network.biases["linear"][:] = 99.0  # no negative value will be seen
    found = words(network)
    assert {n for n, e in found.items() if e.signed} == {"linear", "mixed"}
    assert found["linear"].scale * 127 == pytest.approx(map_max(network, "linear"), rel=2**-11)
    assert found["rectified"].scale * 255 == pytest.approx(6.0, rel=2**-11)


def map_max(network: object, edge: str) -> float:
    return map_ranges(network, images(4))[edge][1]  # type: ignore[arg-type]


def test_fewer_bits_for_maps_without_trained_words() -> None:
    layers = (Conv("a", "input", "a", 3, 4, ONE, activation="relu"), Conv("b", "a", "b", 4, 4, ONE))
    found = words(float_network(layers), map_bits=4)
    assert found["a"].bits == 4 and found["b"].bits == 16


def test_class_scores_have_sixteen_bits_but_features_have_eight() -> None:
    conv = Conv("a", "input", "a", 3, 4, ONE)
    scores = words(float_network((conv,)))["a"]
    assert (scores.bits, scores.signed) == (16, True)
    assert scores.scale * 32767 == pytest.approx(
        max(abs(x) for x in map_ranges(float_network((conv,)), images(4))["a"]), rel=2**-11
    )
    features = (Conv("a", "input", "a", 3, 4, ONE, activation="relu"),)
    assert words(float_network(features))["a"].bits == 8


@pytest.mark.parametrize(
    ("n_channels", "bits"),
    # Products of 7-bit weights, n channels and this word must stay below 2**30.
    [(4, 16), (128, 30 - 7 - 7), (1280, 30 - 7 - 11), (4096, 30 - 7 - 12)],
)
def test_a_global_average_has_as_many_fraction_bits_as_its_consumer_can_sum(
    n_channels: int, bits: int
) -> None:
    layers = (
        Conv("a", "input", "a", 3, n_channels, ONE, activation="relu"),
        Pool("mean", "a", "mean", Window((10, 10)), "avg"),
        Conv("fc", "mean", "fc", n_channels, 2, ONE, fully_connected=True),
    )
    found = words(float_network(layers))
    assert found["mean"].bits == min(16, bits)
    assert found["mean"].scale * 2 ** (found["mean"].bits - 8) == found["a"].scale


def test_an_average_between_layers_keeps_the_width_of_maps() -> None:
    layers = (
        Conv("a", "input", "a", 3, 4, ONE, activation="relu"),
        Pool("half", "a", "half", Window((2, 2), (2, 2)), "avg"),
        Conv("b", "half", "b", 4, 4, ONE),
    )
    assert words(float_network(layers))["half"].bits == 8
    five = float_network(layers, trained_words={"a": TrainedWord(5, 0.0625)})
    half = words(five)["half"]
    assert (half.bits, half.scale) == (8, 0.0625 / 8)


def test_maps_that_are_stacked_share_one_word_through_two_concatenations_and_an_average() -> None:
    layers = (
        Conv("a", "input", "a", 3, 4, ONE, activation="relu"),
        Conv("b", "a", "b", 4, 4, ONE, activation="relu"),
        Concat("ab", ("a", "b"), "ab"),
        Pool("near", "a", "near", Window((3, 3), padding=(1, 1, 1, 1)), "avg"),
        Concat("all", ("ab", "near"), "all"),
        Conv("c", "all", "c", 12, 2, ONE),
    )
    network = float_network(layers)
    assert sharing_groups(network.graph)["near"] == {"a", "b", "ab", "near", "all"}
    found = words(network)
    assert len({(found[n].bits, found[n].scale) for n in ("a", "b", "ab", "near", "all")}) == 1


def test_parts_trained_to_different_bits_get_the_largest_step_and_enough_bits() -> None:
    layers = (
        Conv("a", "input", "a", 3, 4, ONE, activation="relu"),
        Conv("b", "input", "b", 3, 4, ONE, activation="relu"),
        Concat("ab", ("a", "b"), "ab"),
        Conv("c", "ab", "c", 8, 2, ONE),
    )
    trained = {"a": TrainedWord(3, 0.25), "b": TrainedWord(5, 0.1)}
    network = float_network(layers, trained_words=trained, std=(4.0,) * 3)
    found = words(network)["ab"]
    # 31 steps of 0.1 are covered by 13 steps of 0.25, which 4 bits hold.
    assert map_max(network, "ab") == pytest.approx(3.1)
    assert (found.bits, found.scale, found.signed) == (4, 0.25, False)


def test_a_map_that_is_always_zero_has_a_word_too() -> None:
    layers = (Conv("a", "input", "a", 3, 4, ONE, activation="relu"), Conv("b", "a", "b", 4, 2, ONE))
    network = float_network(layers)
    network.biases["a"][:] = -1e6
    found = words(network)["a"]
    assert found.bits == 8 and 0 < found.scale < np.inf


def test_a_graph_of_pools_and_concatenations_alone_needs_no_words() -> None:
    graph = Graph((), (Edge("x", 1, 2, 2),), ("x",), ("x",))
    assert sharing_groups(graph) == {"x": {"x"}}
