"""How long data were on the bus: by hand for one burst, and never longer than time passes."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accelsim.dram.standard import STANDARDS
from tests.dram.driving import transfer
from tests.dram.test_memory import DDR4, PERIOD, each_policy, open_memory


def test_one_read_is_on_the_bus_for_its_burst() -> None:
    memory = open_memory()
    memory.submit(0, transfer(0, [5], [1]))
    (done,) = memory.advance(None)
    burst_fs = DDR4.timing.burst_cycles * PERIOD
    before, middle = done.arrived_fs - burst_fs, done.arrived_fs - PERIOD
    assert memory.background_at(before).bus_fs == 0
    assert memory.background_at(middle).bus_fs == burst_fs - PERIOD
    assert memory.background_at(done.arrived_fs).bus_fs == burst_fs
    assert memory.background_at(done.arrived_fs + 99 * PERIOD).bus_fs == burst_fs


@each_policy
@pytest.mark.parametrize("standard", ["ddr4_2400_x16", "hbm2_2000", "gddr6_14000_x16"])
@settings(deadline=None, max_examples=15)
@given(data=st.data())
def test_no_channel_is_busy_for_longer_than_time_passes(
    policy: str, standard: str, data: st.DataObject
) -> None:
    """Of all moments at which the memory was asked, the last may show less than one before."""
    config = STANDARDS[standard].config(data.draw(st.sampled_from([1, 2])))
    ranks = data.draw(st.sampled_from([1, 2]))
    config = replace(config, organisation=replace(config.organisation, ranks=ranks))
    memory = open_memory(policy, config, n_requesters=2)
    n_channels, period = config.organisation.channels, config.clock.period_fs
    now, busiest, n_lines, n_open = 0, 0, 0, 0
    for _ in range(data.draw(st.integers(1, 12))):
        lines = data.draw(st.integers(1, 40))
        first = data.draw(st.integers(0, 5000))
        is_write = data.draw(st.booleans())
        memory.submit(now, transfer(int(is_write), [first], [lines], is_write))
        n_lines, n_open = n_lines + lines, n_open + 1
        later = now + data.draw(st.integers(1, 60 * period))
        while done := memory.advance(later):
            n_open -= len(done)
        found = memory.background_at(later).bus_fs
        assert found <= busiest + n_channels * (later - now)
        now, busiest = later, max(busiest, found)
    while n_open:  # an idle memory would refresh for ever
        n_open -= len(memory.advance(None))
    end = memory.finish(now + 4000 * period)
    counts = memory.counts()
    bursts = sum(each.reads + each.writes for each in counts.by_label)
    assert counts.background.bus_fs == bursts * config.timing.burst_cycles * period
    assert bursts <= n_lines and counts.background.bus_fs <= n_channels * end
