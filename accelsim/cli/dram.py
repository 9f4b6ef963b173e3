"""``accelsim dram``: memories, the replay of request traces, and the check of command traces."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

from cyclopts import Parameter

from accelsim.cli.dram_io import io_dram as io_dram
from accelsim.cli.options import Json

FINDING: Final = 1
"""Exit code of a check that found something in good input."""

if TYPE_CHECKING:
    from accelsim.dram.config import DramConfig
    from accelsim.results.tables import Table


def list_dram(*, energy: Literal["max", "typical"] = "typical") -> None:
    """Every memory: size, speed, energy per bit.

    Parameters
    ----------
    energy
        DRAM currents: data sheet maxima, or the measured typical fraction.
    """
    from accelsim.cli.console import print_table
    from accelsim.energy.dram_catalogue import catalogue
    from accelsim.results.tables import Column, Table

    entries = catalogue(energy)
    print_table(
        Table(
            title=f"Memories, one channel each; {energy} energy",
            columns=(
                Column("standard", is_text=True),
                Column("organisation", is_text=True),
                Column("channels", "package"),
                Column("burst", "bytes"),
                Column("peak", "GB/s"),
                Column("stream", "pJ/bit"),
                Column("random", "pJ/bit"),
                Column("ACT", "stream"),
                Column("ACT", "random"),
                *(Column(part, "pJ/bit") for part in ("read", "standby", "refresh", "I/O", "PHY")),
            ),
            rows=tuple(
                (
                    entry.name,
                    entry.organisation,
                    str(entry.package_channels),
                    str(entry.line_bytes),
                    f"{entry.peak_gb_s:.1f}",
                    f"{entry.stream.total:.1f}",
                    f"{entry.random.total:.1f}",
                    f"{entry.stream.activate:.2f}",
                    f"{entry.random.activate:.2f}",
                    f"{entry.stream.read:.2f}",
                    f"{entry.stream.standby:.2f}",
                    f"{entry.stream.refresh:.2f}",
                    f"{entry.stream.io:.2f}",
                    f"{entry.stream.phy:.2f}",
                )
                for entry in entries
            ),
            footer=(
                "pJ/bit of reads at full bandwidth: whole rows, and one burst of each row; "
                "the columns from ACT on are its parts",
                "`accelsim dram show NAME`: every value and its source",
            ),
        )
    )


def show_dram(standard: str, /, *, as_json: Json = False) -> None:
    """Every value of a memory: unit, nanoseconds, source.

    Parameters
    ----------
    standard
        A memory of `accelsim dram list`.
    """
    from accelsim.cli.console import print_table, print_text
    from accelsim.dram.standard import STANDARDS
    from accelsim.dram.values import dram_values
    from accelsim.results.json_form import dumps
    from accelsim.results.tables import Column, Table

    memory = STANDARDS[standard]
    values = dram_values(memory)
    if as_json:
        print_text(dumps({value.key: vars(value) for value in values}))
        return
    print_table(
        Table(
            title=f"{memory.name}: {memory.description}",
            columns=(
                Column("key", is_text=True),
                Column("value"),
                Column("unit", is_text=True),
                Column("time", "ns"),
                Column("source", is_text=True),
            ),
            rows=tuple(
                (
                    value.key,
                    f"{value.value:.6g}" if isinstance(value.value, float) else str(value.value),
                    value.unit,
                    "" if value.nanoseconds is None else f"{value.nanoseconds:.6g}",
                    value.source,
                )
                for value in values
            ),
            footer=(
                "currents are max: data sheet limits, or measured where the source says so; "
                "typical energy takes the shares power.typical.* of their differences",
            ),
        )
    )


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
    from accelsim.cli.console import print_table, print_text
    from accelsim.cli.dram_replay import replay_file
    from accelsim.cli.warm_up import warm_up
    from accelsim.energy.replay_report import replay_report
    from accelsim.results.files import writable_file
    from accelsim.results.json_form import dumps

    memory = _memory(config, compat)
    if commands is not None:
        writable_file(commands)
    warm_up()
    counts, host_seconds = replay_file(memory, trace, policy, commands)
    report = replay_report(counts, memory, host_seconds)
    if as_json:
        print_text(dumps(report))
    else:
        title = f"{trace} on {memory.name}; {report['energy_mode']} energy, I/O and PHY apart"
        print_table(_table(title, report))


def characterise_dram(
    config: str,
    /,
    *,
    mode: Literal["typical", "max"] = "typical",
    out: Path | None = None,
    as_json: Json = False,
) -> None:
    """What a memory can do: bandwidth by pattern and address map, latency under load, pJ/bit.

    Parameters
    ----------
    config
        A memory of `accelsim dram list`, a DRAMsim3 .ini file, or a hardware file (.yaml).
    mode
        Currents: measured typical shares of the data sheet, or its maxima.
    out
        Folder for character.json, table.txt and plot.png.
    """
    from dataclasses import asdict

    from rich.progress import track

    from accelsim import __version__
    from accelsim.cli.console import error_console, print_table, print_text
    from accelsim.cli.folder import write_character
    from accelsim.cli.warm_up import warm_up
    from accelsim.energy.dram_character import characterise
    from accelsim.results.dram_tables import loads_table, patterns_table
    from accelsim.results.files import writable_folder
    from accelsim.results.json_form import dumps

    memory = _memory(config, None)
    if out is not None:
        writable_folder(out)
    warm_up()
    console = error_console()
    found = characterise(
        memory,
        mode,
        track=lambda pairs: track(
            pairs, "replaying", console=console, transient=True, disable=not console.is_terminal
        ),
    )
    if out is not None:
        source = f"Source: accelsim {__version__}, replay of 20,000 requests a point, one requester"
        write_character(found, out, source)
    if as_json:
        print_text(dumps(asdict(found)))
        return
    print_table(patterns_table(found))
    print_table(loads_table(found))


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
        A memory of `accelsim dram list`, or a DRAMsim3 .ini file.
    level
        The distances that the controller keeps, or all that the JEDEC standards ask.
    compat
        Judge with DRAMsim3's deviations from the standards; the default for .ini files.
    find_all
        Every violation, not the first alone.
    """
    from dataclasses import asdict

    from accelsim.cli.console import print_text
    from accelsim.cli.warm_up import warm_up
    from accelsim.dram.command_trace import read_commands
    from accelsim.dram.legality import check
    from accelsim.results.json_form import dumps

    memory = _memory(dram, compat)
    warm_up()
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


def export_dram(config: str, /, *, out: Path | None = None) -> None:
    """Write a memory as a DRAMsim3 .ini file, and say what the format cannot hold.

    Parameters
    ----------
    config
        A memory of `accelsim dram list`, a DRAMsim3 .ini file, or a hardware file (.yaml).
    out
        The file; else the text is printed.
    """
    from accelsim.cli.console import note, print_text
    from accelsim.dram.ini_export import export_ini
    from accelsim.results.files import replacing, writable_file

    text, lost = export_ini(_memory(config, None))
    if out is not None:
        writable_file(out)
    for sentence in lost:
        note(f"warning: not held by the file: {sentence}")
    if out is None:
        print_text(text)
        return
    with replacing(out) as unfinished:
        unfinished.write_text(text, encoding="utf-8")


def _memory(name: str, compat: Literal["dramsim3", "none"] | None) -> DramConfig:
    from dataclasses import replace

    from accelsim.cli.console import note
    from accelsim.dram.ini import read_ini
    from accelsim.dram.standard import STANDARDS

    if name.endswith((".yaml", ".yml")):
        from accelsim.hardware.read import read_hardware

        memory = read_hardware(name).dram.config
    elif name.endswith(".ini"):
        memory, warnings = read_ini(name)
        for warning in warnings:
            note(f"warning: {warning}")
    else:
        memory = STANDARDS[name].config()
    return memory if compat is None else replace(memory, compat=compat)


def _table(title: str, report: dict[str, object]) -> Table:
    from accelsim.results.flat import flatten
    from accelsim.results.tables import Column, Table

    figures = {key: value for key, value in report.items() if key != "energy_mode"}
    rows = tuple(
        (key, f"{value:,.3f}" if isinstance(value, float) else f"{value:,}")
        for key, value in flatten(figures).items()
    )
    return Table(title, (Column("figure", is_text=True), Column("value")), rows)
