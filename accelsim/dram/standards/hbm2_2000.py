"""HBM2 at 2.0 Gb/s per pin: one legacy 128-bit channel of a stack, 32 GB/s."""

from accelsim.dram.config import Controller, Organisation, Timing
from accelsim.dram.power import Power, Rail
from accelsim.dram.standard import DEFAULT_ADDRESS_MAP, DramStandard

_DRAMSIM3 = "DRAMsim3 HBM2_8Gb_x128.ini"
_DEFAULTS = "DRAMsim3's controller defaults"
_MEASURED = "measured on 36 stacks, CMU-SAFARI HBM-Power (second hand)"
# The measurement is at 2.4 Gb/s; a bit costs the same at 2.0, so the burst excess scales.
_RATE = 2.0 / 2.4
# Base die and stack draw 940 mW over eight channels, whatever these do.
_FLOOR = 940 / 8 / 1.2

STANDARD = DramStandard(
    name="hbm2_2000",
    description="HBM2 2.0 Gb/s, one legacy 128-bit channel of 8 Gb",
    protocol="HBM2",
    organisation=Organisation(
        channels=1,
        ranks=1,
        bankgroups=4,
        banks_per_group=4,
        rows=32768,
        columns=128,
        device_bits=128,
        bus_bits=128,
        burst_length=4,
    ),
    timing=Timing(
        tCK_ns=1.0,
        burst_cycles=2,
        AL=0,
        CL=14,
        CWL=4,
        tRCDRD=14,
        tRCDWR=14,
        tRP=14,
        tRAS=34,
        tRFC=260,
        tRFCb=200,
        tREFI=3900,
        tREFIb=243,
        tRRD_S=4,
        tRRD_L=6,
        tFAW=30,
        t32AW=0,
        tCCD_S=1,
        tCCD_L=2,
        tWTR_S=6,
        tWTR_L=8,
        tWR=16,
        tRTP=5,
        tRTRS=2,
        tPPD=0,
    ),
    power=Power(
        rails=(
            Rail(
                name="VDD",
                volts=1.2,
                IDD0=42.7,
                IDD2N=38.0,
                IDD3N=35.5,
                IDD4R=35.5 + (1357 - 35.5) * _RATE,
                IDD4W=35.5 + (924 - 35.5) * _RATE,
                IDD5AB=92.8,
                IDD5PB=0.0,
                IDD6=0.0,
            ),
            Rail("stack", 1.2, _FLOOR, _FLOOR, _FLOOR, _FLOOR, _FLOOR, _FLOOR, 0.0, 0.0),
        ),
        phy_pj_per_bit=1.0,
    ),
    controller=Controller(address_map=DEFAULT_ADDRESS_MAP, dual_command=True),
    package_channels=8,
    sources={
        "ranks": "one stack",
        "channels": "one of the eight of a stack; the configuration chooses",
        "bankgroups, banks_per_group, rows, columns": _DRAMSIM3,
        "device_bits, bus_bits, burst_length": "JESD235A: legacy mode, 128 bits, BL4",
        "tCK_ns, burst_cycles": "JESD235A: 2.0 Gb/s per pin, two beats per cycle",
        "AL": "not in HBM",
        "CL, CWL, tRCDRD, tRCDWR, tRP, tRAS, tRFC, tREFI": _DRAMSIM3,
        "tREFIb": "tREFI over the 16 banks",
        "tRFCb": "assumption: 200 ns, as JESD235A's tRFCSB class; unused by default",
        "tRRD_S, tRRD_L, tFAW, tCCD_S, tCCD_L, tWTR_S, tWTR_L, tWR": _DRAMSIM3,
        "tRTP": "assumption: DRAMsim3's default 5, between its tRTP_S 4 and tRTP_L 6",
        "tRTRS": "assumption: DRAMsim3's default 2",
        "t32AW, tPPD": "not in HBM2",
        "IDD0, IDD2N, IDD3N, IDD4R, IDD4W, IDD5AB": _MEASURED + "; burst excess at 2.0/2.4",
        "IDD5PB, IDD6": "assumption: 0, since per-bank and self refresh are not used",
        "VDD": "JESD235A: 1.2 V",
        "stack": _MEASURED + ": 940 mW floor of a stack, an eighth per channel",
        "activate, read, write, refresh, active_standby, idle_standby": "currents are measured",
        "io_pj_per_bit": "none: unterminated, and inside the measured burst current",
        "phy_pj_per_bit": "assumption: low end of the 1 to 3 pJ/bit of published PHYs",
        "address_map": "interleaves bank groups; see docs/dram.md",
        "page_policy, queue_structure, refresh_policy": _DEFAULTS,
        "command_queue_size, transaction_queue_size, unified_queue": _DEFAULTS,
        "dual_command": "JESD235A: separate row and column command buses",
    },
)
