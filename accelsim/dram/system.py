"""Description of a DRAM system: organisation, timing, currents, controller.

Values derived from these are here as well; whether they can be real is checked by
``accelsim.dram.config``, and all other code takes a ``DramConfig``. Times are in DRAM clock
cycles.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from accelsim.dram.power import ASSUMED, EnergyKnown, Power
from accelsim.units import Clock

Compat: TypeAlias = Literal["dramsim3", "none"]
PagePolicy: TypeAlias = Literal["open", "close"]
QueueStructure: TypeAlias = Literal["per_bank", "per_rank"]
RefreshPolicy: TypeAlias = Literal["rank_staggered", "rank_simultaneous", "bank_staggered"]

ADDRESS_FIELDS: Final = ("ch", "ra", "bg", "ba", "ro", "co")
SEPARATE_RCD: Final = ("GDDR5", "GDDR5X", "GDDR6", "HBM", "HBM2")
"""Protocols with one activate-to-column delay for reads and another for writes."""


@dataclass(frozen=True)
class Organisation:
    """Numbers of channels, ranks, banks, rows and columns. All counts are powers of two."""

    channels: int
    ranks: int
    bankgroups: int
    banks_per_group: int
    rows: int
    columns: int
    """Column addresses of one row of one bank; a burst covers ``burst_length`` of them."""
    device_bits: int
    """Data pins of one device."""
    bus_bits: int
    """Data pins of one channel."""
    burst_length: int

    @property
    def banks(self) -> int:
        """Banks of one rank."""
        return self.bankgroups * self.banks_per_group

    @property
    def devices(self) -> int:
        """Devices of one rank."""
        return self.bus_bits // self.device_bits

    @property
    def line_bytes(self) -> int:
        """Bytes of one burst on one channel."""
        return self.bus_bits // 8 * self.burst_length

    @property
    def lines_per_row(self) -> int:
        return self.columns // self.burst_length

    @property
    def channel_lines(self) -> int:
        return self.ranks * self.banks * self.rows * self.lines_per_row


@dataclass(frozen=True)
class Timing:
    """Delays in DRAM clock cycles, under the names of the JEDEC standards."""

    tCK_ns: float
    burst_cycles: int
    AL: int
    CL: int
    CWL: int
    tRCDRD: int
    """ACT to RD; equal to tRCDWR except for GDDR and HBM."""
    tRCDWR: int
    tRP: int
    tRAS: int
    tRFC: int
    tRFCb: int
    tREFI: int
    tREFIb: int
    tRRD_S: int
    tRRD_L: int
    tFAW: int
    t32AW: int
    """Window of 32 ACTs (GDDR); 0 is none."""
    tCCD_S: int
    tCCD_L: int
    tWTR_S: int
    tWTR_L: int
    tWR: int
    tRTP: int
    tRTRS: int
    tPPD: int
    tCCD_L_WR: int = 0
    """Write to write in one bank group (DDR5); 0 is tCCD_L."""
    tRPab: int = 0
    """Precharge of all banks to ACT and REF (LPDDR); 0 is tRP."""
    tCKESR: int = 0
    """Least time in self-refresh."""
    tXS: int = 0
    """Exit of self-refresh to ACT; 0: not known, so self-refresh cannot be used."""
    tXSDLL: int = 0
    """Exit of self-refresh to RD, which needs a locked DLL (DDR)."""
    tCKE: int = 0
    """Least time in power-down (tPD, or tCKE if JEDEC has both)."""
    tXP: int = 0
    """Exit of power-down to any command; 0: not known, so power-down cannot be used."""
    tXPDLL: int = 0
    """Exit of precharge power-down to RD where IDD2P is that with the DLL off (DDR3); or 0."""

    @property
    def tRC(self) -> int:
        return self.tRAS + self.tRP

    @property
    def read_latency(self) -> int:
        return self.AL + self.CL

    @property
    def write_latency(self) -> int:
        return self.AL + self.CWL


@dataclass(frozen=True)
class Controller:
    """Queues and policies of the memory controller."""

    address_map: str
    """Twelve characters, most significant field first, such as ``rochracobabg``."""
    page_policy: PagePolicy = "open"
    queue_structure: QueueStructure = "per_bank"
    refresh_policy: RefreshPolicy = "rank_staggered"
    command_queue_size: int = 8
    transaction_queue_size: int = 32
    unified_queue: bool = False
    dual_command: bool = False
    """A row and a column command in one clock (HBM)."""
    self_refresh_cycles: int = 0
    """A rank that is idle for this long enters self-refresh; 0: never."""
    power_down_cycles: int = 0
    """A rank without work for this long is powered down; 0: never. See ``dram.power_down``."""


@dataclass(frozen=True)
class DramSystem:
    """A memory system of identical channels, as described and not yet checked."""

    name: str
    protocol: str
    organisation: Organisation
    timing: Timing
    power: Power
    controller: Controller
    compat: Compat
    """``dramsim3`` keeps that simulator's deviations from the standards; ``none`` does not."""
    sources: tuple[tuple[str, str], ...] = ()
    """(key, source) of every value that comes from a standard."""
    energy_known: EnergyKnown = ASSUMED
    warnings: tuple[str, ...] = field(default=(), compare=False)
    """Where a file was read differently from what it seems to say, which makes figures doubtful."""

    @property
    def line_bytes(self) -> int:
        """Bytes of one burst: the unit of every address in the simulator."""
        return self.organisation.line_bytes

    @property
    def posted_cycles(self) -> int:
        """How long before tRCD a read or write may be issued: additive latency.

        DRAMsim3 subtracts it from tRCD, but not from tRCDRD and tRCDWR of GDDR and HBM.
        """
        separate = self.compat == "dramsim3" and self.protocol in SEPARATE_RCD
        return 0 if separate else self.timing.AL

    @property
    def n_ranks(self) -> int:
        """Ranks of all channels together."""
        return self.organisation.channels * self.organisation.ranks

    @property
    def n_lines(self) -> int:
        """Lines of all channels together: the first address beyond the end."""
        return self.organisation.channels * self.organisation.channel_lines

    @property
    def clock(self) -> Clock:
        """The DRAM clock, its period rounded to whole femtoseconds."""
        return Clock(round(self.timing.tCK_ns * 1e6))

    @property
    def peak_gb_s(self) -> float:
        """Peak of all channels, in 1e9 bytes per second."""
        burst_ns = self.timing.burst_cycles * self.timing.tCK_ns
        return self.organisation.channels * self.line_bytes / burst_ns
