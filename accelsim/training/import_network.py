"""``accelsim trace import`` of torch networks: captured, quantised, checked, stored."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from accelsim.errors import UserError
from accelsim.training.capture import capture
from accelsim.training.capturing.exported import quiet
from accelsim.training.float_maps import float_maps
from accelsim.training.foreign_networks import Loaded, failing_in, load
from accelsim.training.network_trace import export_network
from accelsim.workload.importers.labels import read_labels
from accelsim.workload.importers.preparation import Preparation, prepared_images
from accelsim.workload.quantising.batches import batches
from accelsim.workload.quantising.comparison import Checks, demand_same


def import_torch(
    model: str,
    inputs: Path,
    out: Path,
    *,
    network: str | None = None,
    images: int = 4,
    preparation: Preparation | None = None,
    labels: Path | None = None,
    pre_activations: bool = False,
    weights: bool = True,
) -> dict[str, float]:
    """Write the trace of a torch network on the first ``images`` of ``inputs``; its figures.

    ``model`` is a .pt2 file, ``FILE.py:FUNCTION``, or a state dict of the known network
    ``network``. All inputs calibrate and check it. Raises ``UserError``.
    """
    if images < 1:
        raise UserError("--images", f"cannot be {images}", "store at least one")
    loaded = load(model, network)
    said = preparation or Preparation()
    given = prepared_images(
        inputs,
        loaded.shape,
        Preparation(said.mean or loaded.mean, said.std or loaded.std, said.size),
    )
    right = read_labels(labels, len(given.given))
    found = capture(
        loaded.module,
        torch.zeros(1, *given.given.shape[1:]),
        name=loaded.name,
        source=loaded.source,
        input_mean=given.mean,
        input_std=given.std,
        real_inputs=not given.are_pixels,
        program=loaded.program,
    )
    outputs = _outputs(loaded, given.given, given.mean, given.std)
    maps = (
        {name: values.numpy() for name, values in float_maps(found, part).items()}
        for part in batches(found.graph, given.given)
    )
    demand_same(found, maps, outputs, loaded.name)
    n = min(images, len(given.given))
    return export_network(
        found,
        given.given[:n],
        out,
        calibration=given.given,
        checks=Checks(given.given, outputs[0], right),
        provenance={"images": f"the first {n} of {inputs.name}"},
        pre_activations=pre_activations,
        weights=weights,
    )


def _outputs(
    loaded: Loaded, images: NDArray[Any], mean: Sequence[float], std: Sequence[float]
) -> list[NDArray[np.float32]]:
    """What the network itself makes of the images, by output: [n, ...]."""
    shift, scale = (torch.tensor(x, dtype=torch.float64)[:, None, None] for x in (mean, std))
    made: list[list[NDArray[np.float32]]] = []
    with torch.no_grad(), quiet(), failing_in(loaded.name):
        for image in images:
            seen = ((torch.from_numpy(np.array(image)).double() - shift) / scale).float()
            outputs = loaded.module(seen[None])
            found = outputs if isinstance(outputs, tuple | list) else (outputs,)
            made.append([np.asarray(x.numpy(), np.float32) for x in found])
    return [np.concatenate(parts) for parts in zip(*made, strict=True)]
