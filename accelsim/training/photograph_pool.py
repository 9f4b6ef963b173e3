"""Photographs without labels: some for fine-tuning, others held out to evaluate the result.

Training sees random crops of one side of the split, and never a crop of a photograph on the
other side. The photographs of shipped traces are all held out, so that the maps in a trace are
those of images that the network was not tuned on.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from accelsim.training.package_files import package_file
from accelsim.training.photographs import FREE
from accelsim.workload.importers.images import opened

_OTHERS: Final = (
    ("skimage", "data/motorcycle_left.png"),
    ("skimage", "data/hubble_deep_field.jpg"),
    ("skimage", "data/ihc.png"),
    ("skimage", "data/retina.jpg"),
    ("matplotlib", "mpl-data/sample_data/grace_hopper.jpg"),
)
_HELD_OUT_INTERIORS: Final = frozenset(
    f"pexels-{number}"
    for number in (1317558, 3062948, 36236147, 4389955, 5604956, 6615808, 7193656, 7688357)
)
"""None of them is from a series that is trained on."""
_SHORTER_SIDE: Final = 512
_SMALLEST_AREA: Final = 0.08
_WIDEST: Final = 4 / 3


def training_files() -> list[Path]:
    """39 - 8 photographs of rooms, and 5 of other things. Raises ``UserError``."""
    rooms = [f for f in _interiors() if f.stem not in _HELD_OUT_INTERIORS]
    return rooms + [package_file(package, path) for package, path in _OTHERS]


def held_out_files() -> list[Path]:
    """8 photographs of rooms, and the 4 free ones. Raises ``UserError``."""
    rooms = [f for f in _interiors() if f.stem in _HELD_OUT_INTERIORS]
    return rooms + [package_file("skimage", f"data/{name}") for name, _ in FREE.values()]


def loaded(files: list[Path]) -> list[Image.Image]:
    """The photographs in RGB, their shorter sides at most 512. Raises ``UserError``."""
    images = []
    for file in files:
        image = opened(file)
        ratio = min(1.0, _SHORTER_SIDE / min(image.size))
        width, height = (round(side * ratio) for side in image.size)
        images.append(image.resize((width, height), Image.Resampling.BICUBIC))
    return images


def random_crop(image: Image.Image, size: int, random: np.random.Generator) -> NDArray[np.uint8]:
    """A part of a photograph, uint8 [3, size, size]: 8 to 100 % of its area, sometimes mirrored.

    Szegedy et al., "Going deeper with convolutions", arXiv:1409.4842, section 6.
    """
    width, height = image.size
    area = random.uniform(_SMALLEST_AREA, 1.0) * width * height
    aspect = float(np.exp(random.uniform(-np.log(_WIDEST), np.log(_WIDEST))))
    cols = min(width, np.sqrt(area * aspect))
    rows = min(height, np.sqrt(area / aspect))
    left, top = random.uniform(0, width - cols), random.uniform(0, height - rows)
    part = image.resize(
        (size, size), Image.Resampling.BICUBIC, (left, top, left + cols, top + rows)
    )
    pixels = np.asarray(part, np.uint8).transpose(2, 0, 1)
    return np.ascontiguousarray(pixels[:, :, ::-1] if random.random() < 0.5 else pixels)


def crops(images: list[Image.Image], size: int, n_each: int, seed: int) -> NDArray[np.uint8]:
    """``n_each`` random crops of each photograph, always the same: uint8 [n, 3, size, size]."""
    random = np.random.default_rng(seed)
    return np.stack([random_crop(i, size, random) for i in images for _ in range(n_each)])


def _interiors() -> list[Path]:
    return sorted(package_file("interior_photos", "images").glob("*.jpg"))
