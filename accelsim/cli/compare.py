"""``accelsim compare``: several codecs on one chip, ranked."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from accelsim.cli.options import Json, Overrides, Whole, codecs_in
from accelsim.errors import UserError


def compare(
    hardware: str,
    trace: str,
    /,
    *more_traces: str,
    codecs: str,
    mapping: Literal["replan", "fixed"] = "replan",
    overrides: Overrides = (),
    images: Whole = 1,
    rank_by: Annotated[
        Literal["energy", "throughput", "dram", "area"], Parameter(name="--rank-by")
    ] = "energy",
    out: Path | None = None,
    as_json: Json = False,
) -> None:
    """Rank codecs on one chip: energy, throughput and DRAM traffic, with gains over raw.

    With several traces every pair of trace and codec is ranked; the gains are over the
    first trace stored raw.

    Parameters
    ----------
    hardware
        A hardware file, or the name of a shipped one (`accelsim hw list`).
    trace
        A trace file, or the name of a shipped one.
    more_traces
        Further traces, as of the same network trained in other ways.
    codecs
        Names with commas, such as raw,zvc,huffman:substreams=4 (`accelsim codecs list`), or all,
        lossless, lossy.
    mapping
        Each codec with its own best tiling, or one for all: the first codec's that has blocks.
    images
        How many images of the trace; throughput is the steady state from 2 on.
    rank_by
        What is best.
    out
        Folder for result.json, table.txt, compare.csv, plot.png and each run's result.
    """
    from accelsim.cli.console import print_table, print_text, warn
    from accelsim.cli.folder import comparison_json, write_comparison
    from accelsim.cli.warm_up import compile_kernels
    from accelsim.hardware.read import read_hardware
    from accelsim.results.comparison import Comparison
    from accelsim.results.files import writable_folder
    from accelsim.results.ranking import compare_table, run_name, warnings_of
    from accelsim.results.result import Result
    from accelsim.sim.kernels import modules_of_run
    from accelsim.simulation import compare as simulate_all
    from accelsim.workload.trace_file import read_trace

    names = codecs_in(codecs, "--codecs")
    chip = read_hardware(hardware, overrides)
    if out is not None:
        writable_folder(out)
    traces = (trace, *more_traces)
    results: dict[str, Result] = {}
    for each in traces:
        with read_trace(each) as opened:
            used = {*names, chip.codec.weight_name}
            compile_kernels(*modules_of_run(chip.dram.policy, used))
            found = simulate_all(chip, opened, names, images=images, mapping=mapping)
        for codec, result in found.items():
            results[run_name(result.trace, codec, len(traces))] = result
    if len(results) < len(traces) * len(names):
        raise UserError("compare", "two traces have the same name", "give each trace once")
    if out is not None:
        write_comparison(Comparison(results, mapping), out, rank_by)
    warn(warnings_of(results))
    if as_json:
        print_text(comparison_json(results, mapping))
        return
    print_table(compare_table(results, mapping, rank_by))
