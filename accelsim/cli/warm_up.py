"""Compiling all kernels once on a machine, where the user can see why it takes a while."""

from __future__ import annotations

from collections.abc import Iterable

from accelsim import kernel_cache
from accelsim.cli.console import error_console, note
from accelsim.codecs.named import base_name


def warm_up(*codecs: str) -> None:
    """Compile what these codecs and the machine need, and say so; nothing the second time."""
    names = [base_name(codec) for codec in codecs]
    if not kernel_cache.cold_modules(names):
        return
    note("compiling kernels (once on this machine)...")
    kernel_cache.warm_up(names, _with_progress)


def _with_progress(names: list[str]) -> Iterable[str]:
    from rich.progress import track

    console = error_console()
    return track(
        names, "compiling", console=console, transient=True, disable=not console.is_terminal
    )
