"""``accelsim hw``: list, show and check hardware files."""

from __future__ import annotations

from accelsim.cli.options import Json, Overrides


def list_hw() -> None:
    """List the chips that come with accelsim."""
    from accelsim.cli.console import print_table
    from accelsim.hardware.catalogue import list_hardware
    from accelsim.results.table import Column, Table

    print_table(
        Table(
            title="Chips",
            columns=(
                Column("name", is_text=True),
                Column("PEs"),
                Column("peak", "GMAC/s"),
                Column("ifmap", "KiB"),
                Column("weight", "KiB"),
                Column("ofmap", "KiB"),
                Column("shared", "KiB"),
                Column("DRAM", is_text=True),
                Column("peak", "GB/s"),
                Column("balance", "MAC/byte"),
                Column("description", is_text=True),
            ),
            rows=tuple(
                (
                    chip.name,
                    str(chip.pes),
                    f"{chip.peak_gmac_s:.1f}",
                    f"{chip.ifmap_kib:g}",
                    f"{chip.weight_kib:g}",
                    f"{chip.ofmap_kib:g}",
                    f"{chip.shared_kib:g}",
                    chip.dram,
                    f"{chip.peak_gb_s:.1f}",
                    f"{chip.macs_per_byte:.0f}",
                    chip.description,
                )
                for chip in list_hardware()
            ),
            footer=("balance: a layer with fewer MACs per DRAM byte than this waits for DRAM",),
        )
    )


def show_hw(hardware: str, /, *, overrides: Overrides = (), as_json: Json = False) -> None:
    """Show every key of a chip: value, unit, meaning, source.

    Parameters
    ----------
    hardware
        A hardware file, or the name of a shipped one.
    """
    from accelsim.cli.console import line_characters, print_text, warn
    from accelsim.hardware.catalogue import show_hardware
    from accelsim.hardware.read import read_hardware
    from accelsim.results.json_form import dumps

    chip = read_hardware(hardware, overrides)
    warn(chip.warnings)
    if as_json:
        print_text(dumps(chip.resolved))
        return
    width = line_characters()
    print_text(_wrapped(f"{chip.name}: {chip.description}", width, "") + "\n")
    shown = show_hardware(chip)
    key_width = max(len(each.key) for each in shown) + 2
    for each in shown:
        value = f"{_plain(each.value)} {each.unit}".strip()
        head = f"{each.key:{key_width}}{value}"
        print_text(_wrapped(head, width, " " * key_width))
        print_text(_wrapped(f"    {each.meaning}", width, "    "))
        print_text(_wrapped(f"    source: {each.source}", width, "    "))


def check_hw(file: str, /) -> int:
    """Check a hardware file for errors (exit code 2) and for unwise values.

    Parameters
    ----------
    file
        A hardware file, or the name of a shipped one.
    """
    from accelsim.cli.console import print_text
    from accelsim.hardware.catalogue import check_hardware

    report = check_hardware(file)
    for kind, problems in (("error", report.errors), ("warning", report.warnings)):
        for each in problems:
            fix = f"\n  fix: {each.fix}" if each.fix else ""
            print_text(f"{kind}: {each.where}: {each.problem}{fix}\n")
    if not report.errors:
        print_text(f"{file}: a valid chip, {len(report.warnings)} warnings\n")
    return 2 if report.errors else 0


def schema_hw() -> None:
    """Print the JSON Schema of hardware files, for editors."""
    from accelsim.cli.console import print_text
    from accelsim.hardware.catalogue import json_schema
    from accelsim.results.json_form import dumps

    print_text(dumps(json_schema()))


def _wrapped(text: str, width: int, indent: str) -> str:
    """Lines of at most ``width`` characters, all but the first indented."""
    from textwrap import fill

    return fill(text, width, subsequent_indent=indent, break_on_hyphens=False) + "\n"


def _plain(value: object) -> str:
    if isinstance(value, list | tuple):
        return " x ".join(map(str, value))
    if isinstance(value, bool):
        return str(value).lower()
    return "-" if value is None else str(value)
