"""The extra ``[train]``: checked before anything imports torch."""

from __future__ import annotations

from importlib.util import find_spec

from accelsim.errors import UserError


def demand_torch() -> None:
    """Raise ``UserError`` if torch or pillow is not installed."""
    for package, module in (("torch", "torch"), ("pillow", "PIL")):
        if find_spec(module) is None:
            raise UserError(
                "training", f"{package} is not installed", 'pip install "accelsim[train]"'
            )
