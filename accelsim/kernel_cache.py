"""Where compiled kernels are kept: one folder per state of the kernel sources.

numba recompiles a function when its own file changes, but not when a function that it
calls changes in another file: it would run stale code. So the cache folder is named by
a hash over every source of this package that uses numba, and over the numba version.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

_PACKAGE = Path(__file__).parent
_FORMATS = "accelsim.codecs.formats."
_OF_SOME = (
    *(_FORMATS, "accelsim.codecs.coding.", "accelsim.codecs.transforms."),
    *("accelsim.dram.kernel.replay", "accelsim.dram.traces.", "accelsim.dram.rules."),
)
"""Where kernels lie that only some codecs, or some commands, need: those that imported them."""
_FROZEN = b"frozen into " + b"kernels"
"""Said by modules without kernels whose constants kernels use."""


def kernel_sources(package: Path = _PACKAGE) -> Iterator[Path]:
    """Every Python file of ``package`` with kernels, or with constants that they use."""
    for path in sorted(package.rglob("*.py")):
        text = path.read_bytes()
        if any(mark in text for mark in (b"import numba", b"accelsim.jit", _FROZEN)):
            yield path


def sources_hash(package: Path = _PACKAGE) -> str:
    """Hash of all kernel sources (names and contents) and of the numba version."""
    digest = hashlib.sha256(version("numba").encode())
    for path in kernel_sources(package):
        digest.update(str(path.relative_to(package)).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def cache_root() -> Path:
    """The user's cache folder: ``ACCELSIM_CACHE_DIR``, else ``$XDG_CACHE_HOME/accelsim``."""
    if configured := os.environ.get("ACCELSIM_CACHE_DIR"):
        return Path(configured)
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "accelsim"


def kernel_folder() -> Path:
    """The folder of the compiled kernels of exactly these sources.

    Where the cache folder cannot be written it is one for temporary files: numba would
    otherwise keep kernels beside their sources, where nothing tells their versions apart.
    """
    for root in (cache_root(), Path(tempfile.gettempdir()) / f"accelsim-{os.getuid()}"):
        folder = root / "kernels" / sources_hash()
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                return folder
    return folder


def use_cache_of_these_sources() -> None:
    """Point numba at that folder. Must run before numba is first imported."""
    os.environ["NUMBA_CACHE_DIR"] = str(kernel_folder())


def kernel_modules(package: Path = _PACKAGE) -> list[str]:
    """The modules whose ``warm_up()`` compiles their kernels."""
    sources = [p for p in kernel_sources(package) if b"\ndef warm_up() -> None" in p.read_bytes()]
    return [
        ".".join((package.name, *p.relative_to(package).with_suffix("").parts)) for p in sources
    ]


def cold_modules(codecs: Iterable[str] = ()) -> list[str]:
    """The kernel modules that no run has compiled into the folder yet.

    Of the formats only those of ``codecs``, and those that they build upon; what replays and
    judges traces of a memory, if it is imported.
    """
    for name in codecs:
        # A format imports what it builds upon; one from an outside package is not here.
        if not _marker(_FORMATS + name).exists():
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
            _marker(name).parent.mkdir(parents=True, exist_ok=True)
            _marker(name).touch()


def _marker(module: str) -> Path:
    """Remembers that the kernels of a module are compiled."""
    return Path(os.environ["NUMBA_CACHE_DIR"]) / f"{module}.compiled"
