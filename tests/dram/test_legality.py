"""The judge of command traces: each rule is legal at its distance and illegal one cycle before.

Distances are worked out here from the standards' formulas and the numbers of each memory.
"""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from numpy.typing import NDArray

from accelsim.dram import legality
from accelsim.dram.config import DramConfig
from accelsim.dram.legality import LevelName, Violation, check
from accelsim.dram.rules.jedec import jedec_level
from accelsim.dram.rules.judge import judge
from accelsim.dram.rules.model import model_level
from accelsim.dram.rules.rule import NAMES, STATE_NAMES, Command, State
from accelsim.dram.standard import STANDARDS
from accelsim.dram.state import COMMANDS
from accelsim.errors import ConfigError, DramTraceError, UnknownNameError
from tests.dram import golden

Line = tuple[int, str, int, int, int]
"""(cycle, command, rank, bank group, bank); rows are 7 unless the command says RD9."""


def with_ranks(config: DramConfig, ranks: int = 2) -> DramConfig:
    return replace(config, organisation=replace(config.organisation, ranks=ranks))


DDR4 = with_ranks(STANDARDS["ddr4_3200_x64"].config())
LPDDR4 = STANDARDS["lpddr4_3200_x16"].config()
HBM2 = STANDARDS["hbm2_2000"].config()
DDR3 = golden.config("DDR3_8Gb_x8_1600")
GDDR6 = golden.config("GDDR6_8Gb_x16_bus32")
MEMORIES = {"ddr4": DDR4, "lpddr4": LPDDR4, "hbm2": HBM2, "ddr3": DDR3, "gddr6": GDDR6}
MEMORIES["hbm2 of two ranks"] = with_ranks(HBM2)
MEMORIES["ddr4 as DRAMsim3"] = replace(DDR4, compat="dramsim3")
MEMORIES["lpddr4 as DRAMsim3"] = replace(LPDDR4, compat="dramsim3")


def trace(*lines: Line) -> NDArray[np.int64]:
    rows = []
    for cycle, word, rank, group, bank in lines:
        row = int(word.lstrip("ACTPREDWFBSX") or 7)
        command = Command[word.rstrip("0123456789")]
        whole = command in (Command.REF, Command.SRE, Command.SRX)
        place = (rank, -1, -1, -1, -1) if whole else (rank, group, bank, row, 0)
        rows.append((cycle, command, 0, *place))
    return np.array(rows, np.int64).reshape(-1, 8)


@dataclass(frozen=True)
class Fault:
    """``then`` is legal ``cycles`` after line ``first`` of ``before``, and not one earlier."""

    memory: str
    rule: str
    before: list[Line]
    then: tuple[str, int, int, int]
    cycles: int
    first: int = -1
    levels: tuple[LevelName, ...] = ("model", "jedec")

    def __str__(self) -> str:
        return f"{self.memory}, {self.rule}: {self.before[self.first][1]} to {self.then[0]}"


A, FAR = (0, "ACT", 0, 0, 0), 200
OPEN = [A, (20, "ACT", 0, 1, 0), (40, "ACT", 0, 0, 1), (60, "ACT", 1, 0, 0)]
RD, WR = (FAR, "RD", 0, 0, 0), (FAR, "WR", 0, 0, 0)
MODEL, JEDEC = ("model",), ("jedec",)
# DDR4-3200: burst 4, CL 22, CWL 16, tRCD 22, tRP 22, tRAS 52, tRRD 4 and 8, tFAW 34,
# tCCD 4 and 8, tWTR 4 and 12, tWR 24, tRTP 12, tRTRS 1, tRFC 560.
DDR4_FAULTS = [
    ("tRCD", [A], ("RD", 0, 0, 0), 22),
    ("tRCD", [A], ("WR", 0, 0, 0), 22),
    ("tRCD", [A], ("RDA", 0, 0, 0), 22),
    ("tRCD", [A], ("WRA", 0, 0, 0), 22),
    ("tRAS", [A], ("PRE", 0, 0, 0), 52),
    ("tRP", [A, (100, "PRE", 0, 0, 0)], ("ACT", 0, 0, 0), 22),
    ("tRRD_S", [A], ("ACT", 0, 1, 0), 4),
    ("tRRD_L", [A], ("ACT", 0, 0, 1), 8),
    ("tRTP", [A, (100, "RD", 0, 0, 0)], ("PRE", 0, 0, 0), 12),
    ("tWR", [A, (100, "WR", 0, 0, 0)], ("PRE", 0, 0, 0), 16 + 4 + 24),
    ("tRP after WRA", [A, (100, "WRA", 0, 0, 0)], ("ACT", 0, 0, 0), 16 + 4 + 24 + 22),
    ("tRP after WRA", [A, (100, "WRA", 0, 0, 0)], ("REF", 0, 0, 0), 16 + 4 + 24 + 22),
    ("tRP after RDA", [A, (100, "RDA", 0, 0, 0)], ("REF", 0, 0, 0), 12 + 22),
    ("tRP", [A, (100, "PRE", 0, 0, 0)], ("REF", 0, 0, 0), 22),
    ("tRFC", [(100, "REF", 0, 0, 0)], ("ACT", 0, 2, 1), 560),
    ("tRFC", [(100, "REF", 0, 0, 0)], ("REF", 0, 0, 0), 560),
    ("tCCD_S", [*OPEN, RD], ("RD", 0, 1, 0), 4),
    ("tCCD_L", [*OPEN, RD], ("RD", 0, 0, 1), 8),
    ("tCCD_L", [*OPEN, RD], ("RD", 0, 0, 0), 8),
    ("tCCD_S", [*OPEN, WR], ("WR", 0, 1, 0), 4),
    ("tCCD_L", [*OPEN, WR], ("WR", 0, 0, 1), 8),
    ("tWTR_S", [*OPEN, WR], ("RD", 0, 1, 0), 16 + 4 + 4),
    ("tWTR_L", [*OPEN, WR], ("RD", 0, 0, 1), 16 + 4 + 12),
    ("tRTRS", [*OPEN, RD], ("RD", 1, 0, 0), 4 + 1),
    ("tRTRS", [*OPEN, RD], ("WR", 1, 0, 0), 22 + 4 + 1 - 16),
    ("data bus", [*OPEN, WR], ("WR", 1, 0, 0), 4),
    ("command bus", [A], ("ACT", 1, 0, 0), 1),
]
FAULTS = [
    *(Fault("ddr4", *fault) for fault in DDR4_FAULTS),
    Fault("ddr4", "tRC", [A, (22, "RDA", 0, 0, 0)], ("ACT", 0, 0, 0), 52 + 22, 0),
    Fault("ddr4", "tRC", [A, (22, "RDA", 0, 0, 0)], ("REF", 0, 0, 0), 52 + 22, 0, JEDEC),
    Fault("ddr4", "tRP after RDA", [A, (90, "RDA", 0, 0, 0)], ("ACT", 0, 0, 0), 12 + 22),
    # JESD79-4B: CL - CWL + BL/2 + 1 + tWPRE; the controller leaves tRTRS.
    Fault("ddr4", "tRTW", [*OPEN, RD], ("WR", 0, 1, 0), 22 - 16 + 4 + 1 + 1, levels=JEDEC),
    Fault("ddr4", "tRTW", [*OPEN, RD], ("WR", 0, 1, 0), 22 - 16 + 4 + 1, levels=MODEL),
    Fault("ddr4", "tRFC", [(100, "REF", 0, 0, 0)], ("PRE", 0, 0, 0), 560, levels=JEDEC),
    Fault("ddr4", "tRFC", [(100, "REF", 0, 0, 0)], ("SRE", 0, 0, 0), 560, levels=JEDEC),
    # Self refresh: tCKE 5 ns is 8 clocks, tXS is tRFC + 10 ns, the DLL locks in 1024.
    Fault("ddr4", "tRP", [A, (99, "PRE", 0, 0, 0)], ("SRE", 0, 0, 0), 22, levels=JEDEC),
    Fault("ddr4", "tCKESR", [(9, "SRE", 0, 0, 0)], ("SRX", 0, 0, 0), 8 + 1, levels=JEDEC),
    Fault(
        "ddr4", "tXS", [(0, "SRE", 0, 0, 0), (50, "SRX", 0, 0, 0)], ("ACT", 0, 0, 0), 560 + 16,
        levels=JEDEC,
    ),
    Fault(
        "ddr4", "tXSDLL",
        [(0, "SRE", 0, 0, 0), (50, "SRX", 0, 0, 0), (700, "ACT", 0, 0, 0)],
        ("RD", 0, 0, 0), 1024, 1, JEDEC,
    ),
    # DDR3-1600: burst 4, CL 11, CWL 8; 512 clocks to lock; no bank groups.
    Fault("ddr3", "tRTW", [A, (FAR, "RD", 0, 0, 0)], ("WR", 0, 0, 0), 11 - 8 + 4 + 2, levels=JEDEC),
    Fault("ddr3", "tCCD", [A, (FAR, "RD", 0, 0, 0)], ("RD", 0, 0, 0), 4),
    Fault(
        "ddr3", "tXSDLL",
        [(0, "SRE", 0, 0, 0), (50, "SRX", 0, 0, 0), (420, "ACT", 0, 0, 0)],
        ("RD", 0, 0, 0), 512, 1, JEDEC,
    ),
    # LPDDR4-3200: burst 8, RL 28, WL 14, tRRD 16, tRP 29, tRAS 68, tRTP 12, tRFCab 288,
    # tRFCpb 144, tPPD 4; tDQSCK 3.5 ns is 6 clocks, tWPRE 2.
    Fault("lpddr4", "tRRD", [A], ("ACT", 0, 0, 1), 16),
    Fault("lpddr4", "tRTW", [A, (FAR, "RD", 0, 0, 0)], ("WR", 0, 0, 0), 28 + 6 + 8 - 14 + 2),
    Fault("lpddr4", "tWTR", [A, (FAR, "WR", 0, 0, 0)], ("RD", 0, 0, 0), 14 + 8 + 17),
    Fault("lpddr4", "tRTP", [A, (FAR, "RD", 0, 0, 0)], ("PRE", 0, 0, 0), 12),
    Fault(
        "lpddr4", "tPPD", [A, (30, "ACT", 0, 0, 1), (FAR, "PRE", 0, 0, 0)], ("PRE", 0, 0, 1), 4
    ),
    Fault(
        "lpddr4", "command bus", [(9, "PRE", 0, 0, 1)], ("ACT", 0, 0, 0), 4, levels=JEDEC
    ),
    Fault(
        "lpddr4", "command bus", [A, (60, "ACT", 0, 0, 1)], ("PRE", 0, 0, 2), 2, levels=JEDEC
    ),
    Fault("lpddr4", "tRFCpb", [(9, "REFB", 0, 0, 1)], ("ACT", 0, 0, 1), 144, levels=JEDEC),
    Fault("lpddr4", "tRFCpb", [(9, "REFB", 0, 0, 1)], ("REFB", 0, 0, 2), 144, levels=JEDEC),
    Fault("lpddr4", "tRFCpb", [(9, "REFB", 0, 0, 1)], ("REF", 0, 0, 0), 144, levels=JEDEC),
    Fault("lpddr4", "tRRD", [(9, "REFB", 0, 0, 1)], ("ACT", 0, 0, 0), 16, levels=JEDEC),
    Fault("lpddr4", "tRRD", [A], ("REFB", 0, 0, 1), 16, levels=JEDEC),
    Fault("lpddr4", "tRFC", [(9, "REF", 0, 0, 0)], ("REFB", 0, 0, 2), 288),
    Fault("lpddr4", "tRP", [A, (99, "PRE", 0, 0, 0)], ("REFB", 0, 0, 0), 29),
    Fault(
        "lpddr4", "tRC", [A, (29, "RDA", 0, 0, 0)], ("REFB", 0, 0, 0), 68 + 29, 0, levels=JEDEC
    ),
    Fault("lpddr4", "tRP after RDA", [A, (99, "RDA", 0, 0, 0)], ("REFB", 0, 0, 0), 12 + 29),
    Fault(
        "lpddr4", "tRP after WRA", [A, (99, "WRA", 0, 0, 0)], ("REFB", 0, 0, 0),
        14 + 8 + 30 + 29,
    ),
    Fault("lpddr4", "tSR", [(9, "SRE", 0, 0, 0)], ("SRX", 0, 0, 0), 24, levels=JEDEC),
    Fault(
        "lpddr4", "tXSR", [(0, "SRE", 0, 0, 0), (50, "SRX", 0, 0, 0)], ("ACT", 0, 0, 0), 288 + 12,
        levels=JEDEC,
    ),
    # The controller's own table of bank refreshes.
    Fault("lpddr4", "tRFCb", [(9, "REFB", 0, 0, 1)], ("ACT", 0, 0, 1), 144, levels=MODEL),
    Fault("lpddr4", "tRFCb", [(9, "REFB", 0, 0, 1)], ("REFB", 0, 0, 2), 144, levels=MODEL),
    Fault("lpddr4", "tRRD_S", [(9, "REFB", 0, 0, 1)], ("ACT", 0, 0, 0), 16, levels=MODEL),
    Fault("lpddr4", "tRC", [A], ("REFB", 0, 0, 1), 68 + 29, levels=MODEL),
    # HBM2: burst 2, RL 14, WL 4, tCCD 1 and 2, tWTR 6 and 8, tWR 16, tRTP 5, tRFCSB 200.
    Fault("hbm2", "tRTW", [A, (FAR, "RD", 0, 0, 0)], ("WR", 0, 0, 0), 14 + 2 - 4 + 1, levels=JEDEC),
    Fault(
        "hbm2", "data bus", [A, (9, "ACT", 0, 1, 0), (FAR, "RD", 0, 0, 0)], ("RD", 0, 1, 0), 2,
        levels=JEDEC,
    ),
    Fault("hbm2", "tWR", [A, (FAR, "WR", 0, 0, 0)], ("RDA", 0, 0, 0), 4 + 2 + 16 - 5, levels=JEDEC),
    Fault("hbm2", "row command bus", [(9, "PRE", 0, 1, 1)], ("ACT", 0, 0, 0), 2, levels=JEDEC),
    Fault(
        "hbm2", "row command bus",
        [A, (20, "ACT", 0, 1, 1), (99, "PRE", 0, 0, 0)], ("PRE", 0, 1, 1), 1,
    ),
    Fault(
        "hbm2 of two ranks", "column command bus",
        [A, (9, "ACT", 1, 0, 0), (FAR, "WR", 0, 0, 0)], ("RD", 1, 0, 0), 1,
    ),
    Fault("hbm2", "tRFCSB", [(9, "REFB", 0, 1, 1)], ("ACT", 0, 1, 1), 200, levels=JEDEC),
    Fault("hbm2", "tRREFD", [(9, "REFB", 0, 1, 1)], ("REFB", 0, 1, 0), 8, levels=JEDEC),
    Fault("hbm2", "tRREFD", [(9, "REFB", 0, 1, 1)], ("ACT", 0, 0, 0), 8, levels=JEDEC),
    Fault("hbm2", "tRRD_L", [A], ("REFB", 0, 0, 1), 6, levels=JEDEC),
    Fault("hbm2", "tRRD_S", [A], ("REFB", 0, 1, 1), 4, levels=JEDEC),
    # DRAMsim3: the burst before the ACT after an RDA, and refreshes that hit other banks.
    Fault(
        "ddr4 as DRAMsim3", "tRP after RDA", [A, (99, "RDA", 0, 0, 0)], ("ACT", 0, 0, 0),
        12 + 4 + 22, levels=MODEL,
    ),
    Fault(
        "lpddr4 as DRAMsim3", "tRFC", [(9, "REFB", 0, 0, 1)], ("ACT", 0, 0, 0), 288,
        levels=MODEL,
    ),
    Fault(
        "lpddr4 as DRAMsim3", "tREFI", [(9, "REFB", 0, 0, 1)], ("REFB", 0, 0, 0), 6246,
        levels=MODEL,
    ),
]  # fmt: skip
CASES = [(fault, level) for fault in FAULTS for level in fault.levels]


def judged(fault: Fault, level: LevelName, cycles: int) -> tuple[Violation, ...]:
    cycle = fault.before[fault.first][0] + cycles
    word, *place = fault.then
    return check(MEMORIES[fault.memory], trace(*fault.before, (cycle, word, *place)), level, True)


@pytest.mark.parametrize(("fault", "level"), CASES, ids=str)
def test_a_rule_holds_to_the_cycle(fault: Fault, level: LevelName) -> None:
    assert judged(fault, level, fault.cycles) == ()
    found = judged(fault, level, fault.cycles - 1)
    assert [(v.rule, v.required_cycles, v.actual_cycles) for v in found] == [
        (fault.rule, fault.cycles, fault.cycles - 1)
    ]
    assert found[0].first is not None
    assert found[0].first.index == fault.first % len(fault.before)
    assert found[0].second.index == len(fault.before)


@pytest.mark.parametrize("level", ["model", "jedec"])
def test_the_fifth_activate_waits_for_tfaw(level: LevelName) -> None:
    four = [(4 * i, "ACT", 0, i, 0) for i in range(4)]
    assert check(DDR4, trace(*four, (34, "ACT", 0, 0, 1)), level) == ()
    (found,) = check(DDR4, trace(*four, (33, "ACT", 0, 0, 1)), level, True)
    assert (found.rule, found.required_cycles, found.actual_cycles) == ("tFAW", 34, 33)
    # Four on one rank leave the other free.
    assert check(DDR4, trace(*four, (16, "ACT", 1, 0, 0)), level) == ()


def test_a_refreshed_bank_counts_in_the_window_of_four() -> None:
    three = [(16 * i, "ACT", 0, 0, i) for i in range(3)]
    tight = [*three, (48, "REFB", 0, 0, 3)]
    slow = replace(LPDDR4, timing=replace(LPDDR4.timing, tFAW=80))
    assert check(slow, trace(*tight, (80, "ACT", 0, 0, 4)), "jedec") == ()
    assert [v.rule for v in check(slow, trace(*tight, (79, "ACT", 0, 0, 4)), "jedec")] == ["tFAW"]


def test_the_window_of_32_activates() -> None:
    """GDDR6, 16 banks of tRRD 5 or less: rows open and close for 32 ACTs."""
    slow = replace(GDDR6, timing=replace(GDDR6.timing, t32AW=32 * 100 + 50))
    lines = []
    for i in range(32):
        lines += [(100 * i, "ACT", 0, 0, i % 2), (100 * i + 90, "PRE", 0, 0, i % 2)]
    assert check(slow, trace(*lines, (3250, "ACT", 0, 0, 0)), "model") == ()
    (found,) = check(slow, trace(*lines, (3249, "ACT", 0, 0, 0)), "model", True)
    assert (found.rule, found.required_cycles, found.actual_cycles) == ("t32AW", 3250, 3249)


def test_a_read_after_a_write_to_another_rank_leaves_the_bus_free() -> None:
    """Data of the write ends at 16 + 4, that of the read begins at 22: only a slow device waits."""
    slow = replace(DDR4, timing=replace(DDR4.timing, CL=17))
    for level in ("model", "jedec"):
        turn = 16 + 4 + 1 - 17
        assert check(slow, trace(*OPEN, WR, (FAR + turn, "RD", 1, 0, 0)), level) == ()
        late = check(slow, trace(*OPEN, WR, (FAR + turn - 1, "RD", 1, 0, 0)), level, True)
        assert [v.rule for v in late] == ["tRTRS"]


STATES = [
    (State.ACT_OPEN, [A, (FAR, "ACT", 0, 0, 0)]),
    (State.COLUMN_CLOSED, [(9, "RD", 0, 0, 0)]),
    (State.COLUMN_CLOSED, [A, (FAR, "WR9", 0, 0, 0)]),
    (State.COLUMN_CLOSED, [A, (FAR, "RDA", 0, 0, 0), (300, "RD", 0, 0, 0)]),
    (State.COLUMN_CLOSED, [A, (FAR, "PRE", 0, 0, 0), (300, "WRA", 0, 0, 0)]),
    (State.REF_OPEN, [A, (FAR, "REF", 0, 0, 0)]),
    (State.REF_OPEN, [A, (FAR, "SRE", 0, 0, 0)]),
    (State.IN_SELF_REFRESH, [(9, "SRE", 0, 0, 0), (FAR, "ACT", 0, 0, 0)]),
    (State.IN_SELF_REFRESH, [(9, "SRE", 0, 0, 0), (FAR, "SRE", 0, 0, 0)]),
    (State.NOT_IN_SELF_REFRESH, [(9, "SRX", 0, 0, 0)]),
    (State.NOT_A_COMMAND, [(9, "REFB", 0, 0, 0)]),
    (
        State.NO_REF_SINCE_SRX,
        [(9, "SRE", 0, 0, 0), (FAR, "SRX", 0, 0, 0), (5000, "SRE", 0, 0, 0)],
    ),
]


@pytest.mark.parametrize(("state", "lines"), STATES, ids=str)
def test_a_state_forbids_a_command(state: State, lines: list[Line]) -> None:
    assert check(DDR4, trace(*lines[:-1]), "jedec") == ()
    (found,) = check(DDR4, trace(*lines), "jedec", True)
    assert (found.rule, found.required_cycles) == (STATE_NAMES[state], None)
    assert found.second.index == len(lines) - 1


def test_a_precharge_of_a_closed_bank_is_allowed_by_the_standard_alone() -> None:
    lines = trace((9, "PRE", 0, 0, 0))
    assert check(DDR4, lines, "jedec") == ()
    assert [v.rule for v in check(DDR4, lines, "model")] == [STATE_NAMES[State.PRE_CLOSED]]


def test_the_model_has_no_self_refresh_and_hbm_none_that_is_judged() -> None:
    for memory, level in ((DDR4, "model"), (HBM2, "jedec")):
        (found,) = check(memory, trace((9, "SRE", 0, 0, 0)), level, True)
        assert found.rule == STATE_NAMES[State.NOT_A_COMMAND]


def refreshes(*intervals: float, rank: int = 0) -> list[Line]:
    """REFs of one rank of DDR4, in multiples of tREFI (12480)."""
    return [(round(k * 12480), "REF", rank, 0, 0) for k in intervals]


DDR4_ONE_RANK = with_ranks(DDR4, 1)


def test_eight_refreshes_may_be_postponed_and_no_ninth() -> None:
    """The first is due after one tREFI, so at 9 tREFI nine are due: one must be issued."""
    assert check(DDR4_ONE_RANK, trace(*refreshes(9)), "jedec") == ()
    late = trace((9 * 12480 + 1, "REF", 0, 0, 0))
    found = check(DDR4_ONE_RANK, late, "jedec", True)
    assert {v.rule for v in found} == {"tREFI, 8 postponed", "tREFI, 9 apart"}
    assert {(v.required_cycles, v.actual_cycles) for v in found} == {(112320, 112321)}
    # Any command shows that the time has passed, and also one of another rank.
    for lines in ([(112321, "ACT", 0, 0, 0)], [*refreshes(5, rank=1), (112321, "ACT", 1, 0, 0)]):
        memory = DDR4_ONE_RANK if len(lines) == 1 else DDR4
        (found_one,) = check(memory, trace(*lines), "jedec", True)
        assert found_one.rule == "tREFI, 8 postponed"


def test_postponed_refreshes_must_be_made_up_for() -> None:
    """One refresh at 9 tREFI allows one more tREFI; two allow two."""
    memory = DDR4_ONE_RANK
    assert check(memory, trace(*refreshes(9, 10, 11, 12)), "jedec") == ()
    late = trace(*refreshes(9, 10), (11 * 12480 + 1, "REF", 0, 0, 0))
    assert [v.rule for v in check(memory, late, "jedec", True)] == ["tREFI, 8 postponed"]
    twice = refreshes(9, 9.1, 11, 11.1)
    assert check(memory, trace(*twice), "jedec") == ()


def test_refreshes_in_advance_count_up_to_eight_and_never_allow_a_longer_pause() -> None:
    memory = DDR4_ONE_RANK
    early = refreshes(*(0.1 * k for k in range(1, 9)))
    assert check(memory, trace(*early, *refreshes(9.8)), "jedec") == ()
    (found,) = check(memory, trace(*early, *refreshes(9.8001)), "jedec", True)
    assert (found.rule, found.required_cycles, found.actual_cycles) == (
        "tREFI, 9 apart",
        9 * 12480,
        9 * 12480 + 1,
    )
    # Ten in advance are worth eight, and make nine with the next: the tenth has until 18 tREFI.
    ten = refreshes(*(0.05 * k for k in range(1, 11)))
    assert check(memory, trace(*ten, *refreshes(9.5, 18)), "jedec") == ()
    over = trace(*ten, *refreshes(9.5), (18 * 12480 + 1, "PRE", 0, 0, 0))
    assert [v.rule for v in check(memory, over, "jedec")] == ["tREFI, 8 postponed"]


def test_nothing_is_due_in_self_refresh() -> None:
    sleep = [(5 * 12480, "SRE", 0, 0, 0), (105 * 12480, "SRX", 0, 0, 0)]
    assert check(DDR4_ONE_RANK, trace(*sleep, *refreshes(109)), "jedec") == ()
    late = trace(*sleep, (109 * 12480 + 1, "REF", 0, 0, 0))
    assert [v.rule for v in check(DDR4_ONE_RANK, late, "jedec", True)] == ["tREFI, 8 postponed"]


def test_banks_are_refreshed_in_turn() -> None:
    turn = [(780 * k, "REFB", 0, 0, k) for k in (5, 1, 2, 3, 4, 0, 6, 7)]
    turn = [(780 * (k + 1), *line[1:]) for k, line in enumerate(turn)]
    again = (780 * 9, "REFB", 0, 0, 5)
    assert check(LPDDR4, trace(*turn, again), "jedec") == ()
    (found,) = check(LPDDR4, trace(*turn[:-1], again), "jedec", True)
    assert found.rule == STATE_NAMES[State.BANK_TWICE]
    assert found.first is not None and found.first.index == 0
    # A refresh of the rank begins a new turn.
    begun = [*turn[:3], (780 * 5, "REF", 0, 0, 0), (780 * 6, "REFB", 0, 0, 5)]
    assert check(LPDDR4, trace(*begun), "jedec") == ()


def test_every_rule_of_every_table_has_a_fault_that_names_it() -> None:
    for name, memory in MEMORIES.items():
        names = {fault.rule for fault, level in CASES if level == "model"}
        own = {"t32AW", "tFAW"}
        assert {r.name for r in model_level(memory).rules if r.cycles > 0} <= names | own, name
        if memory.protocol != "GDDR6":
            names = {fault.rule for fault, level in CASES if level == "jedec"}
            assert {r.name for r in jedec_level(memory).rules if r.cycles > 0} <= names | own, name


def test_codes_and_words_are_those_of_the_controller() -> None:
    assert NAMES[: len(COMMANDS)] == COMMANDS


def test_one_command_can_break_several_rules() -> None:
    found = check(DDR4, trace(A, (1, "ACT", 0, 0, 0)), "jedec", find_all=True)
    assert [v.rule for v in found] == [STATE_NAMES[State.ACT_OPEN], "tRC", "tRRD_L"]
    assert check(DDR4, trace(A, (1, "ACT", 0, 0, 0)), "jedec") == found[:1]


def test_channels_are_judged_each_for_itself() -> None:
    two = STANDARDS["ddr4_2400_x16"].config(channels=2)
    lines = trace(A, (0, "ACT", 0, 0, 0), (17, "RD", 0, 0, 0), (17, "RD", 0, 0, 0))
    lines[1::2, 2] = 1
    assert check(two, lines) == check(two, lines, "jedec") == ()
    lines[3, 2] = 0
    assert check(two, lines)[0].rule == "command bus"


def test_sentences() -> None:
    found = check(DDR4, trace(A, (21, "RD", 0, 0, 0)))
    assert str(found[0]) == (
        "cycle 21: RD of channel 0, rank 0, bank group 0, bank 0 comes 21 cycles after "
        "ACT in cycle 0; tRCD is at least 22"
    )
    found = check(DDR4, trace(A, (99, "REF", 0, 0, 0)))
    assert str(found[0]) == (
        "cycle 99: REF of channel 0, rank 0 breaks the rule `refresh of closed banks` "
        "(since ACT in cycle 0)"
    )
    found = check(DDR4_ONE_RANK, trace((112321, "ACT", 0, 0, 0)), "jedec")
    assert str(found[0]).endswith(
        "comes 112321 cycles after the start; tREFI, 8 postponed is at most 112320"
    )


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ((0, 1, 99), "command 0: has command 99, not 0 to 9"),
        ((1, 3, 2), "command 1: has rank 2, not 0 to 1"),
        ((1, 5, -1), "command 1: has bank -1, not 0 to 3"),
        ((1, 6, 1 << 20), "command 1: has row 1048576, not 0 to 65535"),
        ((1, 0, -1), "command 1: has cycle -1"),
        ((0, 0, 30), "command 1: in cycle 22 follows one in cycle 30"),
    ],
)
def test_a_command_that_cannot_be_is_refused(change: tuple[int, int, int], sentence: str) -> None:
    lines = trace(A, (22, "RD", 0, 0, 0))
    row, column, value = change
    lines[row, column] = value
    with pytest.raises(DramTraceError, match=sentence):
        check(DDR4, lines)


def test_arrays_of_another_form_levels_and_families_that_are_not_there() -> None:
    with pytest.raises(DramTraceError, match="no row of 8 integers"):
        check(DDR4, np.zeros((3, 7), np.int64))
    with pytest.raises(UnknownNameError, match="'jedec'"):
        check(DDR4, trace(A), "jedek")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="no rules of GDDR6"):
        check(GDDR6, trace(A), "jedec")
    assert check(DDR4, np.zeros((0, 8), np.int64)) == ()


def test_compiled_and_plain_python_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(2)
    n = 400
    lines = np.zeros((n, 8), np.int64)
    lines[:, 0] = np.cumsum(rng.choice([0, 1, 5, 300, 9000, 130_000], n))
    lines[:, 1] = rng.integers(0, len(NAMES), n)
    for column, end in ((3, 2), (4, 4), (5, 4), (6, 2)):
        lines[:, column] = rng.integers(0, end, n)
    compiled = check(DDR4, lines, "jedec", find_all=True)
    assert {v.rule for v in compiled} >= set(STATE_NAMES.values()) - {"PRE of an open bank"}
    plain_parts(monkeypatch)
    assert check(DDR4, lines, "jedec", find_all=True) == compiled


def plain_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace the judge's compiled functions by their source."""
    from accelsim.dram.rules import judge as module

    monkeypatch.setattr(legality, "judge", judge.py_func)  # type: ignore[attr-defined]
    for name, value in vars(module).copy().items():
        if hasattr(value, "py_func"):
            monkeypatch.setattr(module, name, value.py_func)
