"""What computed a result: versions of this package, of libraries, and of outside packages."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from accelsim.array.dataflow import DATAFLOWS
from accelsim.codecs.base import CODECS
from accelsim.codecs.named import base_name
from accelsim.dram.memory import POLICIES
from accelsim.dram.standard import STANDARDS
from accelsim.registry import Registry
from accelsim.version import __version__

_PACKAGE = Path(__file__).parents[1]
_ROOMS_WITHOUT_NUMBERS = {"cli", "report", "sweeps", "training"}


_NAMED_BY: Final[dict[str, Registry[Any]]] = {
    "codec.name": CODECS,
    "codec.weight_name": CODECS,
    "array.dataflow": DATAFLOWS,
    "dram.policy": POLICIES,
    "dram.standard": STANDARDS,
}
"""Keys of a configuration that name an implementation."""


def versions(config: Mapping[str, Any]) -> dict[str, str]:
    """Version of each part that affects numbers; ``source`` is a hash of the package's code.

    The hash distinguishes states of a checkout that have the same version number. It leaves out
    subpackages that only draw, print or train. Whatever a resolved configuration takes from other
    packages (a codec, a memory, a dataflow, a controller) is listed by kind and name, with the
    package, its version and a hash of its sources.
    """
    return _own_versions() | _outside_versions(config)


def _outside_versions(config: Mapping[str, Any]) -> dict[str, str]:
    found = {}
    for key, registry in _NAMED_BY.items():
        section, _, last = key.partition(".")
        name = base_name(str(config.get(section, {}).get(last)))
        whose = registry.outside(name) if name in registry else None
        if whose is not None:
            found[f"{registry.kind} {name}"] = str(whose)
    return found


@cache
def _own_versions() -> dict[str, str]:
    libraries = ("numpy", "numba", "simpy")
    return {
        "accelsim": __version__,
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
