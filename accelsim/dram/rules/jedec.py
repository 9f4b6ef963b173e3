"""The rules of the standards: DDR3 to 5 (JESD79), LPDDR4 and 5 (JESD209), HBM, GDDR6.

Delays come from the configuration, under the names of the standards; additions of a family are
in ``families``. A command's cycle is that of its last clock edge, from which the
standards count.

Not here: power-down, write clocks of LPDDR5, mode registers, ZQ calibration, ODT.
"""

from __future__ import annotations

from accelsim.dram.command import Command
from accelsim.dram.config import DramConfig
from accelsim.dram.rules.families import Family, SelfRefresh, family, in_cycles
from accelsim.dram.rules.rule import COLUMN, PRECHARGES, READS, ROW, WRITES, Level, Rule, Scope

ACT, PRE, RD, WR = (Command.ACT,), (Command.PRE,), (Command.RD,), (Command.WR,)
PREA = (Command.PREA,)
RDA, WRA, REF, REFB = (Command.RDA,), (Command.WRA,), (Command.REF,), (Command.REFB,)
SRE, SRX = (Command.SRE,), (Command.SRX,)


def jedec_level(config: DramConfig) -> Level:
    """The rules that the devices of ``config`` require.

    Raises ``ConfigError`` for families whose rules are not here.
    """
    own = family(config)
    rules = [*_bus(own), *_columns(config, own), *_rows(config), *_refresh(config)]
    missing: set[Command] = set()
    if own.all_banks_ns:
        precharged = in_cycles(own.all_banks_ns, config)
        rules.append(Rule("tRPab", PREA, (*ACT, *REF, *REFB, *SRE), Scope.RANK, precharged))
    if own.bank_refresh:
        rules += _bank_refresh(config, own)
    else:
        missing |= {Command.REFB}
    if own.self_refresh or config.timing.tXS > 0:
        rules += _self_refresh(config, own.self_refresh)
    else:
        missing |= {Command.SRE, Command.SRX}
    return Level(
        tuple(rules),
        tuple(command for command in Command if command not in missing),
        close_idle_banks=True,
        refresh_cycles=config.timing.tREFI,
        postponed=own.postponed,
        # Refreshing a bank draws the current of an ACT.
        windowed=(*ACT, *REFB),
    )


def _bus(own: Family) -> list[Rule]:
    """Commands of several clocks need the bus before the cycle that counts."""
    buses: dict[str, tuple[Command, ...]] = {"command bus": (*ROW, *COLUMN)}
    if own.split_bus:
        buses = {"row command bus": ROW, "column command bus": COLUMN}
    return [
        Rule(name, commands, (then,), Scope.CHANNEL, own.bus_cycles.get(then, 1))
        for name, commands in buses.items()
        for then in commands
    ]


def _names(config: DramConfig, name: str) -> tuple[str, str]:
    """Names of a delay within a bank group, and between two groups."""
    return (f"{name}_L", f"{name}_S") if config.organisation.bankgroups > 1 else (name, name)


def _columns(config: DramConfig, own: Family) -> list[Rule]:
    """Bursts must not collide on the data bus or inside the device."""
    t = config.timing
    burst, rl, wl = t.burst_cycles, t.read_latency, t.write_latency
    grouped = config.organisation.bankgroups > 1
    (ccd_l, ccd_s), (wtr_l, wtr_s) = _names(config, "tCCD"), _names(config, "tWTR")
    long_wtr = t.tWTR_L if grouped else t.tWTR_S
    turn = in_cycles(own.turn_ns, config) + own.turn_cycles
    rules = [
        Rule("tRTW", READS, WRITES, Scope.RANK, rl + burst + turn - wl),
        Rule(wtr_l, WRITES, READS, Scope.GROUP, wl + burst + long_wtr),
        Rule(wtr_s, WRITES, READS, Scope.OTHER_GROUP, wl + burst + t.tWTR_S),
        # Who drives the bus changes with the rank that is read; writes have one driver.
        Rule("tRTRS", READS, READS, Scope.OTHER_RANK, burst + t.tRTRS),
        Rule("tRTRS", READS, WRITES, Scope.OTHER_RANK, rl + burst + t.tRTRS - wl),
        Rule("tRTRS", WRITES, READS, Scope.OTHER_RANK, wl + burst + t.tRTRS - rl),
        Rule("data bus", WRITES, WRITES, Scope.OTHER_RANK, burst),
    ]
    near = _burst_distance(ccd_l, t.tCCD_L if grouped else t.tCCD_S, burst)
    far = _burst_distance(ccd_s, t.tCCD_S, burst)
    near_writes = ("tCCD_L_WR", t.tCCD_L_WR) if grouped and t.tCCD_L_WR else near
    for kind, own_group in ((READS, near), (WRITES, near_writes)):
        rules.append(Rule(own_group[0], kind, kind, Scope.GROUP, own_group[1]))
        rules.append(Rule(far[0], kind, kind, Scope.OTHER_GROUP, far[1]))
    return rules


def _burst_distance(name: str, ccd: int, burst: int) -> tuple[str, int]:
    """Name and cycles of the least distance of bursts: due to the device, or to their length."""
    return (name, ccd) if ccd >= burst else ("data bus", burst)


def _read_to_precharge(config: DramConfig) -> int:
    t = config.timing
    # LPDDR4 prefetches 16 beats, 8 clocks, and counts tRTP from the last prefetch.
    more = max(0, t.burst_cycles - 8) if config.protocol == "LPDDR4" else 0
    return t.AL + more + t.tRTP


def _written(config: DramConfig) -> int:
    """From a write to the end of its recovery."""
    return config.timing.write_latency + config.timing.burst_cycles + config.timing.tWR


def _rows(config: DramConfig) -> list[Rule]:
    t, read, written = config.timing, _read_to_precharge(config), _written(config)
    grouped = config.organisation.bankgroups > 1
    rrd_l, rrd_s = _names(config, "tRRD")
    window32 = t.t32AW if config.protocol.startswith("GDDR") else 0
    rules = [
        Rule("tRCD", ACT, READS, Scope.BANK, t.tRCDRD - t.AL),
        Rule("tRCD", ACT, WRITES, Scope.BANK, t.tRCDWR - t.AL),
        Rule("tRC", ACT, ACT, Scope.BANK, t.tRC),
        Rule(rrd_l, ACT, ACT, Scope.GROUP, t.tRRD_L if grouped else t.tRRD_S),
        Rule(rrd_s, ACT, ACT, Scope.OTHER_GROUP, t.tRRD_S),
        Rule("tFAW", ACT, (*ACT, *REFB), Scope.RANK, t.tFAW, window=4),
        # The precharge inside an RDA waits for the write recovery of its row, too.
        Rule("tWR", WR, RDA, Scope.BANK, written - read),
        Rule("tRP", PRECHARGES, ACT, Scope.BANK, t.tRP),
        Rule("tRP after RDA", RDA, ACT, Scope.BANK, read + t.tRP),
        Rule("tRP after WRA", WRA, ACT, Scope.BANK, written + t.tRP),
        Rule("tPPD", PRECHARGES, PRECHARGES, Scope.RANK, t.tPPD),
        Rule("t32AW", ACT, ACT, Scope.RANK, window32, window=32),
    ]
    for then, scope in ((PRE, Scope.BANK), (PREA, Scope.OPEN_BANKS)):
        rules += [
            Rule("tRAS", ACT, then, scope, t.tRAS),
            Rule("tRTP", RD, then, scope, read),
            Rule("tWR", WR, then, scope, written),
        ]
    return rules


def _idle(config: DramConfig, then: tuple[Command, ...], scope: Scope) -> list[Rule]:
    """Before ``then``, banks must have finished precharging, including auto-precharge."""
    t = config.timing
    return [
        Rule("tRP", PRECHARGES, then, scope, t.tRP),
        Rule("tRC", ACT, then, scope, t.tRC),
        Rule("tRP after RDA", RDA, then, scope, _read_to_precharge(config) + t.tRP),
        Rule("tRP after WRA", WRA, then, scope, _written(config) + t.tRP),
    ]


def _refresh(config: DramConfig) -> list[Rule]:
    after = (*ACT, *PRECHARGES, *REF, *REFB, *SRE)
    return [
        Rule("tRFC", REF, after, Scope.RANK, config.timing.tRFC),
        *_idle(config, REF, Scope.RANK),
    ]


def _bank_refresh(config: DramConfig, own: Family) -> list[Rule]:
    t, name = config.timing, own.bank_refresh
    rrd_l, rrd_s = _names(config, "tRRD")
    rules = [
        *_idle(config, REFB, Scope.BANK),
        Rule(name, REFB, (*ACT, *PRE, *REFB), Scope.BANK, t.tRFCb),
        Rule(name, REFB, (*REF, *PREA, *SRE), Scope.RANK, t.tRFCb),
        Rule(rrd_l, ACT, REFB, Scope.GROUP, t.tRRD_L if rrd_l != rrd_s else t.tRRD_S),
        Rule(rrd_s, ACT, REFB, Scope.OTHER_GROUP, t.tRRD_S),
    ]
    if own.between_bank_refreshes_ns:
        apart = in_cycles(own.between_bank_refreshes_ns, config)
        return [*rules, Rule("tRREFD", REFB, (*ACT, *REFB), Scope.OTHER_BANK, apart)]
    return [
        *rules,
        Rule("tRRD", REFB, ACT, Scope.OTHER_BANK, t.tRRD_S),
        Rule(name, REFB, REFB, Scope.OTHER_BANK, t.tRFCb),
    ]


def _self_refresh(config: DramConfig, own: SelfRefresh | None) -> list[Rule]:
    t = config.timing
    stay, leave, lock, names = t.tCKESR, t.tXS, t.tXSDLL, ("tCKESR", "tXS")
    if own is not None:
        stay = max(own.stay_cycles, in_cycles(own.stay_ns, config)) + own.stay_more_cycles
        leave = max(own.exit_cycles, t.tRFC + in_cycles(own.exit_ns, config))
        # Clocks of 1.07 ns are called 1866 MT/s.
        rate = 2000 / t.tCK_ns / 1.01
        lock = next((cycles for up_to, cycles in own.lock_cycles if rate <= up_to), 0)
        names = own.stay_name, own.exit_name
    return [
        *_idle(config, SRE, Scope.RANK),
        Rule(names[0], SRE, SRX, Scope.RANK, stay),
        Rule(names[1], SRX, (*ACT, *PRECHARGES, *REF, *REFB, *SRE), Scope.RANK, leave),
        Rule("tXSDLL", SRX, READS, Scope.RANK, lock),
    ]
