"""Import a DRAMsim3 ``.ini`` file as DRAMsim3 reads it, with a warning for each trap.

DRAMsim3 ignores unknown keys, takes defaults for missing ones, cuts integers at the first
character that is no digit, reads ``010`` as octal, and keeps the first of two values. To
reproduce its cycles we must do the same; to spare users a surprise we say where it happened.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

from accelsim.dram.config import DramConfig
from accelsim.dram.ini_files.doubts import warnings_of
from accelsim.dram.ini_files.text import IniValues, parse, shown
from accelsim.dram.power import EnergyKnown, Power, Rail
from accelsim.dram.system import SEPARATE_RCD, Controller, Organisation, RefreshPolicy, Timing
from accelsim.errors import ConfigError

MAX_FILE_BYTES: Final = 1 << 20

# Not HMC: it is a packet network, no bus.
PROTOCOLS: Final = (
    *("DDR3", "DDR4", "GDDR5", "GDDR5X", "GDDR6"),
    *("LPDDR", "LPDDR3", "LPDDR4", "HBM", "HBM2"),
)
BEATS_PER_CYCLE: Final = {"GDDR5": 4, "GDDR5X": 8, "GDDR6": 16}

TIMING_DEFAULTS: Final = {
    "AL": 0, "CL": 12, "CWL": 12, "tRCD": 10, "tRP": 10, "tRAS": 24, "tRFC": 74, "tREFI": 7800,
    "tRFCb": 20, "tREFIb": 1950, "tRRD_S": 4, "tRRD_L": 4, "tFAW": 50, "t32AW": 330, "tCCD_S": 4,
    "tCCD_L": 6, "tWTR_S": 5, "tWTR_L": 5, "tWR": 10, "tRTP": 5, "tRTRS": 2, "tPPD": 0,
    "tRCDRD": 24, "tRCDWR": 20, "tCKESR": 12, "tXS": 432,
}  # fmt: skip
POWER_DEFAULTS: Final = {
    "IDD0": 48.0, "IDD2N": 34.0, "IDD3N": 43.0, "IDD4W": 123.0, "IDD4R": 135.0,
    "IDD5AB": 250.0, "IDD5PB": 5.0, "IDD6x": 31.0,
}  # fmt: skip
POWER_DOWN_DEFAULTS: Final = {"IDD2P": 25.0, "IDD3P": 37.0}
REFRESH_POLICIES: Final[dict[str, RefreshPolicy]] = {
    "RANK_LEVEL_STAGGERED": "rank_staggered",
    "RANK_LEVEL_SIMULTANEOUS": "rank_simultaneous",
    "BANK_LEVEL_STAGGERED": "bank_staggered",
}


def read_ini(path: str | Path) -> tuple[DramConfig, tuple[str, ...]]:
    """The configuration in a DRAMsim3 file, and warnings about what it will surprise with.

    Raises ``ConfigError`` for a file that cannot be read or describes no real memory.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ConfigError(
            str(path), error.strerror or "cannot be read", "check the path of the .ini file"
        ) from None
    if len(data) > MAX_FILE_BYTES:
        raise ConfigError(str(path), "is larger than 1 MiB", "a DRAMsim3 .ini has about 60 lines")
    return parse_ini(data.decode("utf-8", "replace"), path)


def parse_ini(text: str, path: str | Path) -> tuple[DramConfig, tuple[str, ...]]:
    """The same from the text of a file: what a result keeps of it. ``path`` names it."""
    path = Path(path)
    values = parse(text)
    if not values.text:
        raise ConfigError(
            str(path), "holds no `key = value` line", "expected a DRAMsim3 .ini with [timing]"
        )
    config = _config(path, values)
    if not values.read & values.text.keys():
        raise ConfigError(
            str(path), "holds no key that DRAMsim3 knows", "expected a DRAMsim3 .ini with [timing]"
        )
    config = replace(config, warnings=warnings_of(config, values))
    return config, config.warnings


def _config(path: Path, v: IniValues) -> DramConfig:
    protocol = v.string("dram_structure", "protocol", "DDR3")
    if protocol not in PROTOCOLS:
        raise ConfigError(
            f"{path}: protocol",
            f"{shown(protocol)} is not supported",
            f"one of {', '.join(PROTOCOLS)}",
        )
    organisation = _organisation(path, v, protocol)
    refresh = v.string("system", "refresh_policy", "RANK_LEVEL_STAGGERED")
    if refresh not in REFRESH_POLICIES:
        raise ConfigError(
            f"{path}: refresh_policy",
            f"unknown {shown(refresh)}",
            f"one of {', '.join(REFRESH_POLICIES)}",
        )
    structure = v.string("system", "queue_structure", "PER_BANK")
    if structure not in ("PER_BANK", "PER_RANK"):
        raise ConfigError(
            f"{path}: queue_structure", f"unknown {shown(structure)}", "PER_BANK or PER_RANK"
        )
    sleeps = v.boolean("system", "enable_self_refresh", False)
    if sleeps:
        v.warnings.append(
            "enable_self_refresh: as in DRAMsim3, a rank is in self-refresh only until its first "
            "request"
        )
    page = v.string("system", "row_buf_policy", "OPEN_PAGE")
    if page not in ("OPEN_PAGE", "CLOSE_PAGE"):
        v.warnings.append(
            f"row_buf_policy = {shown(page)} is neither OPEN_PAGE nor CLOSE_PAGE: OPEN_PAGE is used"
        )
    controller = Controller(
        address_map=v.string("system", "address_mapping", "chrobabgraco"),
        page_policy="close" if page == "CLOSE_PAGE" else "open",
        queue_structure="per_rank" if structure == "PER_RANK" else "per_bank",
        refresh_policy=REFRESH_POLICIES[refresh],
        command_queue_size=v.integer("system", "cmd_queue_size", 16),
        transaction_queue_size=v.integer("system", "trans_queue_size", 32),
        unified_queue=v.boolean("system", "unified_queue", False),
        dual_command=v.boolean("dram_structure", "hbm_dual_cmd", True)
        and protocol.startswith("HBM"),
        # DRAMsim3 compares at the end of a cycle, so 0 and 1 are the same to it.
        self_refresh_cycles=max(1, v.integer("system", "sref_threshold", 1000)) if sleeps else 0,
    )
    _warn_about_write_buffer(v, controller.transaction_queue_size)
    by_bank = controller.refresh_policy == "bank_staggered"
    current = {
        key: v.real("power", key, default, quiet=key in _idle_currents(sleeps, by_bank))
        for key, default in POWER_DEFAULTS.items()
    }
    current["IDD6"] = current.pop("IDD6x")
    for key, default in POWER_DOWN_DEFAULTS.items():
        # Without effect in DRAMsim3; a default lies between IDD2P and standby.
        least = min(max(default, current.get("IDD2P", 0.0)), current[key.replace("P", "N")])
        current[key] = v.real("power", key, least, quiet=True)
    return DramConfig(
        name=path.stem,
        protocol=protocol,
        organisation=organisation,
        timing=_timing(v, protocol, organisation.burst_length, sleeps),
        power=Power(rails=(Rail("VDD", v.real("power", "VDD", 1.2), **current),)),
        controller=controller,
        compat="dramsim3",
        sources=(("*", f"DRAMsim3 file {path.name}"),),
        energy_known=EnergyKnown("file", "file"),
    )


def _idle_currents(sleeps: bool, by_bank: bool) -> set[str]:
    """Currents that price nothing with these policies."""
    unused = {"IDD5AB"} if by_bank else {"IDD5PB"}
    return unused if sleeps else unused | {"IDD6x"}


def _warn_about_write_buffer(v: IniValues, transactions: int) -> None:
    key = "write_buf_size"
    if ("system", key) in v.text and (size := v.integer("system", key, 16)) != transactions:
        v.warnings.append(f"{key} = {size} has no effect: trans_queue_size, {transactions}, counts")


def _organisation(path: Path, v: IniValues, protocol: str) -> Organisation:
    section = "dram_structure"
    groups = v.integer(section, "bankgroups", 2)
    banks = v.integer(section, "banks_per_group", 2)
    if not v.boolean(section, "bankgroup_enable", True):
        groups, banks = 1, groups * banks
    burst_length = v.integer(section, "BL", 8)
    if burst_length <= 0:
        raise ConfigError(f"{path}: BL", "an ideal bus (BL = 0) is not supported", "give BL, say 8")
    columns = v.integer(section, "columns", 1024)
    if protocol.startswith("GDDR"):
        columns *= burst_length
    elif protocol.startswith("HBM"):
        columns *= 2
    rows = v.integer(section, "rows", 65536)
    device_bits = v.integer(section, "device_width", 8)
    bus_bits = v.integer("system", "bus_width", 64)
    channel_mib = v.integer("system", "channel_size", 1024)
    sizes = (groups, banks, columns, rows, device_bits, bus_bits, channel_mib)
    if min(sizes) < 1:
        raise ConfigError(
            str(path),
            "counts and sizes must be at least 1",
            "check bankgroups, rows, bus_width, ...",
        )
    bank_bytes = columns * device_bits // 8 * rows
    rank_bytes = bank_bytes * groups * banks * max(1, bus_bits // device_bits)
    if bank_bytes < 1 << 20:
        v.warnings.append(f"a bank of {bank_bytes} bytes: DRAMsim3 itself stops below 1 MiB")
    ranks = (channel_mib << 20) // max(1, rank_bytes)
    used_mib = max(1, ranks) * rank_bytes >> 20
    if ranks & (ranks - 1):
        raise ConfigError(
            f"{path}: channel_size",
            f"{channel_mib} MiB are {ranks} ranks of {rank_bytes >> 20} MiB: DRAMsim3 would "
            f"address {1 << ranks.bit_length() - 1} of them",
            f"give {rank_bytes >> 20} MiB times a power of two",
        )
    if ranks < 1:
        v.warnings.append(
            f"channel_size = {channel_mib} MiB is smaller than one rank: raised to {used_mib} MiB"
        )
    elif used_mib != channel_mib:
        v.warnings.append(
            f"channel_size = {channel_mib} MiB is not a whole number of ranks: cut to {used_mib} "
            "MiB"
        )
    return Organisation(
        channels=v.integer("system", "channels", 1),
        ranks=max(1, ranks),
        bankgroups=groups,
        banks_per_group=banks,
        rows=rows,
        columns=columns,
        device_bits=device_bits,
        bus_bits=bus_bits,
        burst_length=burst_length,
    )


def _timing(v: IniValues, protocol: str, burst_length: int, sleeps: bool) -> Timing:
    separate = protocol in SEPARATE_RCD
    unread = {"tRCD"} if separate else {"tRCDRD", "tRCDWR"}
    if not protocol.startswith("GDDR"):
        unread |= {"t32AW"}
    # Keys that matter nowhere in this protocol deserve no warning about their default.
    quiet = unread | {"tRFCb", "tREFIb", "tPPD"} | (set() if sleeps else {"tCKESR", "tXS"})
    t = {
        key: v.integer("timing", key, default, quiet=key in quiet)
        for key, default in TIMING_DEFAULTS.items()
    }
    rcd = t.pop("tRCD")
    if not separate:
        t["tRCDRD"] = t["tRCDWR"] = rcd
    beats = BEATS_PER_CYCLE.get(protocol, 2)
    if burst_length < beats:
        v.warnings.append(
            f"BL = {burst_length} is less than the {beats} beats of a {protocol} clock: a burst "
            "takes 1 clock; DRAMsim3 takes 0"
        )
    return Timing(
        tCK_ns=v.real("timing", "tCK", 1.0),
        burst_cycles=max(1, burst_length // beats),
        **t,
    )
