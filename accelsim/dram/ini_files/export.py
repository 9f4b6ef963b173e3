"""A memory as the DRAMsim3 ``.ini`` file that DRAMsim3 reads as the same memory.

What came from a file goes back without loss: reading the text gives the configuration again.
A native standard keeps its addresses, timing table, queues, refreshes and currents, which
DRAMsim3 prices by its own formulas; whatever the format cannot hold is said in a comment of the
file, and returned.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields, replace
from math import fsum
from textwrap import wrap
from typing import Final

from accelsim.dram.config import DramConfig
from accelsim.dram.ini_files.read import (
    BEATS_PER_CYCLE,
    POWER_DEFAULTS,
    POWER_DOWN_DEFAULTS,
    PROTOCOLS,
    REFRESH_POLICIES,
    TIMING_DEFAULTS,
)
from accelsim.dram.power import Power, Rail, TypicalShares
from accelsim.dram.power_down import powers_down
from accelsim.dram.system import SEPARATE_RCD, Organisation, Timing
from accelsim.errors import ConfigError

NEAREST: Final = {"DDR5": "DDR4", "LPDDR5": "LPDDR4", "HBM3": "HBM2"}
"""By the rules that DRAMsim3 ties to a protocol: separate tRCD, two commands a clock, tPPD."""
COMMENT_COLUMNS: Final = 96
"""inih takes what follows the 199th character of a line as a new line."""


def export_ini(config: DramConfig) -> tuple[str, tuple[str, ...]]:
    """The text of the file, and a sentence for each thing that it cannot hold.

    Raises ``ConfigError`` for a memory that DRAMsim3 cannot describe at all.

    >>> from accelsim.dram.standard import STANDARDS
    >>> text, lost = export_ini(STANDARDS["ddr4_3200_x64"].config())
    >>> "tFAW = 34" in text.splitlines(), lost[-1]
    (True, 'energy: I/O (2.39362 pJ/bit) and PHY (1.5 pJ/bit)')
    """
    protocol = NEAREST.get(config.protocol, config.protocol)
    if protocol not in PROTOCOLS:
        raise ConfigError(
            f"DRAM {config.name}: protocol",
            f"DRAMsim3 knows nothing like {protocol}",
            f"one of {', '.join((*PROTOCOLS, *NEAREST))}",
        )
    organisation = _in_its_beats(config, protocol)
    sections = {
        "dram_structure": _structure(config, organisation, protocol),
        "timing": _timing(config.timing, protocol),
        "power": _power(config),
        "system": _system(config, organisation),
    }
    lost = tuple(_lost(config, organisation, protocol))
    lines = [f"; {config.name}"]
    for sentence in lost:
        lines += wrap(
            f"Not held: {sentence}", COMMENT_COLUMNS, initial_indent="; ", subsequent_indent=";   "
        )
    for section, values in sections.items():
        lines += ["", f"[{section}]", *(f"{key} = {value}" for key, value in values.items())]
    return "\n".join([*lines, ""]), lost


def _in_its_beats(config: DramConfig, protocol: str) -> Organisation:
    """The same bursts, rows and devices at the beats per clock that DRAMsim3 ties to a protocol.

    Twice the beats on half the pins move the same bytes in the same clocks.
    """
    own, beats = config.organisation, BEATS_PER_CYCLE.get(protocol, 2)
    if max(1, own.burst_length // beats) == config.timing.burst_cycles:
        return own
    burst_length = config.timing.burst_cycles * beats
    scaled = replace(
        own,
        burst_length=burst_length,
        columns=own.columns * burst_length // own.burst_length,
        bus_bits=own.bus_bits * own.burst_length // burst_length,
        device_bits=own.device_bits * own.burst_length // burst_length,
    )
    if scaled.bus_bits < 8 or scaled.device_bits < 1 or scaled.line_bytes != own.line_bytes:
        raise ConfigError(
            f"DRAM {config.name}: burst_cycles",
            f"DRAMsim3 moves {beats} beats a clock; {own.line_bytes} bytes in "
            f"{config.timing.burst_cycles} clocks need no whole bus",
            "choose a burst of 2, 4 or 8 clocks",
        )
    return scaled


def _structure(config: DramConfig, own: Organisation, protocol: str) -> dict[str, object]:
    columns = own.columns
    if protocol.startswith("GDDR"):
        columns //= own.burst_length
    elif protocol.startswith("HBM"):
        columns //= 2
    return {
        "protocol": protocol,
        "bankgroups": own.bankgroups,
        "banks_per_group": own.banks_per_group,
        "rows": own.rows,
        "columns": columns,
        "device_width": own.device_bits,
        "BL": own.burst_length,
        "hbm_dual_cmd": _word(config.controller.dual_command),
    }


def _timing(timing: Timing, protocol: str) -> dict[str, object]:
    delays = vars(timing) | {"tRCD": timing.tRCDRD}
    unread = {"tRCD"} if protocol in SEPARATE_RCD else {"tRCDRD", "tRCDWR"}
    found: dict[str, object] = {"tCK": repr(timing.tCK_ns)}
    return found | {key: delays[key] for key in TIMING_DEFAULTS if key not in unread}


def _power(config: DramConfig) -> dict[str, object]:
    rail, keys = _one_rail(config.power), (*POWER_DEFAULTS, *POWER_DOWN_DEFAULTS)
    current = {key: getattr(rail, key.removesuffix("x")) for key in keys}
    if _acts_yield_energy(config, rail):
        one_open = replace(config.power, rails=(rail,)).one_open(rail, config.organisation.banks)
        current["IDD0"] += (rail.IDD3N - one_open) * config.timing.tRAS / config.timing.tRC
    return {key: repr(float(value)) for key, value in ({"VDD": rail.volts} | current).items()}


def _acts_yield_energy(config: DramConfig, rail: Rail) -> bool:
    """True where IDD0 lies so low that DRAMsim3, which takes IDD3N for one open bank, would
    charge less than nothing for an ACT."""
    t = config.timing
    return rail.IDD0 * t.tRC < rail.IDD3N * t.tRAS + rail.IDD2N * t.tRP


def _one_rail(power: Power) -> Rail:
    """All rails as one of the first one's voltage, which draws the same watts."""
    first = power.rails[0]
    if len(power.rails) == 1:
        return first
    names = [f.name for f in fields(Rail) if f.name.startswith("IDD")]
    watts = {n: fsum(r.volts * getattr(r, n) for r in power.rails) for n in names}
    return Rail("VDD", first.volts, **{n: value / first.volts for n, value in watts.items()})


def _system(config: DramConfig, own: Organisation) -> dict[str, object]:
    controller = config.controller
    channel_bytes = own.channel_lines * own.line_bytes
    if channel_bytes % (1 << 20):
        raise ConfigError(
            f"DRAM {config.name}: rows",
            f"a channel of {channel_bytes} bytes is not a whole number of MiB, DRAMsim3's unit",
            "take more rows, columns, or ranks",
        )
    sleeps = controller.self_refresh_cycles > 0
    policy = next(k for k, v in REFRESH_POLICIES.items() if v == controller.refresh_policy)
    return {
        "channel_size": channel_bytes >> 20,
        "channels": own.channels,
        "bus_width": own.bus_bits,
        "address_mapping": controller.address_map,
        "queue_structure": controller.queue_structure.upper(),
        "row_buf_policy": f"{controller.page_policy.upper()}_PAGE",
        "refresh_policy": policy,
        "cmd_queue_size": controller.command_queue_size,
        "trans_queue_size": controller.transaction_queue_size,
        "unified_queue": _word(controller.unified_queue),
        "enable_self_refresh": _word(sleeps),
        **({"sref_threshold": controller.self_refresh_cycles} if sleeps else {}),
    }


def _lost(config: DramConfig, written: Organisation, protocol: str) -> Iterable[str]:
    """What the format cannot hold, and what stands in its place."""
    t, power, own = config.timing, config.power, config.organisation
    if protocol != config.protocol:
        yield f"protocol {config.protocol}; {protocol} has the nearest rules in DRAMsim3"
    if written != own:
        yield (
            f"{own.burst_length} beats in {t.burst_cycles} clocks; written as "
            f"{written.burst_length} beats on {written.bus_bits} instead of {own.bus_bits} pins"
        )
    if config.compat == "none":
        yield "the corrections of `compat: none`; DRAMsim3's own rules apply (docs/dram.md)"
    if t.tCCD_L_WR not in (0, t.tCCD_L) and own.bankgroups > 1:
        yield f"tCCD_L_WR = {t.tCCD_L_WR}; writes follow each other after tCCD_L = {t.tCCD_L}"
    if t.tPPD and config.protocol in ("DDR5", "HBM3"):
        yield f"tPPD = {t.tPPD}"
    if t.tRPab > t.tRP:
        yield f"tRPab = {t.tRPab}: DRAMsim3 closes banks one by one"
    if t.tRCDRD != t.tRCDWR and protocol not in SEPARATE_RCD:
        yield f"tRCDWR = {t.tRCDWR}; tRCD is that of reads, {t.tRCDRD}"
    if powers_down(config):
        yield f"power-down after {config.controller.power_down_cycles} idle cycles"
    if t.tXSDLL and config.controller.self_refresh_cycles:
        yield f"tXSDLL = {t.tXSDLL}: reads follow self-refresh after tXS"
    if config.controller.dual_command and not protocol.startswith("HBM"):
        yield "a row and a column command in one clock"
    if len(power.rails) > 1:
        rails = ", ".join(f"{rail.name} {rail.volts:g} V" for rail in power.rails)
        yield f"rails {rails}; one rail draws their watts"
    if config.compat == "none" and power.rho < 1:
        kept = _acts_yield_energy(config, _one_rail(power))
        yield (
            f"standby by the number of open banks (rho = {power.rho:.2g}); DRAMsim3 takes IDD3N "
            f"with any bank open, and {'IDD0 is raised to keep' if kept else 'less for'} the "
            "energy of an ACT"
        )
    if power.typical != TypicalShares():
        yield "energy: measured shares of the data sheet's currents; these are the maxima"
    if power.io_pj_per_bit or power.phy_pj_per_bit:
        yield (
            f"energy: I/O ({power.io_pj_per_bit:g} pJ/bit) and PHY ({power.phy_pj_per_bit:g} "
            "pJ/bit)"
        )


def _word(value: bool) -> str:
    return "true" if value else "false"
