"""The one vector of events: its arithmetic, and that everybody who counts gives the same."""

from dataclasses import astuple, fields

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from accelsim.dram.events import NO_EVENTS, DramEvents
from accelsim.dram.memory import POLICIES
from accelsim.dram.replay import replay
from accelsim.dram.standard import STANDARDS
from accelsim.dram.traces.requests import Requests
from tests.dram.driving import transfer

vectors = st.builds(DramEvents, *[st.integers(0, 10**15)] * len(fields(DramEvents)))


@given(vectors, vectors)
def test_vectors_add_and_subtract_field_by_field(a: DramEvents, b: DramEvents) -> None:
    assert astuple(a + b) == tuple(x + y for x, y in zip(astuple(a), astuple(b), strict=True))
    assert (a + b) - b == a
    assert a + NO_EVENTS == a and a - a == NO_EVENTS


def test_a_vector_shows_what_it_counts() -> None:
    assert repr(DramEvents(reads=2, bus_fs=7)) == "DramEvents(reads=2, bus_fs=7)"
    assert eval(repr(NO_EVENTS)) == NO_EVENTS


def test_one_read_is_the_same_events_for_a_memory_and_for_a_replay() -> None:
    """One ACT and one RD; four cycles of data, as many as BL8 takes at two beats each."""
    config = STANDARDS["ddr4_2400_x16"].config()
    zero = np.zeros(1, np.int64)
    replayed = replay(config, Requests(zero, zero, zero))
    memory = POLICIES["dramsim3"](config, 1, 1, {})
    memory.submit(0, transfer(0, [0], [1]))
    memory.advance(None)
    memory.finish(0)
    counts = memory.counts()
    for seen in (replayed + NO_EVENTS, counts.by_label[0] + counts.background):
        assert (seen.activates, seen.precharges, seen.reads, seen.writes) == (1, 0, 1, 0)
        assert seen.bus_fs == 4 * config.clock.period_fs
        assert seen.active_rank_cycles == seen.open_bank_cycles
