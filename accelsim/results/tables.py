"""Results as tables: data with headers and units, rendered elsewhere.

A run has three tables that fit 120 columns each: time, memory, energy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

from accelsim.html_table import html_table
from accelsim.program.work import NO_COUNTS
from accelsim.results.accuracy import accuracy_line
from accelsim.results.figures import column, number, percent, share, si
from accelsim.results.result import BitsPerValue, Figures, LayerResult, Result, Totals

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
"""How pictures and tables gather the parts of energy; every part is in exactly one group."""

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
"""How pictures and tables gather the causes of stalls."""


class Column(NamedTuple):
    """A header, the unit of what stands below it, and whether that is text or a number."""

    header: str
    unit: str = ""
    is_text: bool = False


@dataclass(frozen=True)
class Table:
    """A title, columns, rows of text, and sentences below the table."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    footer: tuple[str, ...] = ()

    def plain(self) -> str:
        """Aligned text as wide as it needs to be, without lines: for files and pipes."""
        heads = [tuple(c.header for c in self.columns), tuple(c.unit for c in self.columns)]
        lines = [*heads, *self.rows] if any(heads[1]) else [heads[0], *self.rows]
        widths = [max(len(line[i]) for line in lines) for i in range(len(self.columns))]
        body = [
            "  ".join(
                cell.ljust(width) if column.is_text else cell.rjust(width)
                for cell, width, column in zip(line, widths, self.columns, strict=True)
            ).rstrip()
            for line in lines
        ]
        return "\n".join([self.title, "", *body, "", *self.footer]).rstrip() + "\n"

    def html(self) -> str:
        """The same for a notebook."""
        headers = [f"{c.header}\n{c.unit}" if c.unit else c.header for c in self.columns]
        is_text = [column.is_text for column in self.columns]
        return html_table(self.title, headers, self.rows, is_text=is_text, footer=self.footer)

    def _repr_html_(self) -> str:
        return self.html()

    def __str__(self) -> str:
        return self.plain()


def run_tables(result: Result) -> tuple[Table, ...]:
    """Time, memory and energy of each layer and of the whole."""
    return _time(result), _memory(result), _energy(result)


def _time(result: Result) -> Table:
    rows = [
        (
            name,
            bound,
            f"{figures.cycles:,}",
            percent(figures.utilization),
            f"{share(figures.compute_cycles + figures.vector_cycles, figures.cycles)}",
            *(
                share(sum(figures.stall_cycles[cause] for cause in causes), figures.cycles)
                for causes in STALL_GROUPS.values()
            ),
        )
        for name, bound, figures in _lines(result)
    ]
    totals = result.totals
    steady = totals.images_per_second
    return Table(
        title=f"{result.trace} on {result.hardware}, feature maps coded with {result.codec}",
        columns=(
            Column("layer", is_text=True),
            Column("bound by", is_text=True),
            Column("cycles", ""),
            Column("use", "%"),
            Column("busy", "%"),
            *(Column(group, "%") for group in STALL_GROUPS),
        ),
        rows=tuple(rows),
        footer=(
            f"{result.images} image{'s' * (result.images != 1)} in {si(totals.seconds, 's')}: "
            f"{number(totals.images_per_second_cold)} images/s cold"
            + (f", {number(steady)} images/s in steady state" if steady else "")
            + (f"; {si(result.idle.seconds, 's')} between images" if result.idle else ""),
            "use = MACs / (PEs x cycles); busy = compute and vector cycles; the other columns = "
            "cycles spent waiting",
            "for: ifmap, weight, ofmap (and final drain), index from DRAM; decoder, encoder; "
            "space (reads in flight); an earlier tile",
        ),
    )


def _memory(result: Result) -> Table:
    lines = _lines(result)
    moved = zip(*(_moved(figures) for _, _, figures in lines), strict=True)
    columns = [column([n_bytes / 1e6 for n_bytes in n_bytes_each]) for n_bytes_each in moved]
    speeds = column([figures.bandwidth_gb_s for _, _, figures in lines])
    bits = [rates(figures.bits_per_value) for _, _, figures in lines]
    return Table(
        title="DRAM traffic and feature maps",
        columns=(
            Column("layer", is_text=True),
            *(
                Column(header, "MB")
                for header in ("needed", "coded", "fetched", "ifmap", "weight", "ofmap")
            ),
            Column("rate", "GB/s"),
            *(Column(header, "b/value") for header in ("entropy", "huffman", "stream", "fetched")),
        ),
        rows=tuple(
            (name, *cells, *bits[i])
            for i, ((name, _, _), *cells) in enumerate(zip(lines, *columns, speeds, strict=True))
        ),
        footer=(
            "needed = uncompressed bytes of the values used; coded = payload of the blocks "
            "touched; fetched =",
            "coded + padding + index + tables, of which ifmap, weight, ofmap; b/value = bits "
            "per value of feature maps",
        ),
    )


def _moved(figures: Figures) -> tuple[int, ...]:
    dram = figures.dram
    by_kind = (dram.by_tensor[kind].fetched_bytes for kind in ("ifmap", "weight", "ofmap"))
    return dram.needed_bytes, dram.coded_bytes, dram.fetched_bytes, *by_kind


def _energy(result: Result) -> Table:
    idle = [("between images", result.idle.energy_pj)] if result.idle else []
    layers = [(layer.name, layer.energy_pj) for layer in result.layers]
    lines = [*layers, *idle, ("TOTAL", result.totals.energy_pj)]
    groups = {"total": ("total",), **ENERGY_GROUPS}
    columns = [
        column([sum(energy[part] for part in parts) / 1e6 for _, energy in lines])
        for parts in groups.values()
    ]
    return Table(
        title="Energy",
        columns=(Column("layer", is_text=True), *(Column(group, "uJ") for group in groups)),
        rows=tuple(zip((name for name, _ in lines), *columns, strict=True)),
        footer=(
            *([line] if (line := accuracy_line(result.accuracy)) else []),
            *([line] if (line := pins_line(result.totals)) else []),
            *result.notes,
        ),
    )


def _lines(result: Result) -> list[tuple[str, str, LayerResult | Totals]]:
    layers: list[tuple[str, str, LayerResult | Totals]] = [
        (layer.name, layer.bound, layer) for layer in result.layers
    ]
    return [*layers, ("TOTAL", "", result.totals)]


def rates(bits: BitsPerValue) -> tuple[str, str, str, str]:
    """The four rates as text."""
    return _bits(bits.entropy), _bits(bits.huffman), _bits(bits.stream), _bits(bits.fetched)


def on_pins(figures: Figures) -> tuple[str, str]:
    """Costly bits and toggles in percent of the bits that were moved; dots if not counted."""
    n_bits = 8 * figures.dram.bus_bytes
    return share(figures.bus.costly_bits, n_bits), share(figures.bus.toggles, n_bits)


def pins_line(figures: Figures) -> str:
    """The same as a sentence; empty where pins are not known."""
    if figures.bus == NO_COUNTS:
        return ""
    costly, toggles = on_pins(figures)
    return f"data pins: of 100 bits moved {costly} at the costly level, {toggles} toggled"


def _bits(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
