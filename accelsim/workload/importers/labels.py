"""The right classes of a user's images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from accelsim.errors import UserError


def read_labels(path: Path | None, n: int) -> NDArray[np.int64] | None:
    """One class for each of ``n`` images, from a .npy file. Raises ``UserError``."""
    if path is None:
        return None
    try:
        found = np.load(path, allow_pickle=False)
    except Exception as error:  # numpy reports damage in many ways
        reason = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        raise UserError(str(path), f"cannot be read ({reason})", "give a .npy file") from None
    if found.shape != (n,) or found.dtype.kind not in "iu":
        raise UserError(
            str(path),
            f"holds {found.dtype} {list(found.shape)} for {n} images",
            "save the number of the right class of each image",
        )
    return np.asarray(found, np.int64)
