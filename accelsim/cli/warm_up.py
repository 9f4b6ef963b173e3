"""``accelsim warm-up``, and compiling before the first run, where the user sees how far it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter


def warm_up(*, codec: str | None = None, all: bool = False) -> None:
    """Compile what runs, replays and checks of memory traces need, so that no command waits.

    What is compiled already stays; nothing is compiled twice.

    Parameters
    ----------
    codec
        Codecs to compile as well as raw: names with commas, or all, lossless, lossy.
    all
        Everything: every codec and every memory policy.
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
"""What replays request traces."""
CHECKS = ("accelsim.dram.legality", "accelsim.dram.traces.command_trace")
"""What judges command traces."""


def compile_kernels(*modules: str) -> bool:
    """Compile what these modules need, and say so; False, without a word, if that is done."""
    from accelsim import kernel_compiling

    was_cold = bool(kernel_compiling.cold_modules(modules))
    kernel_compiling.compile_kernels(modules, progress)
    return was_cold


@contextmanager
def progress(n_kernels: int) -> Iterator[Callable[[], None]]:
    """A bar on a terminal, else a line for each quarter."""
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
