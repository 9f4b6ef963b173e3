"""Small float networks with random constants, for tests of quantisation."""

import numpy as np

from accelsim.workload.graph import Edge, Graph, output_shape
from accelsim.workload.layer import Conv, Layer
from accelsim.workload.quantising.float_network import FloatNetwork, TrainedWord


def float_network(
    layers: tuple[Layer, ...],
    input_shape: tuple[int, int, int] = (3, 10, 10),
    *,
    outputs: tuple[str, ...] = (),
    mean: tuple[float, ...] = (120.0, 110.0, 100.0),
    std: tuple[float, ...] = (64.0, 64.0, 64.0),
    trained_words: dict[str, TrainedWord] | None = None,
    seed: int = 3,
) -> FloatNetwork:
    """Random weights and biases for ``layers``, whose first input is called ``input``."""
    rng = np.random.default_rng(seed)
    edges = {"input": Edge("input", *input_shape)}
    weights, biases = {}, {}
    for layer in layers:
        shape = output_shape(layer, [edges[n] for n in layer.inputs])
        edges[layer.output] = Edge(layer.output, *shape)
        if isinstance(layer, Conv):
            full = (layer.out_channels, layer.in_channels // layer.groups, *layer.window.kernel)
            spread = 1.5 / np.sqrt(np.prod(full[1:]))
            weights[layer.name] = rng.normal(0, spread, full).astype("f4")
            biases[layer.name] = rng.normal(0, 0.2, layer.out_channels).astype("f4")
    return FloatNetwork(
        name="small",
        graph=Graph(layers, tuple(edges.values()), ("input",), outputs or (layers[-1].output,)),
        weights=weights,
        biases=biases,
        input_mean=mean,
        input_std=std,
        trained_words=trained_words or {},
        source="random",
    )


def images(n: int, shape: tuple[int, int, int] = (3, 10, 10)) -> np.ndarray:
    """Random pixels, uint8 [n, *shape]."""
    return np.random.default_rng(n).integers(0, 256, (n, *shape)).astype(np.uint8)
