"""torch.export of a module: the operators that its output needs, in execution order.

Operators that change a tensor in place are taken for ordinary ones where nobody else sees
that tensor; else torch turns the whole program into one without them, which takes longer.
What does not depend on the input (a normalised or rounded weight) is computed here.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass
from io import StringIO
from typing import Any, Final

import torch
from torch import Tensor, fx, nn
from torch.export import ExportedProgram
from torch.fx.experimental.symbolic_shapes import GuardOnDataDependentSymNode

from accelsim.errors import AccelsimError, UserError
from accelsim.training.capturing.source_line import raised_at

# Their results share no memory with another tensor.
_MAKE_ANEW: Final = ("conv2d", "linear", "batch_norm", "add", "add_", "cat", "max_pool2d", "mul")


@dataclass(frozen=True)
class Exported:
    """``nodes`` are those that depend on the input and lead to an output."""

    nodes: tuple[fx.Node, ...]
    input: fx.Node
    outputs: tuple[fx.Node, ...]
    constants: dict[fx.Node, Any]
    """Parameters, buffers, and what follows from them alone."""


def export(module: nn.Module, example: Tensor) -> Exported:
    """The operators of ``module`` in inference. Raises ``UserError`` that names the line."""
    with _in_evaluation(module), quiet(), torch.no_grad(), _failures(module):
        return _plain(torch.export.export(module, (example,), strict=False))


def exported_again(program: ExportedProgram, example: Tensor) -> Exported:
    """The operators of a program for an image like ``example``. Raises ``UserError``."""
    module = program.module()
    with quiet(), torch.no_grad(), _failures(module):
        if any(isinstance(n, torch.SymInt) for v in _inputs(program) for n in v.shape):
            program = torch.export.export(module, (example,), strict=False)
        return _plain(program)


def _plain(program: ExportedProgram) -> Exported:
    if any(_changes_what_others_see(n) for n in program.graph.nodes):
        program = program.run_decompositions({})
    return _needed(program)


def _inputs(program: ExportedProgram) -> list[Tensor]:
    names = program.graph_signature.user_inputs
    return [n.meta["val"] for n in program.graph.nodes if n.op == "placeholder" and n.name in names]


@contextmanager
def _failures(module: nn.Module) -> Iterator[None]:
    """Whatever fails while a module is exported, as a ``UserError``."""
    try:
        yield
    except AccelsimError:
        raise
    except GuardOnDataDependentSymNode as error:
        raise _failure(
            module,
            error,
            "the path depends on the values of a map",
            "let forward() take the same path for all inputs",
        ) from None
    except Exception as error:  # whatever the user's own code may raise
        reason = next(iter(str(error).strip().splitlines()), "") or type(error).__name__
        raise _failure(
            module,
            error,
            f"torch cannot export the network ({reason[:200]})",
            "let `torch.export.export(module, (example,))` succeed on an image of this size",
        ) from None


def _failure(module: nn.Module, error: Exception, problem: str, fix: str) -> UserError:
    place, code = raised_at(error)
    return UserError(
        place or type(module).__name__, f"{problem}{f': `{code}`' if code else ''}", fix
    )


def _needed(program: ExportedProgram) -> Exported:
    signature = program.graph_signature
    made_by_user = set(signature.user_outputs)
    by_name = {n.name: n for n in program.graph.nodes}
    outputs = tuple(by_name[str(n)] for n in signature.user_outputs if n in made_by_user)
    live, waiting = set[fx.Node](), list(outputs)
    while waiting:
        node = waiting.pop()
        if node not in live:
            live.add(node)
            waiting += node.all_input_nodes
    tensors = {**program.state_dict, **program.constants}
    constants: dict[fx.Node, Any] = {
        by_name[placeholder]: tensors[target]
        for named in (
            signature.inputs_to_parameters,
            signature.inputs_to_buffers,
            signature.inputs_to_lifted_tensor_constants,
        )
        for placeholder, target in named.items()
    }
    nodes = []
    for node in program.graph.nodes:
        if node not in live or node.op != "call_function":
            continue
        if _is_constant(node, constants):
            args = fx.node.map_arg((node.args, node.kwargs), lambda n: constants[n])
            constants[node] = node.target(*args[0], **args[1])
        else:
            nodes.append(node)
    return Exported(tuple(nodes), by_name[signature.user_inputs[0]], outputs, constants)


def _is_constant(node: fx.Node, constants: dict[fx.Node, Any]) -> bool:
    tags = getattr(node.target, "tags", ())
    return torch.Tag.nondeterministic_seeded not in tags and all(
        n in constants for n in node.all_input_nodes
    )


def _changes_what_others_see(node: fx.Node) -> bool:
    schema = getattr(node.target, "_schema", None)
    if schema is None or not schema.is_mutable:
        return False
    changed, alias = node.args[0], schema.arguments[0].alias_info
    if not isinstance(changed, fx.Node) or alias is None or not alias.is_write:
        return True
    made_anew = getattr(changed.target, "_opname", "") in _MAKE_ANEW
    return len(changed.users) > 1 or not made_anew


@contextmanager
def _in_evaluation(module: nn.Module) -> Iterator[None]:
    were_training = [m for m in module.modules() if m.training]
    module.eval()
    try:
        yield
    finally:
        for each in were_training:
            each.training = True


@contextmanager
def quiet() -> Iterator[None]:
    """torch logs and prints at length what failed; the error that follows says it in a line."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), redirect_stderr(StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
