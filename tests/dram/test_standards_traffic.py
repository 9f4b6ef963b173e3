"""Each standard runs streams and random traffic, legally and as fast as its delays allow."""

import numpy as np
import pytest
from numpy.typing import NDArray

from accelsim.dram.command import COMMANDS, Log
from accelsim.dram.config import DramConfig
from accelsim.dram.parameters import P, parameters
from accelsim.dram.replay import ReplayResult, replay
from accelsim.dram.standard import STANDARDS
from accelsim.dram.traces.requests import Requests
from tests.dram.judging import assert_legal

each_standard = pytest.mark.parametrize("name", list(STANDARDS))
N = 8000


def run(config: DramConfig, lines: NDArray[np.int64], is_write: NDArray[np.int64]) -> ReplayResult:
    requests = Requests(lines * config.line_bytes, is_write, np.zeros(len(lines), np.int64))
    result = replay(config, requests, record_commands=True)
    assert_legal(config, result.commands)
    return result


def share_of_peak(config: DramConfig, result: ReplayResult) -> float:
    return (result.reads + result.writes) * config.timing.burst_cycles / result.cycles


@each_standard
@pytest.mark.parametrize("is_write", [False, True])
def test_a_stream_loses_little_more_than_refresh(name: str, is_write: bool) -> None:
    """With the default address map bank groups alternate, and rows open behind bursts.

    Before a refresh all banks close, one a cycle; behind it the first must open again.
    """
    config = STANDARDS[name].config()
    t = config.timing
    result = run(config, np.arange(N), np.full(N, int(is_write)))
    refreshing = result.refreshes * t.tRFC / result.cycles
    around = result.refreshes * (config.organisation.banks + t.tRP + t.tRCDRD) / result.cycles
    assert 0.98 - refreshing - around < share_of_peak(config, result) <= 1 - refreshing


@each_standard
def test_random_reads_are_bound_by_activates(name: str) -> None:
    """Each burst needs an ACT: one per tRRD_S, four per tFAW, one per bank and tRC."""
    config = STANDARDS[name].config()
    t = config.timing
    lines = np.random.default_rng(1).integers(0, config.n_lines, N)
    result = run(config, lines, np.zeros(N, np.int64))
    per_burst = max(t.burst_cycles, t.tRRD_S, t.tFAW / 4, t.tRC / config.organisation.banks)
    bound = t.burst_cycles / per_burst
    assert 0.8 * bound < share_of_peak(config, result) <= bound
    assert result.row_hits < 0.01 * N


@each_standard
def test_random_reads_and_writes_are_legal_and_all_answered(name: str) -> None:
    config = STANDARDS[name].config()
    rng = np.random.default_rng(2)
    result = run(config, rng.integers(0, config.n_lines, N // 2), rng.integers(0, 2, N // 2))
    assert (result.done_cycle > 0).all()


def gaps(result: ReplayResult, command: str, *where: Log) -> NDArray[np.int64]:
    """Cycles between successive commands of one kind with equal columns ``where``."""
    rows = result.commands[result.commands[:, Log.COMMAND] == COMMANDS.index(command)]
    places = np.unique(rows[:, where], axis=0) if where else [()]
    found = []
    for place in places:
        here = (rows[:, where] == place).all(axis=1) if where else np.full(len(rows), True)
        found.append(np.diff(rows[here, Log.CYCLE]))
    return np.concatenate(found)


def test_ddr5_writes_of_one_bank_group_keep_further_apart_than_reads() -> None:
    """JESD79-5: max(16 nCK, 10 ns) between writes of a group, max(8 nCK, 5 ns) between reads."""
    config = STANDARDS["ddr5_4800_x32"].config(address_map="rochrababgco")
    reads = run(config, np.arange(2000), np.zeros(2000, np.int64))
    writes = run(config, np.arange(2000), np.ones(2000, np.int64))
    assert gaps(reads, "read", Log.GROUP).min() == 12
    assert gaps(writes, "write", Log.GROUP).min() == 24


@pytest.mark.parametrize("name", ["ddr5_4800_x32", "hbm3_6400_x32", "lpddr5_6400_x16"])
def test_precharges_keep_tppd_apart(name: str) -> None:
    config = STANDARDS[name].config()
    lines = np.random.default_rng(3).integers(0, config.n_lines, 2000)
    result = run(config, lines, np.zeros(2000, np.int64))
    assert gaps(result, "precharge").min() == config.timing.tPPD == 2


def test_a_ddr4_memory_spaces_writes_of_a_group_as_reads() -> None:
    table = parameters(STANDARDS["ddr4_3200_x64"].config())
    assert table[P.WR_TO_WR_L] == table[P.RD_TO_RD_L] == 8
