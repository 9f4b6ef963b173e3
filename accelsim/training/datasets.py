"""Labelled images for training: IDX files, the format of MNIST and Fashion-MNIST.

Fashion-MNIST: Xiao, Rasul, Vollgraf, arXiv:1708.07747 (MIT licence); Debian packages it as
``dataset-fashion-mnist``. The format is described at the end of LeCun's MNIST page: two
zero bytes, a type byte (8 is uint8), the number of dimensions, each size as a big-endian
32-bit integer, and the values.
"""

from __future__ import annotations

import gzip
import struct
import zlib
from dataclasses import dataclass
from io import BufferedReader
from math import prod
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from accelsim.errors import UnknownNameError, UserError

Split = Literal["train", "test"]
FOLDERS: Final = {
    "fashion_mnist": ("/usr/share/datasets/fashion-mnist", "dataset-fashion-mnist"),
}
"""By name: the folder in which the Debian package installs the files, and the package."""
_PREFIX: Final = {"train": "train", "test": "t10k"}
_UINT8: Final = 8
_MAX_VALUES: Final = 1 << 30


@dataclass(frozen=True)
class LabelledImages:
    """``images`` are uint8 [n, channels, rows, cols], ``labels`` int64 [n]."""

    name: str
    split: Split
    images: NDArray[np.uint8]
    labels: NDArray[np.int64]

    @property
    def n_classes(self) -> int:
        return int(self.labels.max()) + 1


def read_dataset(name: str, split: Split, root: Path | None = None) -> LabelledImages:
    """One half of a data set, from the folder ``root`` or where Debian installs it.

    The folder holds ``train-images-idx3-ubyte``, ``train-labels-idx1-ubyte`` and the same
    with ``t10k``, plain or with ``.gz`` (``idx4`` for images with channels). Raises
    ``UserError`` that names the package if the files are missing, or what is wrong with them.
    """
    if name not in FOLDERS and root is None:
        raise UnknownNameError("data set", name, FOLDERS)
    default, package = FOLDERS.get(name, ("", ""))
    folder = root if root is not None else Path(default)
    images_file = _find(folder, f"{_PREFIX[split]}-images-idx[34]-ubyte", package)
    labels_file = _find(folder, f"{_PREFIX[split]}-labels-idx1-ubyte", package)
    images, labels = read_idx(images_file), read_idx(labels_file)
    if images.ndim == 3:
        images = images[:, None]
    if images.ndim != 4 or labels.ndim != 1 or len(images) != len(labels) or not len(labels):
        raise UserError(
            str(images_file),
            f"holds {images.shape} values for {labels.shape} labels",
            "images are [n, rows, cols] or [n, channels, rows, cols], labels [n]",
        )
    return LabelledImages(name, split, images, labels.astype(np.int64))


def read_halves(name: str, root: Path | None = None) -> tuple[LabelledImages, LabelledImages]:
    """The training and the test half. Raises ``UserError`` if they do not belong together."""
    train, test = read_dataset(name, "train", root), read_dataset(name, "test", root)
    if train.images.shape[1:] != test.images.shape[1:] or test.n_classes > train.n_classes:
        raise UserError(
            f"data set {name!r}",
            f"its training images are {train.images.shape[1:]} in {train.n_classes} classes, its "
            f"test images {test.images.shape[1:]} in {test.n_classes}",
            "put two halves of one data set in a folder",
        )
    return train, test


def read_idx(path: Path) -> NDArray[np.uint8]:
    """The values of an IDX file of unsigned bytes, plain or gzip, in its shape.

    Reads no more than the header announces. Raises ``UserError``.
    """
    try:
        with _opened(path) as file:
            zeros, kind, n_dimensions = struct.unpack(">HBB", _exactly(file, 4))
            if zeros or kind != _UINT8 or not n_dimensions:
                raise ValueError("is no IDX file of unsigned bytes")
            shape = struct.unpack(f">{n_dimensions}I", _exactly(file, 4 * n_dimensions))
            if prod(shape) > _MAX_VALUES:
                raise ValueError(f"promises {prod(shape)} values, more than {_MAX_VALUES}")
            values = np.frombuffer(_exactly(file, prod(shape)), np.uint8).reshape(shape)
            if file.read(1):
                raise ValueError("has more bytes than its header says")
    except (OSError, EOFError, zlib.error, ValueError, struct.error) as error:
        raise UserError(
            str(path), f"cannot be read ({error})", "install or download the data set again"
        ) from None
    return values


def _opened(path: Path) -> gzip.GzipFile | BufferedReader:
    return gzip.open(path) if path.suffix == ".gz" else path.open("rb")


def _exactly(file: gzip.GzipFile | BufferedReader, n_bytes: int) -> bytes:
    data = file.read(n_bytes)
    if len(data) != n_bytes:
        raise ValueError(f"ends {n_bytes - len(data)} bytes too early")
    return data


def _find(folder: Path, pattern: str, package: str) -> Path:
    found = sorted((*folder.glob(pattern), *folder.glob(pattern + ".gz")))
    if found:
        return found[0]
    mend = "point --data-root at a folder with the IDX files"
    if package:
        mend = f"apt-get install {package}, or {mend}"
    raise UserError(str(folder), f"has no file {pattern}", mend)
