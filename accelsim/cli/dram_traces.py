"""``accelsim dram replay | check``: traces of requests, and of commands."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

from cyclopts import Parameter

from accelsim.cli.memory import named_memory
from accelsim.cli.options import Json
from accelsim.errors import UserError

if TYPE_CHECKING:
    from accelsim.results.table import Table

FINDING: Final = 1
"""Exit code of a check that found something in good input."""


def replay_dram(
    *,
    config: str,
    trace: Path,
    commands: Path | None = None,
    policy: Literal["dramsim3", "ramulator"] = "dramsim3",
    compat: Literal["dramsim3", "none"] | None = None,
    as_json: Json = False,
) -> None:
    """Replay a request trace command by command, as the simulator's own driver does.

    Parameters
    ----------
    config
        A memory of `accelsim dram list`, a DRAMsim3 .ini file, or a hardware file (.yaml).
    trace
        Text of DRAMsim3 (`0xADDR READ|WRITE CYCLE`) or Ramulator (`LD|ST ADDR`, `R|W ch,ra,...`),
        also gzipped, or .npz with line or addr, w or is_write, t_ns.
    commands
        Write every DRAM command as CSV.
    policy
        The simulator whose controller runs: DRAMsim3, or Ramulator 2.1.
    compat
        Keep that simulator's deviations from the standards; the default for .ini files.
    """
    from accelsim.cli.console import note, print_table, print_text
    from accelsim.cli.dram_replay import replay_file
    from accelsim.cli.warm_up import REPLAYS, compile_kernels
    from accelsim.energy.dram_known import energy_label
    from accelsim.energy.replay_report import driver_gb_s, replay_report
    from accelsim.results.files import writable_file
    from accelsim.results.json_form import dumps

    memory = named_memory(config, compat)
    if commands is not None:
        if commands.exists() and commands.samefile(trace):
            raise UserError("--commands", f"{commands} is the trace itself", "name another file")
        writable_file(commands)
    compile_kernels(*REPLAYS)
    counts, host_seconds = replay_file(memory, trace, policy, commands)
    report = replay_report(counts, memory, host_seconds)
    if driver_gb_s(memory) < memory.peak_gb_s:
        note(
            "the driver offers one line a clock to all channels together: at most "
            f"{driver_gb_s(memory):g} of {memory.peak_gb_s:g} GB/s; `accelsim dram characterise` "
            "offers one to each channel"
        )
    if as_json:
        print_text(dumps(report))
    else:
        label = energy_label(memory, report["energy_mode"])
        title = f"{trace} on {memory.name}; energy: {label}; I/O and PHY apart"
        print_table(_table(title, report))


def check_dram(
    trace: Path,
    /,
    *,
    dram: str,
    level: Literal["model", "jedec"] = "model",
    compat: Literal["dramsim3", "none"] | None = None,
    find_all: Annotated[bool, Parameter(name="--all", negative=())] = False,
    as_json: Json = False,
) -> int:
    """Say whether every command of a trace is legal (exit code 1: not), and which rule breaks.

    Parameters
    ----------
    trace
        CSV of `dram replay --commands`, or DRAMsim3's cmd.trace; also gzipped.
    dram
        A memory of `accelsim dram list`, a DRAMsim3 .ini file, or a hardware file (.yaml).
    level
        The distances that the controller keeps, or all that the JEDEC standards ask.
    compat
        Judge with DRAMsim3's deviations from the standards; the default for .ini files.
    find_all
        Every violation, not the first alone.
    """
    from dataclasses import asdict

    from accelsim.cli.console import print_text
    from accelsim.cli.warm_up import CHECKS, compile_kernels
    from accelsim.dram.legality import check
    from accelsim.dram.traces.command_trace import read_commands
    from accelsim.results.json_form import dumps

    memory = named_memory(dram, compat)
    compile_kernels(*CHECKS)
    read = read_commands(trace, memory)
    found = check(memory, read.commands, level, find_all)
    if as_json:
        report = {"level": level, "commands": len(read.commands), "legal": not found}
        print_text(dumps(report | {"violations": [asdict(each) for each in found]}))
    else:
        for each in found:
            line = f"{trace}:{each.second.index + read.first_line}"
            since = f", line {each.first.index + read.first_line}" if each.first else ""
            print_text(f"{line}: {each}{since}\n")
        if not found:
            total = f"{len(read.commands):,}"
            print_text(f"{trace}: all {total} commands are legal at level {level}\n")
    return FINDING if found else 0


def _table(title: str, report: dict[str, object]) -> Table:
    from accelsim.results.flat import flatten
    from accelsim.results.table import Column, Table

    figures = {key: value for key, value in report.items() if key != "energy_mode"}
    rows = tuple(
        (key, f"{value:,.3f}" if isinstance(value, float) else f"{value:,}")
        for key, value in flatten(figures).items()
    )
    return Table(title, (Column("figure", is_text=True), Column("value")), rows)
