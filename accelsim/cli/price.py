"""``accelsim price``: the energy of an old result with other prices."""

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
    """Compute the energy of a result again from its counts, without another run.

    Parameters
    ----------
    result
        A result.json that `accelsim run` wrote.
    overrides
        The other prices: energy.mode=max, energy.node_nm=28 or energy.sram_cell=hp.
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
