"""Torch networks of the user's: a program, a function of a script, or a state dict.

A script is the user's own code and is run; so may be what a .pt2 file holds, as torch says.
"""

from __future__ import annotations

import importlib.util
import sys
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch
from torch import Tensor, nn
from torch.export import ExportedProgram

from accelsim.errors import AccelsimError, UserError, shortened
from accelsim.training.capturing.exported import quiet
from accelsim.training.capturing.source_line import raised_at
from accelsim.training.foreign_files import demand_torch_archive
from accelsim.training.networks import trained_network

_ANY: Final[tuple[int | None, ...]] = (None, None, None, None)
_STATE_DICT: Final = "give a file of torch.save(module.state_dict(), ...)"


@dataclass(frozen=True)
class Loaded:
    """A network of the user's, in inference, and what it says of its images."""

    module: nn.Module
    name: str
    source: str
    shape: tuple[int | None, ...] = _ANY
    """[images, channels, rows, cols]; None where any will do."""
    program: ExportedProgram | None = None
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None


def load(model: str, network: str | None) -> Loaded:
    """The network that ``model`` names. Raises ``UserError``."""
    file, colon, function = model.rpartition(":")
    if colon and file.endswith(".py"):
        return _from_script(Path(file), function)
    path = Path(model)
    if path.suffix == ".py":
        raise UserError(model, "names no function", f"write {model}:FUNCTION, which builds it")
    if not path.is_file():
        raise UserError(model, "no such file", "give a model file, or FILE.py:FUNCTION")
    if path.suffix == ".pt2":
        return _from_program(path)
    return _from_state_dict(path, network)


def _from_program(path: Path) -> Loaded:
    try:
        with warnings.catch_warnings(), quiet():
            warnings.simplefilter("ignore")
            with zipfile.ZipFile(path) as archive:  # torch does not compare its checksums
                if archive.testzip() is not None:
                    raise ValueError("its checksums do not fit")
            program = torch.export.load(path)
            module = program.module()
    except Exception as error:  # whatever damage makes torch raise
        raise UserError(
            str(path),
            f"is not a program that torch loads ({_line(error)})",
            "write it with torch.export.save(torch.export.export(module, (image,)), FILE)",
        ) from None
    names = program.graph_signature.user_inputs
    given = [
        n.meta["val"] for n in program.graph.nodes if n.op == "placeholder" and n.name in names
    ]
    if len(given) != 1 or not isinstance(given[0], Tensor) or given[0].ndim != 4:
        shapes = [list(getattr(x, "shape", ())) for x in given]
        raise UserError(
            str(path), f"reads {shapes}", "export it for one image: [1, channels, rows, cols]"
        )
    shape = tuple(n if isinstance(n, int) else None for n in given[0].shape)
    if shape[0] not in (None, 1):
        raise UserError(
            str(path), f"was exported for {shape[0]} images at once", "export it for one image"
        )
    source = f"{path.name}, exported by torch.export"
    return Loaded(module, path.stem, source, shape, program)


def _from_script(path: Path, function: str) -> Loaded:
    where = f"{path}:{function}"
    if not path.is_file():
        raise UserError(str(path), "no such file", "give FILE.py:FUNCTION")
    spec = importlib.util.spec_from_file_location(f"accelsim_import_{path.stem}", path)
    assert spec is not None and spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    sys.modules[script.__name__] = script  # dataclasses and pickles look it up
    with failing_in(where), _beside(path):
        spec.loader.exec_module(script)
        made = getattr(script, function, None)
        if not callable(made):
            raise UserError(where, "the script has no such function", "name one of its functions")
        module = made()
    if not isinstance(module, nn.Module):
        raise UserError(
            where, f"returns {type(module).__name__}", "let it return a torch.nn.Module"
        )
    return Loaded(module.eval().cpu().float(), path.stem, f"{where}, run by accelsim")


def _from_state_dict(path: Path, network: str | None) -> Loaded:
    mend = f"{_STATE_DICT}, a .pt2 or .onnx file, or FILE.py:FUNCTION"
    demand_torch_archive(path, mend, "a state dict")
    if network is None:
        raise UserError(
            str(path),
            "may hold tensors, but says nothing of the network that they belong to",
            "give --network NAME for a known one, a .pt2 file, or FILE.py:FUNCTION",
        )
    entry = trained_network(network)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # whatever damage makes torch raise
        raise UserError(str(path), f"cannot be read ({_line(error)})", _STATE_DICT) from None
    if isinstance(found, dict) and isinstance(found.get("state_dict"), dict):
        found = found["state_dict"]
    if not isinstance(found, dict) or not all(isinstance(x, Tensor) for x in found.values()):
        raise UserError(str(path), "is not a state dict", _STATE_DICT)
    module = entry.filled(found, str(path))
    shape = (None, 3, entry.size, entry.size)
    source = f"{path.name}, a state dict of {network}"
    return Loaded(module, path.stem, source, shape, None, entry.input_mean, entry.input_std)


@contextmanager
def failing_in(where: str) -> Iterator[None]:
    """Whatever the user's own code raises, as one message with its line."""
    try:
        yield
    except AccelsimError:
        raise
    except Exception as error:
        place, code = raised_at(error)
        at = f" at {place}{f': `{code}`' if code else ''}" if place else ""
        raise UserError(
            where, f"fails with {type(error).__name__}{at} ({_line(error)})", "mend the script"
        ) from None


@contextmanager
def _beside(path: Path) -> Iterator[None]:
    """Modules beside a script can be imported by it, as when Python runs it."""
    folder = str(path.resolve().parent)
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        sys.path.remove(folder)


def _line(error: BaseException) -> str:
    return shortened(" ".join(str(error).split()) or type(error).__name__, 200)
