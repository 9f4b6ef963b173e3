"""ONNX Runtime on the user's own model, and where that holds the network's maps."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, helper

from accelsim.errors import UserError
from accelsim.workload.importers.onnx.interpreter import run, session
from accelsim.workload.importers.onnx.lowering import arranged
from accelsim.workload.importers.onnx.network import Kept, Taken
from accelsim.workload.trace import Values


class Runtime:
    """The model with the tensors that hold the network's outputs and stored maps."""

    def __init__(self, model: ModelProto, taken: Taken, file: str) -> None:
        tapped = ModelProto()
        tapped.CopyFrom(model)
        del tapped.graph.output[:]
        kept = dict.fromkeys(k.tensor for k in (*taken.outputs.values(), *taken.stored.values()))
        tapped.graph.output.extend(helper.make_empty_tensor_value_info(n) for n in kept)
        self._session = session(tapped, file, as_written=bool(taken.stored))
        self._taken, self._file = taken, file

    def outputs(self, image: NDArray[Any]) -> list[NDArray[np.float32]]:
        """The network's outputs for one input, as real maps [1, channels, rows, cols]."""
        network = self._taken.network
        made = self._run(image, self._taken.outputs)
        found = []
        for edge, kept in self._taken.outputs.items():
            values = made[edge].astype(np.float64)
            if not np.isfinite(values).all():
                raise UserError(
                    self._file,
                    f"ONNX Runtime makes values of {kept.tensor!r} that are not finite numbers",
                    "give inputs as the network wants them, and sound weights",
                )
            if kept.is_integer:
                word = network.given_words[edge]
                values = (values - word.zero_point) * word.scale
            found.append(values.astype(np.float32)[None])
        return found

    def stored(self, image: NDArray[Any]) -> dict[str, Values]:
        """By edge, the integers of the maps that the model stores itself, for one input."""
        return self._run(image, self._taken.stored)

    def _run(self, image: NDArray[Any], kept: dict[str, Kept]) -> dict[str, NDArray[Any]]:
        made = run(self._session, [k.tensor for k in kept.values()], image, self._file)
        edges = self._taken.network.graph.edge
        return {
            edge: self._plain(values, kept[edge], edges[edge].shape)
            for edge, values in zip(kept, made, strict=True)
        }

    def _plain(self, values: NDArray[Any], kept: Kept, shape: tuple[int, int, int]) -> NDArray[Any]:
        there = arranged(shape, kept.order)
        if values.size != math.prod(there):
            raise UserError(
                self._file,
                f"ONNX Runtime makes {kept.tensor!r} of shape {list(values.shape)}, where ONNX's "
                f"inference says {list(there)}",
                "avoid ceil_mode, or update onnx and onnxruntime",
            )
        return np.ascontiguousarray(values.reshape(there).transpose(np.argsort(kept.order)))
