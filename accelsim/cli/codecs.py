"""``accelsim codecs``: the formats, and how well they compress given arrays."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from accelsim.cli.options import Json, Whole, WholeOrNone


def list_codecs(*, as_json: Json = False) -> None:
    """List every codec: how well it is documented, what it needs, and what one lane costs."""
    from accelsim.cli.console import print_table, print_text
    from accelsim.cli.options import usable_codecs
    from accelsim.codecs.named import codec_of_any_width
    from accelsim.results.codec_tables import codec_facts, formats_table, hardware_table
    from accelsim.results.json_form import dumps

    codecs = [codec_of_any_width(name) for name in usable_codecs()]
    if as_json:
        print_text(dumps({codec.name: codec_facts(codec) for codec in codecs}))
        return
    print_table(formats_table(codecs))
    print_table(hardware_table(codecs))


def measure_codecs(
    file: str,
    /,
    *,
    codec: str,
    tensor: Literal["maps", "weights"] = "maps",
    block: str | None = None,
    bits: WholeOrNone = None,
    word: str | None = None,
    nibbles: Literal["low", "high"] | None = None,
    channels_last: bool = False,
    fallback: bool = False,
    burst: Whole = 64,
    out: Path | None = None,
    as_json: Json = False,
) -> None:
    """Encode the arrays of a file, verify them by decoding, and report their sizes.

    Parameters
    ----------
    file
        A trace, or a .npy or .npz file of integer arrays.
    codec
        A codec of `accelsim codecs list`, several separated by commas, or all, lossless, lossy.
        Tables are fitted to the array itself. Parameters follow the name: huffman:substreams=4.
    block
        Number of values in a block, or its channels, rows and columns, as in 16x8x8. Without it
        the whole array is one block.
    bits
        Word width; by default that of the array's dtype. The sign is always that of the dtype.
    word
        Width and sign of the words, such as u4 or s5, whatever the sign of the dtype.
    nibbles
        Each byte holds two 4-bit words, the first of them in its low or its high half.
    channels_last
        The last dimension of the array holds the channels: (rows, cols, channels).
    fallback
        Store a block raw if its stream needs no fewer bursts; costs one flag bit per block.
    burst
        Bytes in a DRAM burst; each block begins on a new burst.
    out
        Folder for measures.csv, table.txt and plot.png.
    """
    from dataclasses import asdict
    from time import perf_counter

    from accelsim.cli.console import print_table, print_text
    from accelsim.cli.folder import write_measures
    from accelsim.cli.options import codecs_in
    from accelsim.cli.warm_up import compile_kernels
    from accelsim.codecs.measure_file import Cutting
    from accelsim.codecs.measure_file import measure_codecs as measure_all
    from accelsim.codecs.named import codec_modules
    from accelsim.codecs.reading import Reading, word_named
    from accelsim.results.codec_tables import arrays_table, measured_table
    from accelsim.results.files import writable_folder
    from accelsim.results.json_form import dumps

    names = codecs_in(codec, "--codec")
    cutting = Cutting(_block(block), fallback, burst)
    reading = Reading(word_named(word) if word is not None else None, bits, nibbles, channels_last)
    if out is not None:
        writable_folder(out)
    compile_kernels("accelsim.codecs.measure_file", *codec_modules(names))
    start = perf_counter()
    measures = measure_all(file, names, cutting, reading, tensor)
    host_seconds = perf_counter() - start
    if out is not None:
        write_measures(file, measures, out)
    if as_json:
        arrays = {
            name: {array: asdict(measure) for array, measure in found.items()}
            for name, found in measures.items()
        }
        whole = {"arrays": arrays[names[0]]} if len(names) == 1 else {"codecs": arrays}
        print_text(dumps({**whole, "host_seconds": host_seconds}))
    elif len(names) == 1:
        print_table(arrays_table(file, names[0], measures[names[0]]))
    else:
        print_table(measured_table(file, measures))


def _block(text: str | None) -> int | tuple[int, int, int] | tuple[int, int, int, int] | None:
    """A number of values, channels x rows x columns, or a tile of weights."""
    from accelsim.errors import UserError

    if text is None:
        return None
    extents = text.split("x")
    if len(extents) not in (1, 3, 4) or not all(extent.isdecimal() for extent in extents):
        raise UserError(
            "--block",
            f"cannot read {text!r}",
            "give a number of values, CHANNELSxROWSxCOLS, or OUTxINxROWSxCOLS",
        )
    first, *others = (int(extent) for extent in extents)
    match others:
        case [rows, cols]:
            return first, rows, cols
        case [in_channels, rows, cols]:
            return first, in_channels, rows, cols
    return first
