"""``accelsim dram replay | check``: request traces and command traces."""

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
"""Exit code of a check that found a violation in valid input."""


def replay_dram(
    *,
    config: str,
    trace: Path,
    commands: Path | None = None,
    policy: Literal["dramsim3", "ramulator"] = "dramsim3",
    compat: Literal["dramsim3", "none"] | None = None,
    as_json: Json = False,
) -> None:
    """Replay a request trace command by command, driven as DRAMsim3 or Ramulator would.

    Parameters
    ----------
    config
        A memory of `accelsim dram list`, a DRAMsim3 .ini file, or a hardware file (.yaml).
    trace
        Text in the form of DRAMsim3 (`0xADDR READ|WRITE CYCLE`) or Ramulator (`LD|ST ADDR`, or
        `R|W ch,ra,...`), possibly gzipped; or .npz with line or addr, w or is_write, t_ns.
    commands
        Write every DRAM command to this CSV file.
    policy
        The simulator whose controller runs: DRAMsim3, or Ramulator 2.1.
    compat
        dramsim3 keeps that simulator's deviations from the standards; the default for .ini files.
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
            "the driver offers one line per clock to all channels together, at most "
            f"{driver_gb_s(memory):g} of {memory.peak_gb_s:g} GB/s; `accelsim dram characterise` "
            "offers one to each channel"
        )
    if as_json:
        print_text(dumps(report))
    else:
        label = energy_label(memory, report["energy_mode"])
        title = f"{trace} on {memory.name}; energy: {label}; I/O and PHY listed separately"
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
    """Check every command of a trace; if one is illegal, name the broken rule (exit code 1).

    Parameters
    ----------
    trace
        CSV file of `dram replay --commands`, or DRAMsim3's cmd.trace; possibly gzipped.
    dram
        A memory of `accelsim dram list`, a DRAMsim3 .ini file, or a hardware file (.yaml).
    level
        model: the distances that the controller keeps; jedec: all that the JEDEC standards require.
    compat
        dramsim3 allows for its deviations from the standards; the default for .ini files.
    find_all
        Report every violation, not only the first.
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
