"""``accelsim codecs``: what formats there are, and what they make of arrays."""

from __future__ import annotations

from accelsim.cli.options import Json


def list_codecs() -> None:
    """Every codec: where it comes from, and what one lane of its hardware costs."""
    from accelsim.cli.console import print_table
    from accelsim.codecs.base import CODECS, Word
    from accelsim.results.tables import Column, Table

    rows = []
    for name in CODECS:
        codec = CODECS[name]
        lane = codec.for_word(Word(8)).hardware
        rows.append(
            (
                name,
                "lossless" if codec.lossless else "lossy",
                f"{lane.encode_values_per_cycle}/{lane.decode_values_per_cycle}"
                if name != "raw"
                else "-",
                f"{lane.encode_pj_per_value:.2f}/{lane.decode_pj_per_value:.2f}",
                f"{lane.gates_kge:.1f}" + ("*" if lane.estimate else ""),
                _first_sentence(codec),
            )
        )
    print_table(
        Table(
            title="Codecs of feature maps",
            columns=(
                Column("codec", is_text=True),
                Column("kind", is_text=True),
                Column("enc/dec", "values/cycle"),
                Column("enc/dec", "pJ/value"),
                Column("lane", "kGE"),
                Column("format", is_text=True),
            ),
            rows=tuple(rows),
            footer=("* engineering estimate; docs/codecs.md names the source of each figure",),
        )
    )


def measure_codecs(
    file: str,
    /,
    *,
    codec: str,
    block: int | None = None,
    bits: int | None = None,
    fallback: bool = False,
    as_json: Json = False,
) -> None:
    """Code the arrays of a file, check them by decoding, and say what they take.

    Parameters
    ----------
    file
        A trace, or a .npy or .npz file of integer arrays.
    codec
        A codec of `accelsim codecs list`; a table is fitted on the array itself.
    block
        Values of one block; else the whole array is one block.
    bits
        Word width; else that of the array's dtype.
    fallback
        Store a block raw, at one flag bit, where its stream is not shorter.
    """
    from dataclasses import asdict
    from time import perf_counter

    from accelsim.cli.console import print_table, print_text
    from accelsim.cli.warm_up import warm_up
    from accelsim.codecs.base import CODECS
    from accelsim.codecs.measure_file import measure_file
    from accelsim.results.json_form import dumps
    from accelsim.results.tables import Column, Table

    CODECS[codec]
    warm_up()
    start = perf_counter()
    measures = measure_file(file, codec, block=block, bits=bits, fallback=fallback)
    host_seconds = perf_counter() - start
    if as_json:
        arrays = {name: asdict(measure) for name, measure in measures.items()}
        print_text(dumps({"arrays": arrays, "host_seconds": host_seconds}))
        return
    rows = [
        (
            name,
            f"{m.values:,}",
            f"{m.density:.3f}",
            f"{m.entropy_bits / m.values:.3f}",
            f"{m.huffman_bits / m.values:.3f}",
            f"{m.stream_bits / m.values:.3f}",
            f"{m.side_bits / m.values:.3f}",
            f"{m.bits_per_value:.3f}",
            "exact" if m.lossless else f"mse {m.mse:.3g}",
        )
        for name, m in measures.items()
    ]
    print_table(
        Table(
            title=f"{file} coded with {codec}",
            columns=(
                Column("array", is_text=True),
                Column("values"),
                Column("density"),
                Column("entropy", "b/value"),
                Column("huffman", "b/value"),
                Column("stream", "b/value"),
                Column("side", "b/value"),
                Column("total", "b/value"),
                Column("decoded", is_text=True),
            ),
            rows=tuple(rows),
        )
    )


def _first_sentence(codec: type) -> str:
    """Of the codec's docstring, or of its file's."""
    import sys

    text = codec.__doc__ or sys.modules[codec.__module__].__doc__ or ""
    return (
        text.strip()
        .split("\n\n")[0]
        .split(". ")[0]
        .replace("\n", " ")
        .replace("`", "")
        .rstrip(".:")
    )
