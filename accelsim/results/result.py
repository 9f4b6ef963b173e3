"""What a run says: figures of each layer and of the whole, with everything needed to repeat it.

``dataclasses.asdict`` of a ``Result`` is its JSON form (docs/command_line.md): the names of
these fields are the keys that users' scripts read, so they stay.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Final

from accelsim.dram.events import DramEvents
from accelsim.energy.parts import EnergyParts
from accelsim.program.work import NO_COUNTS, BusCounts
from accelsim.sim.counts import LayerCounts

if TYPE_CHECKING:
    from accelsim.results.tables import Table

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


@dataclass(frozen=True, kw_only=True, repr=False)
class Result:
    """A run: hardware and trace by name and hash, totals, layers.

    ``print`` shows its tables, and so does a notebook.
    """

    hardware: str
    trace: str
    codec: str
    """Codec of feature maps; weights are stored raw."""
    closed_loop: bool
    """False where a lossy codec would have changed the maps downstream, and did not."""
    reconstruction: bool = False
    """True where only an abstract of the codec is public, and its format is rebuilt from it."""
    codec_error: float = 0.0
    """Of a lossy codec: rms of what it changes in the coded maps, over the rms of their values."""
    codec_area_kge: float = 0.0
    """All codec lanes of the chip, in thousand gate equivalents; 0 where maps are raw."""
    accuracy: dict[str, float]
    images: int
    totals: Totals
    layers: tuple[LayerResult, ...]
    idle: Idle | None = None
    """None where images follow one another, or come faster than the chip can take them."""
    versions: dict[str, str]
    """Of this package, of its sources (a hash), of the libraries that decide numbers, and of
    whatever comes from other packages: ``"codec NAME": "PACKAGE VERSION (SOURCE HASH)"``."""
    config: dict[str, object]
    """The resolved configuration."""
    config_sha256: str
    inputs: dict[str, str]
    """Hashes of what was read: ``trace_sha256``."""
    notes: tuple[str, ...] = ()
    """Assumptions that decide numbers: calibration of tables, estimates in use."""
    warnings: tuple[str, ...] = ()
    """What makes figures doubtful: of the memory, the chip, the trace and the run."""

    def __repr__(self) -> str:
        totals, images = self.totals, f"{self.images} image{'s' * (self.images != 1)}"
        return (
            f"<Result of {self.trace} on {self.hardware}, {self.codec}: {images}, "
            f"{totals.cycles:,} cycles, {totals.energy_pj['total'] / 1e6:,.1f} uJ, "
            f"{totals.dram.fetched_bytes / 1e6:,.2f} MB of DRAM, {len(self.layers)} layers>"
        )

    def __str__(self) -> str:
        return "\n".join(table.plain() for table in self.tables())

    def _repr_html_(self) -> str:
        return "".join(table.html() for table in self.tables())

    def tables(self) -> tuple[Table, ...]:
        """Time, memory and energy of each layer and of the whole."""
        from accelsim.results.tables import run_tables

        return run_tables(self)
