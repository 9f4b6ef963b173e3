"""Running points in processes on this machine.

An executor takes points and returns the outcome of each, in any order. This one forks,
so that workers inherit the points; an executor for a cluster is another function of this type.

Each worker has a pipe of its own and no lock is shared. So a worker that is killed at any
moment does not stop the others, and it is known which point it was running.
(``concurrent.futures`` can wait forever for a worker that died while it held the lock of the
common queue.)
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from typing import Final, NamedTuple, TypeAlias

from accelsim.errors import AccelsimError
from accelsim.sweeps.points import Point

Work: TypeAlias = Callable[[Point], str]
"""Runs one point; returns its result as JSON text."""
OpenWork: TypeAlias = Callable[[], Work]
"""Called once in each worker to open the files that all its points read."""


class Outcome(NamedTuple):
    """Outcome of one point: its result as JSON text, or the reason why there is none."""

    point: Point
    result: str | None
    error: str | None


KILLED: Final = "its process was killed: out of memory?"


def run_local(points: Sequence[Point], open_work: OpenWork, jobs: int) -> Iterator[Outcome]:
    """The outcomes of ``points`` in the order in which ``jobs`` processes finish them.

    A failed point is an outcome, too, even if its worker was killed from outside; another
    worker then replaces it. Leaving the iterator early ends all workers.
    """
    waiting = deque(range(len(points)))
    workers: list[_Worker] = []
    try:
        while waiting or workers:
            while waiting and len(workers) < jobs:
                workers.append(_Worker(points, open_work, waiting.popleft()))
            ready = wait([worker.pipe for worker in workers])
            for worker in [each for each in workers if each.pipe in ready]:
                outcome = worker.outcome()
                if waiting and outcome.error != KILLED:
                    worker.take(waiting.popleft())
                else:
                    workers.remove(worker)
                    worker.end()
                yield outcome
    finally:
        for worker in workers:
            worker.end()


class _Worker:
    """A process, the point that it runs, and the pipe over which it receives the next."""

    def __init__(self, points: Sequence[Point], open_work: OpenWork, place: int) -> None:
        fork = multiprocessing.get_context("fork")
        self.pipe, theirs = fork.Pipe()
        self._points, self._place = points, place
        # Inherited by fork, so that only indices and results go through the pipe.
        arguments = (theirs, points, open_work, place)
        self._process = fork.Process(target=_serve, args=arguments, daemon=True)
        self._process.start()
        theirs.close()  # so that the pipe ends with the worker

    def take(self, place: int) -> None:
        """Give the worker, which has answered, its next point."""
        self._place = place
        with suppress(OSError):  # killed meanwhile: so says the pipe when it is read
            self.pipe.send(place)

    def outcome(self) -> Outcome:
        """The outcome of its point; to be called when the pipe is ready."""
        point = self._points[self._place]
        try:
            result, error = self.pipe.recv()
        except (EOFError, OSError):
            return Outcome(point, None, KILLED)
        return Outcome(point, result, error)

    def end(self) -> None:
        """End the process, whatever it is doing."""
        self._process.kill()
        self._process.join()
        self.pipe.close()


def _serve(pipe: Connection, points: Sequence[Point], open_work: OpenWork, place: int) -> None:
    """Main loop of a worker: points in, results out, until the parent is gone."""
    # Ctrl-C reaches every process of the terminal: the parent ends the workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    work: Work | None = None
    while True:
        try:
            work = work or open_work()
            pipe.send((work(points[place]), None))
        except AccelsimError as error:
            pipe.send((None, str(error)))
        except Exception as error:
            pipe.send((None, f"internal error: {type(error).__name__}: {error}"))
        place = pipe.recv()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
