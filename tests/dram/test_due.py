"""Who is served first: what is due first goes before it, and prefetches only fill gaps."""

import pytest

from accelsim.dram.memory import POLICIES, Completion, Transfer
from accelsim.dram.standard import STANDARDS
from tests.dram.driving import Job, drive, transfer

DDR4 = STANDARDS["ddr4_2400_x16"].config()
T, PERIOD = DDR4.timing, DDR4.clock.period_fs
FIRST, PREFETCH, WRITER = 0, 1, 2
START = (T.tREFI + 2 * T.tRFC) * PERIOD
"""A whole refresh interval lies ahead."""
each_policy = pytest.mark.parametrize("policy", list(POLICIES))


def read(requester: int, first: int, lines: int, due: int) -> Transfer:
    return transfer(requester, [first], [lines])._replace(due=due)


def play(policy: str, *jobs: tuple[Transfer, int], outstanding: int = 32) -> list[Completion]:
    """By transfer, in the order in which they are submitted."""
    by_requester: list[list[Job]] = [[], [], []]
    for each, at in jobs:
        by_requester[each.requester].append(Job(each, at))
    memory = POLICIES[policy](DDR4, 3, 1, {}, outstanding)
    return drive(memory, by_requester)


@each_policy
def test_a_prefetch_costs_what_is_due_first_only_the_lines_on_their_way(policy: str) -> None:
    """Fair turns would double the time of the 800 lines. When they come, 32 reads of the other
    are in flight, and controllers leave rows that still have hits late: 15 % (DRAMsim3's)."""
    urgent, late = read(FIRST, 0, 800, due=1), read(PREFETCH, 1 << 17, 4000, due=2)
    (alone,) = play(policy, (urgent, START))
    beside = play(policy, (late, 0), (urgent, START))[1]
    assert beside.arrived_fs - START <= 1.2 * (alone.arrived_fs - START)


@each_policy
def test_a_prefetch_takes_every_gap(policy: str) -> None:
    """The bus does not rest: both streams end when one of their common length would."""
    urgent, late = read(FIRST, 0, 400, due=1), read(PREFETCH, 1 << 17, 1600, due=2)
    together = play(policy, (late, 0), (urgent, START // 10))
    (whole,) = play(policy, (read(FIRST, 0, 2000, due=1), 0))
    assert max(c.arrived_fs for c in together) <= 1.03 * whole.arrived_fs
    (alone,) = play(policy, (late, 0))
    (at_once,) = play(policy, (late._replace(due=0), 0))
    assert alone == at_once


@each_policy
def test_a_write_that_is_due_first_waits_less_for_reads(policy: str) -> None:
    """In fair turns every line of the write waits for one of the full queues of reads."""
    late = read(PREFETCH, 1 << 17, 4000, due=2)
    took = []
    for due in (1, 2):
        write = transfer(WRITER, [1 << 16], [400], is_write=True)._replace(due=due)
        done = play(policy, (late, 0), (write, START), outstanding=128)
        took.append(done[1].arrived_fs - START)
    assert took[0] <= 0.75 * took[1]
