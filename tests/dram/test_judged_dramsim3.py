"""DRAMsim3's own commands before the judge: legal at its level, and its faults by name."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from accelsim.dram.command import COMMANDS
from accelsim.dram.config import DramConfig
from accelsim.dram.legality import check
from accelsim.dram.rules.families import FAMILIES
from accelsim.dram.traces.command_trace import read_commands
from tests.dram import golden
from tests.dram.judging import is_fault_of_dramsim3, is_known
from tests.dram.test_variants import config, run_id, statistics, theirs

Run = tuple[DramConfig, NDArray[np.int64]]


def of_shipped_file(name: str) -> Run:
    memory = golden.config(name.rsplit(".", 1)[0])
    return memory, read_commands(golden.DATA / "commands" / f"{name}.csv.gz", memory).commands


def of_variant(row: dict[str, str]) -> Run:
    lines = [
        [int(cycle), COMMANDS.index(command), int(channel), *map(int, place)]
        for channel, cycle, command, *place in theirs(row)
    ]
    return config(row["name"]), np.array(lines, np.int64)


RUNS: dict[str, Callable[[], Run]] = {
    **{name: (lambda name=name: of_shipped_file(name)) for name in golden.COMMAND_TRACES},  # type: ignore[misc]
    **{run_id(row): (lambda row=row: of_variant(row)) for row in statistics()},  # type: ignore[misc]
}


@pytest.mark.parametrize("run", RUNS)
def test_what_dramsim3_issued_is_legal_at_its_own_level(run: str) -> None:
    assert check(*RUNS[run]()) == ()


def faults(run: str) -> Iterator[str]:
    """What the standards object to in one run, beyond what no controller here keeps."""
    memory, commands = RUNS[run]()
    if memory.protocol not in FAMILIES:
        return
    for found in check(memory, commands, "jedec", find_all=True):
        if not is_known(memory, found):
            assert is_fault_of_dramsim3(memory, found), str(found)
            yield found.rule


def test_the_standards_object_to_its_listed_faults_alone() -> None:
    assert {rule for run in RUNS for rule in faults(run)} == {
        "tRTW",  # tRTRS alone between the bursts of a read and a write
        "tRC",  # a refresh after an early auto-precharge
        "tRFCpb",  # a refreshed bank is not held back
        "tREFI, postponed",  # ranks that are never refreshed, and banks too seldom
        "tXSDLL",  # no DLL
    }
