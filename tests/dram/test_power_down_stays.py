"""Power-down by property: each stay against JEDEC's rules, and states at any moment."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accelsim.dram.command import COMMANDS, Log
from accelsim.dram.config import DramConfig
from accelsim.dram.kernel import power_down
from accelsim.dram.policies.dramsim3 import Dramsim3Memory
from accelsim.dram.replay import replay
from accelsim.dram.standard import STANDARDS
from tests.dram.driving import Job, drive, transfer
from tests.dram.scenarios import with_ranks
from tests.dram.states import all_states
from tests.dram.test_liveness import CONTROLLERS, make
from tests.dram.test_power_down import DDR4, IDLE, down_cycles
from tests.dram.uncompiled import use_plain_python


@st.composite
def sparse_traffic(draw: st.DrawFn) -> list[tuple[int, str, int]]:
    seed = np.random.default_rng(draw(st.integers(0, 2**32)))
    n = draw(st.integers(1, 40))
    gaps = seed.choice([0, 1, 20, 150, 900, 9000], n)
    lines = seed.integers(0, draw(st.sampled_from([64, 1 << 20])), n)
    kinds = seed.choice(["R", "W"], n)
    arrivals = np.cumsum(gaps)
    return [(64 * int(a), str(k), int(t)) for a, k, t in zip(lines, kinds, arrivals, strict=True)]


def configured(controller: dict[str, object], ranks: int, channels: int) -> DramConfig:
    standard = STANDARDS["ddr4_3200_x64"].config(channels)
    # tREFIb of one bank in sixteen: DDR4 has none of its own.
    timing = replace(standard.timing, tRFCb=200, tREFIb=780)
    chosen = replace(standard.controller, **controller)  # type: ignore[arg-type]
    return replace(with_ranks(standard, ranks), timing=timing, controller=chosen)


@settings(max_examples=25, deadline=None)
@given(CONTROLLERS, st.sampled_from([1, 2]), st.sampled_from([1, 2]), sparse_traffic())
def test_cke_falls_and_rises_as_jedec_allows(
    controller: dict[str, object],
    ranks: int,
    channels: int,
    requests: list[tuple[int, str, int]],
) -> None:
    """Each stay, seen in the kernels' source, against the commands before and after it.

    The same commands and counts come from the compiled kernels.
    """
    config = configured(controller, ranks, channels)
    t, by_bank = config.timing, config.controller.refresh_policy == "bank_staggered"
    compiled = replay(config, make(*requests), True)
    stays: list[tuple[int, int, int]] = []
    with pytest.MonkeyPatch.context() as patch:
        use_plain_python(patch)
        book = power_down.book

        def watched(s: Any, r: int, since: int, until: int) -> None:
            stays.append((r, int(since), int(until)))
            book(s, r, since, until)

        patch.setattr(power_down, "book", watched)
        result = replay(config, make(*requests), True)
    assert np.array_equal(result.commands, compiled.commands)
    assert down_cycles(result) == down_cycles(compiled)
    assert all_states(result) == config.n_ranks * result.cycles
    assert sum(down_cycles(result)) == sum(until - since for _, since, until in stays)
    busy = {
        **dict.fromkeys(("read", "read_p"), t.CL + t.burst_cycles + 1),
        "write": t.CWL + t.burst_cycles + t.tWR,
        "write_p": t.CWL + t.burst_cycles + t.tWR + 1,
        "refresh": t.tRFC,
        "refresh_bank": t.tRFCb,
    }
    assert by_bank or "refresh_bank" not in {COMMANDS[c] for c in result.commands[:, 1]}
    log = result.commands
    for r, since, until in stays:
        own = log[log[:, Log.CHANNEL] * ranks + log[:, Log.RANK] == r]
        up = max(until, since + t.tCKE)
        for row in own:
            cycle, name = int(row[Log.CYCLE]), COMMANDS[row[Log.COMMAND]]
            before = cycle < since
            assert before or cycle >= min(until, result.cycles) + t.tXP
            if before:
                assert since - cycle >= busy.get(name, 1)
            # Work that comes by surprise may come early in a stay: tCKE holds all the same.
            assert before or cycle >= min(up, result.cycles) + t.tXP
        last = max((int(c) for c in own[:, Log.CYCLE] if c < since), default=0)
        assert since - last >= config.controller.power_down_cycles


@settings(max_examples=40, deadline=None)
@given(
    CONTROLLERS,
    st.lists(st.tuples(st.integers(0, 5000), st.integers(1, 40), st.booleans()), max_size=6),
    st.lists(st.integers(0, 60_000), max_size=12),
)
def test_a_memory_may_be_asked_at_any_moment(
    controller: dict[str, object], jobs: list[tuple[int, int, bool]], moments: list[int]
) -> None:
    """Waking it changes nothing, and the states of every moment add up."""
    config = configured(controller, 2, 1)
    period = config.clock.period_fs
    todo = [
        [Job(transfer(0, [64 * n], [n], is_write), think * period) for think, n, is_write in jobs]
    ]
    seen = []
    for wakes in ([], [m * period for m in moments]):
        memory = Dramsim3Memory(config, 1, 1, {})
        drive(memory, todo, wakes)
        for moment in sorted(moments):
            now = max(moment, 200_000)
            memory.advance(now * period)
            assert all_states(memory.background_at(now * period)) == 2 * now
        memory.finish(300_000 * period)
        counted = memory.counts()
        assert all_states(counted.background) == 2 * counted.cycles
        seen.append((counted.background, counted.cycles))
    assert seen[0] == seen[1]


def test_states_grow_from_moment_to_moment() -> None:
    """Asked while asleep, on waking, and awake: no state ever shrinks."""
    period = DDR4.clock.period_fs
    memory = Dramsim3Memory(DDR4, 1, 1, {})
    memory.submit(0, transfer(0, [5], [1], ready_fs=[1000 * period]))
    before = memory.background_at(0)
    for cycle in range(1, 1300):
        memory.advance(cycle * period)
        seen = memory.background_at(cycle * period)
        assert all_states(seen) == cycle
        # Bus time is no state: a burst is counted with the gap before its data when it is sent.
        states = vars(seen).keys() - {"bus_fs"}
        assert all(vars(seen)[state] >= vars(before)[state] for state in states)
        before = seen
    assert before.idle_power_down_rank_cycles == 1001 - IDLE
    assert before.active_power_down_rank_cycles > 0
