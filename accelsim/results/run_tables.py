"""The tables of a run, each within 120 columns: time, memory and energy of its layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from accelsim.program.work import NO_COUNTS
from accelsim.results.accuracy import accuracy_line
from accelsim.results.figures import BitsPerValue, Figures, Idle, LayerResult, Totals
from accelsim.results.groups import ENERGY_GROUPS, STALL_GROUPS
from accelsim.results.number_text import column, number, percent, share, si
from accelsim.results.table import Column, Table


def time_table(
    run: str, images: int, layers: Sequence[LayerResult], totals: Totals, idle: Idle | None
) -> Table:
    """Cycles, and what they were spent on; ``run`` is the title."""
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
        for name, bound, figures in _lines(layers, totals)
    ]
    steady = totals.images_per_second
    return Table(
        title=run,
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
            f"{images} image{'s' * (images != 1)} in {si(totals.seconds, 's')}: "
            f"{number(totals.images_per_second_cold)} images/s cold"
            + (f", {number(steady)} images/s in steady state" if steady else "")
            + (f"; {si(idle.seconds, 's')} between images" if idle else ""),
            "use = MACs / (PEs x cycles); busy = compute and vector cycles; the other columns are "
            "stalls, spent waiting for:",
            "ifmap, weight, ofmap (and final drain), index = DRAM; decode, encode = codec; "
            "buffer = space or reads in flight;",
            "depend = an earlier tile",
        ),
    )


def memory_table(layers: Sequence[LayerResult], totals: Totals) -> Table:
    """DRAM bytes, and the rates of feature maps."""
    lines = _lines(layers, totals)
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
            "touched; fetched = coded + padding",
            "+ index + tables, split into ifmap, weight and ofmap; b/value = bits per value of "
            "feature maps",
        ),
    )


def _moved(figures: Figures) -> tuple[int, ...]:
    dram = figures.dram
    by_kind = (dram.by_tensor[kind].fetched_bytes for kind in ("ifmap", "weight", "ofmap"))
    return dram.needed_bytes, dram.coded_bytes, dram.fetched_bytes, *by_kind


def energy_table(
    layers: Sequence[LayerResult],
    totals: Totals,
    idle: Idle | None,
    accuracy: Mapping[str, float],
    notes: Sequence[str],
) -> Table:
    """Energy by group of parts; below the table the accuracy and the notes of the run."""
    lines = [(layer.name, layer.energy_pj) for layer in layers]
    if idle:
        lines.append(("between images", idle.energy_pj))
    lines.append(("TOTAL", totals.energy_pj))
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
            *([line] if (line := accuracy_line(accuracy)) else []),
            *([line] if (line := pins_line(totals)) else []),
            *notes,
        ),
    )


def _lines(
    layers: Sequence[LayerResult], totals: Totals
) -> list[tuple[str, str, LayerResult | Totals]]:
    named: list[tuple[str, str, LayerResult | Totals]] = [(x.name, x.bound, x) for x in layers]
    return [*named, ("TOTAL", "", totals)]


def rates(bits: BitsPerValue) -> tuple[str, str, str, str]:
    """The four rates as text."""
    return _bits(bits.entropy), _bits(bits.huffman), _bits(bits.stream), _bits(bits.fetched)


def on_pins(figures: Figures) -> tuple[str, str]:
    """Costly bits and toggles in percent of the bits moved; dots if they were not counted."""
    n_bits = 8 * figures.dram.bus_bytes
    return share(figures.bus.costly_bits, n_bits), share(figures.bus.toggles, n_bits)


def pins_line(figures: Figures) -> str:
    """The same as a sentence; empty where pins are not known."""
    if figures.bus == NO_COUNTS:
        return ""
    costly, toggles = on_pins(figures)
    return f"data pins: of 100 bits moved, {costly} were at the costly level and {toggles} toggled"


def _bits(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
