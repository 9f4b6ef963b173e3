"""How late refreshes may come, and in which order."""

from accelsim.dram.legality import check
from accelsim.dram.rules.rule import STATE_NAMES, StateRule
from tests.dram.scenarios import DDR4, DDR4_ONE_RANK, DDR5, LPDDR4, Line, trace


def refreshes(*intervals: float, rank: int = 0) -> list[Line]:
    """REFs of one rank of DDR4, in multiples of tREFI (12480)."""
    return [(round(k * 12480), "REF", rank, 0, 0) for k in intervals]


def test_eight_refreshes_may_be_postponed_and_no_ninth() -> None:
    """The first is due after one tREFI, so at 9 tREFI nine are due: one must be issued."""
    assert check(DDR4_ONE_RANK, trace(*refreshes(9)), "jedec") == ()
    late = trace((9 * 12480 + 1, "REF", 0, 0, 0))
    found = check(DDR4_ONE_RANK, late, "jedec", True)
    assert {v.rule for v in found} == {"tREFI, postponed", "tREFI, apart"}
    assert {(v.required_cycles, v.actual_cycles) for v in found} == {(112320, 112321)}
    # Any command shows that the time has passed, and also one of another rank.
    for lines in ([(112321, "ACT", 0, 0, 0)], [*refreshes(5, rank=1), (112321, "ACT", 1, 0, 0)]):
        memory = DDR4_ONE_RANK if len(lines) == 1 else DDR4
        (found_one,) = check(memory, trace(*lines), "jedec", True)
        assert found_one.rule == "tREFI, postponed"


def test_ddr5_postpones_four_refreshes() -> None:
    """tREFI of 16 Gb is 9360 clocks at 4800 MT/s."""
    assert check(DDR5, trace((5 * 9360, "REF", 0, 0, 0)), "jedec") == ()
    found = check(DDR5, trace((5 * 9360 + 1, "REF", 0, 0, 0)), "jedec", True)
    assert {v.rule for v in found} == {"tREFI, postponed", "tREFI, apart"}
    # Four in advance count, and a fifth does not.
    early = [(k * 800, "REF", 0, 0, 0) for k in range(1, 6)]
    assert check(DDR5, trace(*early, (9 * 9360, "PRE", 0, 0, 0)), "jedec") == ()
    late = check(DDR5, trace(*early, (9 * 9360 + 1, "PRE", 0, 0, 0)), "jedec")
    assert [v.rule for v in late] == ["tREFI, postponed"]


def test_postponed_refreshes_must_be_made_up_for() -> None:
    """One refresh at 9 tREFI allows one more tREFI; two allow two."""
    memory = DDR4_ONE_RANK
    assert check(memory, trace(*refreshes(9, 10, 11, 12)), "jedec") == ()
    late = trace(*refreshes(9, 10), (11 * 12480 + 1, "REF", 0, 0, 0))
    assert [v.rule for v in check(memory, late, "jedec", True)] == ["tREFI, postponed"]
    twice = refreshes(9, 9.1, 11, 11.1)
    assert check(memory, trace(*twice), "jedec") == ()


def test_refreshes_in_advance_count_up_to_eight_and_never_allow_a_longer_pause() -> None:
    memory = DDR4_ONE_RANK
    early = refreshes(*(0.1 * k for k in range(1, 9)))
    assert check(memory, trace(*early, *refreshes(9.8)), "jedec") == ()
    (found,) = check(memory, trace(*early, *refreshes(9.8001)), "jedec", True)
    assert (found.rule, found.required_cycles, found.actual_cycles) == (
        "tREFI, apart",
        9 * 12480,
        9 * 12480 + 1,
    )
    # Ten in advance are worth eight, and make nine with the next: the tenth has until 18 tREFI.
    ten = refreshes(*(0.05 * k for k in range(1, 11)))
    assert check(memory, trace(*ten, *refreshes(9.5, 18)), "jedec") == ()
    over = trace(*ten, *refreshes(9.5), (18 * 12480 + 1, "PRE", 0, 0, 0))
    assert [v.rule for v in check(memory, over, "jedec")] == ["tREFI, postponed"]


def test_nothing_is_due_in_self_refresh_and_it_begins_with_a_refresh() -> None:
    """Awake for ten tREFI, of which one was refreshed at 5."""
    sleep = [(5 * 12480, "SRE", 0, 0, 0), (105 * 12480, "SRX", 0, 0, 0)]
    assert check(DDR4_ONE_RANK, trace(*sleep, *refreshes(110)), "jedec") == ()
    late = trace(*sleep, (110 * 12480 + 1, "REF", 0, 0, 0))
    assert [v.rule for v in check(DDR4_ONE_RANK, late, "jedec", True)] == ["tREFI, postponed"]


def test_banks_are_refreshed_in_turn() -> None:
    turn = [(780 * k, "REFB", 0, 0, k) for k in (5, 1, 2, 3, 4, 0, 6, 7)]
    turn = [(780 * (k + 1), *line[1:]) for k, line in enumerate(turn)]
    again = (780 * 9, "REFB", 0, 0, 5)
    assert check(LPDDR4, trace(*turn, again), "jedec") == ()
    (found,) = check(LPDDR4, trace(*turn[:-1], again), "jedec", True)
    assert found.rule == STATE_NAMES[StateRule.BANK_TWICE]
    assert found.first is not None and found.first.index == 0
    # A refresh of the rank begins a new turn, and so does self refresh.
    asleep = [(780 * 4 + 9, "SRE", 0, 0, 0), (780 * 6, "SRX", 0, 0, 0)]
    assert check(LPDDR4, trace(*turn[:3], *asleep, (780 * 7, "REFB", 0, 0, 5)), "jedec") == ()
    begun = [*turn[:3], (780 * 5, "REF", 0, 0, 0), (780 * 6, "REFB", 0, 0, 5)]
    assert check(LPDDR4, trace(*begun), "jedec") == ()
