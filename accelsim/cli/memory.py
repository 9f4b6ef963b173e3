"""The memory that a command line names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from accelsim.dram.config import DramConfig


def named_memory(name: str, compat: Literal["dramsim3", "none"] | None = None) -> DramConfig:
    """A native standard, a DRAMsim3 ``.ini`` file, or the memory of a hardware file or chip.

    Raises ``AccelsimError`` if the name is none of these; warnings go to standard error.
    """
    from dataclasses import replace

    from accelsim.cli.console import warn
    from accelsim.dram.ini_files.read import read_ini
    from accelsim.dram.standard import STANDARDS
    from accelsim.hardware.read import read_hardware, shipped_files

    if name.endswith((".yaml", ".yml")) or name in {file.stem for file in shipped_files()}:
        memory = read_hardware(name).dram.config
    elif name.endswith(".ini"):
        memory, _ = read_ini(name)
    else:
        memory = STANDARDS[name].config()
    warn(memory.warnings)
    return memory if compat is None else replace(memory, compat=compat)
