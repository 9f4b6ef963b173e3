"""``accelsim dram io``: the data of one network on the pins of several memories."""

from __future__ import annotations

from pathlib import Path

from accelsim.cli.options import Json, Overrides, Whole, codecs_in, names_in
from accelsim.errors import UserError


def io_dram(
    hardware: str,
    trace: str,
    /,
    *,
    memories: str = "ddr4_2400_x16,lpddr5_6400_x16",
    codecs: str = "raw,zvc",
    overrides: Overrides = (),
    images: Whole = 1,
    out: Path | None = None,
    as_json: Json = False,
) -> None:
    """Compare the DRAM energy of a network's data on several memories: devices, pins and PHY.

    Parameters
    ----------
    hardware
        A hardware file, or the name of a shipped one; its memory is replaced.
    trace
        A trace file, or the name of a shipped one.
    memories
        Names of `accelsim dram list`, separated by commas; NAME:dbi=on turns data bus inversion
        on.
    codecs
        Names separated by commas (see `accelsim codecs list`), or all, lossless, lossy.
    images
        How many images of the trace to run.
    out
        Folder for result.json, table.txt, io.csv and plot.png.
    """
    from itertools import chain

    from accelsim.cli.console import print_table, print_text, warn
    from accelsim.cli.folder import io_json, write_io
    from accelsim.cli.warm_up import compile_kernels
    from accelsim.energy.dram_known import mixed_knowledge
    from accelsim.hardware.read import read_hardware
    from accelsim.results.files import writable_folder
    from accelsim.results.io_tables import io_table
    from accelsim.results.ranking import warnings_of
    from accelsim.sim.kernels import modules_of_run
    from accelsim.simulation.simulate import compare
    from accelsim.workload.trace_file import read_trace

    for key in (text.partition("=")[0].strip() for text in overrides):
        if key in ("dram.standard", "dram.dbi"):
            raise UserError("--set", f"{key} is what this command compares", "put it in --memories")
    names = codecs_in(codecs, "--codecs")
    chips = {
        memory: read_hardware(hardware, [*overrides, *memory_keys(memory)])
        for memory in names_in(memories, "--memories")
    }
    for memory, chip in chips.items():
        if chip.dram.config.power.interface is None:
            raise UserError("--memories", f"the pins of {memory} are not known", "see `dram list`")
    if out is not None:
        writable_folder(out)
    used = ({*names, chip.codec.weight_name} for chip in chips.values())
    policies = (chip.dram.policy for chip in chips.values())
    compile_kernels(*chain(*map(modules_of_run, policies, used)))
    with read_trace(trace) as opened:
        found = {m: compare(chip, opened, names, images=images) for m, chip in chips.items()}
    if out is not None:
        write_io(found, out)
    for results in found.values():
        warn(warnings_of(results))
    warn(mixed_knowledge((chip.dram.config, chip.energy.mode) for chip in chips.values()))
    if as_json:
        print_text(io_json(found))
        return
    print_table(io_table(found))


def memory_keys(text: str) -> tuple[str, ...]:
    """The keys of a hardware file that a memory sets.

    >>> memory_keys("ddr4_2400_x16:dbi=on")
    ('dram.standard=ddr4_2400_x16', 'dram.dbi=on')
    """
    name, colon, option = text.partition(":")
    key, _, value = option.partition("=")
    if colon and key != "dbi":
        raise UserError("--memories", f"cannot read {text!r}", "write NAME, or NAME:dbi=on")
    return (f"dram.standard={name}", *((f"dram.dbi={value}",) if colon else ()))
