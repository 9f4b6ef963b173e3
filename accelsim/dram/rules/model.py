"""The rules that the controller itself keeps: DRAMsim3's table of command distances.

With ``compat: dramsim3`` they include the faults of that simulator, each of which is named below;
with ``compat: none`` these are corrected. Neither setting counts refreshes.

The controller's own table is not used: every distance is derived here independently.
"""

from __future__ import annotations

from math import ceil

from accelsim.dram.command import Command
from accelsim.dram.config import DramConfig
from accelsim.dram.rules.rule import (
    COLUMN,
    PRECHARGES,
    READS,
    REFRESHES,
    ROW,
    WRITES,
    Level,
    Rule,
    Scope,
)

ACT, PRE, RD, WR = (Command.ACT,), (Command.PRE,), (Command.RD,), (Command.WR,)
PREA = (Command.PREA,)
RDA, WRA, REF, REFB = (Command.RDA,), (Command.WRA,), (Command.REF,), (Command.REFB,)
SRE, SRX = (Command.SRE,), (Command.SRX,)


def model_level(config: DramConfig) -> Level:
    """The rules that every trace of this project's controller, and of DRAMsim3, obeys."""
    rules = [*_bus(config), *_columns(config), *_rows(config), *_refreshes(config)]
    sleeps = config.timing.tXS > 0
    if sleeps:
        rules += _self_refresh(config)
    known = tuple(command for command in Command if sleeps or command < Command.SRE)
    return Level(tuple(rules), known, close_idle_banks=False, refresh_cycles=0)


def _bus(config: DramConfig) -> tuple[Rule, ...]:
    if not config.controller.dual_command:
        return (Rule("command bus", tuple(Command), tuple(Command), Scope.CHANNEL, 1),)
    return (
        Rule("row command bus", ROW, ROW, Scope.CHANNEL, 1),
        Rule("column command bus", COLUMN, COLUMN, Scope.CHANNEL, 1),
    )


def _columns(config: DramConfig) -> tuple[Rule, ...]:
    t = config.timing
    burst, rl, wl = t.burst_cycles, t.read_latency, t.write_latency
    to_write = rl + burst + t.tRTRS - wl
    turn = t.tRTRS
    if config.compat == "none" and config.protocol in ("DDR3", "DDR4"):
        # A read's postamble and a write's preamble, which DRAMsim3 leaves out.
        turn = max(turn, 2)
    if config.organisation.bankgroups > 1:
        near, far, long_ccd, long_wtr = "_L", "_S", t.tCCD_L, t.tWTR_L
    else:
        near, far, long_ccd, long_wtr = "", "", t.tCCD_S, t.tWTR_S
    after_write = ("tCCD_L_WR", t.tCCD_L_WR) if near and t.tCCD_L_WR else (f"tCCD{near}", long_ccd)
    return (
        Rule(f"tCCD{near}", READS, READS, Scope.GROUP, max(burst, long_ccd)),
        Rule(f"tCCD{far}", READS, READS, Scope.OTHER_GROUP, max(burst, t.tCCD_S)),
        Rule("tRTRS", READS, READS, Scope.OTHER_RANK, burst + t.tRTRS),
        Rule("tRTW", READS, WRITES, Scope.RANK, rl + burst + turn - wl),
        Rule("tRTRS", READS, WRITES, Scope.OTHER_RANK, to_write),
        Rule(f"tWTR{near}", WRITES, READS, Scope.GROUP, wl + burst + long_wtr),
        Rule(f"tWTR{far}", WRITES, READS, Scope.OTHER_GROUP, wl + burst + t.tWTR_S),
        Rule("tRTRS", WRITES, READS, Scope.OTHER_RANK, wl + burst + t.tRTRS - rl),
        Rule(after_write[0], WRITES, WRITES, Scope.GROUP, max(burst, after_write[1])),
        Rule(f"tCCD{far}", WRITES, WRITES, Scope.OTHER_GROUP, max(burst, t.tCCD_S)),
        Rule("data bus", WRITES, WRITES, Scope.OTHER_RANK, burst),
    )


def _written(config: DramConfig) -> int:
    """From a write to the end of its recovery."""
    return config.timing.write_latency + config.timing.burst_cycles + config.timing.tWR


def _rows(config: DramConfig) -> tuple[Rule, ...]:
    t = config.timing
    written = _written(config)
    # DRAMsim3 counts the burst before the ACT, though tRTP already covers it.
    read_burst = t.burst_cycles if config.compat == "dramsim3" else 0
    grouped = config.organisation.bankgroups > 1
    near, far, long_rrd = ("_L", "_S", t.tRRD_L) if grouped else ("", "", t.tRRD_S)
    rules = [
        Rule("tRCD", ACT, READS, Scope.BANK, t.tRCDRD - config.posted_cycles),
        Rule("tRCD", ACT, WRITES, Scope.BANK, t.tRCDWR - config.posted_cycles),
        Rule("tRC", ACT, ACT, Scope.BANK, t.tRC),
        Rule(f"tRRD{near}", ACT, ACT, Scope.GROUP, long_rrd),
        Rule(f"tRRD{far}", ACT, ACT, Scope.OTHER_GROUP, t.tRRD_S),
        Rule("tFAW", ACT, ACT, Scope.RANK, t.tFAW, window=4),
        Rule("tRP", PRECHARGES, ACT, Scope.BANK, t.tRP),
        Rule("tRPab", PREA, ACT, Scope.BANK, t.tRPab),
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
    rules = (
        Rule("tRFC", REF, (*ACT, *REFRESHES), Scope.RANK, t.tRFC),
        *_closed(config, REF, Scope.RANK),
        *_closed(config, REFB, Scope.BANK),
    )
    if config.compat == "dramsim3":
        # A bank's refresh waits for every bank but its own, holds them back, and by the times
        # of a rank's.
        return (
            *rules,
            Rule("tRC", ACT, REFB, Scope.OTHER_BANK, t.tRC),
            Rule("tRFC", REFB, ACT, Scope.OTHER_BANK, t.tRFC),
            Rule("tREFI", REFB, REFB, Scope.OTHER_BANK, t.tREFI),
        )
    grouped = config.organisation.bankgroups > 1
    near = ("tRRD_L", t.tRRD_L) if grouped else ("tRRD_S", t.tRRD_S)
    # A refreshed bank is one of four in a window; three more ACTs are tRRD apart.
    far, window = ("tRRD_S", t.tRRD_S), ("tFAW - 3 tRRD", t.tFAW - 3 * t.tRRD_S)
    own = ("tRREFD", ceil(8 / t.tCK_ns) if config.protocol.startswith("HBM") else 0)
    return (
        *rules,
        Rule("tRFCb", REFB, (*ACT, *REFB), Scope.BANK, t.tRFCb),
        Rule("tRFCb", REFB, REFB, Scope.OTHER_BANK, t.tRFCb),
        Rule("tRFCb", REFB, (*REF, *SRE), Scope.RANK, t.tRFCb),
        _longest(REFB, ACT, Scope.OTHER_BANK, far, window, own),
        _longest(ACT, REFB, Scope.GROUP, near, window),
        _longest(ACT, REFB, Scope.OTHER_GROUP, far, window),
    )


def _longest(
    first: tuple[Command, ...], then: tuple[Command, ...], scope: Scope, *named: tuple[str, int]
) -> Rule:
    """A rule for the longest of these delays, under its name."""
    name, cycles = max(named, key=lambda delay: delay[1])
    return Rule(name, first, then, scope, cycles)


def _closed(config: DramConfig, then: tuple[Command, ...], scope: Scope) -> tuple[Rule, ...]:
    """Before ``then``, banks must have been precharged, including auto-precharge."""
    t = config.timing
    rules = (
        Rule("tRP", PRECHARGES, then, scope, t.tRP),
        Rule("tRPab", PREA, then, scope, t.tRPab),
        Rule("tRP after RDA", RDA, then, scope, t.AL + t.tRTP + t.tRP),
        Rule("tRP after WRA", WRA, then, scope, _written(config) + t.tRP),
    )
    if config.compat == "dramsim3":
        # An early auto-precharge ends before tRAS does.
        return rules
    return (*rules, Rule("tRC", ACT, then, scope, t.tRC))


def _self_refresh(config: DramConfig) -> list[Rule]:
    t, strict = config.timing, config.compat == "dramsim3"
    rules = [
        Rule("tCKESR", SRE, SRX, Scope.RANK, t.tCKESR),
        Rule("tXS", SRX, (*ACT, *REFRESHES), Scope.RANK, t.tXS),
    ]
    if not strict:
        # DRAMsim3 has no DLL.
        rules.append(Rule("tXSDLL", SRX, READS, Scope.RANK, t.tXSDLL))
    if strict and config.controller.refresh_policy == "bank_staggered":
        # Refreshes of banks delay no entry there.
        return rules
    return [*rules, Rule("tRFC", REF, SRE, Scope.RANK, t.tRFC), *_closed(config, SRE, Scope.RANK)]
