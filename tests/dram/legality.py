"""An independent judge of command traces: is every command legal, by the standard's names?

Written from the JEDEC definitions and not from the controller: it knows nothing of queues
and looks at pairs of commands only. Raises ``AssertionError`` at the first illegal one.
"""

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from accelsim.dram.config import DramConfig
from accelsim.dram.state import COMMANDS


def check(config: DramConfig, commands: NDArray[np.int64]) -> None:
    """Check every channel's commands: bank states, all timing distances, one per clock."""
    for channel in range(config.organisation.channels):
        _check_channel(config, commands[commands[:, 2] == channel].tolist())


def _check_channel(config: DramConfig, commands: list[list[int]]) -> None:
    t, o = config.timing, config.organisation
    burst, rl, wl = t.burst_cycles, t.read_latency, t.write_latency
    grouped = o.bankgroups > 1
    open_row: dict[tuple[int, int, int], int] = {}
    last: dict[tuple[str, ...], int] = defaultdict(lambda: -(10**9))
    acts: dict[int, list[int]] = defaultdict(list)
    per_clock: dict[int, list[str]] = defaultdict(list)
    bus_busy_until = 0
    asleep: set[int] = set()
    owes_refresh: set[int] = set()

    def apart(now: int, earlier: tuple[object, ...], cycles: int) -> None:
        gap = now - last[earlier]  # type: ignore[index]
        assert gap >= cycles, f"cycle {now}: {gap} cycles after {earlier}, needs {cycles}"

    def close(now: int, where: tuple[int, int, int]) -> None:
        apart(now, ("activate", *where), t.tRAS)
        apart(now, ("column_read", *where), t.AL + t.tRTP)
        apart(now, ("column_write", *where), wl + burst + t.tWR)
        last["precharge", *where] = now  # type: ignore[index]
        del open_row[where]

    for now, code, _, rank, group, bank, row, _ in commands:
        name, where = COMMANDS[code], (rank, group, bank)
        per_clock[now].append(name)
        assert (rank in asleep) == (name == "self_refresh_exit"), f"cycle {now}: {name}, sleeping"
        if name == "activate":
            assert where not in open_row, f"cycle {now}: ACT of an open bank"
            for other in _banks(config, rank):
                if other == where:
                    apart(now, ("activate", *where), t.tRC)
                    apart(now, ("precharge", *where), t.tRP)
                    apart(now, ("auto_read", *where), t.AL + t.tRTP + t.tRP)
                    apart(now, ("auto_write", *where), wl + burst + t.tWR + t.tRP)
                    apart(now, ("refresh_bank", *where), t.tRFCb)
                else:
                    same = other[1] == group and grouped
                    apart(now, ("activate", *other), t.tRRD_L if same else t.tRRD_S)
            apart(now, ("refresh", rank), t.tRFC)
            apart(now, ("self_refresh_exit", rank), t.tXS)
            acts[rank].append(now)
            if len(acts[rank]) > 4:
                assert now - acts[rank][-5] >= t.tFAW, f"cycle {now}: tFAW"
            open_row[where] = row
        elif name == "precharge":
            assert where in open_row, f"cycle {now}: PRE of a closed bank"
            close(now, where)
        elif name == "precharge_all":
            for open_bank in [b for b in open_row if b[0] == rank]:
                close(now, open_bank)
        elif name in ("read", "read_p", "write", "write_p"):
            assert open_row.get(where) == row, f"cycle {now}: {name} of a row that is not open"
            is_read = name.startswith("read")
            apart(now, ("activate", *where), (t.tRCDRD if is_read else t.tRCDWR) - t.AL)
            if is_read:
                apart(now, ("self_refresh_exit", rank), t.tXSDLL)
            data = now + (rl if is_read else wl)
            assert data >= bus_busy_until, f"cycle {now}: two bursts on the bus"
            bus_busy_until = data + burst
            for g in range(o.bankgroups):
                ccd = t.tCCD_L if g == group and grouped else t.tCCD_S
                apart(now, ("bus_read" if is_read else "bus_write", rank, g), ccd)
                if is_read:
                    wtr = t.tWTR_L if g == group and grouped else t.tWTR_S
                    apart(now, ("bus_write", rank, g), wl + burst + wtr)
            kind = "read" if is_read else "write"
            last["bus_" + kind, rank, group] = now  # type: ignore[index]
            last["column_" + kind, *where] = now  # type: ignore[index]
            if name.endswith("_p"):
                last["auto_" + kind, *where] = now  # type: ignore[index]
                del open_row[where]
        elif name == "self_refresh_exit":
            apart(now, ("self_refresh_enter", rank), t.tCKESR)
            asleep.remove(rank)
            owes_refresh.add(rank)
        else:
            whole = name in ("refresh", "self_refresh_enter")
            targets = [b for b in _banks(config, rank) if whole or b == where]
            for b in targets:
                assert b not in open_row, f"cycle {now}: refresh of an open bank"
                apart(now, ("activate", *b), t.tRC)
                apart(now, ("precharge", *b), t.tRP)
                apart(now, ("auto_read", *b), t.AL + t.tRTP + t.tRP)
                apart(now, ("auto_write", *b), wl + burst + t.tWR + t.tRP)
                apart(now, ("refresh_bank", *b), t.tRFCb)
            apart(now, ("refresh", rank), t.tRFC)
            apart(now, ("self_refresh_exit", rank), t.tXS)
            if name == "self_refresh_enter":
                assert rank not in owes_refresh, f"cycle {now}: no refresh since waking"
                asleep.add(rank)
            elif whole:
                owes_refresh.discard(rank)
        of_rank = name == "refresh" or name.startswith("self_refresh")
        last[(name, rank) if of_rank else (name, *where)] = now  # type: ignore[index]

    for now, names in per_clock.items():
        columns = [n for n in names if n.startswith(("read", "write"))]
        allowed = 2 if config.controller.dual_command else 1
        assert len(names) <= allowed, f"cycle {now}: {names}"
        assert len(names) == 1 or len(columns) == 1, f"cycle {now}: {names}"


def _banks(config: DramConfig, rank: int) -> list[tuple[int, int, int]]:
    o = config.organisation
    return [(rank, g, b) for g in range(o.bankgroups) for b in range(o.banks_per_group)]
