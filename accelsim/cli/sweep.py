"""``accelsim sweep``: a study of many design points."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from accelsim.sweeps.result import SweepResult

WORST_FAILURES = 5


def sweep(study: str, /, *, jobs: int | None = None, out: Path | None = None) -> int:
    """Run every point of a study; a sweep that was stopped continues where it left off.

    Parameters
    ----------
    study
        A study file (docs/sweeps.md), or the name of a shipped one, such as buffers.
    jobs
        Number of processes; by default one per CPU.
    out
        Folder for the ledger, points.csv, plot.png and pareto.png; results/STUDY by default.
    """
    from accelsim.cli.console import note, print_table, print_text, warn
    from accelsim.errors import UserError
    from accelsim.report.sweep_plot import plot_sweep, plot_sweep_front
    from accelsim.sweeps.export import export

    if jobs is not None and jobs < 1:
        raise UserError("--jobs", f"is {jobs}", "give a number of processes, at least 1")
    try:
        result = _run(study, out, jobs)
    except KeyboardInterrupt:
        kept = ": finished points are kept, and the same command continues"
        raise KeyboardInterrupt(kept) from None
    written = export(result)
    if result.results:
        written += [result.folder / "plot.png", result.folder / "pareto.png"]
        plot_sweep(result, written[-2])
        plot_sweep_front(result, written[-1])
        print_table(result.table())
    print_text(f"{len(result.results)} points, {result.n_reused} of an earlier sweep; ")
    print_text(", ".join(str(path) for path in written) + "\n")
    warn(_warnings(result))
    for index, why in list(result.failed.items())[:WORST_FAILURES]:
        note(f"point {index} failed: {why}")
    if len(result.failed) > WORST_FAILURES:
        note(f"{len(result.failed) - WORST_FAILURES} more failed: see the column `error`")
    return 2 if result.failed else 0


def _run(study: str, out: Path | None, jobs: int | None) -> SweepResult:
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    from accelsim.cli.console import error_console
    from accelsim.cli.warm_up import compile_kernels
    from accelsim.sweeps.run import SweepProgress
    from accelsim.sweeps.run import sweep as run_study

    columns = (
        TextColumn("points"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[speed]}"),
        TimeRemainingColumn(),
    )
    console = error_console()
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("points", total=None, speed="")

        def show(report: SweepProgress) -> None:
            done = report.n_finished + report.n_failed
            # Points of an earlier sweep took no time: they do not count for the speed.
            if bar.tasks[0].total is None:
                bar.reset(task, total=report.n_points, completed=done)
            seconds = bar.tasks[0].elapsed or 0.0
            fresh = done - report.n_reused
            speed = f"{fresh / seconds:.1f} points/s" if fresh and seconds else ""
            failed = f", {report.n_failed} failed" if report.n_failed else ""
            bar.update(task, completed=done, speed=speed + failed)

        def compile_first(modules: set[str]) -> None:
            bar.stop()
            compile_kernels(*modules)
            bar.start()

        return run_study(study, out, jobs, show, compile_kernels=compile_first)


def _warnings(result: SweepResult) -> list[str]:
    """Each warning once, with the number of points that it concerns unless it concerns all."""
    from accelsim.energy.dram_known import mixed_knowledge

    chips = [result.points[index].chip for index in result.results]
    mixed = mixed_knowledge((chip.dram.config, chip.energy.mode) for chip in chips)
    n_points = Counter(text for done in result.results.values() for text in done.warnings)
    whole = len(result.results)
    each = [
        text if n == whole else f"{text} ({n} of {whole} points)" for text, n in n_points.items()
    ]
    return [*each, *mixed]
