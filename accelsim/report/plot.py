"""Plotting the result of a run, a comparison or a sweep."""

from __future__ import annotations

from functools import singledispatch
from pathlib import Path

from accelsim.report.compare_plot import plot_comparison
from accelsim.report.run_plot import plot_run
from accelsim.report.sweep_plot import plot_sweep
from accelsim.results.comparison import Comparison
from accelsim.results.files import writable_file
from accelsim.results.result import Result
from accelsim.sweeps.result import SweepResult


def plot(what: Result | Comparison | SweepResult, path: str | Path) -> Path:
    """Plot a result, a comparison or a sweep to ``path``, whose suffix chooses the format.

    Returns ``path``, which ``IPython.display.Image`` can show. Raises ``UserError`` if it cannot
    be written.

    >>> import accelsim
    >>> accelsim.plot(accelsim.compare(chip, trace, ["raw", "zvc"]), "codecs.png")  # doctest: +SKIP
    """
    target = writable_file(Path(path))
    _draw(what, target)
    return target


@singledispatch
def _draw(what: object, path: Path) -> None:
    raise TypeError(f"cannot plot a {type(what).__name__}, only a result, a comparison or a sweep")


@_draw.register
def _(what: Result, path: Path) -> None:
    plot_run(what, path)


@_draw.register
def _(what: Comparison, path: Path) -> None:
    plot_comparison(what, path, what.mapping)


@_draw.register
def _(what: SweepResult, path: Path) -> None:
    plot_sweep(what, path)
