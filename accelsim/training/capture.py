"""From a torch module to a ``FloatNetwork``: any feed-forward convolutional network.

``torch.export`` gives the operators that one image runs through, whatever the module's code
looks like. They become steps, padding, batch normalisation and ReLUs fold into the layers
around them, and the layers get the names of their modules. So the stored maps are those
after the activation, linear bottlenecks, sums and concatenations.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from torch import Tensor, nn

from accelsim.errors import UserError, nearest
from accelsim.training.capturing.exported import export
from accelsim.training.capturing.fold import fold
from accelsim.training.capturing.names import layer_names
from accelsim.training.capturing.operand import Lowering
from accelsim.training.capturing.operators import lower
from accelsim.training.capturing.steps import Convolution, Pooling, Stack, Step, Steps, Sum
from accelsim.training.float_network import FloatNetwork, TrainedWord
from accelsim.workload.graph import Edge, Graph
from accelsim.workload.layer import Add, Concat, Conv, Layer, Pool

_INPUT = "input"


def capture(
    module: nn.Module,
    example: Tensor,
    *,
    name: str,
    source: str,
    input_mean: tuple[float, ...],
    input_std: tuple[float, ...],
    trained_words: Mapping[str, TrainedWord] | None = None,
) -> FloatNetwork:
    """The network that ``module`` computes in inference for images like ``example``.

    ``example`` is float [1, channels, rows, cols], on the device of the module.
    ``trained_words`` are by path of the ReLU's module, such as ``blocks.0.relu1``. The
    module is left as it was. Raises ``UserError`` that names the line of code for an
    operator that no layer computes, and for a path that depends on data.

    >>> import torch
    >>> module = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(16, 2))
    >>> found = capture(module, torch.zeros(1, 1, 4, 4), name="small", source="random",
    ...     input_mean=(0.0,), input_std=(255.0,))
    >>> [(layer.name, layer.kind) for layer in found.graph.layers]
    [('0', 'conv'), ('3', 'fc')]
    """
    words = dict(trained_words or {})
    _check(module, example, input_mean, input_std, words)
    exported = export(module, example)
    net = Steps([_shape(example)])
    state = Lowering(net, exported, {exported.input: 0}, words)
    for node in exported.nodes:
        lower(state, node)
    for node in exported.outputs:
        net.outputs.append(state.map(node, node))
    fold(net)
    if not net.steps:
        raise UserError(name, "computes nothing that is a layer", "give a network of layers")
    names = layer_names(module, (step.node for step in net.steps), _INPUT)
    edge_names = {0: _INPUT} | {s.output: n for s, n in zip(net.steps, names, strict=True)}
    graph = Graph(
        layers=tuple(_layer(net, s, edge_names) for s in net.steps),
        edges=tuple(Edge(edge, *net.shapes[n]) for n, edge in edge_names.items()),
        inputs=(_INPUT,),
        outputs=tuple(dict.fromkeys(edge_names[n] for n in net.outputs)),
    )
    convolutions = {edge_names[s.output]: s for s in net.steps if isinstance(s, Convolution)}
    return FloatNetwork(
        name=name,
        graph=graph,
        weights={n: np.ascontiguousarray(s.weights, np.float32) for n, s in convolutions.items()},
        biases={n: np.ascontiguousarray(s.bias, np.float32) for n, s in convolutions.items()},
        input_mean=tuple(input_mean),
        input_std=tuple(input_std),
        trained_words={
            edge_names[s.output]: s.word
            for s in net.steps
            if isinstance(s, Convolution | Sum) and s.word is not None
        },
        source=source,
    )


def _check(
    module: nn.Module,
    example: Tensor,
    input_mean: tuple[float, ...],
    input_std: tuple[float, ...],
    words: Mapping[str, TrainedWord],
) -> None:
    if example.ndim != 4 or len(example) != 1:
        raise UserError(
            "example", f"has shape {list(example.shape)}", "give [1, channels, rows, cols]"
        )
    channels = example.shape[1]
    if not len(input_mean) == len(input_std) == channels:
        raise UserError(
            "input mean and deviation",
            f"are {len(input_mean)} and {len(input_std)} numbers for {channels} channels",
            "give one number for each channel",
        )
    paths = [path for path, _ in module.named_modules()]
    for path in words:
        if path not in paths:
            raise UserError(
                "trained words",
                f"the network has no module {path!r}.{nearest(path, paths)}",
                "name modules as named_modules() does",
            )


def _shape(example: Tensor) -> tuple[int, int, int]:
    _, channels, rows, cols = example.shape
    return channels, rows, cols


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
            )
        case Pooling():
            return Pool(output, inputs[0], output, step.window, step.op)
        case Sum():
            return Add(output, inputs, output, step.activation)
        case Stack():
            return Concat(output, inputs, output)
        case _:
            raise AssertionError(f"{type(step).__name__} was not folded")
