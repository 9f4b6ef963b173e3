"""Open banks over time, against the commands that open and close them."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accelsim.dram.command import COMMANDS
from accelsim.dram.config import DramConfig
from accelsim.dram.parameters import ControllerName
from accelsim.dram.replay import ReplayResult, replay
from accelsim.dram.standard import STANDARDS
from accelsim.dram.system import PagePolicy
from accelsim.dram.traces.patterns import PATTERNS
from accelsim.dram.traces.requests import Requests
from tests.dram import golden
from tests.dram.states import with_open_banks

CLOSES = ("precharge", "read_p", "write_p")


def bank_cycles(result: ReplayResult, banks_per_group: int) -> int:
    """Cycles between the command that opens each bank and the one that closes it."""
    opened: dict[tuple[int, int, int], int] = {}
    total = 0
    for cycle, code, channel, rank, group, bank, _, _ in result.commands.tolist():
        where = channel, rank, group * banks_per_group + bank
        if COMMANDS[code] == "activate":
            opened[where] = cycle
        elif COMMANDS[code] in CLOSES:
            total += cycle - opened.pop(where)
        elif COMMANDS[code] == "precharge_all":
            for each in [each for each in opened if each[:2] == (channel, rank)]:
                total += cycle - opened.pop(each)
    return total + sum(result.cycles - cycle for cycle in opened.values())


def check(config: DramConfig, requests: Requests, controller: ControllerName = "dramsim3") -> None:
    result = replay(config, requests, True, controller)
    o = config.organisation
    assert result.open_bank_cycles == bank_cycles(result, o.banks_per_group)
    active = with_open_banks(result)
    assert active <= result.open_bank_cycles <= active * o.banks


@pytest.mark.parametrize("pattern", list(PATTERNS))
@pytest.mark.parametrize("controller", ["dramsim3", "ramulator"])
def test_open_banks_are_those_between_activate_and_precharge(
    pattern: str, controller: ControllerName
) -> None:
    config = STANDARDS["ddr4_3200_x64"].config(2)
    check(config, PATTERNS[pattern](config, 3000), controller)


@pytest.mark.parametrize("name", ["DDR4_8Gb_x8_3200", "HBM2_8Gb_x128_1ch"])
def test_imported_files_count_them_too(name: str) -> None:
    config = golden.config(name)
    check(config, golden.requests("c_3stream", config))


@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from(list(STANDARDS)),
    st.sampled_from(["open", "close"]),
    st.sampled_from([1, 30, 2000]),
    st.integers(0, 2**32 - 1),
)
def test_open_banks_of_any_memory_and_page_policy(
    name: str, page_policy: PagePolicy, gap_cycles: int, seed: int
) -> None:
    config = STANDARDS[name].config(page_policy=page_policy)
    config = replace(config, organisation=replace(config.organisation, ranks=2))
    rng = np.random.default_rng(seed)
    line = rng.integers(0, config.n_lines, 300)
    arrival = np.cumsum(rng.integers(0, gap_cycles, 300))
    check(config, Requests(line * config.line_bytes, rng.integers(0, 2, 300), arrival))


def test_one_read_keeps_one_bank_open_to_the_end() -> None:
    config = STANDARDS["ddr4_2400_x16"].config()
    result = replay(config, Requests(np.array([0]), np.array([0]), np.array([0])), True)
    activated = int(result.commands[0, 0])
    assert result.open_bank_cycles == result.active_rank_cycles == result.cycles - activated
