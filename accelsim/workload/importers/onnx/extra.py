"""The extra ``[onnx]``: asked for by name before anything imports it."""

from __future__ import annotations

from importlib.util import find_spec

from accelsim.errors import UserError


def demand_onnx() -> None:
    """Raise ``UserError`` when onnx or onnxruntime is not installed."""
    for package in ("onnx", "onnxruntime"):
        if find_spec(package) is None:
            raise UserError("ONNX", f"{package} is not installed", 'pip install "accelsim[onnx]"')
