"""``accelsim hw``: hardware files, their keys, and what is wrong with them."""

from __future__ import annotations

from accelsim.cli.options import Json, Overrides


def list_hw() -> None:
    """The chips that come with accelsim."""
    from accelsim.cli.console import print_table
    from accelsim.hardware.catalogue import list_hardware
    from accelsim.results.tables import Column, Table

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
                    chip.dram,
                    f"{chip.peak_gb_s:.1f}",
                    f"{chip.macs_per_byte:.0f}",
                    chip.description,
                )
                for chip in list_hardware()
            ),
            footer=("balance: a layer with less reuse than this waits for DRAM",),
        )
    )


def show_hw(hardware: str, /, *, overrides: Overrides = (), as_json: Json = False) -> None:
    """Every key of a chip: value, unit, meaning, source.

    Parameters
    ----------
    hardware
        A hardware file, or the name of a shipped one.
    """
    from accelsim.cli.console import print_table, print_text, warn
    from accelsim.hardware.catalogue import show_hardware
    from accelsim.hardware.read import read_hardware
    from accelsim.results.json_form import dumps
    from accelsim.results.tables import Column, Table

    chip = read_hardware(hardware, overrides)
    warn(chip.warnings)
    if as_json:
        print_text(dumps(chip.resolved))
        return
    columns = ("key", "value", "unit", "meaning", "source")
    print_table(
        Table(
            title=f"{chip.name}: {chip.description}",
            columns=tuple(Column(name, is_text=True) for name in columns),
            rows=tuple(
                (key.key, _plain(key.value), key.unit, key.meaning, key.source)
                for key in show_hardware(chip)
            ),
        )
    )


def check_hw(file: str, /) -> int:
    """Everything that is wrong (exit code 2) or unwise in a hardware file.

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
    """The JSON Schema of hardware files, for editors."""
    from accelsim.cli.console import print_text
    from accelsim.hardware.catalogue import json_schema
    from accelsim.results.json_form import dumps

    print_text(dumps(json_schema()))


def _plain(value: object) -> str:
    if isinstance(value, list | tuple):
        return " x ".join(map(str, value))
    return "-" if value is None else str(value)
