"""The promises of every dataflow, as checks that an outside package can run on its own.

``check_dataflow(MyDataflow())`` runs all of them, on many passes and arrays, and fails with an
``AssertionError`` that says which promise is broken, of which pass. Nothing but numpy is needed.
"""

from __future__ import annotations

import math
from dataclasses import fields, replace
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.random import Generator

from accelsim.array.dataflow import ConvPass, Dataflow, Grid, PassCost, ZeroDataflow
from accelsim.array.nonzeros import Bools, Nonzeros, dense, operand_of

SIZES: Final = ConvPass._fields[:7]
"""Names of the sizes that make a pass larger."""
COUNTS: Final = tuple(field.name for field in fields(PassCost))
SIDES: Final = ("ifmap", "weight", "both")
"""Values of ``array.zeros_of``."""


class Case(NamedTuple):
    """A pass on an array."""

    work: ConvPass[int]
    array: Grid


class ZeroCase(NamedTuple):
    """A pass on an array that leaves out products of zeros."""

    work: ConvPass[int]
    array: Grid
    skip: bool
    zeros_of: str


def check_dataflow(dataflow: Dataflow, n_random_passes: int = 500, seed: int = 0) -> None:
    """Check every promise of ``accelsim.array.dataflow.Dataflow``."""
    assert isinstance(dataflow, Dataflow), "lacks one of name, cost and keeps_psums"
    rng = np.random.default_rng(seed)
    for _ in range(n_random_passes):
        check_pass(dataflow, random_case(rng))
    for _ in range(n_random_passes // 50):
        check_many_passes(dataflow, rng)
    if isinstance(dataflow, ZeroDataflow):
        for _ in range(n_random_passes // 5):
            check_zeros(dataflow, small_case(rng), rng)


def check_pass(dataflow: Dataflow, case: Case) -> None:
    """What one pass costs, and what passes cost that differ from it in one thing."""
    check_least(dataflow, case)
    check_later_passes(dataflow, case)
    check_overlap(dataflow, case)
    check_growth(dataflow, case)


def check_least(dataflow: Dataflow, case: Case) -> None:
    """Every product is made once, and nothing costs less than it must.

    Each PE makes at most one product a cycle. Each value that windows hold and each weight
    comes from its buffer at least once, and each output goes there. A product reads both
    operands in its PE, where whatever comes in is written.
    """
    work, array = case
    cost = dataflow.cost(work, array)
    for name in COUNTS:
        count = getattr(cost, name)
        _demand(isinstance(count, int) and count >= 0, case, f"{name} is {count!r}, no count")
    _demand(cost.macs == work.macs, case, f"makes {cost.macs} products of {work.macs}")
    n_pes = array.rows * array.cols
    _demand(
        cost.macs <= cost.cycles * n_pes,
        case,
        f"{n_pes} PEs make {cost.macs} products in {cost.cycles} cycles",
    )
    least = {
        "ifmap_reads": n_inputs(work),
        "weight_reads": work.n_weights,
        "psum_writes": work.n_outputs,
        "ifmap_registers": cost.macs + cost.ifmap_reads,
        "weight_registers": cost.macs + cost.weight_reads,
        "psum_registers": cost.psum_writes,
    }
    for name, count in least.items():
        found = getattr(cost, name)
        _demand(found >= count, case, f"{name} is {found}, at least {count} are needed")


def check_later_passes(dataflow: Dataflow, case: Case) -> None:
    """A pass that adds to earlier sums reads them and takes no less time; a first one reads
    sums back only if the dataflow says that they wait in the buffer."""
    work, array = case
    first, later = (dataflow.cost(work._replace(accumulate=i), array) for i in (0, 1))
    _demand(
        later.psum_reads - first.psum_reads >= work.n_outputs,
        case,
        f"a later pass reads {later.psum_reads} sums, a first one {first.psum_reads}",
    )
    _demand(later.cycles >= first.cycles, case, "a later pass takes fewer cycles")
    keeps = bool(dataflow.keeps_psums(work._replace(accumulate=0), array))
    _demand(keeps or first.psum_reads == 0, case, "reads sums back that it does not keep")


def check_overlap(dataflow: Dataflow, case: Case) -> None:
    """Overlapped folds take no more cycles than serial ones, and change no access."""
    one, other = (
        dataflow.cost(case.work, case.array._replace(fold_overlap=overlap))
        for overlap in (True, False)
    )
    _demand(one.cycles <= other.cycles, case, "overlapped folds take more cycles than serial ones")
    _demand(replace(one, cycles=0) == replace(other, cycles=0), case, "overlap changes accesses")


def check_growth(dataflow: Dataflow, case: Case) -> None:
    """A larger pass takes no fewer cycles, and keeps sums where the smaller one does."""
    work, array = case
    cycles, keeps = dataflow.cost(work, array).cycles, dataflow.keeps_psums(work, array)
    for name in SIZES:
        grown: dict[str, Any] = {name: getattr(work, name) + 1}
        larger = work._replace(**grown)
        longer = dataflow.cost(larger, array).cycles
        _demand(longer >= cycles, case, f"{cycles} cycles, {longer} with {name} one larger")
        kept = dataflow.keeps_psums(larger, array)
        _demand(kept or not keeps, case, f"keeps sums, but not with {name} one larger")


def check_many_passes(dataflow: Dataflow, rng: Generator) -> None:
    """Arrays of passes cost what each of them costs. Rows and columns lie along the last two
    axes, all other sizes along the first, as in the search for tilings."""
    work, array = random_case(rng)
    sizes: dict[str, Any] = {}
    for name in (*SIZES, "accumulate"):
        shape = {"rows": (4, 1), "cols": (3,)}.get(name, (6, 1, 1))
        drawn = [getattr(random_case(rng).work, name) for _ in range(max(shape))]
        sizes[name] = np.array(drawn, np.int64).reshape(shape)
    many = ConvPass(**sizes, stride=work.stride, dilation=work.dilation)
    costs, keeps = dataflow.cost(many, array), dataflow.keeps_psums(many, array)
    for at in np.ndindex(6, 4, 3):

        def here(values: Any, at: tuple[int, ...] = at) -> Any:
            return np.broadcast_to(values, (6, 4, 3))[at].item()

        one = work._replace(**{name: here(values) for name, values in sizes.items()})
        cost, case = dataflow.cost(one, array), Case(one, array)
        for name in COUNTS:
            alone, among = getattr(cost, name), here(getattr(costs, name))
            _demand(alone == among, case, f"{name} is {alone}, and {among} among others")
        kept = bool(dataflow.keeps_psums(one, array))
        _demand(kept == here(keeps), case, "keeps sums alone or among others, not both")


def check_zeros(dataflow: ZeroDataflow, case: Case, rng: Generator) -> None:
    """What it leaves out, of a pass with random zeros in either operand or both."""
    tables = [_random_table(*shape, rng) for shape in _table_shapes(case.work)]
    fewer = [table & (rng.random(table.shape) < 0.9) for table in tables]
    nothing = [np.ones_like(table) for table in tables]
    every = dataflow.cost(*case)
    for skip, of in [(False, of) for of in SIDES] + [(True, of) for of in sorted(dataflow.skips)]:
        asked = ZeroCase(*case, skip, of)
        found, less, full = (_cost_of(dataflow, asked, each) for each in (tables, fewer, nothing))
        _demand(full == every, asked, "costs something else than cost() where nothing is zero")
        made = _products(tables, of)
        _demand(found.macs - found.skipped_macs == made, asked, f"does not make the {made} left")
        _demand(skip or found.cycles == every.cycles, asked, "gated products change the cycles")
        for name in COUNTS:
            count, before, after = (getattr(cost, name) for cost in (found, every, less))
            _demand(isinstance(count, int) and count >= 0, asked, f"{name} is {count!r}, no count")
            if name == "skipped_macs" or name.endswith("_rests"):
                _demand(count <= found.macs, asked, f"{name} are more than all products")
                continue
            _demand(count <= before, asked, f"{name} is {count}, {before} with every product")
            _demand(after <= count, asked, f"{name} is {count}, {after} with more zeros")
        starts = case.work.accumulate == 0  # later, sums may stay as they are
        written = found.psum_writes >= case.work.n_outputs
        _demand(written or not starts, asked, "leaves outputs out")
        pe_cycles = asked.array.rows * asked.array.cols * found.cycles
        for operand in ("ifmap", "weight", "psum"):
            accesses = getattr(found, f"{operand}_registers")
            _demand(accesses >= made, asked, f"reads the {operand} for {accesses} products")
            used = found.macs - getattr(found, f"{operand}_rests")
            _demand(made <= used <= pe_cycles, asked, f"{operand} registers rest too often")
        serial = asked._replace(array=case.array._replace(fold_overlap=False))
        longest = _cost_of(dataflow, serial, tables).cycles
        _demand(found.cycles <= longest, asked, "overlapped folds take longer than serial ones")


def n_inputs(work: ConvPass[int]) -> int:
    """Input values that the windows of a pass hold, each once, padding included.

    >>> n_inputs(ConvPass(4, 1, 1, 1, 3, 1, 1, 0, stride=(2, 1), dilation=(1, 1)))
    9
    """
    sides = zip(work[:2], work[4:6], work.stride, work.dilation, strict=True)
    rows, cols = (
        len({i * stride + p * dilation for i in range(size) for p in range(kernel)})
        for size, kernel, stride, dilation in sides
    )
    return rows * cols * work.in_channels * work.groups


def random_case(rng: Generator) -> Case:
    """Passes as networks have them: plain, grouped, depthwise, matrix products; small and large
    ones, on small and large arrays."""

    def size(largest: int) -> int:
        return int(largest ** rng.random())

    kind = rng.choice(["plain", "grouped", "depthwise", "product"])
    depthwise, product = kind == "depthwise", kind == "product"
    rows, cols = (1 if product else size(7) for _ in range(2))
    work = ConvPass(
        rows=size(60),
        cols=size(60),
        out_channels=1 if depthwise else size(200),
        in_channels=1 if depthwise else size(200),
        kernel_rows=rows,
        kernel_cols=cols,
        groups=size(100) if depthwise else size(8) if kind == "grouped" else 1,
        accumulate=int(rng.integers(2)),
        stride=(size(4), size(4)),
        dilation=(size(3), size(3)),
    )
    overlap = bool(rng.integers(2))
    return Case(work, Grid(size(64), size(64), overlap))


def small_case(rng: Generator) -> Case:
    """One whose operands are quick to write out."""
    while True:
        case = random_case(rng)
        if max(math.prod(shape) for shape in _table_shapes(case.work)) <= 20_000:
            return case


def _table_shapes(work: ConvPass[int]) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """[groups, lines, k] of the ifmap and of the weights."""
    k = work.in_channels * work.kernel_rows * work.kernel_cols
    return (work.groups, work.rows * work.cols, k), (work.groups, work.out_channels, k)


def _random_table(groups: int, n_lines: int, k: int, rng: Generator) -> Bools:
    """Zeros as networks have them: some lines have many more than others, and some places."""
    density = rng.random((1, n_lines, 1)) * rng.random((1, 1, k)) ** rng.random()
    found: Bools = rng.random((groups, n_lines, k)) < density
    return found


def _cost_of(dataflow: ZeroDataflow, case: ZeroCase, tables: list[Bools]) -> PassCost[int]:
    sides = [
        operand_of(table) if case.zeros_of in (side, "both") else dense(*table.shape)
        for side, table in zip(("ifmap", "weight"), tables, strict=True)
    ]
    return dataflow.cost_of(case.work, Nonzeros(*sides), case.array, case.skip)


def _products(tables: list[Bools], of: str) -> int:
    """Pair by pair: those of which no operand that counts is zero."""
    ifmap, weights = (
        table.astype(np.int64) if of in (side, "both") else np.ones(table.shape, np.int64)
        for side, table in zip(("ifmap", "weight"), tables, strict=True)
    )
    return int(np.einsum("gmk,gnk->", ifmap, weights, optimize=True))


def _demand(is_kept: object, case: Case | ZeroCase, what: str) -> None:
    if not is_kept:
        raise AssertionError("\n".join(map(str, (what, *case))))
