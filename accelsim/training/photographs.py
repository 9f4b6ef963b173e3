"""Real photographs, as pixels for a network.

The labelled ones (20 ImageNet photographs in the wheel of ``foolbox``) only check
networks: their tensors are not redistributed. The free ones (in the wheel of
``scikit-image``) are CC0 or in the public domain, and may be in shipped traces.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from accelsim.errors import UserError, nearest
from accelsim.training.package_files import package_file
from accelsim.workload.importers.images import centre

FREE: Final = {
    "chelsea": ("chelsea.png", "CC0, Stefan van der Walt"),
    "coffee": ("coffee.png", "CC0, Rachel Michetti"),
    "astronaut": ("astronaut.png", "public domain, NASA"),
    "rocket": ("rocket.jpg", "public domain, SpaceX"),
}
"""By name: the file in ``skimage/data``, its licence and author."""


@dataclass(frozen=True)
class Photograph:
    """RGB pixels, uint8 [3, size, size], and the ImageNet class if known."""

    name: str
    pixels: NDArray[np.uint8]
    label: int | None = None


def photograph(name_or_path: str, size: int) -> Photograph:
    """One of ``FREE`` or an image file: the centre, ``size`` x ``size``.

    Raises ``UserError`` for an unknown name, an unreadable file, or a missing package.
    """
    if name_or_path in FREE:
        path = package_file("skimage", f"data/{FREE[name_or_path][0]}")
        return Photograph(name_or_path, centre(path, size, size))
    path = Path(name_or_path)
    if not path.is_file():
        raise UserError(
            name_or_path,
            f"no such image file, and no photograph of this name.{nearest(name_or_path, FREE)}",
            f"give an image file, or one of: {', '.join(FREE)}",
        )
    return Photograph(path.stem, centre(path, size, size))


def labelled_photographs(size: int) -> list[Photograph]:
    """The 20 labelled ImageNet photographs, in file order."""
    folder = package_file("foolbox", "data")
    files = sorted(folder.glob("imagenet_*.jpg"))
    return [Photograph(f.stem, centre(f, size, size), int(f.stem.split("_")[-1])) for f in files]
