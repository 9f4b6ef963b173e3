"""Where the shipped hardware files, traces and pages are: in the wheel or next to the sources."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

_PACKAGE = Path(__file__).parent


def shipped(folder: Literal["hw_configs", "traces", "docs"]) -> Path:
    """The folder of shipped data, from an installed wheel or a checkout."""
    installed = _PACKAGE / folder
    return installed if installed.is_dir() else _PACKAGE.parent / folder
