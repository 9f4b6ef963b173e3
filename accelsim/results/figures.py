"""Figures of a layer and of a whole run, by name and unit.

The names of these fields are keys of a result's JSON form, which users' scripts read, so they
must not change.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

from accelsim.dram.events import DramEvents
from accelsim.energy.parts import EnergyParts
from accelsim.program.work import NO_COUNTS, BusCounts
from accelsim.sim.counts import LayerCounts

ENERGY_PARTS: Final = tuple(part.name for part in fields(EnergyParts))


@dataclass(frozen=True)
class Traffic:
    """DRAM bytes of one kind of tensor, or of all.

    needed: uncompressed bytes of the values that tiles read or write. coded: payload bytes
    of the blocks touched; overfetch is the part of coded for values that were not needed.
    fetched = coded + padding + index + table = read + written.
    """

    needed_bytes: int
    coded_bytes: int
    fetched_bytes: int
    overfetch_bytes: int
    index_bytes: int
    table_bytes: int
    padding_bytes: int
    read_bytes: int
    written_bytes: int
    fallback_blocks: int


@dataclass(frozen=True)
class DramTraffic(Traffic):
    """All DRAM bytes, and the same by tensor kind (ifmap, weight, ofmap, psum)."""

    by_tensor: dict[str, Traffic]
    bus_bytes: int = 0
    """Bytes of bursts: fetched bytes less the lines that the write buffer answered or merged."""


@dataclass(frozen=True)
class BitsPerValue:
    """Four rates of feature maps, in bits per value; None if no map was coded.

    The first three describe the maps written: zeroth-order entropy, an ideal Huffman code,
    and the packed stream of the codec used. ``fetched`` is what DRAM moved: all bits of
    ifmaps and ofmaps, per value that a tile read or wrote.
    """

    entropy: float | None
    huffman: float | None
    stream: float | None
    fetched: float | None


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Figures that a layer and a whole run have in common; sums over all images."""

    cycles: int
    """Core clock cycles: compute + vector + the sum of the stalls."""
    compute_cycles: int
    vector_cycles: int
    stall_cycles: dict[str, int]
    utilization: float
    """Products made / (PEs x cycles)."""
    macs: int
    """Of which ``skipped_macs`` are not made."""
    seconds: float
    """From the start to the last byte in DRAM, for all images."""
    dram: DramTraffic
    bandwidth_gb_s: float
    """What was on the memory's data bus in this time, no matter who asked for it; at most peak."""
    bits_per_value: BitsPerValue
    energy_pj: dict[str, float]
    """By part (``ENERGY_PARTS``), and ``total``."""
    bus: BusCounts = NO_COUNTS
    """Costly bits and toggles on the memory's data pins; zero if its pins are not known."""
    skipped_macs: int = 0
    """Products that ``array.zeros`` leaves out, because an operand is zero."""

    @property
    def effective_macs(self) -> int:
        """Products that PEs make."""
        return self.macs - self.skipped_macs


@dataclass(frozen=True, kw_only=True)
class Totals(Figures):
    """The whole run."""

    images_per_second: float | None
    """Steady state, from the end of the first image to that of the last; None for one image."""
    images_per_second_cold: float
    """Images / seconds."""


@dataclass(frozen=True, kw_only=True)
class LayerResult(Figures):
    """Figures of one layer; sums over all images."""

    name: str
    kind: str
    bound: str
    """What bounds it: ``compute``, ``vector``, or the cause of most of its stalls."""
    counts: LayerCounts | None = None
    """The counts that all figures follow from; None in results of earlier versions."""


@dataclass(frozen=True)
class Idle:
    """Time and energy between the images of a run at a fixed frame rate; part of no layer."""

    seconds: float
    """Sum of all pauses; not contained in ``Totals.seconds``."""
    energy_pj: dict[str, float]
    """By part, and ``total``; contained in ``Totals.energy_pj``."""
    counts: DramEvents | None = None
    """What the memory did; None in results of earlier versions."""
