"""The kernels as plain Python, so that both can be compared."""

import pkgutil
from importlib import import_module

import numpy as np
import pytest

import accelsim.dram.kernel
from accelsim.dram import chunked_replay, controlled, front_end
from accelsim.dram.kernel import by_address
from accelsim.dram.policies import ideal
from accelsim.jit import Ints, array_at


class Table(np.ndarray):
    """Refuses indices that count from the end: compiled kernels would read before the array."""

    def __getitem__(self, index):  # type: ignore[no-untyped-def]
        assert min(index if isinstance(index, tuple) else (index,)) >= 0
        return super().__getitem__(index)

    def __setitem__(self, index, value):  # type: ignore[no-untyped-def]
        assert min(index if isinstance(index, tuple) else (index,)) >= 0
        super().__setitem__(index, value)


def table_at(address: int, shape: tuple[int, ...]) -> Ints:
    found: Ints = array_at.py_func(address, shape).view(Table)  # type: ignore[attr-defined]
    return found


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
    monkeypatch.setattr(by_address, "array_at", table_at)
