"""Compiling all kernels once on a machine, where the user can see why it takes a while."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import accelsim
from accelsim import kernel_cache
from accelsim.cli.console import error_console, note


def warm_up() -> None:
    """Compile what is not compiled yet: nothing at all after the first time.

    A folder that cannot be written is no reason to stop: kernels are then compiled again
    by each process.
    """
    if kernel_cache.is_warm():
        return
    from rich.progress import track

    note("compiling kernels (once on this machine)...")
    names = [
        _module(path) for path in kernel_cache.kernel_sources() if "def warm_up" in path.read_text()
    ]
    console = error_console()
    for name in track(
        names, "compiling", console=console, transient=True, disable=not console.is_terminal
    ):
        import_module(name).warm_up()
    try:
        kernel_cache.mark_warm()
    except OSError as error:
        note(f"cannot keep compiled kernels: {error}\n  fix: set ACCELSIM_CACHE_DIR")


def _module(path: Path) -> str:
    inside = path.relative_to(Path(accelsim.__file__).parent).with_suffix("")
    return ".".join(["accelsim", *inside.parts])
