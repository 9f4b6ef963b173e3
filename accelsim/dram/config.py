"""One DRAM system, complete and checked.

All later stages read only this: the kernel uses its timing, the energy formulas use its
currents. It comes from a native standard (``accelsim.dram.standards``) or an imported
DRAMsim3 file (``accelsim.dram.ini_files.read``).
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

from accelsim.dram.checks.kinds import check_kinds
from accelsim.dram.checks.pins import check_pins
from accelsim.dram.checks.power import check_power
from accelsim.dram.checks.refresh import check_bank_refresh, check_self_refresh
from accelsim.dram.checks.timing import check_timing
from accelsim.dram.power_down import check_power_down
from accelsim.dram.system import (
    ADDRESS_FIELDS,
    Controller,
    DramSystem,
    Organisation,
)
from accelsim.errors import ConfigError

MAX_BANKS: Final = 1 << 16
"""Banks of all channels; enough for a hundred stacks of HBM2."""
MAX_REQUESTS: Final = 1 << 20


@dataclass(frozen=True)
class DramConfig(DramSystem):
    """A memory system that could be real. Raises ``ConfigError`` for impossible values."""

    def __post_init__(self) -> None:
        check(self)


def check(config: DramConfig) -> None:
    """Check a DRAM configuration; no other place does so."""
    check_kinds(config)
    _check_organisation(config.name, config.organisation)
    check_timing(config)
    _check_controller(config.name, config.controller)
    _check_extent(config)
    check_bank_refresh(config)
    check_self_refresh(config)
    check_power_down(config)
    check_power(config)
    check_pins(config)


def _check_organisation(name: str, organisation: Organisation) -> None:
    for key in fields(organisation):
        value = getattr(organisation, key.name)
        if value < 1 or value & (value - 1):
            raise ConfigError(
                f"DRAM {name}: {key.name}",
                f"must be a power of two, 1 or more, got {value}",
                "address bits select channels, ranks, banks, rows and columns",
            )
    if organisation.bus_bits < organisation.device_bits:
        raise ConfigError(
            f"DRAM {name}: bus_bits",
            f"{organisation.bus_bits} is narrower than one device ({organisation.device_bits})",
            "a rank holds at least one device",
        )
    if organisation.bus_bits < 8 or organisation.columns < organisation.burst_length:
        raise ConfigError(
            f"DRAM {name}: columns",
            f"{organisation.columns} columns of {organisation.bus_bits} bits do not hold one "
            f"burst of {organisation.burst_length}",
            "a row holds at least one burst of at least one byte per beat",
        )
    if organisation.channels * organisation.channel_lines * organisation.line_bytes > 1 << 50:
        raise ConfigError(f"DRAM {name}", "is larger than 1 PiB", "check rows and channels")


def _check_extent(config: DramConfig) -> None:
    """The state of banks and requests must stay below some hundred MiB."""
    own, controller = config.organisation, config.controller
    n_banks = own.channels * own.ranks * own.banks
    n_queues = n_banks if controller.queue_structure == "per_bank" else config.n_ranks
    n_requests = (
        n_queues * controller.command_queue_size
        + 2 * own.channels * controller.transaction_queue_size
    )
    for what, number, most in (
        ("banks in all channels", n_banks, MAX_BANKS),
        ("entries in all queues", n_requests, MAX_REQUESTS),
    ):
        if number > most:
            raise ConfigError(
                f"DRAM {config.name}",
                f"has {number:,} {what}, more than {most:,}",
                "check channels, channel_size (ranks), banks and queue sizes",
            )


def _check_controller(name: str, controller: Controller) -> None:
    text = controller.address_map
    parts = [text[i : i + 2] for i in range(0, len(text), 2)]
    if sorted(parts) != sorted(ADDRESS_FIELDS):
        raise ConfigError(
            f"DRAM {name}: address_map",
            f"{text!r} must name each of ch ra bg ba ro co once",
            "twelve characters, most significant first: rochracobabg, rochrababgco, ...",
        )
    for key, value in (
        ("command_queue_size", controller.command_queue_size),
        ("transaction_queue_size", controller.transaction_queue_size),
    ):
        if not 1 <= value <= 4096:
            problem = f"must be between 1 and 4096, got {value}"
            raise ConfigError(f"DRAM {name}: {key}", problem, "usual: 8 and 32")
