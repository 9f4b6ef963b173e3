"""DRAMsim3's own output: configurations, request traces, command traces and statistics."""

import csv
import gzip
from functools import cache
from pathlib import Path

from accelsim.dram.command import COMMANDS
from accelsim.dram.config import DramConfig
from accelsim.dram.ini_files.read import read_ini
from accelsim.dram.replay import ReplayResult, replay
from accelsim.dram.traces.requests import Requests, read_requests

Row = tuple[int, str, int, int, int, int, int]

DATA = Path(__file__).parents[1] / "data" / "dram"
COMMAND_TRACES = sorted(path.name.removesuffix(".csv.gz") for path in DATA.glob("commands/*.gz"))


@cache
def config(name: str) -> DramConfig:
    return read_ini(DATA / "configs" / f"{name}.ini")[0]


def requests(pattern: str, dram: DramConfig, line_address_bytes: int = 64) -> Requests:
    return read_requests(DATA / "traces" / f"{pattern}.small.npz", dram, line_address_bytes)


def command_trace(name: str) -> list[Row]:
    """(cycle, command, rank, bankgroup, bank, row, col) as DRAMsim3 issued them."""
    with gzip.open(DATA / "commands" / f"{name}.csv.gz", "rt") as file:
        rows = [row for row in csv.reader(file) if row[0] != "cycle"]
    return [_row(int(row[0]), row[1], [int(value) for value in row[2:]]) for row in rows]


def _row(cycle: int, command: str, where: list[int]) -> Row:
    rank, group, bank, row, column = where
    return cycle, command, rank, group, bank, row, column


def our_trace(result: ReplayResult) -> list[Row]:
    """Recorded commands of one channel in the same form."""
    rows = result.commands.tolist()
    return [_row(cycle, COMMANDS[command], where) for cycle, command, _, *where in rows]


def statistics() -> list[dict[str, str]]:
    """The statistics of every small run."""
    with (DATA / "dramsim3_small.csv").open() as file:
        return list(csv.DictReader(file))


def replay_golden(name: str, dram: DramConfig | None = None) -> ReplayResult:
    """The run behind one command trace, on its own or on a changed configuration."""
    config_name, pattern = name.rsplit(".", 1)
    dram = dram or config(config_name)
    return replay(dram, requests(pattern, config(config_name)), record_commands=True)
