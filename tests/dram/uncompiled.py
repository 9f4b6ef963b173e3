"""The kernels as plain Python, so that both can be compared."""

import pkgutil
from importlib import import_module

import pytest

import accelsim.dram.kernel
from accelsim.dram import chunked_replay, controlled, front_end
from accelsim.dram.policies import ideal


def use_plain_python(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace every compiled function of the DRAM kernels by its source."""
    kernels = [
        import_module(f"accelsim.dram.kernel.{module.name}")
        for module in pkgutil.iter_modules(accelsim.dram.kernel.__path__)
    ]
    for module in [*kernels, chunked_replay, controlled, front_end, ideal]:
        for name, value in vars(module).copy().items():
            if hasattr(value, "py_func"):
                monkeypatch.setattr(module, name, value.py_func)
