"""The parts of energy, in picojoules; their names are keys of the JSON form."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from math import fsum


@dataclass(frozen=True)
class EnergyParts:
    """Energy by part; all energy is in exactly one part.

    >>> (EnergyParts(mac=1.0) + EnergyParts(mac=2.0, sram=0.5)).total
    3.5
    """

    mac: float = 0.0
    """Multiplications and the additions to the psum."""
    rf: float = 0.0
    """Registers inside the PEs, by access."""
    array_clock: float = 0.0
    """Registers of PEs without a MAC in a cycle, which are clocked nevertheless."""
    array_leakage: float = 0.0
    """Leakage of the PEs."""
    sram: float = 0.0
    """Reads and writes of the ifmap, weight and ofmap buffers."""
    codec: float = 0.0
    """Encoder and decoder, per value."""
    vector: float = 0.0
    """Element-wise sums and pooling."""
    leakage: float = 0.0
    """Leakage of the buffers."""
    dram_act: float = 0.0
    dram_read: float = 0.0
    dram_write: float = 0.0
    dram_refresh: float = 0.0
    dram_background: float = 0.0
    dram_io: float = 0.0
    """Termination of the bus, where IDD currents do not contain it."""
    dram_phy: float = 0.0
    """Controller and PHY on the chip."""

    @property
    def total(self) -> float:
        return fsum(asdict(self).values())

    def as_dict(self) -> dict[str, float]:
        """The parts by name, and their ``total``."""
        return {**asdict(self), "total": self.total}

    def __add__(self, other: EnergyParts) -> EnergyParts:
        return EnergyParts(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))
