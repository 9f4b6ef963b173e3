"""Tables of ``dram characterise``: bandwidth and latency of a memory."""

from __future__ import annotations

from accelsim.energy.dram_character import Character
from accelsim.results.groups import ENERGY_GROUPS
from accelsim.results.number_text import number, percent
from accelsim.results.table import Column, Table

_ENERGY_COLUMNS = tuple(group for group in ENERGY_GROUPS if group.startswith("DRAM"))


def patterns_table(character: Character) -> Table:
    """Every pattern on every address map, with requests offered as fast as they are accepted."""
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
        title=f"{character.memory}: {number(character.peak_gb_s)} GB/s peak",
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
            "requests are offered as fast as they are accepted, one line per channel and clock; "
            "rate: bytes moved; latency: of reads, from acceptance; energy: "
            f"{character.energy_label}",
        ),
    )


def loads_table(character: Character) -> Table:
    """Latency of reads under rising load."""
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
        footer=("latency from arrival to the last beat; requests arrive evenly",),
    )
