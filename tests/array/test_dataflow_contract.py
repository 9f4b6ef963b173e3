"""Every dataflow keeps its promises, and the checks of them find who does not."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accelsim.array.contract import Case, check_dataflow, check_pass, n_inputs
from accelsim.array.dataflow import (
    DATAFLOWS,
    ConvPass,
    Grid,
    PassCost,
    PeGrid,
    ZeroDataflow,
)
from accelsim.array.nonzeros import Nonzeros

each_dataflow = pytest.mark.parametrize("name", list(DATAFLOWS))
sides = st.integers(1, 9)
pairs = st.tuples(st.integers(1, 4), st.integers(1, 4))


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Passes of a few pixels, channels and groups on small arrays."""
    sizes = [draw(sides) for _ in ConvPass._fields[:7]]
    work = ConvPass(*sizes, draw(st.integers(0, 1)), draw(pairs), draw(pairs))
    array = Grid(draw(sides), draw(sides), draw(st.booleans()))
    return Case(work, array)


@each_dataflow
def test_the_dataflow_keeps_every_promise(name: str) -> None:
    check_dataflow(DATAFLOWS[name])


@each_dataflow
@given(case=cases())
def test_the_promises_hold_for_small_passes(name: str, case: Case) -> None:
    check_pass(DATAFLOWS[name], case)


def test_inputs_are_counted_once_and_those_between_windows_not_at_all() -> None:
    """Rows 0-2, 2-4, 4-6: nine positions of seven rows. Columns 0, 2 and 5, 7."""
    work = ConvPass(3, 2, 8, 4, 3, 2, 5, 0, stride=(2, 5), dilation=(1, 2))
    assert n_inputs(work) == 7 * 4 * (4 * 5)


Cost = PassCost[Any]
FAULTS: dict[str, tuple[str, Callable[[Cost, ConvPass[Any], PeGrid], Cost]]] = {
    "a group is left out": (
        "products of",
        lambda cost, work, _: replace(cost, macs=cost.macs // work.groups),
    ),
    "an ideal array and one cycle less": (
        "PEs make",
        lambda cost, _, array: replace(cost, cycles=(cost.macs - 1) // (array.rows * array.cols)),
    ),
    "an input is left out": (
        "ifmap_reads",
        lambda cost, work, _: replace(cost, ifmap_reads=n_inputs(work) - 1),
    ),
    "weights of one group": (
        "weight_reads",
        lambda cost, work, _: replace(cost, weight_reads=work.n_weights // work.groups),
    ),
    "no output is written": ("psum_writes", lambda cost, *_: replace(cost, psum_writes=0)),
    "earlier sums are not read": (
        "a later pass reads",
        lambda cost, *_: replace(cost, psum_reads=0),
    ),
    "operands cost no register": (
        "ifmap_registers",
        lambda cost, *_: replace(cost, ifmap_registers=cost.macs),
    ),
    "sums wait unannounced": (
        "does not keep",
        lambda cost, work, _: replace(cost, psum_reads=cost.psum_reads + work.n_outputs),
    ),
    "fewer cycles for later passes": (
        "a later pass takes",
        lambda cost, work, _: replace(cost, cycles=cost.cycles + 1 - work.accumulate),
    ),
    "serial folds are quicker": (
        "serial ones",
        lambda cost, _, array: replace(cost, cycles=cost.cycles + 10**9 * array.fold_overlap),
    ),
    "fewer cycles for even kernels": (
        "kernel_rows one larger",
        lambda cost, work, _: replace(cost, cycles=cost.cycles * (1 + work.kernel_rows % 2 * 9)),
    ),
    "the largest of all passes": (
        "among others",
        lambda cost, *_: replace(cost, weight_reads=np.max(cost.weight_reads).item()),
    ),
    "fractions": ("no count", lambda cost, *_: replace(cost, cycles=cost.cycles * 1.5)),
}


@pytest.mark.parametrize("fault", list(FAULTS))
def test_a_planted_fault_is_found(fault: str) -> None:
    message, spoil = FAULTS[fault]

    class Faulty:
        name = "faulty"

        def cost(self, work: Any, array: PeGrid) -> Any:
            return spoil(DATAFLOWS["output_stationary"].cost(work, array), work, array)

        def keeps_psums(self, work: Any, array: PeGrid) -> Any:
            return False

    with pytest.raises(AssertionError, match=message):
        check_dataflow(Faulty())


ZERO_FAULTS: dict[str, tuple[str, Callable[[Cost, Nonzeros, bool], Cost]]] = {
    "too many products": (
        "does not make the",
        lambda cost, *_: replace(cost, skipped_macs=cost.skipped_macs // 2),
    ),
    "gating saves time": (
        "gated products change",
        lambda cost, _, skip: cost if skip or not cost.skipped_macs else replace(cost, cycles=1),
    ),
    "skipping costs time": (
        "with every product",
        lambda cost, _, skip: replace(
            cost, cycles=cost.cycles + 10**6 * bool(skip and cost.skipped_macs)
        ),
    ),
    "another cost without zeros": (
        "where nothing is zero",
        lambda cost, *_: replace(cost, ifmap_reads=cost.ifmap_reads - 1),
    ),
    "operands come from nowhere": (
        "reads the weight for",
        lambda cost, *_: replace(cost, weight_registers=0) if cost.skipped_macs else cost,
    ),
    "a register rests while it works": (
        "rest too often",
        lambda cost, *_: replace(cost, psum_rests=cost.macs) if cost.skipped_macs else cost,
    ),
    "an ideal array": (
        "rest too often",
        lambda cost, _, skip: replace(cost, cycles=0) if skip and cost.skipped_macs else cost,
    ),
}


@pytest.mark.parametrize("fault", list(ZERO_FAULTS))
def test_a_planted_fault_of_zeros_is_found(fault: str) -> None:
    message, spoil = ZERO_FAULTS[fault]
    ours = DATAFLOWS["output_stationary"]
    assert isinstance(ours, ZeroDataflow)

    class Faulty:
        name, skips, cost, keeps_psums = "faulty", ours.skips, ours.cost, ours.keeps_psums

        def cost_of(self, work: Any, nonzeros: Nonzeros, array: PeGrid, skip: bool) -> Any:
            return spoil(ours.cost_of(work, nonzeros, array, skip), nonzeros, skip)

    with pytest.raises(AssertionError, match=message):
        check_dataflow(Faulty())
