"""The shipped trace holds the real integers of a real network: proved without torch."""

import numpy as np
import pytest

from accelsim.workload.layer import Conv
from accelsim.workload.replay import replay, replay_layer
from accelsim.workload.trace_file import TraceFile, read_trace


@pytest.fixture(scope="module")
def trace() -> TraceFile:
    return read_trace("squeezenet1_1")


def test_squeezenet_1_1_has_the_published_size(trace: TraceFile) -> None:
    # The parameter count in torchvision's documentation of squeezenet1_1.
    convs = [x for x in trace.graph.layers if isinstance(x, Conv)]
    n_parameters = sum(x.n_weights + x.out_channels for x in convs)
    assert n_parameters == 1_235_496
    assert len(convs) == 26


def test_every_map_of_an_image_follows_from_its_pixels_and_the_stored_constants(
    trace: TraceFile,
) -> None:
    arithmetic = {
        x.name: trace.arithmetic(x.name) for x in trace.graph.layers if isinstance(x, Conv)
    }
    maps = replay(trace.graph, arithmetic, {"input": trace.values("input", 1)})
    for edge in trace.graph.edge:
        np.testing.assert_array_equal(maps[edge], trace.values(edge, 1), err_msg=edge)


def test_one_layer_of_every_image_follows_from_its_stored_input(trace: TraceFile) -> None:
    layer = trace.graph.producer["fire2/expand3x3"]
    for image in range(trace.facts.n_images):
        source = trace.values("fire2/squeeze1x1", image)
        made = replay_layer(trace.graph, layer, [source], trace.arithmetic(layer.name))
        np.testing.assert_array_equal(made, trace.values(layer.output, image))


def test_one_output_value_by_hand(trace: TraceFile) -> None:
    layer, constants = trace.graph.producer["conv1"], trace.arithmetic("conv1")
    assert isinstance(layer, Conv) and constants is not None
    pixels = trace.values("input", 0).astype(int)
    channel, row, col = 5, 40, 70
    seen = pixels[:, 2 * row : 2 * row + 3, 2 * col : 2 * col + 3]
    total = int((seen * constants.weights[channel].astype(int)).sum() + constants.bias[channel])
    half = 1 << (constants.shift - 1)
    expected = (total * int(constants.multiplier[channel]) + half) >> constants.shift
    assert trace.values("conv1", 0)[channel, row, col] == min(255, max(0, expected))


def test_the_egyptian_cat_is_seen(trace: TraceFile) -> None:
    # ImageNet classes 281 tabby, 282 tiger cat, 285 Egyptian cat; image 0 is chelsea the cat.
    logits = trace.values("pool10", 0).ravel()
    assert int(logits.argmax()) in (281, 282, 285)


def test_the_second_image_is_an_espresso(trace: TraceFile) -> None:
    assert int(trace.values("pool10", 1).argmax()) == 967
