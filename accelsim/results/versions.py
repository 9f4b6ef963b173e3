"""What computed a result: the versions of this package and of the libraries under it."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import version
from pathlib import Path

import accelsim

_PACKAGE = Path(accelsim.__file__).parent
_ROOMS_WITHOUT_NUMBERS = {"cli", "report", "sweep", "training"}


@cache
def versions() -> dict[str, str]:
    """Version of each part that decides numbers; ``source`` is a hash of the package's code.

    The hash tells two states of a checkout apart that carry one version number. Rooms that
    only draw, print or train are left out of it.
    """
    libraries = ("numpy", "numba", "simpy")
    return {
        "accelsim": accelsim.__version__,
        "source": _source_hash(_PACKAGE),
        **{library: version(library) for library in libraries},
    }


def _source_hash(package: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        inside = path.relative_to(package)
        if inside.parts[0] not in _ROOMS_WITHOUT_NUMBERS:
            digest.update(f"{inside.as_posix()}\n".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
