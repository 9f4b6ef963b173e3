"""Data files inside installed packages, found without importing the packages."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from accelsim.errors import UserError


def package_file(package: str, path: str) -> Path:
    """The file or folder at ``path`` inside ``package``, which is not imported.

    Raises ``UserError`` that names ``make models`` if the package is not installed.
    """
    spec = importlib.util.find_spec(package)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        if (found := Path(folder) / path).exists():
            return found
    raise UserError(
        f"{package}/{path}",
        "the package that brings this network or photograph is not installed",
        "run `make models`",
    )
