"""Writing files that are either complete or absent."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from accelsim.errors import UserError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside ``path``; renamed onto it when the block ends well.

    The suffix is kept, because libraries choose a file format by it. A link stays one, and
    its target is replaced; a device or a pipe, such as ``/dev/stdout``, is written as it is.
    Raises ``UserError`` when the folder cannot be written.
    """
    if path.is_dir():
        raise UserError(str(path), "is a folder", "name a file in it")
    is_stream = path.exists() and not path.is_file()
    target = path if is_stream else Path(os.path.realpath(path))
    unfinished = path if is_stream else target.with_name(f".{os.getpid()}.{target.name}")
    try:
        yield unfinished
        if not is_stream:
            os.replace(unfinished, target)
    except OSError as error:
        raise UserError(
            str(path), f"cannot write: {error.strerror}", "choose another place, or free space"
        ) from None
    finally:
        if not is_stream:
            unfinished.unlink(missing_ok=True)
