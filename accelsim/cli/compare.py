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
    """Compare codecs on one chip: energy, throughput and DRAM traffic, with gains over raw.

    With several traces, every pair of trace and codec is ranked; the gains are then relative to
    the first trace stored raw.

    Parameters
    ----------
    hardware
        A hardware file, or the name of a shipped one (`accelsim hw list`).
    trace
        A trace file, or the name of a shipped one.
    more_traces
        Further traces, for example of the same network trained in other ways.
    codecs
        Names separated by commas, such as raw,zvc,huffman:substreams=4 (see `accelsim codecs
        list`), or all, lossless, lossy.
    mapping
        replan gives each codec its own best tiling; fixed gives all of them the tiling and blocks
        of the first codec that has blocks.
    images
        How many images of the trace to run; with 2 or more, throughput is that of the steady state.
    rank_by
        What the ranking goes by.
    out
        Folder for result.json, table.txt, compare.csv, plot.png, pareto.png and the result of
        each run.
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
    from accelsim.simulation.simulate import compare as simulate_all
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
