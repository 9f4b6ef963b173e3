"""``accelsim trace import`` of an ONNX file: from model and images to a trace, checked.

* A network in real numbers is quantised like any other. First its layers, still in real
  numbers, must compute what ONNX Runtime makes of the file.
* A network that came quantised keeps its words and its integer weights. Each layer is given
  the runtime's own integers, and its integers are compared with the runtime's.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from accelsim.errors import UserError
from accelsim.workload.importers.labels import read_labels
from accelsim.workload.importers.onnx.feeding import Images, read_inputs
from accelsim.workload.importers.onnx.interpreter import float_maps, map_ranges
from accelsim.workload.importers.onnx.model_file import read_model
from accelsim.workload.importers.onnx.network import model_input, onnx_network
from accelsim.workload.importers.onnx.runtime import Runtime
from accelsim.workload.importers.preparation import Preparation
from accelsim.workload.quantising.comparison import Checks, demand_same
from accelsim.workload.quantising.export import export_network, quantised_network
from accelsim.workload.quantising.quantise import QuantisedNetwork
from accelsim.workload.replay import replay_layer

_MANY: Final = 0.1
_PACKAGES: Final = ("onnx", "onnxruntime", "numpy")


def import_onnx(
    path: Path,
    inputs: Path,
    out: Path,
    *,
    images: int = 4,
    preparation: Preparation | None = None,
    output: str | None = None,
    labels: Path | None = None,
    pre_activations: bool = False,
    weights: bool = True,
    warn: Callable[[str], None] = lambda sentence: None,
) -> dict[str, float]:
    """Write the trace of an ONNX network on the first ``images`` of ``inputs``; its figures.

    All inputs calibrate and check it. ``output`` names the tensor at which it ends;
    ``labels`` is a .npy file with the right class of each image. ``warn`` is told what makes
    the figures doubtful. Raises ``UserError``.
    """
    file = path.name
    if images < 1:
        raise UserError("--images", f"cannot be {images}", "store at least one")
    model = read_model(path)
    fed = read_inputs(inputs, model_input(model, file), preparation or Preparation(), file)
    right = read_labels(labels, len(fed.given))
    taken = onnx_network(
        model,
        file,
        fed.shape,
        name=path.stem,
        source=f"{file}, by {model.producer_name or 'an unknown tool'}",
        input_mean=fed.mean,
        input_std=fed.std,
        real_inputs=not fed.are_pixels,
        output=output,
    )
    network = taken.network
    seen = fed.seen(network.given_words.get(network.graph.inputs[0]))
    runtime = Runtime(model, taken, file)
    made = [runtime.outputs(fed.fed(i)) for i in range(len(seen))]
    outputs = [np.concatenate(parts) for parts in zip(*made, strict=True)]
    accuracy: dict[str, float] = {}
    warnings: list[str] = []
    if network.given_words:
        quantised = quantised_network(network, seen, map_ranges=map_ranges)
        accuracy = _layer_by_layer(quantised, taken.stored, runtime, fed)
        if accuracy.get("runtime_steps", 0) > 1:
            warnings.append(
                f"{file}: a layer's integers are up to {accuracy['runtime_steps']:.0f} steps off "
                "those of ONNX Runtime"
            )
        if (n_hidden := _hidden_zeros(quantised, seen[0])) > 0:
            warnings.append(
                f"{file}: {n_hidden} maps store their many zeros as another integer (a zero point "
                "that is not 0), so codecs that look for zeros find none; quantise activations "
                "after a ReLU to unsigned words with zero point 0"
            )
    else:
        demand_same(network, float_maps(network, seen), outputs, file)
    for sentence in warnings:
        warn(sentence)
    n = min(images, len(seen))
    return export_network(
        network,
        seen[:n],
        out,
        calibration=seen,
        checks=Checks(seen, outputs[0], right),
        map_ranges=map_ranges,
        packages=_PACKAGES,
        accuracy=accuracy,
        provenance={"images": f"the first {n} of {inputs.name}"},
        warnings=warnings,
        pre_activations=pre_activations,
        weights=weights,
    )


def _hidden_zeros(quantised: QuantisedNetwork, image: NDArray[Any]) -> int:
    """How many maps of an image have many zeros, and store them as another integer than 0."""
    maps, edges = quantised.maps(image), quantised.graph.edge
    return sum(
        edges[name].zero_point != 0 and float((values == edges[name].zero_point).mean()) > _MANY
        for name, values in maps.items()
    )


def _layer_by_layer(
    quantised: QuantisedNetwork, stored: Collection[str], runtime: Runtime, fed: Images
) -> dict[str, float]:
    """How many integers of the layers equal the runtime's, and by how many steps others miss.

    Each layer that reads and makes maps which the model stores computes from the runtime's
    own integers.
    """
    graph = quantised.graph
    given = graph.inputs if quantised.form == "given" else ()
    seen = fed.seen(quantised.network.given_words.get(graph.inputs[0]))
    compared = [
        layer
        for layer in graph.layers
        if layer.output in stored and all(n in (*stored, *given) for n in layer.inputs)
    ]
    n_values = n_equal = most = 0
    for image in range(len(fed.given)):
        maps = runtime.stored(fed.fed(image))
        maps |= {n: quantised.stored_input(seen[image]) for n in given}
        for layer in compared:
            parts = [maps[n] for n in layer.inputs]
            made = replay_layer(graph, layer, parts, quantised.arithmetic.get(layer.name))
            off = np.abs(made.astype(np.int64) - maps[layer.output])
            n_values += off.size
            n_equal += int((off == 0).sum())
            most = max(most, int(off.max()))
    if not n_values:
        return {}
    return {
        "runtime_layers": float(len(compared)),
        "runtime_equal": n_equal / n_values,
        "runtime_steps": float(most),
    }
