"""What a run says: figures of each layer and of the whole, with everything needed to repeat it.

``dataclasses.asdict`` of a ``Result`` is its JSON form (docs/command_line.md): the names of
these fields are the keys that users' scripts read, so they stay.
"""

from __future__ import annotations

from dataclasses import dataclass

from accelsim.results.figures import Idle, LayerResult, Totals
from accelsim.results.run_tables import energy_table, memory_table, time_table
from accelsim.results.table import Table


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
        run = f"{self.trace} on {self.hardware}, feature maps coded with {self.codec}"
        return (
            time_table(run, self.images, self.layers, self.totals, self.idle),
            memory_table(self.layers, self.totals),
            energy_table(self.layers, self.totals, self.idle, self.accuracy, self.notes),
        )
