"""From folded steps to a ``FloatNetwork``: layers, edges and constants, by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from accelsim.errors import UserError
from accelsim.workload.graph import Edge, Graph
from accelsim.workload.layer import Add, Concat, Conv, Layer, Pool
from accelsim.workload.quantising.float_network import FloatNetwork
from accelsim.workload.quantising.steps import Convolution, Pooling, Stack, Step, Steps, Sum

INPUT: Final = "input"
"""What the edge of the network's input is called; no layer has this name."""


def float_network(
    net: Steps,
    names: Sequence[str],
    *,
    name: str,
    source: str,
    input_mean: Sequence[float],
    input_std: Sequence[float],
    real_inputs: bool = False,
) -> FloatNetwork:
    """The network of ``net``, whose steps are folded; ``names`` are those of its steps, in order.

    Raises ``UserError`` when there is no step.
    """
    if not net.steps:
        raise UserError(name, "computes nothing that is a layer", "give a network of layers")
    edge_names = {0: INPUT} | {s.output: n for s, n in zip(net.steps, names, strict=True)}
    graph = Graph(
        layers=tuple(_layer(net, s, edge_names) for s in net.steps),
        edges=tuple(Edge(edge, *net.shapes[n]) for n, edge in edge_names.items()),
        inputs=(INPUT,),
        outputs=tuple(dict.fromkeys(edge_names[n] for n in net.outputs)),
    )
    convolutions = {edge_names[s.output]: s for s in net.steps if isinstance(s, Convolution)}
    return FloatNetwork(
        name=name,
        graph=graph,
        weights={n: np.ascontiguousarray(s.weights, np.float32) for n, s in convolutions.items()},
        biases={n: np.ascontiguousarray(s.bias, _bias_type(s)) for n, s in convolutions.items()},
        input_mean=tuple(input_mean),
        input_std=tuple(input_std),
        trained_words={
            edge_names[s.output]: s.word
            for s in net.steps
            if isinstance(s, Convolution | Sum) and s.word is not None
        },
        given_words={edge_names[n]: word for n, word in net.words.items() if n in edge_names},
        weight_scales={
            n: s.weight_scale for n, s in convolutions.items() if s.weight_scale is not None
        },
        real_inputs=real_inputs,
        source=source,
    )


def _bias_type(step: Convolution) -> type[np.floating[Any]]:
    # Of a layer that came quantised every one of 32 bits is wanted back.
    return np.float32 if step.weight_scale is None else np.float64


def _layer(net: Steps, step: Step, names: Mapping[int, str]) -> Layer:
    output = names[step.output]
    inputs = tuple(names[n] for n in step.inputs)
    match step:
        case Convolution():
            return Conv(
                name=output,
                input=inputs[0],
                output=output,
                in_channels=net.shapes[step.inputs[0]][0],
                out_channels=len(step.weights),
                window=step.window,
                groups=step.groups,
                activation=step.activation,
                fully_connected=step.fully_connected,
                weight_bits=step.weight_bits,
            )
        case Pooling():
            return Pool(output, inputs[0], output, step.window, step.op)
        case Sum():
            return Add(output, inputs, output, step.activation)
        case Stack():
            return Concat(output, inputs, output)
        case _:
            raise AssertionError(f"{type(step).__name__} was not folded")
