"""``accelsim warm-up``, and compiling before the first run, with progress on stderr."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter


def warm_up(*, codec: str | None = None, all: bool = False) -> None:
    """Compile the kernels that runs, DRAM replays and DRAM checks need, so that no command waits.

    Kernels that are compiled already are kept; nothing is compiled twice.

    Parameters
    ----------
    codec
        Codecs to compile in addition to raw: names separated by commas, or all, lossless, lossy.
    all
        Compile everything: every codec and every memory controller.
    """
    from accelsim.cli.console import note
    from accelsim.cli.options import codecs_in
    from accelsim.dram.memory import POLICIES
    from accelsim.sim.kernels import modules_of_run

    names = codecs_in("all" if all else codec or "raw", "--codec")
    roots = {*REPLAYS, *CHECKS}
    for policy in POLICIES if all else ("dramsim3",):
        roots |= modules_of_run(policy, {"raw", *names})
    if not compile_kernels(*roots):
        note("all these kernels are compiled already")


REPLAYS = ("accelsim.dram.chunked_replay", "accelsim.dram.replay", "accelsim.dram.traces.requests")
"""Modules that replay request traces."""
CHECKS = ("accelsim.dram.legality", "accelsim.dram.traces.command_trace")
"""Modules that check command traces."""


def compile_kernels(*modules: str) -> bool:
    """Compile what these modules need; False if all of it was compiled already."""
    from accelsim import kernel_compiling

    was_cold = bool(kernel_compiling.cold_modules(modules))
    kernel_compiling.compile_kernels(modules, progress)
    return was_cold


@contextmanager
def progress(n_kernels: int) -> Iterator[Callable[[], None]]:
    """A progress bar on a terminal, otherwise a line for each quarter."""
    from rich.progress import Progress

    from accelsim.cli.console import error_console, note

    what = "compiling kernels (once on this machine)"
    console, n_done, start = error_console(), 0, perf_counter()
    with Progress(
        *Progress.get_default_columns(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as bar:
        task = bar.add_task(what, total=n_kernels)

        def done() -> None:
            nonlocal n_done
            n_done += 1
            bar.update(task, completed=n_done, description=f"{what} {n_done}/{n_kernels}")
            if not console.is_terminal and n_done in {n_kernels * k // 4 for k in (1, 2, 3)}:
                note(f"{n_done} of {n_kernels} kernels compiled")

        if not console.is_terminal:
            note(f"{what}: {n_kernels}")
        yield done
    note(f"compiled {n_kernels} kernels in {perf_counter() - start:.0f} s")
