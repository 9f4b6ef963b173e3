"""The energy of the memory's data pins, from the levels and toggles of the data.

Each bit that was moved, each costly bit and each toggle has a price
(``accelsim.dram.interface``). Where burst currents already include the pins (LPDDR's VDDQ on
reads; HBM), that share is moved out of ``dram_read`` and ``dram_write``, and prices are scaled so
that random data, with which those currents were measured, cost exactly that share.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from accelsim.dram.config import DramConfig
from accelsim.dram.events import DramEvents
from accelsim.dram.interface import PinEnergy
from accelsim.energy.dram import EnergyMode
from accelsim.sim.counts import BusCounts


@dataclass(frozen=True)
class PinPrices:
    """Picojoules of the data pins in one direction."""

    bit: PinEnergy
    held: float
    """The part of ``dram_read`` or ``dram_write`` of one burst that is due to the pins."""

    def of(self, n_bits: int, costly_bits: int, toggles: int) -> float:
        """Energy of everything that was moved."""
        each = self.bit
        return n_bits * each.every + costly_bits * each.costly + toggles * each.toggle


def pin_prices(config: DramConfig, mode: EnergyMode = "max", *, write: bool) -> PinPrices:
    """The prices of one direction; only for a ``config`` whose interface is known.

    >>> from accelsim.dram.standard import STANDARDS
    >>> ddr4 = pin_prices(STANDARDS["ddr4_3200_x64"].config(), write=False)
    >>> round(ddr4.bit.costly, 2), ddr4.held   # 1.2 V squared over 94 ohm for 0.3125 ns
    (4.79, 0.0)
    """
    pins, t = config.power.interface, config.timing
    if pins is None:
        raise ValueError(f"{config.name}: the data pins are not known")
    bit_ns = t.burst_cycles * t.tCK_ns / config.organisation.burst_length
    own = pins.bit_energy(bit_ns, write=write)
    share = (pins.held.write if write else pins.held.read) if pins.held else 0.0
    if not pins.held or not share:
        return PinPrices(own, 0.0)
    rail = next(rail for rail in config.power.rails if rail.name == pins.held.rail)
    excess = (rail.IDD4W if write else rail.IDD4R) - rail.IDD3N
    charge = rail.volts * excess * t.burst_cycles * t.tCK_ns * config.organisation.devices
    drawn = config.power.typical.write if write else config.power.typical.read
    held = share * charge * (drawn if mode == "typical" else 1.0)
    scale = held / (8 * config.line_bytes * own.random)
    return PinPrices(PinEnergy(*(scale * pj for pj in own)), held)


def with_data(
    parts: Mapping[str, float],
    events: DramEvents,
    bus: BusCounts,
    config: DramConfig,
    mode: EnergyMode = "max",
) -> dict[str, float]:
    """``parts`` of ``price_dram``, with the pins priced by the data on them.

    Unchanged if the interface is not known: imported memories keep their constant.
    """
    if config.power.interface is None:
        return dict(parts)
    read, write = (pin_prices(config, mode, write=is_write) for is_write in (False, True))
    line_bits = 8 * config.line_bytes
    return {
        **parts,
        "dram_read": parts["dram_read"] - events.reads * read.held,
        "dram_write": parts["dram_write"] - events.writes * write.held,
        "dram_io": read.of(events.reads * line_bits, bus.read_costly_bits, bus.read_toggles)
        + write.of(events.writes * line_bits, bus.written_costly_bits, bus.written_toggles),
    }
