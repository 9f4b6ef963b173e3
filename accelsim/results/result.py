"""The result of a run: figures per layer and in total, and everything needed to repeat it.

``dataclasses.asdict`` of a ``Result`` is its JSON form (docs/command_line.md): the names of
these fields are keys that users' scripts read, so they must not change.
"""

from __future__ import annotations

from dataclasses import dataclass

from accelsim.results.figures import Idle, LayerResult, Totals
from accelsim.results.run_tables import energy_table, memory_table, time_table
from accelsim.results.table import Table


@dataclass(frozen=True, kw_only=True, repr=False)
class Result:
    """The result of one run: hardware and trace by name and hash, totals, layers.

    ``print`` shows its tables, and so does a notebook.
    """

    hardware: str
    trace: str
    codec: str
    """Codec of the feature maps; weights are stored raw."""
    closed_loop: bool
    """False if a lossy codec would have changed later maps, which a recorded trace cannot show."""
    reconstruction: bool = False
    """True if the format was rebuilt because only an abstract of the codec was available."""
    codec_error: float = 0.0
    """Of a lossy codec: rms change of the coded maps, divided by the rms of their values."""
    codec_area_kge: float = 0.0
    """Area of all codec lanes of the chip, in thousand gate equivalents; 0 if maps are raw."""
    accuracy: dict[str, float]
    images: int
    totals: Totals
    layers: tuple[LayerResult, ...]
    idle: Idle | None = None
    """The time between images; None if images follow one another without a pause."""
    versions: dict[str, str]
    """Of this package, of its sources (a hash), of the libraries that affect numbers, and of
    implementations from other packages: ``"codec NAME": "PACKAGE VERSION (SOURCE HASH)"``."""
    config: dict[str, object]
    """The resolved configuration."""
    config_sha256: str
    inputs: dict[str, str]
    """Hashes of what was read: ``trace_sha256``."""
    notes: tuple[str, ...] = ()
    """How the figures were obtained: assumptions that affect numbers."""
    warnings: tuple[str, ...] = ()
    """What makes the figures doubtful, about the memory, the chip, the trace or the run."""

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
        """Time, memory and energy, per layer and in total."""
        run = f"{self.trace} on {self.hardware}, feature maps coded with {self.codec}"
        return (
            time_table(run, self.images, self.layers, self.totals, self.idle),
            memory_table(self.layers, self.totals),
            energy_table(self.layers, self.totals, self.idle, self.accuracy, self.notes),
        )
