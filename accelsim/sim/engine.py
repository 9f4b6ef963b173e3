"""Co-simulation: SimPy moves tiles, the memory kernel moves cycles, both in exact order.

The memory takes all decisions strictly before the next event of SimPy, and never past the
first completion that it finds, because somebody waits for that. Nothing is ever decided
that a later request could have changed; so waking the memory more often changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable

import simpy

from accelsim.dram.memory import Completion, Memory


def now_fs(env: simpy.Environment) -> int:
    """Simulated time. SimPy would also accept floats; this simulator never schedules one."""
    return env.now  # type: ignore[return-value]


def co_simulate(
    env: simpy.Environment,
    memory: Memory,
    on_completion: Callable[[Completion], None],
    is_waiting: Callable[[], bool],
) -> None:
    """Run until neither SimPy nor the memory has anything left to do.

    ``on_completion`` is called at the simulated time at which each transfer is done;
    ``is_waiting`` says whether any is outstanding (an idle memory refreshes for ever).
    """

    def announce(completion: Completion) -> None:
        event = env.timeout(completion.done_fs - now_fs(env), completion)
        event.callbacks.append(lambda e: on_completion(e.value))

    while True:
        next_event = env.peek()
        bound = None if next_event == float("inf") else int(next_event)
        if bound is None and not is_waiting():
            return
        if completions := memory.advance(bound):
            # The memory stopped at the first of these, which may lie before the decoder is
            # through with it: what it does until then must be decided before that event.
            for completion in completions:
                announce(completion)
        else:
            env.step()
