"""The timing table and sizes of one configuration as the array that the kernels read.

``A_TO_B_SCOPE`` is the least number of cycles from command A to command B. Scopes: ``L``
same bank group, ``S`` other bank group of the rank, ``R`` other rank; no scope: same bank.
The table is DRAMsim3's, which agrees with JEDEC except where a comment says otherwise.

The constants here are frozen into kernels.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum, auto
from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from accelsim.dram.address_map import address_map
from accelsim.dram.bank_refresh import bank_refresh_delays
from accelsim.dram.config import DramConfig
from accelsim.dram.power_down import power_down_delays
from accelsim.dram.reach import covering_reads
from accelsim.errors import ConfigError


class P(IntEnum):
    """Index of each parameter."""

    RD_TO_RD_L = 0
    RD_TO_RD_S = auto()
    RD_TO_RD_R = auto()
    RD_TO_WR = auto()
    RD_TO_WR_R = auto()
    WR_TO_RD_L = auto()
    WR_TO_RD_S = auto()
    WR_TO_RD_R = auto()
    WR_TO_WR_L = auto()
    WR_TO_WR_S = auto()
    WR_TO_WR_R = auto()
    ACT_TO_RD = auto()
    ACT_TO_WR = auto()
    ACT_TO_PRE = auto()
    ACT_TO_ACT = auto()
    ACT_TO_ACT_L = auto()
    ACT_TO_ACT_S = auto()
    ACT_TO_REF = auto()
    ACT_TO_REFB_L = auto()
    ACT_TO_REFB_S = auto()
    RD_TO_PRE = auto()
    WR_TO_PRE = auto()
    PRE_TO_ACT = auto()
    PREAB_TO_ACT = auto()
    PRE_TO_PRE = auto()
    REF_TO_ACT = auto()
    RDA_TO_ACT = auto()
    RDA_TO_REF = auto()
    WRA_TO_ACT = auto()
    REFB_TO_ACT_SAME = auto()
    REFB_TO_REFB_SAME = auto()
    REFB_TO_ACT_OTHER = auto()
    REFB_TO_REFB_OTHER = auto()
    SREFE_TO_SREFX = auto()
    SREFX_TO_ACT = auto()
    SREFX_TO_RD = auto()
    RD_TO_DOWN = auto()
    WR_TO_DOWN = auto()
    REF_TO_DOWN = auto()
    DOWN_TO_UP = auto()
    UP_TO_ANY = auto()
    UP_TO_RD = auto()
    FAW = auto()
    AW32 = auto()
    READ_DELAY = auto()
    WRITE_DELAY = auto()
    ANSWER_DELAY = auto()
    ENOUGH_READS = auto()
    REFRESH_INTERVAL = auto()
    FIRST_REFRESH = auto()
    REFRESH_POLICY = auto()
    SELF_REFRESH = auto()
    POWER_DOWN = auto()
    N_CHANNELS = auto()
    N_RANKS = auto()
    N_GROUPS = auto()
    N_BANKS_PER_GROUP = auto()
    N_BANKS = auto()
    N_QUEUES = auto()
    GROUP_SHIFT = auto()
    RANK_SHIFT = auto()
    QUEUE_DEPTH = auto()
    TRANSACTIONS = auto()
    HIT_LIMIT = auto()
    PER_BANK = auto()
    UNIFIED = auto()
    CLOSE_PAGE = auto()
    DUAL = auto()
    STRICT = auto()
    RAMULATOR = auto()
    READ_TURNS = auto()
    CH_SHIFT = auto()
    RA_SHIFT = auto()
    BG_SHIFT = auto()
    BA_SHIFT = auto()
    RO_SHIFT = auto()
    CO_SHIFT = auto()
    CH_MASK = auto()
    RA_MASK = auto()
    BG_MASK = auto()
    BA_MASK = auto()
    RO_MASK = auto()
    CO_MASK = auto()


ROW_HIT_LIMIT: Final = 64
"""After this many accesses to a row, only the oldest entry of its bank is served. In DRAMsim3
each access delays the precharge again, so a stream of hits locks others out until a refresh."""
STAGGERED, SIMULTANEOUS, BANK_STAGGERED = range(3)
READ_WRITE_TURN: Final[Mapping[str, int]] = {"DDR3": 2, "DDR4": 2}
"""Least clocks between the bursts of a read and a write of one rank: postamble and preamble."""


ControllerName: TypeAlias = Literal["dramsim3", "ramulator"]

RAMULATOR_TURNAROUND: Final = 2
"""Clocks between a read and a write, and between two ranks, in Ramulator's DDR4."""


def parameters(config: DramConfig, controller: ControllerName = "dramsim3") -> NDArray[np.int64]:
    """[len(P)] values, indexed by ``P``."""
    table = _delays(config) | bank_refresh_delays(config) | power_down_delays(config)
    table |= _sizes(config) | _address_bits(config)
    if controller == "ramulator":
        table |= _ramulator(config, table["REFRESH_INTERVAL"])
    return np.array([table[p.name] for p in P], np.int64)


def _delays(config: DramConfig) -> dict[str, int]:
    t, strict = config.timing, config.compat == "dramsim3"
    burst, rl, wl = t.burst_cycles, t.read_latency, t.write_latency
    grouped = config.organisation.bankgroups > 1
    ccd_l = t.tCCD_L if grouped else t.tCCD_S
    rrd_l = t.tRRD_L if grouped else t.tRRD_S
    wtr_l = t.tWTR_L if grouped else t.tWTR_S
    # DRAMsim3 knows tPPD for the first two only; the others it does not know at all.
    has_ppd = config.protocol.startswith(("GDDR", "LPDDR4", "LPDDR5", "DDR5", "HBM3"))
    ppd = t.tPPD if has_ppd else 0
    window32 = t.t32AW if config.protocol.startswith("GDDR") else 0
    # DRAMsim3 leaves tRTRS, which is one clock in its DDR3 and DDR4 files.
    turn = t.tRTRS if strict else max(t.tRTRS, READ_WRITE_TURN.get(config.protocol, 0))
    return {
        "RD_TO_RD_L": max(burst, ccd_l),
        "RD_TO_RD_S": max(burst, t.tCCD_S),
        "RD_TO_RD_R": burst + t.tRTRS,
        "RD_TO_WR": rl + burst - wl + turn,
        "RD_TO_WR_R": rl + burst + t.tRTRS - wl,
        "WR_TO_RD_L": wl + burst + wtr_l,
        "WR_TO_RD_S": wl + burst + t.tWTR_S,
        "WR_TO_RD_R": max(0, wl + burst + t.tRTRS - rl),
        "WR_TO_WR_L": max(burst, t.tCCD_L_WR if grouped and t.tCCD_L_WR else ccd_l),
        "WR_TO_WR_S": max(burst, t.tCCD_S),
        "WR_TO_WR_R": burst,
        "ACT_TO_RD": t.tRCDRD - config.posted_cycles,
        "ACT_TO_WR": t.tRCDWR - config.posted_cycles,
        "ACT_TO_PRE": t.tRAS,
        "ACT_TO_ACT": t.tRC,
        "ACT_TO_ACT_L": rrd_l,
        "ACT_TO_ACT_S": t.tRRD_S,
        # DRAMsim3 lets a refresh follow an early auto-precharge, before tRC is over.
        "ACT_TO_REF": 0 if strict else t.tRC,
        "RD_TO_PRE": t.AL + t.tRTP,
        "WR_TO_PRE": wl + burst + t.tWR,
        "PRE_TO_ACT": t.tRP,
        "PREAB_TO_ACT": max(t.tRP, t.tRPab),
        "PRE_TO_PRE": ppd,
        "REF_TO_ACT": t.tRFC,
        # DRAMsim3 adds the burst before an ACT, but not before a REF.
        "RDA_TO_ACT": t.AL + t.tRTP + t.tRP + (burst if strict else 0),
        "RDA_TO_REF": t.AL + t.tRTP + t.tRP,
        "WRA_TO_ACT": wl + burst + t.tWR + t.tRP,
        "SREFE_TO_SREFX": t.tCKESR,
        "SREFX_TO_ACT": t.tXS,
        # DRAMsim3 has no DLL.
        "SREFX_TO_RD": 0 if strict else t.tXSDLL,
        "FAW": t.tFAW,
        "AW32": window32,
        "READ_DELAY": rl + burst,
        "WRITE_DELAY": wl + burst,
    }


def _sizes(config: DramConfig) -> dict[str, int]:
    organisation, controller, t = config.organisation, config.controller, config.timing
    per_bank, strict = controller.queue_structure == "per_bank", config.compat == "dramsim3"
    interval = {
        "rank_staggered": t.tREFI // organisation.ranks,
        "rank_simultaneous": t.tREFI,
        # DRAMsim3 has one timer of tREFIb for the banks of all ranks.
        "bank_staggered": t.tREFIb // (1 if strict else organisation.ranks),
    }
    policy = {
        "rank_staggered": STAGGERED,
        "rank_simultaneous": SIMULTANEOUS,
        "bank_staggered": BANK_STAGGERED,
    }
    return {
        "ANSWER_DELAY": 2,
        "ENOUGH_READS": covering_reads(t),
        "REFRESH_INTERVAL": interval[controller.refresh_policy],
        "FIRST_REFRESH": interval[controller.refresh_policy],
        "REFRESH_POLICY": policy[controller.refresh_policy],
        "SELF_REFRESH": controller.self_refresh_cycles,
        "N_CHANNELS": organisation.channels,
        "N_RANKS": organisation.ranks,
        "N_GROUPS": organisation.bankgroups,
        "N_BANKS_PER_GROUP": organisation.banks_per_group,
        "N_BANKS": organisation.banks,
        # All counts are powers of two: from a bank's row to its group's and its rank's.
        "GROUP_SHIFT": organisation.banks_per_group.bit_length() - 1,
        "RANK_SHIFT": organisation.banks.bit_length() - 1,
        "N_QUEUES": organisation.ranks * (organisation.banks if per_bank else 1),
        "QUEUE_DEPTH": controller.command_queue_size,
        "TRANSACTIONS": controller.transaction_queue_size,
        "HIT_LIMIT": 1 << 62 if strict else ROW_HIT_LIMIT,
        "PER_BANK": per_bank,
        "UNIFIED": controller.unified_queue,
        "CLOSE_PAGE": controller.page_policy == "close",
        "DUAL": controller.dual_command,
        "STRICT": strict,
        "RAMULATOR": False,
        "READ_TURNS": not strict,
    }


def _ramulator(config: DramConfig, refresh_interval: int) -> dict[str, int]:
    """What differs with Ramulator 2.1's controller.

    Three lists for each channel (reads, writes, requests whose row is open) take the place
    of the command queues. Its clock is one ahead of ours: refreshes are due one cycle
    earlier. With ``compat: dramsim3`` the bus turns around as in its own DDR4 tables.
    """
    _refuse_unknown_to_ramulator(config)
    organisation, t, burst = config.organisation, config.timing, config.timing.burst_cycles
    read_beats, write_beats = t.read_latency + burst, t.write_latency + burst
    table = {
        "RAMULATOR": True,
        "STRICT": False,
        "POWER_DOWN": 0,
        "ANSWER_DELAY": 1,
        "FIRST_REFRESH": refresh_interval - 1,
        "N_QUEUES": 3,
        "QUEUE_DEPTH": max(
            config.controller.transaction_queue_size, organisation.ranks * organisation.banks
        ),
    }
    if config.compat == "dramsim3":
        turn = RAMULATOR_TURNAROUND
        table |= {
            "RD_TO_RD_R": burst + turn,
            "RD_TO_WR": read_beats + turn - t.write_latency,
            "RD_TO_WR_R": burst + turn,
            "WR_TO_RD_R": max(0, write_beats + turn - t.read_latency),
        }
    return table


def _refuse_unknown_to_ramulator(config: DramConfig) -> None:
    controller = config.controller
    for key, value, fix in (
        ("page_policy", controller.page_policy == "close", "open"),
        ("refresh_policy", controller.refresh_policy == "bank_staggered", "rank_staggered"),
        ("unified_queue", controller.unified_queue, "False"),
        ("self_refresh_cycles", controller.self_refresh_cycles > 0, "0"),
    ):
        if value:
            raise ConfigError(
                f"DRAM {config.name}: {key}",
                f"{getattr(controller, key)!r} is not known to the controller of Ramulator",
                f"use {fix}, or the dramsim3 policy",
            )


def _address_bits(config: DramConfig) -> dict[str, int]:
    mapping = address_map(config)
    names = ("CH", "RA", "BG", "BA", "RO", "CO")
    shifts = {f"{name}_SHIFT": s for name, s in zip(names, mapping.shift, strict=True)}
    return shifts | {
        f"{name}_MASK": (1 << bits) - 1 for name, bits in zip(names, mapping.bits, strict=True)
    }
