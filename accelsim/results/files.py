"""Writing files that are either whole or absent."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from accelsim.errors import UserError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside ``path``; renamed onto it when the block ends well.

    The suffix is kept, because libraries choose a file format by it. Raises ``UserError``
    when the folder cannot be written.
    """
    unfinished = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        yield unfinished
        os.replace(unfinished, path)
    except OSError as error:
        raise UserError(
            str(path), f"cannot write: {error.strerror}", "choose another place, or free space"
        ) from None
    finally:
        unfinished.unlink(missing_ok=True)


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
