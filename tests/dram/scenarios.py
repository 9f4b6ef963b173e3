"""Short command traces by hand, and the memories that they are for."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from accelsim.dram.command import Command
from accelsim.dram.config import DramConfig
from accelsim.dram.rules.rule import WHOLE_RANK
from accelsim.dram.standard import STANDARDS
from tests.dram import golden

Line = tuple[int, str, int, int, int]
"""(cycle, command, rank, bank group, bank); rows are 7 unless the command says RD9."""


def with_ranks(config: DramConfig, ranks: int = 2) -> DramConfig:
    return replace(config, organisation=replace(config.organisation, ranks=ranks))


DDR4 = with_ranks(STANDARDS["ddr4_3200_x64"].config())
DDR4_ONE_RANK = with_ranks(DDR4, 1)
LPDDR4 = STANDARDS["lpddr4_3200_x16"].config()
HBM2 = STANDARDS["hbm2_2000"].config()
DDR3 = golden.config("DDR3_8Gb_x8_1600")
GDDR6 = golden.config("GDDR6_8Gb_x16_bus32")
MEMORIES = {"ddr4": DDR4, "lpddr4": LPDDR4, "hbm2": HBM2, "ddr3": DDR3, "gddr6": GDDR6}
DDR5 = STANDARDS["ddr5_4800_x32"].config()
MEMORIES["ddr5"] = DDR5
MEMORIES["lpddr5"] = STANDARDS["lpddr5_6400_x16"].config()
MEMORIES["hbm3"] = STANDARDS["hbm3_6400_x32"].config()
MEMORIES["hbm2_x64"] = STANDARDS["hbm2_2000_x64"].config()
MEMORIES["gddr6_14000"] = STANDARDS["gddr6_14000_x16"].config()
MEMORIES["hbm2 of two ranks"] = with_ranks(HBM2)
MEMORIES["ddr4 as DRAMsim3"] = replace(DDR4, compat="dramsim3")
MEMORIES["lpddr4 as DRAMsim3"] = replace(LPDDR4, compat="dramsim3")

A: Line = (0, "ACT", 0, 0, 0)
FAR = 200
"""Rows that were opened by cycle 60 may now be read and written."""


def trace(*lines: Line) -> NDArray[np.int64]:
    rows = []
    for cycle, word, rank, group, bank in lines:
        row = int(word.lstrip("ACTPREDWFBSX") or 7)
        command = Command[word.rstrip("0123456789")]
        whole = command in WHOLE_RANK
        place = (rank, -1, -1, -1, -1) if whole else (rank, group, bank, row, 0)
        rows.append((cycle, command, 0, *place))
    return np.array(rows, np.int64).reshape(-1, 8)
