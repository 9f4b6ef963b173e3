"""From a torch module to a ``FloatNetwork``: any feed-forward convolutional network.

``torch.export`` gives the operators that one image runs through, whatever the code of the module
looks like. They become steps; padding, batch normalisation and ReLUs are folded into the layers
around them; and the layers get the names of their modules. So the stored maps are those
after the activation, linear bottlenecks, sums and concatenations.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn
from torch.export import ExportedProgram

from accelsim.errors import UserError, nearest
from accelsim.training.capturing.exported import export, exported_again
from accelsim.training.capturing.names import layer_names
from accelsim.training.capturing.operand import Lowering
from accelsim.training.capturing.operators import lower
from accelsim.training.capturing.source_line import Call
from accelsim.workload.quantising.float_network import FloatNetwork, TrainedWord
from accelsim.workload.quantising.fold import fold
from accelsim.workload.quantising.network import INPUT, float_network
from accelsim.workload.quantising.steps import Steps


def capture(
    module: nn.Module,
    example: Tensor,
    *,
    name: str,
    source: str,
    input_mean: tuple[float, ...],
    input_std: tuple[float, ...],
    trained_words: Mapping[str, TrainedWord] | None = None,
    real_inputs: bool = False,
    program: ExportedProgram | None = None,
) -> FloatNetwork:
    """The network that ``module`` computes in inference for images like ``example``.

    ``example`` is float [1, channels, rows, cols], on the device of the module.
    ``trained_words`` are by path of the ReLU's module, such as ``blocks.0.relu1``;
    ``real_inputs`` says that images are real numbers, no pixels; ``program`` is given when
    ``module`` is that of one. The module is left as it was. Raises ``UserError`` that names
    the line of code for an operator that no layer computes, and for a path that depends on
    data.

    >>> import torch
    >>> module = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(16, 2))
    >>> found = capture(module, torch.zeros(1, 1, 4, 4), name="small", source="random",
    ...     input_mean=(0.0,), input_std=(255.0,))
    >>> [(layer.name, layer.kind) for layer in found.graph.layers]
    [('0', 'conv'), ('3', 'fc')]
    """
    words = dict(trained_words or {})
    _check(module, example, input_mean, input_std, words)
    exported = export(module, example) if program is None else exported_again(program, example)
    net = Steps([_shape(example)])
    state = Lowering(net, exported, {exported.input: 0}, words)
    for node in exported.nodes:
        lower(state, node)
    for node in exported.outputs:
        net.outputs.append(state.map(node, node))
    fold(net)
    calls = [step.origin.node for step in net.steps if isinstance(step.origin, Call)]
    return float_network(
        net,
        layer_names(module, calls, INPUT),
        name=name,
        source=source,
        input_mean=input_mean,
        input_std=input_std,
        real_inputs=real_inputs,
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
