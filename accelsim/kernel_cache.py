"""Where compiled kernels are kept, and which of them are not compiled yet.

Each is kept under a hash of what it depends on (``accelsim.kernel_key``). So all checkouts
and versions share one folder and what is equal in them, and a change of one codec compiles
that codec anew.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path

_PACKAGE = Path(__file__).parent
_FORMATS = "accelsim.codecs.formats."
_OF_SOME = (
    *(_FORMATS, "accelsim.codecs.coding.", "accelsim.codecs.transforms."),
    *("accelsim.dram.kernel.replay", "accelsim.dram.traces.", "accelsim.dram.rules."),
)
"""Where kernels lie that only some codecs, or some commands, need: those that imported them."""


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


def kernel_modules(package: Path = _PACKAGE) -> Iterator[str]:
    """The modules whose ``warm_up()`` compiles their kernels."""
    for path in sorted(package.rglob("*.py")):
        if b"\ndef warm_up() -> None" in path.read_bytes():
            yield ".".join((package.name, *path.relative_to(package).with_suffix("").parts))


def cold_modules(codecs: Iterable[str] = ()) -> list[str]:
    """The kernel modules that no run has compiled yet as they are.

    Of the formats only those of ``codecs``, and those that they build upon; what replays and
    judges traces of a memory, if it is imported.
    """
    for name in codecs:
        # A format imports what it builds upon; one from an outside package is not here.
        with suppress(ImportError):
            import_module(_FORMATS + name)
    wanted = (m for m in kernel_modules() if not m.startswith(_OF_SOME) or m in sys.modules)
    return [module for module in wanted if not _marker(module).exists()]


def warm_up(codecs: Iterable[str] = (), track: Callable[[list[str]], Iterable[str]] = iter) -> None:
    """Compile the kernels of the machine and of ``codecs`` unless that is done.

    ``track`` sees the modules go by. A cache folder that cannot be written is no error
    here: each process then compiles.
    """
    for name in track(cold_modules(codecs)):
        import_module(name).warm_up()
        with suppress(OSError):
            _marker(name).touch()


def _marker(name: str) -> Path:
    """Remembers that the kernels of a module are compiled as they are now."""
    from accelsim.kernel_key import content_key, own_code

    module = import_module(name)
    own = [k for k in vars(module).values() if hasattr(k, "py_func") and k.__module__ == name]
    key = content_key(own_code(module.warm_up)[0], *own)
    return kernel_folder() / f"{name}-{key}.compiled"
