"""What a dataflow promises: cycles, buffer and register accesses of one pass of a convolution.

A dataflow says which of a pass's products each PE makes, and when. It is one object in one
file; planner, program and energy ask it and know none by name. Each formula is written once,
for integers and for arrays of them: the planner prices thousands of tilings at a time, and the
program every pass of the one that was chosen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Generic, NamedTuple, Protocol, runtime_checkable

from accelsim.array.nonzeros import Nonzeros
from accelsim.registry import Registry
from accelsim.units import Count


class PeGrid(Protocol):
    """What a dataflow knows of an array of PEs: ``PeArray``, the part of a chip, is one."""

    @property
    def rows(self) -> int: ...

    @property
    def cols(self) -> int: ...

    @property
    def fold_overlap(self) -> bool:
        """Whether the next fold is loaded while the current one streams."""
        ...

    @property
    def psum_bits(self) -> int: ...


class Grid(NamedTuple):
    """A ``PeGrid`` without a chip, for checks and examples."""

    rows: int
    cols: int
    fold_overlap: bool = True
    psum_bits: int = 32


class ConvPass(NamedTuple, Generic[Count]):
    """One pass: ``groups`` convolutions of one shape, of which each PE makes some products.

    Sizes are at least 1. All are integers, or arrays that broadcast: many passes at once.
    Pixels in the padding count like others, as their products do.

    >>> work = ConvPass(rows=4, cols=6, out_channels=8, in_channels=3, kernel_rows=5,
    ...                 kernel_cols=1, groups=2, accumulate=0, stride=(1, 1), dilation=(1, 1))
    >>> work.n_outputs, work.n_weights, work.macs
    (384, 240, 5760)
    """

    rows: Count
    """Rows of output pixels, before a fused pooling."""
    cols: Count
    out_channels: Count
    """Of each group."""
    in_channels: Count
    """Of each group."""
    kernel_rows: Count
    """Of this pass: a large kernel may be spread over several."""
    kernel_cols: Count
    groups: Count
    """Channels of a depthwise convolution."""
    accumulate: Count
    """1 where the sums of an earlier pass are added, 0 where none are."""
    stride: tuple[int, int]
    """Along rows and columns."""
    dilation: tuple[int, int]

    @property
    def n_outputs(self) -> Count:
        """Sums that the pass makes, of all groups."""
        return self.rows * self.cols * self.out_channels * self.groups

    @property
    def n_weights(self) -> Count:
        """Of all groups."""
        per_output = self.in_channels * self.kernel_rows * self.kernel_cols
        return per_output * self.out_channels * self.groups

    @property
    def macs(self) -> Count:
        """Products of the pass."""
        return self.rows * self.cols * self.n_weights


@dataclass(frozen=True, slots=True)
class PassCost(Generic[Count]):
    """Cycles, buffer accesses and register accesses (in values, not bytes) of one pass.

    Integers or arrays, as the pass was given; an array broadcasts to the pass's shape.
    Register accesses are reads and writes inside the PEs, of all PEs together. A value that
    is handed on from PE to PE is written and read once in each; one that stays is written
    when it is loaded and then only read; a psum is read and written back for each product,
    wherever it stays or moves.
    """

    cycles: Count
    macs: Count
    """Products that the PEs make."""
    ifmap_reads: Count
    weight_reads: Count
    psum_reads: Count
    """Partial sums read back from the ofmap buffer."""
    psum_writes: Count
    """Partial or final sums written to the ofmap buffer."""
    ifmap_registers: Count
    weight_registers: Count
    psum_registers: Count
    skipped_macs: Count | int = 0
    """Of ``macs`` those that are not made, because an operand is zero (``ZeroDataflow``)."""
    ifmap_rests: Count | int = 0
    """Of ``macs`` those for which the ifmap register of the PE is neither read nor written, and
    ``*_rests`` for the others: in a cycle of such a product it is clocked and no more."""
    weight_rests: Count | int = 0
    psum_rests: Count | int = 0


@runtime_checkable
class Dataflow(Protocol):
    """A dataflow; its formulas and their derivation stand in its file.

    ``accelsim.array.contract.check_dataflow`` checks what is promised here.
    """

    name: str

    def cost(self, work: ConvPass[Count], array: PeGrid) -> PassCost[Count]:
        """One pass on the array, fill and drain included: passes do not overlap.

        ``array.fold_overlap`` hides fill and drain behind the neighbouring fold in the pass.
        """
        ...

    def keeps_psums(self, work: ConvPass[Count], array: PeGrid) -> Any:
        """Whether partial sums wait in the ofmap buffer within the pass, to be read back.

        Where they do, a tile needs the space of wide sums. The larger of two passes keeps
        them if the smaller one does. A bool, or an array of them.
        """
        ...


@runtime_checkable
class ZeroDataflow(Dataflow, Protocol):
    """A dataflow that can leave out products of zeros: it offers ``gate``, and ``skip`` of
    ``skips``.

    ``check_dataflow`` checks what is promised here, too.
    """

    skips: frozenset[str]
    """Values of ``array.zeros_of`` whose zeros it can pass over to save time."""

    def cost_of(
        self, work: ConvPass[int], nonzeros: Nonzeros, array: PeGrid, skip: bool
    ) -> PassCost[int]:
        """One pass whose zeros are known: they are passed over (``skip``), or gated.

        ``nonzeros`` has the zeros that ``array.zeros_of`` names; another operand is dense.
        Where nothing is zero it is ``cost``. Otherwise it takes no more cycles and accesses,
        and with gated products the same cycles.
        """
        ...


_WHOSE: Final = {"ifmap": "ifmaps", "weight": "weights", "both": "both operands"}


def zeros_complaint(dataflow: Dataflow, zeros: str, of: str) -> str:
    """Why a dataflow cannot ``gate`` or ``skip`` the zeros of an operand; nothing if it can.

    >>> zeros_complaint(DATAFLOWS["weight_stationary"], "skip", "both")
    'weight_stationary skips zeros of ifmaps, not of both operands'
    """
    if not isinstance(dataflow, ZeroDataflow):
        return f"{dataflow.name} computes every product: it can neither gate nor skip zeros"
    if zeros != "skip" or of in dataflow.skips:
        return ""
    can = " or ".join(_WHOSE[each] for each in sorted(dataflow.skips))
    if not can:
        return f"{dataflow.name} can gate zeros, but not skip them"
    return f"{dataflow.name} skips zeros of {can}, not of {_WHOSE[of]}"


def n_folds(size: Count, array_size: int) -> Count:
    """How often ``size`` must be folded to fit a side of the array: the quotient, rounded up.

    >>> n_folds(33, 32)
    2
    """
    folds: Count = -(-size // array_size)
    return folds


def larger(a: Any, b: Any) -> Any:
    """``max`` of two integers, or of arrays element by element.

    >>> larger(3, 5)
    5
    """
    return (a + b + abs(a - b)) // 2


def _complaint(found: object) -> str:
    if isinstance(found, type):
        return "is a class; the entry point must name an object of it"
    if not isinstance(found, Dataflow):
        return "lacks one of name, cost and keeps_psums of accelsim.array.dataflow.Dataflow"
    return ""


DATAFLOWS: Registry[Dataflow] = Registry(
    "dataflow", "accelsim.array.dataflows", "DATAFLOW", "accelsim.dataflows", _complaint
)
