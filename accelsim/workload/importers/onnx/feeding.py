"""The user's images, as the model wants them and as its layers see them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import helper

from accelsim.errors import UserError
from accelsim.workload.importers.images import read_images
from accelsim.workload.importers.onnx.lowering import as_map
from accelsim.workload.importers.onnx.model_file import type_name
from accelsim.workload.importers.onnx.network import OnnxInput
from accelsim.workload.importers.onnx.values import WORDS, Tensor
from accelsim.workload.importers.preparation import Preparation, Prepared, prepared_images
from accelsim.workload.quantising.float_network import Word


@dataclass(frozen=True)
class Images(Prepared):
    """The images of one import; of integer models nothing is prepared."""

    wanted: OnnxInput

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one image, as the model reads it."""
        return (1, *self.given.shape[1:])

    def fed(self, image: int) -> NDArray[Any]:
        """One image as the model reads it."""
        seen = self.given[image : image + 1]
        dtype = helper.tensor_dtype_to_np_dtype(self.wanted.kind)
        if self.wanted.kind not in WORDS:
            mean, std = (self._by_channel(x) for x in (self.mean, self.std))
            seen = (seen - mean) / std
        return np.ascontiguousarray(seen, dtype)

    def seen(self, word: Word | None) -> NDArray[Any]:
        """[n, channels, rows, cols] as layers see them; ``word`` is that of integer inputs."""
        plain = np.moveaxis(self.given, -1, 1) if self.wanted.channels_last else self.given
        plain = plain.reshape(len(plain), *as_map(plain.shape))
        if word is not None and self.wanted.kind in WORDS:
            return (plain.astype(np.float64) - word.zero_point) * word.scale
        return plain

    def _by_channel(self, values: tuple[float, ...]) -> NDArray[np.float64]:
        shape = [1] * self.given.ndim
        shape[-1 if self.wanted.channels_last else 1] = -1
        return np.array(values).reshape(shape)


def read_inputs(path: Path, wanted: OnnxInput, prepared: Preparation, file: str) -> Images:
    """The images at ``path`` for this model. Raises ``UserError``."""
    where = f"{file}, input {wanted.name!r}"
    if not Tensor(wanted.kind, ()).may_be_map:
        raise UserError(
            where,
            f"reads {type_name(wanted.kind)}",
            "export the network for images of float32, or of 8 or 16 bits",
        )
    if wanted.shape[:1] not in ((None,), (1,)) or len(wanted.shape) > 4:
        raise UserError(
            where,
            f"has shape {[n or 'any' for n in wanted.shape]}",
            "export it for one image at once: [1, channels, rows, cols]",
        )
    if wanted.kind in WORDS:
        given = read_images(path, wanted.shape, wanted.channels_last, prepared.size)
        integers = _as_integers(given, wanted.kind, str(path))
        return Images(integers, (0.0,), (1.0,), wanted)
    found = prepared_images(path, wanted.shape, prepared, channels_last=wanted.channels_last)
    return Images(found.given, found.mean, found.std, wanted)


def _as_integers(given: NDArray[Any], kind: int, where: str) -> NDArray[Any]:
    dtype = helper.tensor_dtype_to_np_dtype(kind)
    fits = given.dtype.kind in "iu" and np.can_cast(given.dtype, dtype)
    if not fits:
        raise UserError(
            where, f"holds {given.dtype}, but the network reads {type_name(kind)}", "save those"
        )
    return given.astype(dtype)
