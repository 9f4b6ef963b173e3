"""DRAMsim3's controller: command queues per bank, served round-robin."""

from __future__ import annotations

from typing import ClassVar

from accelsim.dram.controlled import ControlledMemory
from accelsim.dram.parameters import ControllerName


class Dramsim3Memory(ControlledMemory):
    """Every channel issues the commands of DRAMsim3, cycle by cycle."""

    controller: ClassVar[ControllerName] = "dramsim3"


POLICY = Dramsim3Memory
