"""Ramulator 2.1's controller: one read and one write buffer per channel, oldest legal first.

Its scheduler is FRFCFS-RowHit, its row policy open, its refresh of all banks at once. Page
policies that close rows, a unified queue and refresh of single banks are refused; there are
no command queues, so settings of their size and structure have no effect.
"""

from __future__ import annotations

from typing import ClassVar

from accelsim.dram.controlled import ControlledMemory
from accelsim.dram.parameters import ControllerName


class RamulatorMemory(ControlledMemory):
    """Every channel issues the commands of Ramulator 2.1, cycle by cycle."""

    controller: ClassVar[ControllerName] = "ramulator"


POLICY = RamulatorMemory
