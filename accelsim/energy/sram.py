"""SRAM macros: energy of an access, leakage and area, interpolated in a table of CACTI points.

The table (``sram_table.csv``, its header names tool and settings) is a grid of cell type,
process node, width and size. Between grid points every figure is a power law of size, width
and node (a straight line in logarithms): dynamic energy scales about as size^0.5 and node^1.9,
leakage about as size^1.0. On a grid point the result is the CACTI point itself.

Error between grid points, each interior point predicted from its neighbours: over size, reads
and writes 4 % in the mean at 108 KiB, at most 29 % where CACTI changes its partition into
sub-banks; over node, 4 % in the mean at 45 nm. Leakage between nodes is unreliable: lop
cells leak more at 32 nm than at 45 nm. Prefer a node of the table (22, 32, 45, 65 nm).

Outside the grid:
  * node: refused. Below 22 nm, CACTI scales small arrays down too far.
  * larger than 4096 KiB: several macros of equal size, one of which is accessed at a time; the
    wires between them are not modelled.
  * smaller than 8 KiB: an access costs as much as for 8 KiB (an upper bound), leakage and
    area are proportional to the size.
  * width: 64 to 512 bits, others are refused.
"""

from __future__ import annotations

import csv
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cache
from math import log
from pathlib import Path
from typing import Final

from accelsim.errors import ConfigError
from accelsim.hardware.chip import Chip
from accelsim.units import KIB, ceil_div

TABLE: Final = Path(__file__).with_name("sram_table.csv")


@dataclass(frozen=True)
class SramMacro:
    """One buffer: energies are per access of its full width."""

    read_pj: float
    write_pj: float
    leakage_mw: float
    """At 300 K, of the whole buffer."""


Grid = dict[tuple[str, int, int, int], SramMacro]


@cache
def table() -> Grid:
    """The CACTI points by (cell, node_nm, width_bits, kib)."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(line for line in file if not line.startswith("#"))
        return {
            (row["cell"], int(row["node_nm"]), int(row["width_bits"]), int(row["kib"])): SramMacro(
                *(float(row[field.name]) for field in fields(SramMacro))
            )
            for row in rows
        }


@cache
def axes() -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    """The nodes, widths and sizes (KiB) of the grid, in rising order."""
    _, nodes, widths, sizes = zip(*table(), strict=True)
    return tuple(sorted(set(nodes))), tuple(sorted(set(widths))), tuple(sorted(set(sizes)))


@cache
def sram_macro(size_bytes: int, width_bits: int, node_nm: int, cell: str) -> SramMacro:
    """A buffer of ``size_bytes`` with one port of ``width_bits``.

    ``cell`` is ``hp``, ``lop`` or ``lstp``, of cells and periphery. Raises ``ConfigError``
    for a node or width outside the table.

    >>> sram_macro(128 * 1024, 64, 22, "lop").read_pj
    4.49812
    """
    nodes, widths, sizes = axes()
    _inside("energy.node_nm", node_nm, nodes, "nm")
    _inside("buffers.port_bits", width_bits, widths, "bits")
    kib = size_bytes / KIB
    macros = ceil_div(size_bytes, sizes[-1] * KIB)
    share = min(1.0, kib / sizes[0])
    corner = (node_nm, width_bits, max(kib / macros, sizes[0]))
    read, write, leakage = _power_law(cell, corner)
    return SramMacro(read, write, leakage * macros * share)


def buffer_macros(chip: Chip) -> tuple[SramMacro, SramMacro, SramMacro]:
    """The buffers of ifmaps, weights and ofmaps: one and the same where they share it."""
    ifmap, weight, ofmap = (
        _macro(chip, chip.buffers.of(tensor)) for tensor in ("ifmap", "weight", "ofmap")
    )
    return ifmap, weight, ofmap


def buffers_leakage_mw(chip: Chip) -> float:
    """Every buffer once."""
    return sum(_macro(chip, n_bytes).leakage_mw for n_bytes in chip.buffers.memories)


def _macro(chip: Chip, size_bytes: int) -> SramMacro:
    energy = chip.energy
    return sram_macro(size_bytes, chip.buffers.port_bits, energy.node_nm, energy.sram_cell)


def _inside(key: str, value: int, axis: tuple[int, ...], unit: str) -> None:
    if not axis[0] <= value <= axis[-1]:
        raise ConfigError(
            key,
            f"the SRAM table covers {axis[0]} to {axis[-1]} {unit}, got {value}",
            f"choose one of {', '.join(map(str, axis))}; energies beyond would be guesses",
        )


def _power_law(cell: str, at: tuple[float, float, float]) -> tuple[float, ...]:
    """The figures at (node, width, kib): a weighted geometric mean of grid points."""
    product = [1.0] * len(fields(SramMacro))
    for node, node_share in _neighbours(axes()[0], at[0]):
        for width, width_share in _neighbours(axes()[1], at[1]):
            for kib, size_share in _neighbours(axes()[2], at[2]):
                point = table()[cell, node, width, kib]
                share = node_share * width_share * size_share
                for i, field in enumerate(fields(SramMacro)):
                    product[i] *= float(getattr(point, field.name)) ** share
    return tuple(product)


def _neighbours(axis: tuple[int, ...], value: float) -> Iterator[tuple[int, float]]:
    """The grid values around ``value`` and their shares, in logarithms; one if it is exact."""
    above = bisect_left(axis, value)
    if axis[above] == value:
        yield axis[above], 1.0
        return
    low, high = axis[above - 1], axis[above]
    share = log(value / low) / log(high / low)
    yield low, 1.0 - share
    yield high, share
