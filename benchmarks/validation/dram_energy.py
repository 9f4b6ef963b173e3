"""Published energies of DRAM, and ours: picojoules of a bit that is read.

Run as ``python benchmarks/validation/dram_energy.py``. Ours are the closed forms of ``accelsim
dram list``: a stream reads whole rows, random access one burst of each row, both at full
bandwidth; without (device) and with termination and the chip's controller and PHY. The last
columns divide our typical stream and random figure, of the scope that was published, by the
nearest end of what was published; 1.00 is inside.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from accelsim.dram.standard import STANDARDS
from accelsim.energy.dram import EnergyMode
from accelsim.energy.dram_catalogue import BitEnergy, bit_energy
from accelsim.results.table import Column, Table


@dataclass(frozen=True)
class Published:
    """One figure in pJ/bit, with the memory of ours that comes closest."""

    memory: str
    standard: str
    low: float
    high: float
    scope: Literal["device", "total"]
    """``total`` holds I/O, controller and PHY."""
    source: str
    difference: str
    """Why ours is not that."""


PUBLISHED: Final = (
    Published(
        "HBM2, 1.21 row + 2.24 on-die + 0.30 I/O + ECC",
        "hbm2_2000_x64",
        3.92,
        3.92,
        "device",
        "O'Connor et al., MICRO 2017, sections 1-2",
        "an estimate; our currents were measured on silicon with random data (4.5 to read). 1.21 "
        "of rows is one ACT of 909 pJ for 94 bytes, between our stream and random",
    ),
    Published(
        "HBM2",
        "hbm2_2000_x64",
        250 / 64,
        450 / 64,
        "total",
        "Jouppi et al., ISCA 2021, Table 2",
        "random pays for one row of 1 KB per 32 bytes",
    ),
    Published(
        "HBM2E",
        "hbm2_2400_x64",
        6.0,
        6.0,
        "device",
        "Micron, ultra-bandwidth table, average device power",
        "their mix of hits and misses is unknown; 6.0 is one ACT for three bursts of ours",
    ),
    Published(
        "HBM3E: a fifth below HBM2E's 4.3",
        "hbm3_6400_x32",
        3.44,
        4.3,
        "device",
        "SK hynix, IEDM 2023",
        "ours are currents of HBM2 extrapolated to 6.4 Gb/s; its own source calls them so",
    ),
    Published(
        "GDDR6",
        "gddr6_14000_x16",
        350 / 64,
        480 / 64,
        "total",
        "Jouppi et al., ISCA 2021, Table 2; Micron: 7.5",
        "our typical shares are an assumption, too low for GDDR6: max is 6.1 for a stream",
    ),
    Published(
        "LPDDR4",
        "lpddr4_3200_x16",
        4.0,
        8.0,
        "total",
        "accelerator papers (4 to 6), hwcomponents (8)",
        "typical shares are an assumption; max is above (10.4)",
    ),
    Published(
        "LPDDR5: 30 % below LPDDR4X; 7 in-flash inference",
        "lpddr5_6400_x16",
        2.8,
        7.0,
        "total",
        "vendors; AiF, HPCA 2025",
        "as for LPDDR4",
    ),
    Published(
        "DDR4, 1300 pJ for 64 bits",
        "ddr4_3200_x64",
        15.0,
        1300 / 64,
        "total",
        "Jouppi et al., ISCA 2021, Table 2",
        "the pattern it holds for is not said; our stream shares a row among 128 bursts, our "
        "random opens one for each",
    ),
    Published(
        "DDR3, 2 Gb, IDD7RW",
        "ddr3_1600_x64",
        9.0,
        9.0,
        "device",
        "Vogelsang, MICRO 2010",
        "a model of a die; ours are limits of a 4 Gb die at 1.5 V, of which typical is a share",
    ),
    Published(
        "DDR3, whole system at low use",
        "ddr3_1600_x64",
        70.0,
        70.0,
        "total",
        "Malladi et al., ISCA 2012",
        "standby of a system that is mostly idle is spread over few bits; ours is fully used",
    ),
)


def ours(name: str, mode: EnergyMode) -> tuple[BitEnergy, BitEnergy]:
    """Of a stream and of random access."""
    config = STANDARDS[name].config()
    return (
        bit_energy(config, mode, config.organisation.lines_per_row),
        bit_energy(config, mode, 1),
    )


def ratio(value: float, low: float, high: float) -> float:
    """To the nearest end of a range; 1 inside."""
    return value / min(max(value, low), high)


def _row(entry: Published) -> tuple[str, ...]:
    most, typical = ours(entry.standard, "max"), ours(entry.standard, "typical")
    values = [getattr(each, entry.scope) for each in typical]
    span = f"{entry.low:.2f}" if entry.low == entry.high else f"{entry.low:.1f}-{entry.high:.1f}"
    return (
        entry.memory,
        entry.standard,
        span,
        entry.scope,
        *(f"{each.device:.1f}" for each in (*most, *typical)),
        *(f"{each.total:.1f}" for each in (*most, *typical)),
        *(f"{ratio(value, entry.low, entry.high):.2f}" for value in values),
    )


def table() -> Table:
    """Every published figure beside ours."""
    kinds = ("max stream", "max random", "typical stream", "typical random")
    return Table(
        title="Energy of a bit read: published, and ours",
        columns=(
            Column("published", is_text=True),
            Column("ours", is_text=True),
            Column("published", "pJ/bit"),
            Column("scope", is_text=True),
            *(Column(kind, "device") for kind in kinds),
            *(Column(kind, "total") for kind in kinds),
            Column("stream", "ratio"),
            Column("random", "ratio"),
        ),
        rows=tuple(_row(entry) for entry in PUBLISHED),
        footer=tuple(f"{entry.memory} ({entry.source}): {entry.difference}" for entry in PUBLISHED),
    )


if __name__ == "__main__":
    print(table().plain())
