"""What a memory can do, as tables."""

from __future__ import annotations

from accelsim.energy.dram_character import Character
from accelsim.results.groups import ENERGY_GROUPS
from accelsim.results.number_text import number, percent
from accelsim.results.table import Column, Table

_ENERGY_COLUMNS = tuple(group for group in ENERGY_GROUPS if group.startswith("DRAM"))


def patterns_table(character: Character) -> Table:
    """Every pattern on every address map, requests as fast as they are accepted."""
    rows = tuple(
        (
            point.pattern,
            point.address_map,
            number(point.bandwidth_gb_s),
            percent(point.peak_share),
            percent(point.row_hit_rate),
            number(point.average_latency_ns),
            *(
                number(sum(point.energy_pj_per_bit.get(part, 0.0) for part in ENERGY_GROUPS[group]))
                for group in _ENERGY_COLUMNS
            ),
            number(point.energy_pj_per_bit["total"]),
        )
        for point in character.patterns
    )
    return Table(
        title=f"{character.memory}: {number(character.peak_gb_s)} GB/s at its peak",
        columns=(
            Column("pattern", is_text=True),
            Column("address map", is_text=True),
            Column("rate", "GB/s"),
            Column("of peak", "%"),
            Column("hits", "%"),
            Column("latency", "ns"),
            *(Column(group.removeprefix("DRAM "), "pJ/bit") for group in _ENERGY_COLUMNS),
            Column("total", "pJ/bit"),
        ),
        rows=rows,
        footer=(
            "requests as fast as they are accepted, a line for each channel and clock; rate: bytes "
            f"moved; latency of reads from acceptance; energy: {character.energy_label}",
        ),
    )


def loads_table(character: Character) -> Table:
    """Latency of reads at rising loads."""
    return Table(
        title=f"Latency of reads under load, address map {character.address_map}",
        columns=(
            Column("pattern", is_text=True),
            Column("offered", "GB/s"),
            Column("reached", "GB/s"),
            Column("average", "ns"),
            Column("99 %", "ns"),
        ),
        rows=tuple(
            (
                point.pattern,
                number(point.offered_gb_s),
                number(point.bandwidth_gb_s),
                number(point.average_latency_ns),
                number(point.p99_latency_ns),
            )
            for point in character.loads
        ),
        footer=("from arrival to the last beat; requests arrive evenly",),
    )
