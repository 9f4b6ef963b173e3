"""The memory of a chip: its standard, its controller, and its section of a hardware file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

from accelsim.dram.config import DramConfig
from accelsim.dram.reach import reach_warnings
from accelsim.dram.standard import STANDARDS
from accelsim.hardware.dram_section import DramSection
from accelsim.hardware.memory import NEVER_POWER_DOWN, changes, memory_of
from accelsim.hardware.problems import check_part


@dataclass(frozen=True)
class DramPort:
    """The memory of a chip, resolved, and how tensors are placed in it."""

    config: DramConfig
    allocation: Literal["staggered", "packed"]
    """Where tensors start: at row boundaries in staggered banks, or back to back."""
    policy: str
    """A registered policy: dramsim3, ramulator, ideal."""
    outstanding_reads: int
    """Largest number of read lines in flight per DMA engine."""
    standard: str
    """Where ``config`` comes from: a standard by name, or the path of a DRAMsim3 file."""
    ini_text: str | None = None
    """The contents of that file."""

    def __post_init__(self) -> None:
        controller = self.config.controller
        if self.policy in NEVER_POWER_DOWN and controller.power_down_cycles:
            awake = replace(self.config, controller=replace(controller, power_down_cycles=0))
            object.__setattr__(self, "config", awake)
        check_part("dram", self.section())

    @property
    def warnings(self) -> tuple[str, ...]:
        """Warnings about the memory's figures, and about engines that cannot use all of it."""
        named = (f"memory {self.config.name}: {text}" for text in self.config.warnings)
        return *named, *reach_warnings(self.config, self.outstanding_reads, self.policy)

    def section(self) -> dict[str, Any]:
        organisation, controller = self.config.organisation, self.config.controller
        named = {
            "standard": self.standard,
            "channels": organisation.channels,
            "address_map": controller.address_map,
            "allocation": self.allocation,
            "policy": self.policy,
            "dbi": self._inversion(),
            "outstanding_reads": self.outstanding_reads,
            "self_refresh_cycles": controller.self_refresh_cycles,
            "power_down_cycles": controller.power_down_cycles,
            "ini_text": self.ini_text,
        }
        check_part("dram", named)
        changed = changes(self.config, memory_of(DramSection.model_validate(named)))
        return {**named, "changes": changed or None}

    def _inversion(self) -> Literal["default", "on", "off"]:
        pins = self.config.power.interface
        if pins is None or self.ini_text is not None or self.standard not in STANDARDS:
            return "default"
        usual = STANDARDS[self.standard].power.interface
        if usual is None or usual.dbi == pins.dbi:
            return "default"
        return "on" if pins.dbi else "off"
