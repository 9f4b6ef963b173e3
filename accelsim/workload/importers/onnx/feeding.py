"""The user's images, as the model wants them and as its layers see them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from onnx import helper

from accelsim.errors import UserError
from accelsim.workload.importers.images import read_images
from accelsim.workload.importers.onnx.lowering import as_map
from accelsim.workload.importers.onnx.model_file import type_name
from accelsim.workload.importers.onnx.network import OnnxInput
from accelsim.workload.importers.onnx.values import WORDS, Tensor
from accelsim.workload.quantising.float_network import Word

_PIXEL_TYPE: Final = np.uint8


@dataclass(frozen=True)
class Preparation:
    """What happens to images before the network sees them: ``(image - mean) / std``."""

    mean: tuple[float, ...] | None = None
    """One number, or one by channel."""
    std: tuple[float, ...] | None = None
    size: tuple[int, int] | None = None
    """(rows, cols) of image files, where the network takes any."""


@dataclass(frozen=True)
class Images:
    """The images of one import."""

    wanted: OnnxInput
    given: NDArray[Any]
    """[n, ...] in the model's own order of axes, not prepared yet."""
    mean: tuple[float, ...]
    """By channel; so is the deviation."""
    std: tuple[float, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one image, as the model reads it."""
        return (1, *self.given.shape[1:])

    @property
    def are_pixels(self) -> bool:
        """Whether they are whole numbers of 0 to 255, before they are prepared."""
        return self.given.dtype == _PIXEL_TYPE

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
    given = read_images(path, wanted.shape, wanted.channels_last, prepared.size)
    is_whole = given.dtype.kind == "f" and _are_pixels(given)
    given = given.astype(_PIXEL_TYPE) if is_whole else given
    if wanted.kind in WORDS:
        return Images(wanted, _as_integers(given, wanted.kind, str(path)), (0.0,), (1.0,))
    if given.dtype == _PIXEL_TYPE and not is_whole and prepared.mean is prepared.std is None:
        raise UserError(
            str(path),
            "holds pixels of 0 to 255, and nothing says what the network makes of them",
            "give --mean and --std: of 0 to 255, one number or one by channel (0 and 1 for "
            "pixels as they are)",
        )
    n = given.shape[-1 if wanted.channels_last else 1]
    mean = _by_channel(prepared.mean or (0.0,), n, "--mean")
    std = _by_channel(prepared.std or (1.0,), n, "--std")
    if not all(x > 0 for x in std):
        raise UserError("--std", "is not positive", "give the deviations of the pixels")
    return Images(wanted, given, mean, std)


def _are_pixels(values: NDArray[Any]) -> bool:
    low, high = float(values.min()), float(values.max())
    return low >= 0 and 1 < high <= 255 and bool((values == np.rint(values)).all())


def _as_integers(given: NDArray[Any], kind: int, where: str) -> NDArray[Any]:
    dtype = helper.tensor_dtype_to_np_dtype(kind)
    fits = given.dtype.kind in "iu" and np.can_cast(given.dtype, dtype)
    if not fits:
        raise UserError(
            where, f"holds {given.dtype}, but the network reads {type_name(kind)}", "save those"
        )
    return given.astype(dtype)


def _by_channel(values: tuple[float, ...], n: int, option: str) -> tuple[float, ...]:
    if len(values) not in (1, n):
        raise UserError(
            option, f"has {len(values)} numbers for {n} channels", "give one, or one by channel"
        )
    return values * n if len(values) == 1 else values
