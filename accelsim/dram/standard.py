"""A DRAM standard is data: one file under ``standards/`` with a source for every value."""

from __future__ import annotations

from dataclasses import dataclass, replace

from accelsim.dram.config import DramConfig
from accelsim.dram.power import ASSUMED, EnergyKnown, Power
from accelsim.dram.system import Controller, Organisation, PagePolicy, Timing
from accelsim.registry import Registry

DEFAULT_ADDRESS_MAP = "roracobabgch"
"""Interleaves channels and bank groups line by line: streams use all channels, and run at
tCCD_S, not tCCD_L."""


@dataclass(frozen=True)
class DramStandard:
    """A real memory: a device or channel at one speed.

    ``sources`` gives, for every field of organisation, timing, power and controller, the
    document that it was read from, or the word "assumption" with a reason.
    """

    name: str
    description: str
    protocol: str
    organisation: Organisation
    """Organisation of one channel."""
    timing: Timing
    power: Power
    controller: Controller
    sources: dict[str, str]
    energy_known: EnergyKnown = ASSUMED
    package_channels: int = 1
    """Channels per package: 2 sub-channels of a DDR5 module, 16 of an HBM2 stack."""

    @property
    def is_ddr3l(self) -> bool:
        """Whether it is a DDR3 module at 1.35 V with lines of 64 bytes."""
        return (
            self.protocol == "DDR3"
            and self.organisation.line_bytes == 64
            and self.power.rails[0].volts == 1.35
        )

    def config(
        self,
        channels: int = 1,
        address_map: str | None = None,
        *,
        page_policy: PagePolicy | None = None,
        command_queue_size: int | None = None,
        transaction_queue_size: int | None = None,
        self_refresh_cycles: int | None = None,
        power_down_cycles: int | None = None,
        dbi: bool | None = None,
    ) -> DramConfig:
        """The complete configuration of ``channels`` such channels.

        ``dbi`` switches data bus inversion; None leaves it as usual for the standard. Raises
        ``ConfigError`` for impossible values, such as an address map without rows.

        >>> config = STANDARDS["ddr4_2400_x16"].config()
        >>> config.line_bytes, round(config.peak_gb_s, 1)
        (16, 4.8)
        """
        own = self.controller
        controller = replace(
            own,
            address_map=address_map or own.address_map,
            page_policy=page_policy or own.page_policy,
            command_queue_size=command_queue_size or own.command_queue_size,
            transaction_queue_size=transaction_queue_size or own.transaction_queue_size,
            self_refresh_cycles=own.self_refresh_cycles
            if self_refresh_cycles is None
            else self_refresh_cycles,
            power_down_cycles=own.power_down_cycles
            if power_down_cycles is None
            else power_down_cycles,
        )
        power, pins = self.power, self.power.interface
        if dbi is not None and pins is not None:
            power = replace(power, interface=replace(pins, dbi=dbi))
        return DramConfig(
            name=self.name,
            protocol=self.protocol,
            organisation=replace(self.organisation, channels=channels),
            timing=self.timing,
            power=power,
            controller=controller,
            compat="none",
            sources=tuple(self.sources.items()),
            energy_known=self.energy_known,
        )


STANDARDS: Registry[DramStandard] = Registry(
    "DRAM standard", "accelsim.dram.standards", "STANDARD", "accelsim.dram_standards"
)
