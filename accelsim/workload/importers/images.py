"""Images that a user names: an array file, an image file, or a folder of them.

Arrays are taken as they are, of any type of number; image files become RGB pixels, cut to
the size that the network wants.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from accelsim.errors import UserError

_PICTURES: Final = (".png", ".jpg", ".jpeg", ".bmp", ".ppm")
_CENTRE: Final = 0.875
_MOST_VALUES: Final = 1 << 28
_GIVE: Final = "give a .npy file, an image file, or a folder of them"


def read_images(
    path: Path, shape: Sequence[int | None], channels_last: bool, size: tuple[int, int] | None
) -> NDArray[Any]:
    """All images at ``path`` as one array [n, ...], each of the network's ``shape`` without its
    first axis.

    ``size`` is (rows, cols) for image files where the network leaves them open. Raises
    ``UserError`` that names the file.
    """
    files = _files(path)
    parts: list[NDArray[Any]] = []
    n_values = 0
    for file in files:
        if file.suffix.lower() in _PICTURES:
            found = _picture(file, shape, channels_last, size)
        else:
            found = _array(file, shape)
        n_values += found.size
        if n_values > _MOST_VALUES:
            raise UserError(str(path), f"holds more than {_MOST_VALUES} values", "give less images")
        if parts and (found.shape[1:] != parts[0].shape[1:] or found.dtype != parts[0].dtype):
            raise UserError(
                str(file),
                f"holds {found.dtype} {list(found.shape[1:])}, but {files[0].name} "
                f"{parts[0].dtype} {list(parts[0].shape[1:])}",
                "give images of one shape and type",
            )
        parts.append(found)
    return np.concatenate(parts)


def centre(path: Path, rows: int, cols: int) -> NDArray[np.uint8]:
    """The centre of an image file, uint8 [3, rows, cols].

    The image is scaled (bicubic) so that 7/8 of its tighter side are cut out.
    """
    from PIL import Image

    image = opened(path)
    least = round(cols / _CENTRE), round(rows / _CENTRE)
    ratio = max(least[0] / image.width, least[1] / image.height)
    width, height = (max(n, round(side * ratio)) for n, side in zip(least, image.size, strict=True))
    image = image.resize((width, height), Image.Resampling.BICUBIC)
    left, top = (width - cols) // 2, (height - rows) // 2
    cropped = np.asarray(image.crop((left, top, left + cols, top + rows)), dtype=np.uint8)
    return np.ascontiguousarray(cropped.transpose(2, 0, 1))


def opened(path: Path) -> Any:
    """An image file in RGB, as pillow has it. Raises ``UserError`` when it is none."""
    try:
        from PIL import Image
    except ModuleNotFoundError:
        raise UserError(
            str(path), "pillow is not installed", 'pip install "accelsim[onnx]", or give .npy files'
        ) from None
    try:
        with Image.open(path) as image:
            return image.convert("RGB")
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise UserError(
            str(path), f"is not a readable image ({error})", "give a PNG or JPEG"
        ) from None


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        known = (*_PICTURES, ".npy")
        found = sorted(f for f in path.iterdir() if f.suffix.lower() in known)
        if not found:
            raise UserError(str(path), "holds no .npy and no image file", _GIVE)
        return found
    if not path.exists():
        raise UserError(str(path), "no such file or folder", _GIVE)
    if path.suffix.lower() not in (*_PICTURES, ".npy"):
        raise UserError(str(path), f"ends in {path.suffix or 'nothing'}", _GIVE)
    return [path]


def _array(file: Path, shape: Sequence[int | None]) -> NDArray[Any]:
    where = str(file)
    try:
        found: NDArray[Any] = np.load(file, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # numpy reports damage in many ways
        reason = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        raise UserError(where, f"is not a readable array ({reason})", _GIVE) from None
    if found.dtype.kind not in "fiu" or not found.size:
        raise UserError(where, f"holds {found.dtype} {list(found.shape)}", "save numbers")
    if found.ndim == len(shape) - 1:
        found = found[None]
    wanted = [n or "any" for n in shape[1:]]
    fits = found.ndim == len(shape) and all(
        want is None or have == want for have, want in zip(found.shape[1:], shape[1:], strict=True)
    )
    if not fits:
        raise UserError(
            where,
            f"has shape {list(found.shape)}, but an image of the network has {wanted}",
            "save [n, ...] images, or one",
        )
    if found.dtype.kind == "f" and not np.isfinite(found).all():
        raise UserError(where, "holds values that are not finite numbers", "save finite numbers")
    return found


def _picture(
    file: Path,
    shape: Sequence[int | None],
    channels_last: bool,
    size: tuple[int, int] | None,
) -> NDArray[Any]:
    where = str(file)
    axes = (1, 2, 3) if not channels_last else (3, 1, 2)
    if len(shape) != 4 or shape[axes[0]] not in (None, 3, 1):
        wanted = [n or "any" for n in shape[1:]]
        raise UserError(
            where, f"is a picture, but the network reads {wanted}", "save arrays as .npy"
        )
    given = size or (0, 0)
    rows, cols = (shape[axis] or given[i] for i, axis in enumerate(axes[1:]))
    if not rows or not cols:
        raise UserError(
            where, "the network takes images of any size", "say which: --size ROWSxCOLS"
        )
    pixels = centre(file, rows, cols)
    if shape[axes[0]] == 1:
        pixels = np.rint(pixels.mean(0, keepdims=True)).astype(np.uint8)
    return pixels[None] if not channels_last else pixels.transpose(1, 2, 0)[None]
