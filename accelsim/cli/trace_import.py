"""``accelsim trace import``: networks from files of other tools."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from accelsim.cli.options import Whole
from accelsim.errors import UserError


def import_trace(
    model: Path,
    /,
    *,
    inputs: Path,
    out: Path | None = None,
    mean: str | None = None,
    std: str | None = None,
    size: str | None = None,
    labels: Path | None = None,
    images: Whole = 4,
    output: str | None = None,
    pre_activations: Annotated[bool, Parameter(negative=())] = False,
    weights: bool = True,
) -> None:
    """Take a network from an ONNX file, quantise it if it is not, and write its trace.

    Needs the extra [onnx]. Integers in the file (QDQ, QOperator) are kept as they are. See
    `accelsim docs bring_your_own_network`.

    Parameters
    ----------
    model
        An ONNX file.
    inputs
        What the network sees: a .npy file, an image file, or a folder of them.
    out
        The trace file; else the model's name with .h5 in this folder.
    mean, std
        The network sees (input - mean) / std: one number, or one by channel with commas.
    size
        ROWSxCOLS of image files, for a network that takes any.
    labels
        A .npy file with the right class of each input; top-1 is then measured.
    images
        How many of the inputs go into the trace; all of them calibrate and check it.
    output
        The tensor at which the network ends; else its own outputs.
    pre_activations
        Also store the maps before ReLUs.
    weights
        Store the weights and constants, without which a trace cannot be replayed.
    """
    from accelsim.cli.console import note, print_text
    from accelsim.results.files import writable_folder
    from accelsim.results.number_text import number
    from accelsim.workload.importers.onnx.extra import demand_onnx

    demand_onnx()
    from accelsim.workload.importers.onnx.feeding import Preparation
    from accelsim.workload.importers.onnx.import_network import import_onnx

    target = out or Path(f"{model.stem}.h5")
    prepared = Preparation(_numbers(mean, "--mean"), _numbers(std, "--std"), _size(size))
    if not model.is_file():
        raise UserError(str(model), "no such file", "give an ONNX file")
    writable_folder(target.parent)
    figures = import_onnx(
        model,
        inputs,
        target,
        images=images,
        preparation=prepared,
        output=output,
        labels=labels,
        pre_activations=pre_activations,
        weights=weights,
        warn=note,
    )
    said = ", ".join(f"{key} {number(value)}" for key, value in figures.items())
    print_text(f"{target}: {said}\n")


def _numbers(text: str | None, option: str) -> tuple[float, ...] | None:
    if text is None:
        return None
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise UserError(option, f"cannot be {text!r}", "write 123.7,116.3,103.5") from None


def _size(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    rows, _, cols = text.partition("x")
    if not (rows.isdecimal() and cols.isdecimal() and 0 < int(rows) * int(cols) < 1 << 28):
        raise UserError("--size", f"cannot be {text!r}", "write ROWSxCOLS, such as 224x224")
    return int(rows), int(cols)
