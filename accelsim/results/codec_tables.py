"""Tables of codecs: their formats and hardware, and the sizes they reach on arrays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict

from accelsim.codecs.base import Codec
from accelsim.codecs.measure_file import ArrayMeasure
from accelsim.codecs.named import parameters_of
from accelsim.process_node import scaled
from accelsim.results.number_text import number
from accelsim.results.table import Column, Table

WORST_CASE_VALUES = 1024
"""Values of the block whose longest possible stream the list shows."""

SHOWN_NM = 22
"""Process node at which energies are compared: the default of chips."""

KNOWN_FROM = {
    "authors": "authors' code or paper",
    "compiler": "public compiler sources",
    "notes": "notes of the paper",
    "literature": "literature",
    "abstract": "abstract: reconstruction",
    "own": "own",
}
NEEDS = {
    "whole_pixel": "channels of a pixel",
    "spatial_tile": "8x8 pixels",
    "two_streams": "two read pointers",
    "block_buffer": "block buffer on encode",
}


def codec_facts(codec: Codec) -> dict[str, object]:
    """What the tables show about a codec, as plain values."""
    return {
        "lossless": codec.lossless,
        "evidence": codec.evidence,
        "reconstruction": codec.reconstruction,
        "worst_expansion": _worst_expansion(codec),
        "table_bits": codec.table_bits,
        "table_load_cycles": codec.table_load_cycles,
        "needs": list(codec.needs),
        "block": list(codec.preferred_block),
        "parameters": {f.name: getattr(codec, f.name) for f in parameters_of(codec)},
        "hardware": asdict(codec.hardware),
    }


def _worst_expansion(codec: Codec) -> float:
    raw_bits = codec.word.bits * WORST_CASE_VALUES
    return codec.worst_case_bits(WORST_CASE_VALUES) / raw_bits


def formats_table(codecs: Iterable[Codec]) -> Table:
    """How well each format is documented, and how long its streams can get."""
    rows = [
        (
            codec.name,
            "lossless" if codec.lossless else "lossy",
            KNOWN_FROM[codec.evidence],
            f"{_worst_expansion(codec):.2f}",
            f"{codec.table_bits:,}",
            f"{codec.table_load_cycles:,}",
            ", ".join(NEEDS[need] for need in codec.needs) or "-",
            " ".join(f"{f.name}={getattr(codec, f.name)}" for f in parameters_of(codec)) or "-",
        )
        for codec in codecs
    ]
    return Table(
        title="Formats, for 8-bit words",
        columns=(
            Column("codec", is_text=True),
            Column("kind", is_text=True),
            Column("known from", is_text=True),
            Column("worst", "x raw"),
            Column("tables", "bits"),
            Column("load", "cycles"),
            Column("needs", is_text=True),
            Column("parameters", is_text=True),
        ),
        rows=tuple(rows),
        footer=(
            f"worst: longest stream of a block of {WORST_CASE_VALUES} values, without raw "
            "fallback; parameters are set as in huffman:substreams=4",
        ),
    )


def hardware_table(codecs: Iterable[Codec]) -> Table:
    """One lane of each codec."""
    return Table(
        title="Hardware of one lane, encode/decode",
        columns=(
            Column("codec", is_text=True),
            Column("rate", "values/cycle"),
            Column("fill", "cycles"),
            Column("energy", f"pJ/value, {SHOWN_NM} nm"),
            Column("area", "kGE"),
            Column("storage", "bits"),
        ),
        rows=tuple(map(hardware_row, codecs)),
        footer=(
            "* contains engineering estimates; docs/codecs.md names the source of each figure. "
            f"Energies are scaled from the node of their source to {SHOWN_NM} nm; lanes are for "
            "8-bit words; the area includes the storage",
        ),
    )


def hardware_row(codec: Codec) -> tuple[str, str, str, str, str, str]:
    """Name, rate, fill, energy, area and storage of one lane, as tables show them."""
    lane = codec.hardware
    is_wire = codec.name == "raw"
    return (
        codec.name,
        "-" if is_wire else f"{lane.encode_values_per_cycle:g}/{lane.decode_values_per_cycle:g}",
        f"{lane.encode_fill_cycles}/{lane.decode_fill_cycles}",
        "/".join(
            number(scaled(pj, lane.node_nm, SHOWN_NM))
            for pj in (lane.encode_pj_per_value, lane.decode_pj_per_value)
        ),
        number(lane.gates_kge) + ("*" if lane.estimate else ""),
        f"{lane.encode_buffer_bits:,}/{lane.decode_buffer_bits:,}",
    )


def arrays_table(file: str, codec: str, measures: Mapping[str, ArrayMeasure]) -> Table:
    """Sizes that one codec reaches on each array."""
    return Table(
        title=f"{file} coded with {_shown(codec, list(measures.values()))}",
        columns=(Column("array", is_text=True), *_COLUMNS),
        rows=tuple((name, *_cells([measure])) for name, measure in measures.items()),
        footer=(_FOOTER, *((_RECONSTRUCTION,) if _rebuilt(list(measures.values())) else ())),
    )


def measured_table(file: str, measures: Mapping[str, Mapping[str, ArrayMeasure]]) -> Table:
    """Sizes that each codec reaches on all arrays together, fewest bits first."""
    totals = {codec: list(found.values()) for codec, found in measures.items() if found}
    n_arrays = max(map(len, totals.values()))
    left_out = {codec: n_arrays - len(found) for codec, found in measures.items()}
    ranked = sorted(totals, key=lambda codec: (_bits_per_value(totals[codec]), codec))
    return Table(
        title=f"{file}: {n_arrays} arrays, fewest bits first",
        columns=(Column("codec", is_text=True), *_COLUMNS),
        rows=tuple((_shown(codec, totals[codec]), *_cells(totals[codec])) for codec in ranked),
        footer=(
            _FOOTER,
            *((_RECONSTRUCTION,) if any(_rebuilt(found) for found in totals.values()) else ()),
            *(f"{codec}: cannot code {n} of the arrays" for codec, n in left_out.items() if n),
        ),
    )


_COLUMNS = (
    Column("values"),
    Column("density"),
    Column("entropy", "b/value"),
    Column("huffman", "b/value"),
    Column("stream", "b/value"),
    Column("side", "b/value"),
    Column("total", "b/value"),
    Column("fetched", "b/value"),
    Column("blocks"),
    Column("p50", "b/block"),
    Column("p99", "b/block"),
    Column("max", "b/block"),
    Column("decoded", is_text=True),
)
_FOOTER = (
    "entropy: zeroth order; huffman: ideal code; total: stream + side; fetched: whole bursts; "
    "p50 and p99 of several arrays: the largest of theirs; each array has its own tables"
)


_RECONSTRUCTION = "* reconstruction: only an abstract was available"


def _rebuilt(measures: list[ArrayMeasure]) -> bool:
    return any(m.reconstruction for m in measures)


def _shown(codec: str, measures: list[ArrayMeasure]) -> str:
    return f"{codec}*" if _rebuilt(measures) else codec


def _bits_per_value(measures: list[ArrayMeasure]) -> float:
    return sum(m.stream_bits + m.side_bits for m in measures) / sum(m.values for m in measures)


def _cells(measures: list[ArrayMeasure]) -> tuple[str, ...]:
    values = sum(m.values for m in measures)

    def per_value(bits: Iterable[float]) -> str:
        return f"{sum(bits) / values:.3f}"

    mse = sum(m.mse * m.values for m in measures) / values
    return (
        f"{values:,}",
        f"{sum(m.density * m.values for m in measures) / values:.3f}",
        per_value(m.entropy_bits for m in measures),
        per_value(m.huffman_bits for m in measures),
        per_value(m.stream_bits for m in measures),
        per_value(m.side_bits for m in measures),
        per_value(m.stream_bits + m.side_bits for m in measures),
        per_value(m.fetched_bits for m in measures),
        f"{sum(m.blocks for m in measures):,}",
        f"{max(m.block_bits_p50 for m in measures):,}",
        f"{max(m.block_bits_p99 for m in measures):,}",
        f"{max(m.block_bits_max for m in measures):,}",
        "exact" if all(m.lossless for m in measures) else f"mse {number(mse)}",
    )
