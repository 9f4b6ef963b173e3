"""What `accelsim train` reports on the way, and when it is interrupted."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from accelsim.training.loop import TrainingProgress

    _Draw = Callable[[TrainingProgress, str], None]

MOVING = 0.98
"""Weight of the past in the running figures."""
SECONDS_BETWEEN_LINES = 30.0
"""Between progress lines, where there is no terminal to draw a bar on."""
_FIGURES: dict[str, Callable[[float], str]] = {
    "right": lambda share: f"{100 * share:.1f} % right",
    "distance": lambda nats: f"{nats:.3f} nats from its teacher",
    "rate": lambda bits: f"{bits:.2f} b/value",
    "ratio": lambda ratio: f"l1 over l2 {ratio:.1f}",
}


@contextmanager
def progress(name: str, checkpoint: Path) -> Iterator[Callable[[TrainingProgress], None]]:
    """Running accuracy and bits per value, and a message on interruption.

    Drawn as a bar on a terminal; otherwise as a line from time to time.
    """
    from accelsim.cli.console import error_console

    console = error_console()
    drawn = _bar(name, console) if console.is_terminal else nullcontext(_lines(name))
    running: dict[str, float] = {}
    with drawn as draw:

        def show(step: TrainingProgress) -> None:
            for key, value in step.figures.items():
                past = running.get(key, value)
                running[key] = MOVING * past + (1 - MOVING) * value
            words = [form(running[key]) for key, form in _FIGURES.items() if key in running]
            draw(step, ", ".join(words))

        try:
            yield show
        except KeyboardInterrupt:
            kept = f"{checkpoint} is kept, and the same command continues from it"
            word = kept if checkpoint.exists() else "no step had been taken yet"
            raise KeyboardInterrupt(f": {word}") from None


@contextmanager
def _bar(name: str, console: Console) -> Iterator[_Draw]:
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[figures]}"),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=console) as bar:
        task = bar.add_task(name, total=None, figures="")

        def draw(at: TrainingProgress, figures: str) -> None:
            if bar.tasks[0].total is None:
                bar.reset(task, total=at.n_steps, completed=at.step - 1)
            bar.update(task, completed=at.step, figures=figures)

        yield draw


def _lines(name: str) -> _Draw:
    """A line for the first step, the last one, and every half minute between."""
    from accelsim.cli.console import note

    said_at = -math.inf

    def draw(at: TrainingProgress, figures: str) -> None:
        nonlocal said_at
        now = time.monotonic()
        if at.step == at.n_steps or now >= said_at + SECONDS_BETWEEN_LINES:
            said_at = now
            note(f"{name}: step {at.step} of {at.n_steps}, {figures}")

    return draw
