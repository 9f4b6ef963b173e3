"""Compression-aware training (CAT): training any network with ReLUs to have low entropy.

Baskin, Chmiel, Zheltonozhskii, Banner, Bronstein, Mendelson: "CAT: Compression-Aware
Training for Bandwidth Reduction", JMLR 22 (2021). A rate term is added to the loss of the task,

    L = L_task + lambda * R_act + lambda_w * R_weights,

where R_act is the soft entropy of the quantised maps in bits per value, each map weighted
by its number of values:

    network = with_quantisers(module, bits=5)
    watch_statistics(network, batches)
    network.set_clips()
    network.quantise()
    loss = cross_entropy(network(x), y) + 0.1 * network.rate()
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from typing import Literal

import torch
from torch import Tensor, fx, nn

from accelsim.errors import UserError
from accelsim.training.entropy import TEMPERATURE
from accelsim.training.in_place import changes_in_place, may_write, show_to_later_readers
from accelsim.training.quantiser import ActivationQuantiser, Step
from accelsim.training.relus import Relu, relus
from accelsim.training.tracing import traced
from accelsim.training.weights import freeze_rounding, round_weights

Regulariser = Literal["entropy", "norm"]
MapWeight = Callable[[str, ActivationQuantiser], float]
"""Weight of one bit per value of a map, by name of the map; in CAT its number of values."""


def by_volume(_: str, quantiser: ActivationQuantiser) -> float:
    """The weight of a map in CAT: its number of values."""
    return float(quantiser.n_values)


class CatNetwork(nn.Module):
    """A network whose ReLUs are quantisers; see ``with_quantisers``."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.quantisers: dict[str, ActivationQuantiser] = {
            name: m for name, m in network.named_modules() if isinstance(m, ActivationQuantiser)
        }
        """Quantisers by name, in the order in which the maps are computed."""

    def forward(self, x: Tensor) -> Tensor:
        made: Tensor = self.network(x)
        return made

    def set_clips(self, deviations: float = 3.0) -> None:
        """Start each clip at mean + ``deviations`` standard deviations; see below."""
        for quantiser in self.quantisers.values():
            quantiser.set_clip(deviations)

    def quantise(self, first: int | None = None) -> None:
        """Quantise the ``first`` maps (gradual mode), or all; the others stay plain ReLUs."""
        for i, quantiser in enumerate(self.quantisers.values()):
            quantiser.mode = "quantise" if first is None or i < first else "float"

    def deployed(self) -> tuple[nn.Module, dict[str, tuple[int, float]]]:
        """What an exporter needs: a plain copy of the network, and the trained words.

        In the copy, weights are ordinary parameters with the values that training rounded
        them to, and every quantiser computes a plain ReLU. The words are (bits, real value of
        one level) of each map, by its quantiser's path.
        """
        plain = copy.deepcopy(self.network).eval()
        freeze_rounding(plain)
        words: dict[str, tuple[int, float]] = {}
        for name, module in plain.named_modules():
            if isinstance(module, ActivationQuantiser):
                if module.mode == "quantise":
                    words[name] = module.bits, module.scale
                module.mode = "float"
        return plain, words

    def rate(
        self, regulariser: Regulariser = "entropy", weight_of: MapWeight = by_volume
    ) -> Tensor:
        """The rate term of the last forward pass, a scalar with gradient.

        ``entropy``: soft entropy, bits per value. ``norm``: the authors' alternative, the
        ratio of the l1 to the l2 norm. Maps that are not quantised yet do not count.
        """
        total, weight = torch.zeros(()), 0.0
        for name, quantiser in self.quantisers.items():
            made = quantiser.rate_bits if regulariser == "entropy" else quantiser.norm_ratio
            if quantiser.mode != "quantise" or made is None:
                continue
            share = weight_of(name, quantiser)
            total = total.to(made) + made * share
            weight += share
        return total / weight if weight else total

    def clips(self) -> list[nn.Parameter]:
        """The learned clips, which need a smaller learning rate and no weight decay."""
        return [quantiser.clip for quantiser in self.quantisers.values()]


def with_quantisers(
    module: nn.Module,
    bits: int,
    *,
    weight_bits: int | None = 8,
    step: Step = "static",
    keep_last: bool = False,
    entropy_images: int = 8,
    entropy_stride: int = 1,
    temperature: float = TEMPERATURE,
) -> CatNetwork:
    """A copy of ``module`` with a quantiser at each ReLU and ReLU6, and rounded weights.

    ReLUs are found by tracing (``torch.fx``): modules, functions and methods, also as
    ``clamp(min=0)``, also in place. Each use whose result is read gets a quantiser of its own.
    As long as quantisation is off, and with ``weight_bits=None``, the copy computes the same as
    ``module``. ``keep_last`` leaves the last ReLU in float, like the authors' ``noQuantEdges``.
    Raises ``UserError`` for a module that cannot be traced, that changes a tensor in place and
    reads it again under another name, or that has no ReLU.
    """
    graph = traced(module)
    found = _live_relus(graph)
    if keep_last:
        found = found[:-1]
    if not found:
        name = type(module).__name__
        raise UserError(name, "has no ReLU to quantise", "use a network with ReLU or ReLU6")
    for i, relu in enumerate(found):
        quantiser = ActivationQuantiser(
            bits,
            step=step,
            ceiling=relu.ceiling,
            entropy_images=entropy_images,
            entropy_stride=entropy_stride,
            temperature=temperature,
        )
        target = f"quantiser{i:02d}_{_plain_name(relu.node)}"
        graph.add_submodule(target, quantiser)
        # Read again, because an earlier ReLU may have replaced the source of this one.
        (source,) = relu.node.all_input_nodes
        with graph.graph.inserting_after(relu.node):
            replacement = graph.graph.call_module(target, (source,))
        relu.node.replace_all_uses_with(replacement)
        graph.graph.erase_node(relu.node)
    graph.delete_all_unused_submodules()
    graph.recompile()
    if weight_bits is not None:
        round_weights(graph, weight_bits)
    return CatNetwork(graph)


def watch_statistics(network: CatNetwork, batches: Iterable[Tensor]) -> None:
    """Let the quantisers collect statistics, as means over ``batches`` of the training set."""
    for quantiser in network.quantisers.values():
        quantiser.mode = "statistics"
    was_training = network.training
    network.eval()
    with torch.no_grad():
        for batch in batches:
            network(batch)
    network.train(was_training)


def _live_relus(graph: fx.GraphModule) -> list[Relu]:
    """The ReLUs whose results reach an output; calls without effect are removed from the graph.

    None of them needs to work in place afterwards.
    """
    found = relus(graph)
    for relu in found:
        if changes_in_place(graph, relu.node):
            show_to_later_readers(graph, relu.node, relu.source)
    read = {relu.node for relu in found}
    graph.graph.eliminate_dead_code(
        lambda node: node.is_impure() or (node not in read and may_write(graph, node))
    )
    kept = set(graph.graph.nodes)
    return [relu for relu in found if relu.node in kept]


def _plain_name(node: fx.Node) -> str:
    return str(node.target if node.op == "call_module" else node.name).replace(".", "_")
