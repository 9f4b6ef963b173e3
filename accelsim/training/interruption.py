"""Ctrl-C during training: at the end of the step, when network and optimiser fit together."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def after_the_step() -> Iterator[Callable[[], bool]]:
    """Meanwhile Ctrl-C only asks to stop, and a second one stops at once.

    Yields a function that says whether somebody asked: save then, and raise
    ``KeyboardInterrupt``. Outside the main thread, and where a program has its own way with
    SIGINT, nothing changes.
    """
    in_main = threading.current_thread() is threading.main_thread()
    if not in_main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield lambda: False
        return
    asked = False

    def ask(_number: int, _frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True

    signal.signal(signal.SIGINT, ask)
    try:
        yield lambda: asked
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if asked:
        raise KeyboardInterrupt
