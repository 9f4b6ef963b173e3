"""``accelsim price``: an old result under other energy tables."""

from __future__ import annotations

from pathlib import Path

from accelsim.cli.options import Json, Overrides


def price(
    result: Path,
    /,
    *,
    overrides: Overrides = (),
    out: Path | None = None,
    as_json: Json = False,
) -> None:
    """Price the counts of a result again, without another run.

    Parameters
    ----------
    result
        A result.json of `accelsim run`.
    overrides
        Other prices: energy.mode=max, energy.node_nm=28 or energy.sram_cell=hp.
    out
        Folder for result.json, table.txt, layers.csv and plot.png.
    """
    from accelsim.cli.console import print_table, print_text, warn
    from accelsim.cli.folder import write_run
    from accelsim.results.files import writable_folder
    from accelsim.results.json_form import read_result, to_json
    from accelsim.results.price_again import price_again

    priced = price_again(read_result(result), overrides, str(result))
    if out is not None:
        writable_folder(out)
        write_run(priced, out)
    warn(priced.warnings)
    if as_json:
        print_text(to_json(priced))
        return
    for table in priced.tables():
        print_table(table)
