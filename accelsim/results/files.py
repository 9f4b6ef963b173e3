"""Where results are written: proven writable before the work, and then whole or absent."""

from __future__ import annotations

import tempfile
from pathlib import Path

from accelsim.errors import UserError
from accelsim.whole_files import replacing

__all__ = ["replacing", "writable_file", "writable_folder"]


def writable_folder(folder: Path) -> Path:
    """``folder``, made if it is missing and proven writable: to be asked before long work.

    Raises ``UserError`` when it cannot be made or written, or is a file.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        problem = f"cannot write: {error.strerror}"
        if isinstance(error, FileExistsError | NotADirectoryError):
            problem = "is a file, or lies below one"
        raise UserError(str(folder), problem, "name another folder with --out") from None
    return folder


def writable_file(path: Path) -> Path:
    """``path``, whose folder is made if it is missing and proven writable.

    Raises ``UserError`` when it cannot be written. A device or a pipe is taken as it is.
    """
    if path.is_dir():
        raise UserError(str(path), "is a folder", "name a file in it")
    if path.is_file() or not path.exists():
        writable_folder(path.parent)
    return path
