"""``accelsim dram``: list, show, characterise and export memories."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from accelsim.cli.dram_io import io_dram as io_dram
from accelsim.cli.dram_traces import check_dram as check_dram
from accelsim.cli.dram_traces import replay_dram as replay_dram
from accelsim.cli.memory import named_memory
from accelsim.cli.options import Json


def list_dram(*, energy: Literal["max", "typical"] = "typical") -> None:
    """List every memory: size, speed, energy per bit.

    Parameters
    ----------
    energy
        DRAM currents: data sheet maxima, or the fraction of them that was measured.
    """
    from accelsim.cli.console import print_table
    from accelsim.energy.dram_catalogue import catalogue
    from accelsim.results.table import Column, Table

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
                Column("energy", is_text=True),
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
                    entry.known,
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
                "pJ/bit of reads at full bandwidth. stream: whole rows; random: one burst per row. "
                "The columns from ACT on are its parts",
                "energy: how it is known: measured on devices, from a data sheet, or in part an "
                "assumption (currents, their typical fractions; nearly always the PHY). The order "
                "of memories whose energies are known in different ways may be wrong",
                "`accelsim dram show NAME` prints every value and its source",
            ),
        )
    )


def show_dram(standard: str, /, *, as_json: Json = False) -> None:
    """Show every value of a memory: unit, nanoseconds, source.

    Parameters
    ----------
    standard
        A memory of `accelsim dram list`.
    """
    from accelsim.cli.console import print_table, print_text
    from accelsim.dram.standard import STANDARDS
    from accelsim.dram.values import dram_values
    from accelsim.results.json_form import dumps
    from accelsim.results.table import Column, Table

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
                "currents are data sheet maxima, or measured where the source says so; "
                "typical energy takes the fractions power.typical.* of their differences",
            ),
        )
    )


def characterise_dram(
    config: str,
    /,
    *,
    mode: Literal["typical", "max"] = "typical",
    out: Path | None = None,
    as_json: Json = False,
) -> None:
    """Measure a memory: bandwidth by pattern and address map, latency under load, pJ/bit.

    Parameters
    ----------
    config
        A memory of `accelsim dram list`, a DRAMsim3 .ini file, or a hardware file (.yaml).
    mode
        DRAM currents: the measured fraction of the data sheet maxima, or the maxima themselves.
    out
        Folder for character.json, table.txt and plot.png.
    """
    from dataclasses import asdict

    from rich.progress import track

    from accelsim.cli.console import error_console, print_table, print_text
    from accelsim.cli.folder import write_character
    from accelsim.cli.warm_up import REPLAYS, compile_kernels
    from accelsim.energy.dram_character import characterise
    from accelsim.results.dram_tables import loads_table, patterns_table
    from accelsim.results.files import writable_folder
    from accelsim.results.json_form import dumps
    from accelsim.version import __version__

    memory = named_memory(config)
    if out is not None:
        writable_folder(out)
    compile_kernels(*REPLAYS)
    console = error_console()
    found = characterise(
        memory,
        mode,
        track=lambda pairs: track(
            pairs, "replaying", console=console, transient=True, disable=not console.is_terminal
        ),
    )
    if out is not None:
        source = f"Source: accelsim {__version__}, replays of 20,000 requests, one requester"
        write_character(found, out, source)
    if as_json:
        print_text(dumps(asdict(found)))
        return
    print_table(patterns_table(found))
    print_table(loads_table(found))


def export_dram(config: str, /, *, out: Path | None = None) -> None:
    """Write a memory as a DRAMsim3 .ini file, and warn of what the format cannot hold.

    Parameters
    ----------
    config
        A memory of `accelsim dram list`, a DRAMsim3 .ini file, or a hardware file (.yaml).
    out
        The file to write; without it the text is printed.
    """
    from accelsim.cli.console import note, print_text
    from accelsim.dram.ini_files.export import export_ini
    from accelsim.results.files import replacing, writable_file

    text, lost = export_ini(named_memory(config))
    if out is not None:
        writable_file(out)
    for sentence in lost:
        note(f"warning: not held by the file: {sentence}")
    if out is None:
        print_text(text)
        return
    with replacing(out) as unfinished:
        unfinished.write_text(text, encoding="utf-8")
