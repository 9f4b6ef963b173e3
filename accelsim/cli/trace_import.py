"""``accelsim trace import``: networks from files of other tools."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from accelsim.cli.options import Whole
from accelsim.errors import UserError


def import_trace(
    model: str,
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
    network: str | None = None,
    pre_activations: Annotated[bool, Parameter(negative=())] = False,
    weights: bool = True,
) -> None:
    """Import a network of your own, quantise it if necessary, and write its trace.

    ONNX files need the extra [onnx], the others [train].

    Parameters
    ----------
    model
        FILE.onnx; FILE.pt2, written by torch.export; FILE.py:FUNCTION, which returns a
        torch.nn.Module; or a state dict, with --network. A script is run, and a .pt2 file may
        run code when torch loads it: give only files that you trust.
    inputs
        Inputs of the network: a .npy file, an image file, or a folder of such files.
    out
        The trace file to write; by default NAME.h5 in the current folder, after the model.
    mean
        The network receives (input - mean) / std: one number, or one per channel, separated by
        commas.
    std
        See --mean.
    size
        ROWSxCOLS to which image files are scaled, if the network takes any size.
    labels
        A .npy file with the correct class of each input, to measure top-1 accuracy.
    images
        How many of the inputs go into the trace; all of them are used to calibrate and check it.
    output
        The tensor of an ONNX file at which the network ends; by default its own outputs.
    network
        The known network that a state dict belongs to, such as squeezenet1_1.
    pre_activations
        Also store the maps before their ReLUs.
    weights
        Store the weights and constants, without which a trace cannot be replayed.
    """
    from accelsim.cli.console import note, print_text
    from accelsim.results.files import writable_folder
    from accelsim.results.number_text import number
    from accelsim.workload.importers.preparation import Preparation

    is_onnx = model.endswith(".onnx")
    path = Path(model.rpartition(":")[0] if ".py:" in model else model)
    target = out or Path(f"{path.stem}.h5")
    prepared = Preparation(_numbers(mean, "--mean"), _numbers(std, "--std"), _size(size))
    if not path.is_file():
        raise UserError(str(path), "no such file", "give a model file, or FILE.py:FUNCTION")
    for option, is_given, kind in (
        ("--output", output is not None and not is_onnx, "an ONNX file"),
        ("--network", network is not None and is_onnx, "a state dict"),
    ):
        if is_given:
            raise UserError(option, f"belongs to {kind}", "leave it out")
    if is_onnx:
        from accelsim.workload.importers.onnx.extra import demand_onnx

        demand_onnx()
        from accelsim.workload.importers.onnx.import_network import import_onnx

        writable_folder(target.parent)
        figures = import_onnx(
            path,
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
    else:
        from accelsim.training.extra import demand_torch

        demand_torch()
        from accelsim.training.import_network import import_torch

        writable_folder(target.parent)
        figures = import_torch(
            model,
            inputs,
            target,
            network=network,
            images=images,
            preparation=prepared,
            labels=labels,
            pre_activations=pre_activations,
            weights=weights,
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
