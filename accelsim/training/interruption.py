"""Ctrl-C during training takes effect after a step, when network and optimiser are consistent."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def after_the_step() -> Iterator[Callable[[], bool]]:
    """In this context, Ctrl-C only requests a stop, and a second one stops at once.

    Yields a function that says whether a stop was requested; the caller then saves and raises
    ``KeyboardInterrupt``. Outside the main thread, and if a program handles SIGINT itself,
    nothing changes.
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
