"""``accelsim run``: one network on one chip."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from accelsim.cli.options import Json, Overrides, Whole, codec_choice
from accelsim.errors import UserError


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
    dram_trace_form: Annotated[
        Literal["dramsim3", "load_store", "read_write", "npz"] | None,
        Parameter(name="--dram-trace-form"),
    ] = None,
    as_json: Json = False,
) -> None:
    """Simulate one network on one chip: cycles, stalls, DRAM traffic and energy of each layer.

    Parameters
    ----------
    hardware
        A hardware file, or the name of a shipped one (`accelsim hw list`).
    trace
        A trace file, or the name of a shipped one.
    codec
        Codec of the feature maps, such as zvc, or ofmap=zvc,weight=raw; by default that of the
        hardware file.
    images
        How many images of the trace to run, back to back.
    out
        Folder for result.json, table.txt, layers.csv and plot.png.
    dram_trace
        Write every DRAM request to this file, for `dram replay` or another simulator.
    dram_trace_form
        Form of that file: that of DRAMsim3 (default); those of Ramulator, which have no times:
        load_store (LD|ST ADDR) and read_write (R|W channel,rank,...); or numpy arrays (default
        for .npz). Text is compressed if the name ends in .gz.
    """
    from accelsim.cli.console import print_table, print_text, warn
    from accelsim.cli.folder import RUN_FILES, write_run
    from accelsim.cli.warm_up import compile_kernels
    from accelsim.dram.traces.write import form_of
    from accelsim.hardware.read import read_hardware
    from accelsim.results.files import writable_file, writable_folder
    from accelsim.results.json_form import to_json
    from accelsim.sim.kernels import modules_of_run
    from accelsim.simulation.lanes import with_codec
    from accelsim.simulation.simulate import simulate
    from accelsim.workload.trace_file import read_trace

    chip = read_hardware(hardware, overrides)
    if out is not None:
        writable_folder(out)
    if dram_trace is not None:
        form_of(dram_trace, dram_trace_form)
        if out is not None and dram_trace.resolve() in {(out / n).resolve() for n in RUN_FILES}:
            raise UserError("--dram-trace", f"{dram_trace} is a file of --out", "give another name")
        writable_file(dram_trace)
    elif dram_trace_form is not None:
        raise UserError("--dram-trace-form", "has no file to write", "add --dram-trace FILE")
    chosen = codec_choice(codec)
    with read_trace(trace) as opened:
        block = with_codec(chip, chosen).codec
        compile_kernels(*modules_of_run(chip.dram.policy, (block.name, block.weight_name)))
        result = simulate(
            chip,
            opened,
            codec=chosen,
            images=images,
            dram_trace=dram_trace,
            dram_trace_form=dram_trace_form,
        )
    if out is not None:
        write_run(result, out)
    warn(result.warnings)
    if as_json:
        print_text(to_json(result))
        return
    for table in result.tables():
        print_table(table)
