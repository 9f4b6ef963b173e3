"""Import a DRAMsim3 ``.ini`` file as DRAMsim3 reads it, with a warning for each trap.

DRAMsim3 ignores unknown keys, takes defaults for missing ones, cuts integers at the first
character that is no digit, reads ``010`` as octal, and keeps the first of two values. To
reproduce its cycles we must do the same; to spare users a surprise we say where it happened.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from accelsim.dram.config import (
    SEPARATE_RCD,
    Controller,
    DramConfig,
    Organisation,
    Power,
    Rail,
    RefreshPolicy,
    Timing,
)
from accelsim.errors import ConfigError

MAX_FILE_BYTES: Final = 1 << 20
MAX_LINE_CHARACTERS: Final = 199

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
    "tRCDRD": 24, "tRCDWR": 20,
}  # fmt: skip
POWER_DEFAULTS: Final = {
    "IDD0": 48.0, "IDD2N": 34.0, "IDD3N": 43.0, "IDD4W": 123.0, "IDD4R": 135.0,
    "IDD5AB": 250.0, "IDD5PB": 5.0, "IDD6x": 31.0,
}  # fmt: skip
REFRESH_POLICIES: Final[dict[str, RefreshPolicy]] = {
    "RANK_LEVEL_STAGGERED": "rank_staggered",
    "RANK_LEVEL_SIMULTANEOUS": "rank_simultaneous",
    "BANK_LEVEL_STAGGERED": "bank_staggered",
}
# Keys that DRAMsim3 reads or ships without any effect on cycles and energy.
WITHOUT_EFFECT: Final = frozenset(
    {
        *("trfc2", "trfc4", "twr2", "trpre", "twpre", "txp", "txs", "tcke", "tckesr", "tcksre"),
        *("trtp_l", "trtp_s", "ipp0", "idd3p", "idd2p", "write_buf_size", "sref_threshold"),
        *("aggressive_precharging_enabled", "num_dies", "ideal_memory_latency"),
        *("epoch_period", "output_level", "output_prefix"),
    }
)
WITHOUT_EFFECT_SECTIONS: Final = frozenset({"other", "thermal", "hmc"})


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
    values.warn_about_unread()
    return config, tuple(values.warnings)


@dataclass
class IniValues:
    """The text of each key, and what was noticed while reading it."""

    text: dict[tuple[str, str], str] = field(default_factory=dict)  # (section, key), lower case
    spelling: dict[tuple[str, str], str] = field(default_factory=dict)
    read: set[tuple[str, str]] = field(default_factory=set)
    defaults: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def string(self, section: str, key: str, default: str) -> str:
        where = (section, key.lower())
        self.read.add(where)
        return self.text.get(where, default)

    def integer(self, section: str, key: str, default: int) -> int:
        """As C's ``strtol`` with base 0: a prefix, hexadecimal and octal included."""
        where = (section, key.lower())
        self.read.add(where)
        if where not in self.text:
            self.defaults.append(f"{key} = {default}")
            return default
        text = self.text[where].strip()
        match = re.match(r"[+-]?(0[xX][0-9a-fA-F]+|[0-9]+)", text)
        if not match:
            self.warnings.append(f"{key} = {text!r} is no integer: the default {default} is used")
            return default
        number = match.group()
        digits = number.lstrip("+-")
        if digits[:2].lower() == "0x":
            value = int(digits, 16)
        elif digits[0] == "0":
            octal = re.match(r"[0-7]+", digits)
            value = int(octal.group(), 8) if octal else 0
        else:
            value = int(digits)
        value = -value if number[0] == "-" else value
        if not re.fullmatch(r"\s*([;#].*)?", text[match.end() :]) or str(abs(value)) != digits:
            self.warnings.append(f"{key} = {text!r} is read as the integer {value}")
        return value

    def real(self, section: str, key: str, default: float) -> float:
        where = (section, key.lower())
        self.read.add(where)
        if where not in self.text:
            self.defaults.append(f"{key} = {default:g}")
            return default
        text = self.text[where].strip()
        match = re.match(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", text)
        if not match:
            self.warnings.append(f"{key} = {text!r} is no number: the default {default} is used")
            return default
        return float(match.group())

    def boolean(self, section: str, key: str, default: bool) -> bool:
        words = {"true": True, "yes": True, "on": True, "1": True}
        words |= {"false": False, "no": False, "off": False, "0": False}
        return words.get(self.string(section, key, "").strip().lower(), default)

    def warn_about_unread(self) -> None:
        if self.defaults:
            self.warnings.append("not given, so as DRAMsim3: " + ", ".join(self.defaults))
        for where, spelling in self.spelling.items():
            section, key = where
            if where in self.read or key in WITHOUT_EFFECT or section in WITHOUT_EFFECT_SECTIONS:
                continue
            hint = " (did you mean tREFI?)" if key == "refi" else ""
            self.warnings.append(f"[{section}] {spelling} is not a key of DRAMsim3{hint}: ignored")


def parse(text: str) -> IniValues:
    """The values of an ``.ini`` text by the rules of inih, DRAMsim3's reader.

    >>> parse("[timing]\\nCL = 22 ; cycles\\nCL = 23").integer("timing", "cl", 0)
    22
    """
    values = IniValues()
    section, last_key = "", ""
    for number, full in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        raw = full[:MAX_LINE_CHARACTERS]
        if len(full) > MAX_LINE_CHARACTERS:
            values.warnings.append(f"line {number} is cut after {MAX_LINE_CHARACTERS} characters")
        line = re.sub(r"(^|\s);.*", "", raw).strip()
        if not line or line[0] in ";#":
            continue
        if raw[0].isspace() and last_key:
            values.warnings.append(f"line {number} is indented: it continues {last_key}, ignored")
            continue
        if line[0] == "[":
            section, last_key = line[1:].partition("]")[0].strip().lower(), ""
            continue
        match = re.match(r"([^=:]+)[=:](.*)", line)
        if not match:
            values.warnings.append(f"line {number} is no `key = value`: ignored")
            continue
        key, value = match.group(1).strip(), match.group(2).strip()
        last_key, where = key, (section, key.lower())
        if where in values.text:
            values.warnings.append(f"{key} is given twice: the first, {values.text[where]}, counts")
            continue
        values.text[where], values.spelling[where] = value, key
    return values


def _config(path: Path, v: IniValues) -> DramConfig:
    protocol = v.string("dram_structure", "protocol", "DDR3").strip()
    if protocol not in PROTOCOLS:
        raise ConfigError(
            f"{path}: protocol", f"{protocol!r} is not supported", f"one of {', '.join(PROTOCOLS)}"
        )
    organisation = _organisation(path, v, protocol)
    refresh = v.string("system", "refresh_policy", "RANK_LEVEL_STAGGERED").strip()
    if refresh not in REFRESH_POLICIES:
        raise ConfigError(
            f"{path}: refresh_policy",
            f"unknown {refresh!r}",
            f"one of {', '.join(REFRESH_POLICIES)}",
        )
    structure = v.string("system", "queue_structure", "PER_BANK").strip()
    if structure not in ("PER_BANK", "PER_RANK"):
        raise ConfigError(
            f"{path}: queue_structure", f"unknown {structure!r}", "PER_BANK or PER_RANK"
        )
    if v.boolean("system", "enable_self_refresh", False):
        v.warnings.append("enable_self_refresh is not modelled: idle ranks stay in standby")
    closed = v.string("system", "row_buf_policy", "OPEN_PAGE").strip() == "CLOSE_PAGE"
    controller = Controller(
        address_map=v.string("system", "address_mapping", "chrobabgraco").strip(),
        page_policy="close" if closed else "open",
        queue_structure="per_rank" if structure == "PER_RANK" else "per_bank",
        refresh_policy=REFRESH_POLICIES[refresh],
        command_queue_size=v.integer("system", "cmd_queue_size", 16),
        transaction_queue_size=v.integer("system", "trans_queue_size", 32),
        unified_queue=v.boolean("system", "unified_queue", False),
        dual_command=v.boolean("dram_structure", "hbm_dual_cmd", True)
        and protocol.startswith("HBM"),
    )
    current = {key: v.real("power", key, default) for key, default in POWER_DEFAULTS.items()}
    current["IDD6"] = current.pop("IDD6x")
    return DramConfig(
        name=path.stem,
        protocol=protocol,
        organisation=organisation,
        timing=_timing(v, protocol, organisation.burst_length),
        power=Power(rails=(Rail("VDD", v.real("power", "VDD", 1.2), **current),)),
        controller=controller,
        compat="dramsim3",
        sources=(("*", f"DRAMsim3 file {path.name}"),),
    )


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
    rank_bytes = (
        columns * device_bits * rows * groups * banks * max(1, bus_bits // device_bits) // 8
    )
    ranks = (channel_mib << 20) // max(1, rank_bytes)
    if ranks < 1:
        v.warnings.append(
            f"channel_size = {channel_mib} MiB is smaller than one rank: raised to "
            f"{rank_bytes >> 20} MiB"
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


def _timing(v: IniValues, protocol: str, burst_length: int) -> Timing:
    separate = protocol in SEPARATE_RCD
    unread = {"tRCD"} if separate else {"tRCDRD", "tRCDWR"}
    if not protocol.startswith("GDDR"):
        unread |= {"t32AW"}
    # Keys that matter nowhere in this protocol deserve no warning about their default.
    quiet = unread | {"tRFCb", "tREFIb", "tPPD"}
    t: dict[str, int] = {}
    for key, default in TIMING_DEFAULTS.items():
        noticed = len(v.defaults)
        t[key] = v.integer("timing", key, default)
        if key in quiet:
            del v.defaults[noticed:]
    rcd = t.pop("tRCD")
    if not separate:
        t["tRCDRD"] = t["tRCDWR"] = rcd
    return Timing(
        tCK_ns=v.real("timing", "tCK", 1.0),
        burst_cycles=max(1, burst_length // BEATS_PER_CYCLE.get(protocol, 2)),
        **t,
    )
