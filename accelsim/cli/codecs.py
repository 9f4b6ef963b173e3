"""``accelsim codecs``: what formats there are, and what they make of arrays."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from accelsim.cli.options import Json, Whole, WholeOrNone


def list_codecs(*, as_json: Json = False) -> None:
    """Every codec: how well it is known, what it needs, and what one lane costs."""
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
    """Code the arrays of a file, check them by decoding, and say what they take.

    Parameters
    ----------
    file
        A trace, or a .npy or .npz file of integer arrays.
    codec
        A codec of `accelsim codecs list`, several with commas, or all, lossless, lossy. Tables
        are fitted on the array itself. Parameters follow the name: huffman:substreams=4.
    block
        Values of one block, or its channels, rows and columns as in 16x8x8; else the whole
        array is one block.
    bits
        Word width; else that of the array's dtype, whose sign it keeps.
    word
        Width and sign, as in u4 or s5: also of an array whose dtype has another sign.
    nibbles
        Each byte holds two words of 4 bits, the first in its low or its high half.
    channels_last
        The array has its channels in the last dimension: (rows, cols, channels).
    fallback
        Store a block raw, at one flag bit, where its stream needs no fewer bursts.
    burst
        Bytes of a DRAM burst: each block begins on one.
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
    measures = measure_all(file, names, cutting, reading)
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


def _block(text: str | None) -> int | tuple[int, int, int] | None:
    """A number of values, or channels x rows x columns."""
    from accelsim.errors import UserError

    if text is None:
        return None
    extents = text.split("x")
    if len(extents) not in (1, 3) or not all(extent.isdecimal() for extent in extents):
        raise UserError(
            "--block", f"cannot read {text!r}", "give a number of values, or CHANNELSxROWSxCOLS"
        )
    numbers = [int(extent) for extent in extents]
    return numbers[0] if len(numbers) == 1 else (numbers[0], numbers[1], numbers[2])
