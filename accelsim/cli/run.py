"""``accelsim run``: one network on one chip."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from accelsim.cli.options import Json, Overrides, Whole, codec_choice


def run(
    hardware: str,
    trace: str,
    /,
    *,
    codec: str | None = None,
    overrides: Overrides = (),
    images: Whole = 1,
    out: Path | None = None,
    dram_trace: Annotated[Path | None, Parameter(name="--dram-trace")] = None,
    as_json: Json = False,
) -> None:
    """Simulate one network on one chip: cycles, stalls, DRAM traffic and energy by layer.

    Parameters
    ----------
    hardware
        A hardware file, or the name of a shipped one (`accelsim hw list`).
    trace
        A trace file, or the name of a shipped one.
    codec
        Codec of feature maps, such as zvc, or ofmap=zvc,weight=raw; else the hardware file's.
    images
        How many images of the trace.
    out
        Folder for result.json, table.txt, layers.csv and plot.png.
    dram_trace
        Write every DRAM request, as DRAMsim3 reads it.
    """
    from accelsim.cli.console import print_table, print_text
    from accelsim.cli.folder import write_run
    from accelsim.cli.warm_up import warm_up
    from accelsim.hardware.read import read_hardware
    from accelsim.results.files import writable_folder
    from accelsim.results.json_form import to_json
    from accelsim.results.tables import run_tables
    from accelsim.simulation import simulate, with_codec
    from accelsim.workload.trace_file import read_trace

    chip = read_hardware(hardware, overrides)
    if out is not None:
        writable_folder(out)
    if dram_trace is not None:
        writable_folder(dram_trace.parent)
    chosen = codec_choice(codec)
    with read_trace(trace) as opened:
        warm_up(with_codec(chip, chosen).codec.name)
        result = simulate(chip, opened, codec=chosen, images=images, dram_trace=dram_trace)
    if out is not None:
        write_run(result, out)
    if as_json:
        print_text(to_json(result))
        return
    for table in run_tables(result):
        print_table(table)
