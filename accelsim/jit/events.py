"""To be told while kernels are compiled."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from numba.core import event


@contextmanager
def calling(done: Callable[[], None]) -> Iterator[None]:
    """Call ``done`` after each kernel, and each part of one, that is compiled meanwhile."""

    class Listener(event.Listener):
        def on_start(self, _: Any) -> None:
            pass

        def on_end(self, _: Any) -> None:
            done()

    with event.install_listener("numba:compile", Listener()):
        yield
