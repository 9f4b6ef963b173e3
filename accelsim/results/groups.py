"""How tables and pictures gather the parts of energy and the causes of stalls."""

from __future__ import annotations

from typing import Final

ENERGY_GROUPS: Final[dict[str, tuple[str, ...]]] = {
    "PE array": ("mac", "rf", "vector"),
    "idle PEs": ("array_clock", "array_leakage"),
    "buffers": ("sram",),
    "codec": ("codec",),
    "leakage": ("leakage",),
    "DRAM activate": ("dram_act",),
    "DRAM rd/wr": ("dram_read", "dram_write"),
    "DRAM I/O": ("dram_io",),
    "DRAM PHY": ("dram_phy",),
    "DRAM standby": ("dram_background", "dram_refresh"),
}
"""Parts of energy; every part is in exactly one group."""

STALL_GROUPS: Final[dict[str, tuple[str, ...]]] = {
    "ifmap": ("ifmap_dram",),
    "weight": ("weight_dram",),
    "ofmap": ("ofmap_dram", "drain"),
    "index": ("index_dram",),
    "decode": ("decoder",),
    "encode": ("encoder",),
    "buffer": ("buffer_full", "outstanding"),
    "depend": ("dependency",),
}
"""Causes of stalls."""
