"""The rules that the controller itself keeps: DRAMsim3's table of command distances.

With ``compat: dramsim3`` they include that simulator's faults, of which each is named below;
with ``compat: none`` those are mended. Neither counts refreshes.
"""

from __future__ import annotations

from accelsim.dram.config import DramConfig
from accelsim.dram.rules.rule import (
    COLUMN,
    PRECHARGES,
    READS,
    REFRESHES,
    ROW,
    WRITES,
    Command,
    Level,
    Rule,
    Scope,
)

ACT, PRE, RD, WR = (Command.ACT,), (Command.PRE,), (Command.RD,), (Command.WR,)
PREA = (Command.PREA,)
RDA, WRA, REF, REFB = (Command.RDA,), (Command.WRA,), (Command.REF,), (Command.REFB,)
KNOWN = tuple(command for command in Command if command < Command.SRE)


def model_level(config: DramConfig) -> Level:
    """What every trace of this project's controller, and of DRAMsim3, obeys."""
    rules = (*_bus(config), *_columns(config), *_rows(config), *_refreshes(config))
    return Level(rules, KNOWN, close_idle_banks=False, refresh_cycles=0)


def _bus(config: DramConfig) -> tuple[Rule, ...]:
    if not config.controller.dual_command:
        return (Rule("command bus", KNOWN, KNOWN, Scope.CHANNEL, 1),)
    return (
        Rule("row command bus", ROW, ROW, Scope.CHANNEL, 1),
        Rule("column command bus", COLUMN, COLUMN, Scope.CHANNEL, 1),
    )


def _columns(config: DramConfig) -> tuple[Rule, ...]:
    t = config.timing
    burst, rl, wl = t.burst_cycles, t.read_latency, t.write_latency
    to_write = rl + burst + t.tRTRS - wl
    if config.organisation.bankgroups > 1:
        near, far, long_ccd, long_wtr = "_L", "_S", t.tCCD_L, t.tWTR_L
    else:
        near, far, long_ccd, long_wtr = "", "", t.tCCD_S, t.tWTR_S
    after_write = ("tCCD_L_WR", t.tCCD_L_WR) if near and t.tCCD_L_WR else (f"tCCD{near}", long_ccd)
    return (
        Rule(f"tCCD{near}", READS, READS, Scope.GROUP, max(burst, long_ccd)),
        Rule(f"tCCD{far}", READS, READS, Scope.OTHER_GROUP, max(burst, t.tCCD_S)),
        Rule("tRTRS", READS, READS, Scope.OTHER_RANK, burst + t.tRTRS),
        Rule("tRTW", READS, WRITES, Scope.RANK, to_write),
        Rule("tRTRS", READS, WRITES, Scope.OTHER_RANK, to_write),
        Rule(f"tWTR{near}", WRITES, READS, Scope.GROUP, wl + burst + long_wtr),
        Rule(f"tWTR{far}", WRITES, READS, Scope.OTHER_GROUP, wl + burst + t.tWTR_S),
        Rule("tRTRS", WRITES, READS, Scope.OTHER_RANK, wl + burst + t.tRTRS - rl),
        Rule(after_write[0], WRITES, WRITES, Scope.GROUP, max(burst, after_write[1])),
        Rule(f"tCCD{far}", WRITES, WRITES, Scope.OTHER_GROUP, max(burst, t.tCCD_S)),
        Rule("data bus", WRITES, WRITES, Scope.OTHER_RANK, burst),
    )


def _rows(config: DramConfig) -> tuple[Rule, ...]:
    t = config.timing
    written = t.write_latency + t.burst_cycles + t.tWR
    # DRAMsim3 counts the burst before the ACT, though tRTP already covers it.
    read_burst = t.burst_cycles if config.compat == "dramsim3" else 0
    grouped = config.organisation.bankgroups > 1
    near, far, long_rrd = ("_L", "_S", t.tRRD_L) if grouped else ("", "", t.tRRD_S)
    rules = [
        Rule("tRCD", ACT, READS, Scope.BANK, t.tRCDRD - t.AL),
        Rule("tRCD", ACT, WRITES, Scope.BANK, t.tRCDWR - t.AL),
        Rule("tRC", ACT, ACT, Scope.BANK, t.tRC),
        Rule(f"tRRD{near}", ACT, ACT, Scope.GROUP, long_rrd),
        Rule(f"tRRD{far}", ACT, ACT, Scope.OTHER_GROUP, t.tRRD_S),
        Rule("tFAW", ACT, ACT, Scope.RANK, t.tFAW, window=4),
        Rule("tRP", PRECHARGES, ACT, Scope.BANK, t.tRP),
        Rule("tRP after RDA", RDA, ACT, Scope.BANK, t.AL + read_burst + t.tRTP + t.tRP),
        Rule("tRP after WRA", WRA, ACT, Scope.BANK, written + t.tRP),
    ]
    for then, scope in ((PRE, Scope.BANK), (PREA, Scope.OPEN_BANKS)):
        rules += [
            Rule("tRAS", ACT, then, scope, t.tRAS),
            Rule("tRTP", RD, then, scope, t.AL + t.tRTP),
            Rule("tWR", WR, then, scope, written),
        ]
    if config.protocol.startswith("GDDR"):
        rules.append(Rule("t32AW", ACT, ACT, Scope.RANK, t.t32AW, window=32))
    # DRAMsim3 knows tPPD for the first two only.
    if config.protocol.startswith(("GDDR", "LPDDR4", "LPDDR5", "DDR5", "HBM3")):
        rules.append(Rule("tPPD", PRECHARGES, PRECHARGES, Scope.RANK, t.tPPD))
    return tuple(rules)


def _refreshes(config: DramConfig) -> tuple[Rule, ...]:
    t = config.timing
    after_rda = t.AL + t.tRTP + t.tRP
    after_wra = t.write_latency + t.burst_cycles + t.tWR + t.tRP
    rules = (
        Rule("tRFC", REF, (*ACT, *REFRESHES), Scope.RANK, t.tRFC),
        Rule("tRP", PRECHARGES, REF, Scope.RANK, t.tRP),
        Rule("tRP after RDA", RDA, REF, Scope.RANK, after_rda),
        Rule("tRP after WRA", WRA, REF, Scope.RANK, after_wra),
        Rule("tRP", PRECHARGES, REFB, Scope.BANK, t.tRP),
        Rule("tRP after RDA", RDA, REFB, Scope.BANK, after_rda),
        Rule("tRP after WRA", WRA, REFB, Scope.BANK, after_wra),
        Rule("tRC", ACT, REFB, Scope.OTHER_BANK, t.tRC),
    )
    if config.compat == "dramsim3":
        # A bank's refresh holds back every bank but its own, and by the times of a rank's.
        return (
            *rules,
            Rule("tRFC", REFB, ACT, Scope.OTHER_BANK, t.tRFC),
            Rule("tREFI", REFB, REFB, Scope.OTHER_BANK, t.tREFI),
        )
    return (
        *rules,
        Rule("tRFCb", REFB, (*ACT, *REFB), Scope.BANK, t.tRFCb),
        Rule("tRRD_S", REFB, ACT, Scope.OTHER_BANK, t.tRRD_S),
        Rule("tRFCb", REFB, REFB, Scope.OTHER_BANK, t.tRFCb),
    )
