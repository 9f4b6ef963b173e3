"""A file for HDF5 to write to, which reports the first failure only when asked.

HDF5 flushes its caches when objects are released. If that fails, for example on a full disk, it
leaves broken objects behind and the process can crash. So writes to this file always appear to
succeed; the code that uses HDF5 calls ``check`` and then abandons the file.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any


class PatientFile(io.FileIO):
    """A new, empty file, readable and writable, for h5py's file object driver."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "w+b")
        self._failure: OSError | None = None

    def check(self) -> None:
        """Raise the first ``OSError`` that occurred in a write or a change of size."""
        if self._failure is not None:
            raise self._failure

    def write(self, data: Any) -> int:
        """Write all of ``data``, or store the error."""
        view = memoryview(data).cast("B")
        done = 0
        try:
            while self._failure is None and done < len(view):
                done += super().write(view[done:])
        except OSError as error:
            self._failure = error
        return len(view)

    def truncate(self, size: int | None = None) -> int:
        """Set the size, or store the error."""
        try:
            return super().truncate(size)
        except OSError as error:
            self._failure = self._failure or error
            return size or 0
