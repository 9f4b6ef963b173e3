"""What happens to a user's images before the network sees them: ``(image - mean) / std``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from accelsim.errors import UserError
from accelsim.workload.importers.images import read_images

_PIXEL_TYPE: Final = np.uint8


@dataclass(frozen=True)
class Preparation:
    """What the user says of the images."""

    mean: tuple[float, ...] | None = None
    """One number, or one by channel."""
    std: tuple[float, ...] | None = None
    size: tuple[int, int] | None = None
    """(rows, cols) of image files, where the network takes any."""


@dataclass(frozen=True)
class Prepared:
    """Images, and what is done to them by channel."""

    given: NDArray[Any]
    """[n, ...] in the network's own order of axes, not prepared yet."""
    mean: tuple[float, ...]
    std: tuple[float, ...]

    @property
    def are_pixels(self) -> bool:
        """Whether they are whole numbers of 0 to 255, before they are prepared."""
        return self.given.dtype == _PIXEL_TYPE


def prepared_images(
    path: Path,
    shape: Sequence[int | None],
    preparation: Preparation,
    *,
    channels_last: bool = False,
) -> Prepared:
    """The images at ``path`` for a network of real numbers that reads ``shape``.

    Pixels of integer type need a mean and a deviation; a float array that holds nothing but
    whole numbers of 0 to 255 are pixels, too. Raises ``UserError``.
    """
    given = read_images(path, shape, channels_last, preparation.size)
    is_whole = given.dtype.kind == "f" and _are_pixels(given)
    given = given.astype(_PIXEL_TYPE) if is_whole else given
    is_silent = preparation.mean is preparation.std is None
    if given.dtype == _PIXEL_TYPE and not is_whole and is_silent:
        raise UserError(
            str(path),
            "holds pixels of 0 to 255, and nothing says what the network makes of them",
            "give --mean and --std: of 0 to 255, one number or one by channel (0 and 1 for "
            "pixels as they are)",
        )
    n = given.shape[-1 if channels_last else 1]
    mean = _by_channel(preparation.mean or (0.0,), n, "--mean")
    std = _by_channel(preparation.std or (1.0,), n, "--std")
    if not all(x > 0 for x in std):
        raise UserError("--std", "is not positive", "give the deviations of the pixels")
    return Prepared(given, mean, std)


def _are_pixels(values: NDArray[Any]) -> bool:
    low, high = float(values.min()), float(values.max())
    return low >= 0 and 1 < high <= 255 and bool((values == np.rint(values)).all())


def _by_channel(values: tuple[float, ...], n: int, option: str) -> tuple[float, ...]:
    if len(values) not in (1, n):
        raise UserError(
            option, f"has {len(values)} numbers for {n} channels", "give one, or one by channel"
        )
    return values * n if len(values) == 1 else values
