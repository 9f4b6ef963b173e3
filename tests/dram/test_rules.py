"""Each rule of distance is legal at its distance and illegal one cycle before.

Distances are worked out here from the standards' formulas and the numbers of each memory.
"""

from dataclasses import dataclass, replace

import pytest

from accelsim.dram.legality import LevelName, Violation, check
from accelsim.dram.rules.families import in_cycles
from accelsim.dram.rules.jedec import jedec_level
from accelsim.dram.rules.model import model_level
from tests.dram.scenarios import DDR4, FAR, GDDR6, LPDDR4, MEMORIES, A, Line, trace


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
    # The precharge of all banks is one of each open bank.
    ("tRAS", [A], ("PREA", 0, 0, 0), 52),
    ("tRTP", [A, (100, "RD", 0, 0, 0)], ("PREA", 0, 0, 0), 12),
    ("tWR", [A, (100, "WR", 0, 0, 0)], ("PREA", 0, 0, 0), 16 + 4 + 24),
    ("tRP", [A, (100, "PREA", 0, 0, 0)], ("ACT", 0, 3, 3), 22),
    ("tRP", [A, (100, "PREA", 0, 0, 0)], ("REF", 0, 0, 0), 22),
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
AWAKE = [(0, "SRE", 0, 0, 0), (50, "SRX", 0, 0, 0)]
SLEEP_FAULTS = [
    ("tRP", [A, (99, "PRE", 0, 0, 0)], ("SRE", 0, 0, 0), 22),
    ("tRP", [A, (99, "PREA", 0, 0, 0)], ("SRE", 0, 0, 0), 22),
    ("tRP after RDA", [A, (99, "RDA", 0, 0, 0)], ("SRE", 0, 0, 0), 12 + 22),
    ("tRP after WRA", [A, (99, "WRA", 0, 0, 0)], ("SRE", 0, 0, 0), 16 + 4 + 24 + 22),
    ("tCKESR", [(9, "SRE", 0, 0, 0)], ("SRX", 0, 0, 0), 8 + 1),
    ("tXS", AWAKE, ("ACT", 0, 2, 0), 560 + 16),
    ("tXS", AWAKE, ("REF", 0, 0, 0), 560 + 16),
]
FAULTS = [
    *(Fault("ddr4", *fault) for fault in DDR4_FAULTS),
    Fault("ddr4", "tRC", [A, (22, "RDA", 0, 0, 0)], ("ACT", 0, 0, 0), 52 + 22, 0),
    Fault("ddr4", "tRC", [A, (22, "RDA", 0, 0, 0)], ("REF", 0, 0, 0), 52 + 22, 0),
    Fault("ddr4", "tRP after RDA", [A, (90, "RDA", 0, 0, 0)], ("ACT", 0, 0, 0), 12 + 22),
    # JESD79-4B: CL - CWL + BL/2 + 1 + tWPRE.
    Fault("ddr4", "tRTW", [*OPEN, RD], ("WR", 0, 1, 0), 22 - 16 + 4 + 1 + 1),
    Fault("ddr4", "tRFC", [(100, "REF", 0, 0, 0)], ("PRE", 0, 0, 0), 560, levels=JEDEC),
    Fault("ddr4", "tRFC", [(100, "REF", 0, 0, 0)], ("PREA", 0, 0, 0), 560, levels=JEDEC),
    # Self refresh: tCKE 5 ns is 8 clocks, tXS is tRFC + 10 ns, the DLL locks in 1024.
    *(Fault("ddr4", *fault) for fault in SLEEP_FAULTS),
    Fault("ddr4", "tRFC", [(9, "REF", 0, 0, 0)], ("SRE", 0, 0, 0), 560),
    Fault("ddr4", "tRC", [A, (22, "RDA", 0, 0, 0)], ("SRE", 0, 0, 0), 52 + 22, 0),
    Fault("ddr4", "tXS", AWAKE, ("PRE", 0, 0, 0), 560 + 16, levels=JEDEC),
    Fault("ddr4", "tXSDLL", [*AWAKE, (700, "ACT", 0, 0, 0)], ("RD", 0, 0, 0), 1024, 1),
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
        "lpddr4", "tPPD", [A, (30, "ACT", 0, 0, 1), (FAR, "PRE", 0, 0, 0)], ("PREA", 0, 0, 0), 4
    ),
    # tRPab 21 ns is 33.6 clocks.
    Fault("lpddr4", "tRPab", [A, (99, "PREA", 0, 0, 0)], ("REFB", 0, 0, 5), 34),
    Fault("lpddr4", "tRPab", [A, (99, "PREA", 0, 0, 0)], ("REF", 0, 0, 0), 34),
    Fault("lpddr4", "tRPab", [A, (99, "PREA", 0, 0, 0)], ("ACT", 0, 0, 3), 34),
    Fault("lpddr4", "tRPab", [A, (99, "PREA", 0, 0, 0)], ("SRE", 0, 0, 0), 34),
    Fault("lpddr4", "tRFCpb", [(9, "REFB", 0, 0, 1)], ("PREA", 0, 0, 0), 144, levels=JEDEC),
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
    Fault("lpddr4", "tRC", [A, (29, "RDA", 0, 0, 0)], ("REFB", 0, 0, 0), 68 + 29, 0),
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
    Fault("lpddr4", "tRRD_S", [A], ("REFB", 0, 0, 1), 16, levels=MODEL),
    Fault("lpddr4", "tRFCb", [(9, "REFB", 0, 0, 1)], ("REF", 0, 0, 0), 144, levels=MODEL),
    Fault("lpddr4", "tRFCb", [(9, "REFB", 0, 0, 1)], ("SRE", 0, 0, 0), 144, levels=MODEL),
    Fault("lpddr4", "tCKESR", [(9, "SRE", 0, 0, 0)], ("SRX", 0, 0, 0), 24, levels=MODEL),
    Fault("lpddr4", "tXS", AWAKE, ("REFB", 0, 0, 4), 288 + 12, levels=MODEL),
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
    # The refreshed bank is one of four in tFAW 30: three ACTs at tRRD_S 4 leave 18.
    Fault("hbm2", "tFAW - 3 tRRD", [(9, "REFB", 0, 1, 1)], ("ACT", 0, 0, 0), 18, levels=MODEL),
    Fault("hbm2", "tFAW - 3 tRRD", [A], ("REFB", 0, 0, 1), 18, levels=MODEL),
    # HBM2 x64: tFAW 16 is four tRRD_S; tRRD_L 6.
    Fault("hbm2_x64", "tRREFD", [(9, "REFB", 0, 1, 1)], ("ACT", 0, 0, 0), 8),
    Fault("hbm2_x64", "tRRD_L", [A], ("REFB", 0, 0, 1), 6),
    Fault("hbm2_x64", "tRRD_S", [A], ("REFB", 0, 1, 1), 4),
    # DDR5-4800: burst 8, CL 40, CWL 38, tCCD 8 and 12, after writes of a group 24, tWTR 6 and
    # 24, tPPD 2, tRFC1 708; ACT, RD and WR take two clocks.
    Fault("ddr5", "tCCD_L_WR", [*OPEN[:3], WR], ("WR", 0, 0, 1), 24),
    Fault("ddr5", "tCCD_S", [*OPEN[:3], WR], ("WR", 0, 1, 0), 8),
    Fault("ddr5", "tCCD_L", [*OPEN[:3], RD], ("RD", 0, 0, 1), 12),
    Fault("ddr5", "tRTW", [*OPEN[:3], RD], ("WR", 0, 1, 0), 40 - 38 + 8 + 2 + 2),
    Fault("ddr5", "tWTR_S", [*OPEN[:3], WR], ("RD", 0, 1, 0), 38 + 8 + 6),
    Fault("ddr5", "tWTR_L", [*OPEN[:3], WR], ("RD", 0, 0, 1), 38 + 8 + 24),
    Fault("ddr5", "tPPD", [*OPEN[:3], (FAR, "PRE", 0, 0, 0)], ("PRE", 0, 1, 0), 2),
    Fault("ddr5", "tRFC", [(100, "REF", 0, 0, 0)], ("ACT", 0, 2, 1), 708),
    Fault("ddr5", "command bus", [(9, "PRE", 0, 1, 1)], ("ACT", 0, 0, 0), 2, levels=JEDEC),
    Fault("ddr5", "command bus", [A, (FAR, "PRE", 0, 1, 1)], ("RD", 0, 0, 0), 2, levels=JEDEC),
    Fault("ddr5", "command bus", [A], ("PRE", 0, 1, 1), 1, levels=JEDEC),
    # LPDDR5-6400: burst 2, RL 17, WL 9, tRP 15; tRPab 21 ns is 16.8 clocks, tWCKDQO 1.6 ns 1.3.
    Fault("lpddr5", "tRPab", [A, (99, "PREA", 0, 0, 0)], ("REF", 0, 0, 0), 17),
    Fault("lpddr5", "tRPab", [A, (99, "PREA", 0, 0, 0)], ("ACT", 0, 1, 0), 17),
    # tSR 15 ns, tXSR tRFCab + 7.5 ns.
    Fault("lpddr5", "tSR", [(9, "SRE", 0, 0, 0)], ("SRX", 0, 0, 0), 12, levels=JEDEC),
    Fault("lpddr5", "tXSR", AWAKE, ("ACT", 0, 0, 0), 224 + 6, levels=JEDEC),
    Fault("lpddr5", "tRTW", [*OPEN[:3], RD], ("WR", 0, 1, 0), 17 + 2 + 2 - 9),
    Fault("lpddr5", "command bus", [(9, "PRE", 0, 1, 1)], ("ACT", 0, 0, 0), 2, levels=JEDEC),
    # HBM3: burst 2, RL 20, WL 10, tRFCSB 320; tRREFD 8 ns is 12.8 clocks.
    Fault("hbm3", "tRTW", [*OPEN[:3], RD], ("WR", 0, 1, 0), 20 + 2 + 1 - 10, levels=JEDEC),
    Fault("hbm3", "row command bus", [(9, "PRE", 0, 1, 1)], ("ACT", 0, 0, 0), 2, levels=JEDEC),
    Fault("hbm3", "tRREFD", [(9, "REFB", 0, 1, 1)], ("REFB", 0, 1, 0), 13, levels=JEDEC),
    Fault("hbm3", "tRFCSB", [(9, "REFB", 0, 1, 1)], ("ACT", 0, 1, 1), 320, levels=JEDEC),
    # GDDR6 14 Gb/s: burst 2, RL 24, WL 6, tRRD 8, tPPD 1.
    Fault("gddr6_14000", "tRTW", [*OPEN[:3], RD], ("WR", 0, 1, 0), 24 + 2 + 1 - 6, levels=JEDEC),
    Fault("gddr6_14000", "tRRD_S", [A], ("ACT", 0, 1, 0), 8),
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
    Fault("ddr4 as DRAMsim3", "tRTW", [*OPEN, RD], ("WR", 0, 1, 0), 22 - 16 + 4 + 1, levels=MODEL),
    Fault("lpddr4 as DRAMsim3", "tRC", [A], ("REFB", 0, 0, 1), 68 + 29, levels=MODEL),
    *(Fault("ddr4 as DRAMsim3", *fault, levels=MODEL) for fault in SLEEP_FAULTS),
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
def test_a_bank_that_closes_by_itself_does_not_hold_back_the_precharge_of_all(
    level: LevelName,
) -> None:
    lines = [A, (30, "ACT", 0, 1, 0), (52, "RDA", 0, 1, 0), (60, "PREA", 0, 0, 0)]
    assert check(DDR4, trace(*lines), level) == ()
    lines[2] = (52, "RD", 0, 1, 0)
    assert [v.rule for v in check(DDR4, trace(*lines), level, True)] == ["tRAS", "tRTP"]


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
    for level in ("model", "jedec"):
        assert check(slow, trace(*lines, (3250, "ACT", 0, 0, 0)), level) == ()
        (found,) = check(slow, trace(*lines, (3249, "ACT", 0, 0, 0)), level, True)
        assert (found.rule, found.required_cycles, found.actual_cycles) == ("t32AW", 3250, 3249)


def test_a_read_after_a_write_to_another_rank_leaves_the_bus_free() -> None:
    """Data of the write ends at 16 + 4, that of the read begins at 22: only a slow device waits."""
    slow = replace(DDR4, timing=replace(DDR4.timing, CL=17))
    for level in ("model", "jedec"):
        turn = 16 + 4 + 1 - 17
        assert check(slow, trace(*OPEN, WR, (FAR + turn, "RD", 1, 0, 0)), level) == ()
        late = check(slow, trace(*OPEN, WR, (FAR + turn - 1, "RD", 1, 0, 0)), level, True)
        assert [v.rule for v in late] == ["tRTRS"]


def test_every_rule_of_every_table_has_a_fault_that_names_it() -> None:
    for name, memory in MEMORIES.items():
        names = {fault.rule for fault, level in CASES if level == "model"}
        own = {"t32AW", "tFAW"}
        assert {r.name for r in model_level(memory).rules if r.cycles > 0} <= names | own, name
        names = {fault.rule for fault, level in CASES if level == "jedec"}
        assert {r.name for r in jedec_level(memory).rules if r.cycles > 0} <= names | own, name


def test_times_are_rounded_as_jesd79_4_rounds() -> None:
    """DDR4-1866: 15 ns are 14.006 clocks of 1.071 ns, which the standard takes for 14."""
    slow = replace(DDR4, timing=replace(DDR4.timing, tCK_ns=1.071))
    assert [in_cycles(ns, slow) for ns in (15.0, 15.05, 1.071)] == [14, 15, 1]
