"""Compiling all kernels once on a machine, where the user can see why it takes a while."""

from __future__ import annotations

from collections.abc import Iterable

from accelsim import kernel_cache
from accelsim.cli.console import error_console, note


def warm_up() -> None:
    """Compile what is not compiled yet, and say so: nothing at all after the first time."""
    if kernel_cache.is_warm():
        return
    note("compiling kernels (once on this machine)...")
    kernel_cache.warm_up(_with_progress)


def _with_progress(names: list[str]) -> Iterable[str]:
    from rich.progress import track

    console = error_console()
    return track(
        names, "compiling", console=console, transient=True, disable=not console.is_terminal
    )
