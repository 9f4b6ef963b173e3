"""Where compiled kernels are cached.

Each is cached under a hash of what it depends on (``accelsim.kernel_key``). So all checkouts
and versions share one folder and everything that is equal in them, and changing one codec only
compiles that codec again.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path


def cache_root() -> Path:
    """The user's cache folder: ``ACCELSIM_CACHE_DIR``, else ``$XDG_CACHE_HOME/accelsim``."""
    if configured := os.environ.get("ACCELSIM_CACHE_DIR"):
        return Path(configured)
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "accelsim"


def kernel_folder() -> Path:
    """The folder of all compiled kernels.

    Where the cache folder cannot be written it is one for temporary files, of this user alone.
    """
    return _first_writable(
        cache_root() / "kernels",
        Path(tempfile.gettempdir()) / f"accelsim-{os.getuid()}" / "kernels",
    )


@cache
def _first_writable(wanted: Path, temporary: Path) -> Path:
    with suppress(OSError):
        wanted.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=wanted):
            return wanted
    with suppress(OSError):
        temporary.parent.mkdir(mode=0o700, exist_ok=True)
        temporary.mkdir(exist_ok=True)
        # Machine code of somebody else must not be run.
        if temporary.parent.stat().st_uid == os.getuid():
            return temporary
    return wanted
