"""Running points in processes of this machine.

An executor takes points and gives back what became of each, in any order. This one forks,
so that workers inherit the points; a cluster's executor is another function of this type.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import NamedTuple, TypeAlias

from accelsim.errors import AccelsimError
from accelsim.sweeps.points import Point

Work: TypeAlias = Callable[[Point], str]
"""Runs one point; returns its result as JSON text."""
OpenWork: TypeAlias = Callable[[], Work]
"""Called once in each worker, to open what all its points read."""


class Outcome(NamedTuple):
    """What became of one point: its result as JSON text, or why there is none."""

    point: Point
    result: str | None
    error: str | None


def run_local(points: Sequence[Point], open_work: OpenWork, jobs: int) -> Iterator[Outcome]:
    """The outcomes of ``points`` as they come, from ``jobs`` processes.

    A point that fails is an outcome too. When a worker is killed from outside, the points
    in flight run again, each alone, so that only the guilty one fails. Leaving the iterator
    early ends all workers.
    """
    waiting = deque(points)
    while waiting:
        suspects = yield from _pool(waiting, open_work, jobs)
        for point in suspects:
            if (yield from _pool(deque([point]), open_work, 1)):
                yield Outcome(point, None, "its process was killed: out of memory?")


def _pool(
    waiting: deque[Point], open_work: OpenWork, jobs: int
) -> Generator[Outcome, None, list[Point]]:
    """Run points from ``waiting``; returns those that were in flight when a worker died."""
    others = set(multiprocessing.active_children())
    points = tuple(waiting)
    executor = ProcessPoolExecutor(
        min(jobs, len(points)),
        multiprocessing.get_context("fork"),
        initializer=_start_worker,
        initargs=(open_work, points),
    )
    in_flight: dict[Future[Outcome], Point] = {}
    try:
        while waiting or in_flight:
            while waiting and len(in_flight) < 2 * jobs:
                future = executor.submit(_run, len(points) - len(waiting))
                in_flight[future] = waiting.popleft()
            done, _ = wait(in_flight, return_when=FIRST_COMPLETED)
            for future in sorted(done, key=lambda each: each.exception() is not None):
                yield future.result()
                del in_flight[future]
        return []
    except BrokenProcessPool:
        return list(in_flight.values())
    finally:
        if in_flight:
            for process in set(multiprocessing.active_children()) - others:
                process.terminate()
        executor.shutdown(wait=True, cancel_futures=True)


class _Worker:
    """What one worker process holds; inherited by fork, so nothing of it is pickled."""

    points: tuple[Point, ...]
    work: Work


def _start_worker(open_work: OpenWork, points: tuple[Point, ...]) -> None:
    # Ctrl-C reaches every process of the terminal: the parent ends the workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _Worker.points, _Worker.work = points, staticmethod(open_work())


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _run(place: int) -> Outcome:
    point = _Worker.points[place]
    try:
        return Outcome(point, _Worker.work(point), None)
    except AccelsimError as error:
        return Outcome(point, None, str(error))
    except Exception as error:
        return Outcome(point, None, f"internal error: {type(error).__name__}: {error}")
