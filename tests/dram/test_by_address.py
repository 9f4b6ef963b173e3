"""Kernels find the very arrays whose addresses they are given."""

import numpy as np
import pytest

from accelsim.dram.front import new_front
from accelsim.dram.kernel.by_address import front_at, state_at
from accelsim.dram.memory import Decoder
from accelsim.dram.standard import STANDARDS
from accelsim.dram.state import new_state
from accelsim.jit import addresses
from tests.dram.uncompiled import use_plain_python

HBM = STANDARDS["hbm2_2000"].config(2)
DECODER = Decoder(lanes=3, fill_fs=1, fifo_blocks=5, period_fs=1000)


@pytest.mark.parametrize(
    ("arrays", "found_at"),
    [
        (new_state(HBM, n_labels=3, n_tokens=7, n_log=11), state_at),
        (new_state(HBM, 3, 7, 11, "ramulator"), state_at),
        (new_front(1000, 3, 2, 8, {1: DECODER}, n_traffic=13), front_at),
    ],
    ids=["dramsim3", "ramulator", "front end"],
)
def test_every_array_is_found_with_its_shape(  # type: ignore[no-untyped-def]
    arrays, found_at, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_plain_python(monkeypatch)
    found = found_at.py_func(addresses(arrays))
    for name, array in arrays._asdict().items():
        there = getattr(found, name)
        assert there.shape == array.shape and np.shares_memory(there, array), name


def test_other_arrays_are_refused() -> None:
    for wrong in (np.zeros((4, 4), np.int32), np.zeros((4, 4), np.int64).T):
        with pytest.raises(TypeError, match="int64 arrays in C order"):
            addresses((wrong[1:],))
