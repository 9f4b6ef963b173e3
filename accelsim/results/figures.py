"""Figures of a layer and of a whole run, by name and unit.

The names of these fields are keys of a result's JSON form, which users' scripts read: they stay.
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
    of the blocks touched; overfetch is its part for values not needed. fetched = coded +
    padding + index + table = read + written.
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
    """Of the bursts: fetched, but for lines that the write buffer answered or merged."""


@dataclass(frozen=True)
class BitsPerValue:
    """Four rates of feature maps, in bits per value; None where no map was coded.

    The first three are of the maps written: zeroth-order entropy, an ideal Huffman code,
    and the packed stream of the codec used. ``fetched`` is what DRAM moved: all bits of
    ifmaps and ofmaps for each value that a tile read or wrote.
    """

    entropy: float | None
    huffman: float | None
    stream: float | None
    fetched: float | None


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What a layer and a whole run have in common; all images together."""

    cycles: int
    """Core clock cycles: compute + vector + the sum of the stalls."""
    compute_cycles: int
    vector_cycles: int
    stall_cycles: dict[str, int]
    utilization: float
    """macs / (PEs x cycles)."""
    macs: int
    seconds: float
    """Cold latency of the batch."""
    dram: DramTraffic
    bandwidth_gb_s: float
    """What was on the memory's bus in these seconds, whoever asked for it; at most its peak."""
    bits_per_value: BitsPerValue
    energy_pj: dict[str, float]
    """By part (``ENERGY_PARTS``), and ``total``."""
    bus: BusCounts = NO_COUNTS
    """What the data did on the memory's pins; zero where those are not known."""


@dataclass(frozen=True, kw_only=True)
class Totals(Figures):
    """The whole run."""

    images_per_second: float | None
    """Steady state, from the end of the first image to the end of the last; None for one."""
    images_per_second_cold: float
    """Images / seconds."""


@dataclass(frozen=True, kw_only=True)
class LayerResult(Figures):
    """One layer, all images together."""

    name: str
    kind: str
    bound: str
    """What bounds it: ``compute``, ``vector``, or the cause of most of its stalls."""
    counts: LayerCounts | None = None
    """What was counted, from which all figures follow; None in results of earlier versions."""


@dataclass(frozen=True)
class Idle:
    """What a run at a fixed frame rate spends between its images, on no layer."""

    seconds: float
    """All pauses; ``Totals.seconds`` does not hold them."""
    energy_pj: dict[str, float]
    """By part, and ``total``; ``Totals.energy_pj`` is that of the layers and this."""
    counts: DramEvents | None = None
    """What the memory did; None in results of earlier versions."""
