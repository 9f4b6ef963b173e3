"""A request trace from file to counts, in memory that does not grow with the trace."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from gzip import GzipFile
from io import TextIOWrapper
from pathlib import Path
from time import perf_counter
from typing import IO, cast

from rich.progress import Progress

from accelsim.cli.console import error_console
from accelsim.dram.chunked_replay import ChunkedReplay, ReplayCounts
from accelsim.dram.config import DramConfig
from accelsim.dram.parameters import ControllerName
from accelsim.dram.traces.command_csv import CommandCsv
from accelsim.dram.traces.requests import request_chunks
from accelsim.results.files import replacing


def replay_file(
    memory: DramConfig, trace: Path, policy: ControllerName, commands: Path | None
) -> tuple[ReplayCounts, float]:
    """What replaying ``trace`` counted, and the seconds that it took without reading the file.

    ``commands`` receives every command as CSV, gzipped if its name ends in .gz: the whole file,
    or none at all.
    """
    seconds = 0.0
    with ExitStack() as stack:
        on_commands = None
        if commands is not None:
            unfinished = stack.enter_context(replacing(commands))
            raw: IO[bytes] = stack.enter_context(unfinished.open("wb"))
            if commands.suffix.lower() == ".gz":
                # Without the time, so that the same commands give the same file.
                raw = cast(IO[bytes], stack.enter_context(GzipFile("", "wb", 6, raw, 0)))
            file = stack.enter_context(TextIOWrapper(raw, encoding="ascii", newline=""))
            on_commands = CommandCsv(file).write
        run = ChunkedReplay(memory, policy, on_commands)
        on_progress = stack.enter_context(_progress(f"replaying {trace.name}"))
        for chunk in request_chunks(trace, memory, on_progress=on_progress):
            start = perf_counter()
            run.feed(chunk)
            seconds += perf_counter() - start
        start = perf_counter()
        counts = run.finish()
        return counts, seconds + perf_counter() - start


@contextmanager
def _progress(what: str) -> Iterator[Callable[[float], None]]:
    """A bar on a terminal, nothing elsewhere; it is told the share that is done."""
    console = error_console()
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=1.0)
        yield lambda share: bar.update(task, completed=share)
