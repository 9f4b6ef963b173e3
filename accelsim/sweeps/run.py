"""Running a study: every point once, stored at once, resumed automatically."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeAlias

from accelsim import kernel_compiling
from accelsim.results.files import writable_folder
from accelsim.results.json_form import parse_result, to_json
from accelsim.results.result import Result
from accelsim.results.versions import versions
from accelsim.sim.kernels import modules_of_run
from accelsim.sweeps.ledger import Ledger
from accelsim.sweeps.local import OpenWork, Outcome, Work, run_local
from accelsim.sweeps.points import Point, make_points
from accelsim.sweeps.result import SweepResult
from accelsim.sweeps.study import find_study, read_study
from accelsim.workload.trace import Trace
from accelsim.workload.trace_file import read_trace

Simulate: TypeAlias = Callable[..., Result]
Executor: TypeAlias = Callable[[Sequence[Point], OpenWork, int], Iterator[Outcome]]


@dataclass(frozen=True)
class SweepProgress:
    """Progress of a sweep."""

    n_points: int
    n_finished: int
    """Finished points, including those of earlier sweeps."""
    n_reused: int
    n_failed: int


def sweep(
    study_path: str | Path,
    out: Path | None = None,
    jobs: int | None = None,
    progress: Callable[[SweepProgress], None] = lambda _: None,
    *,
    simulate: Simulate | None = None,
    executor: Executor = run_local,
    compile_kernels: Callable[[set[str]], object] = kernel_compiling.compile_kernels,
) -> SweepResult:
    """Run all points of a study that are not in its ledger yet.

    Every point is resolved and checked before the first one runs. ``out`` is the folder of
    the ledger (``results/NAME`` by default); a sweep that was interrupted or killed continues
    from there; after a change of version, sources or libraries all points run again.
    ``jobs`` is the number of processes, by default one per CPU. The result does not
    depend on it or on the order in which points finish. ``simulate`` and ``executor`` can
    replace the simulator and the processes of this machine; ``compile_kernels`` is called
    before them with the modules whose kernels the points use.

    Raises ``ConfigError`` for errors in the study, ``TraceError`` for its trace, and
    ``UserError`` for a folder or ledger that cannot be used.
    """
    study = read_study(find_study(study_path))
    trace_name = study.find(study.trace)
    with read_trace(trace_name) as trace:
        points = make_points(study, trace.facts.sha256, versions)
    folder = writable_folder(out or Path("results") / study.name)
    why_failed: dict[str, str] = {}
    with Ledger(folder / "ledger.sqlite") as ledger:
        waiting = _not_finished(points, ledger)
        n_reused = len(points) - len(waiting)

        def report(n_done: int) -> None:
            n_finished = n_reused + n_done - len(why_failed)
            progress(SweepProgress(len(points), n_finished, n_reused, len(why_failed)))

        report(0)
        if waiting and simulate is None:
            compile_kernels(set().union(*(_kernels_of(point) for point in waiting)))
        outcomes = executor(
            waiting, partial(_open_work, trace_name, simulate), jobs or os.cpu_count() or 1
        )
        for n_done, outcome in enumerate(outcomes, 1):
            if outcome.result is None:
                why_failed[outcome.point.key] = outcome.error or "no reason given"
            else:
                ledger.record(outcome.point.key, outcome.result)
            report(n_done)
        results = _read_results(points, ledger)
    failed = {p.index: why_failed[p.key] for p in points if p.key in why_failed}
    return SweepResult(study, tuple(points), results, failed, n_reused, folder)


def _kernels_of(point: Point) -> set[str]:
    codec = point.chip.codec
    return modules_of_run(point.chip.dram.policy, (codec.name, codec.weight_name))


def _not_finished(points: Sequence[Point], ledger: Ledger) -> list[Point]:
    """Points to run; if several have the same key, the first."""
    first = {point.key: point for point in reversed(points)}
    return [p for p in points if first[p.key] is p and ledger.find(p.key) is None]


def _open_work(trace_name: str, simulate: Simulate | None) -> Work:
    if simulate is None:
        from accelsim.simulation.simulate import simulate as run_simulator

        simulate = run_simulator
    return partial(_simulate_point, simulate, read_trace(trace_name))


def _simulate_point(simulate: Simulate, trace: Trace, point: Point) -> str:
    return to_json(simulate(point.chip, trace, images=point.images))


def _read_results(points: Sequence[Point], ledger: Ledger) -> dict[int, Result]:
    found = {}
    for point in points:
        text = ledger.find(point.key)
        if text is not None:
            found[point.index] = parse_result(text, str(ledger.path))
    return found
