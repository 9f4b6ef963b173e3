"""Where results are written: checked before the work, and then complete or absent."""

from __future__ import annotations

import tempfile
from pathlib import Path

from accelsim.errors import UserError
from accelsim.whole_files import replacing

__all__ = ["replacing", "writable_file", "writable_folder"]


def writable_folder(folder: Path) -> Path:
    """Make ``folder`` if it is missing, check that it is writable, and return it.

    To be called before long work. Raises ``UserError`` if the folder cannot be made or written,
    or is a file.
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
    """Make the folder of ``path`` if it is missing, check that it is writable, and return ``path``.

    Raises ``UserError`` if it cannot be written. A device or a pipe is not checked.
    """
    if path.is_dir():
        raise UserError(str(path), "is a folder", "name a file in it")
    if path.is_file() or not path.exists():
        writable_folder(path.parent)
    return path
