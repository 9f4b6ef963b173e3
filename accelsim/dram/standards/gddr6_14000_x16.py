"""GDDR6 at 14 Gb/s per pin, one 16-bit channel of an 8 Gb device, 32 bytes a burst."""

from accelsim.dram.interface import Interface, Path
from accelsim.dram.power import EnergyKnown, Power, Rail, TypicalShares
from accelsim.dram.standard import DEFAULT_ADDRESS_MAP, DramStandard
from accelsim.dram.system import Controller, Organisation, Timing

_SAMSUNG = "Samsung K4Z80325BC-HC14 (Rev 1.3), Tables 91 and 92, as Ramulator 2.1"
_CURRENT = "Samsung K4Z80325BC-HC14, Table 82, half of a device with two channels (second hand)"
_TYPICAL = "assumption: guardbanded as DDR3L (Ghose et al. 2018) and DDR4 (Shi et al. 2024) were"
_CONTROLLER = "DRAMsim3's controller defaults"

STANDARD = DramStandard(
    name="gddr6_14000_x16",
    description="GDDR6 14 Gb/s, one 4 Gb 16-bit channel of a device",
    protocol="GDDR6",
    organisation=Organisation(
        channels=1,
        ranks=1,
        bankgroups=4,
        banks_per_group=4,
        rows=16384,
        columns=1024,
        device_bits=16,
        bus_bits=16,
        burst_length=16,
    ),
    timing=Timing(
        tCK_ns=4 / 7,
        burst_cycles=2,
        AL=0,
        CL=24,
        CWL=6,
        tRCDRD=27,
        tRCDWR=16,
        tRP=27,
        tRAS=53,
        tRFC=210,
        tRFCb=105,
        tREFI=3325,
        tREFIb=207,
        tRRD_S=8,
        tRRD_L=8,
        tFAW=29,
        t32AW=0,
        tCCD_S=2,
        tCCD_L=4,
        tWTR_S=10,
        tWTR_L=12,
        tWR=27,
        tRTP=4,
        tRTRS=5,
        tPPD=1,
        tCKE=19,
        tXP=14,
    ),
    power=Power(
        rails=(
            Rail(
                name="VDD",
                volts=1.35,
                IDD0=215.0,
                IDD2N=155.0,
                IDD2P=115.0,
                IDD3N=230.0,
                IDD3P=190.0,
                IDD4R=610.0,
                IDD4W=735.0,
                IDD5AB=395.0,
                IDD5PB=0.0,
                IDD6=0.0,
            ),
        ),
        typical=TypicalShares(
            activate=0.5,
            read=0.6,
            write=0.5,
            refresh=0.83,
            standby=0.57,
            open_banks=0.0,
        ),
        io_pj_per_bit=0.5 * 1.35**2 / (40 + 60) / 14 * 1e3,
        phy_pj_per_bit=1.5,
        rho=0.09,
        interface=Interface(
            signalling="pod",
            volts=1.35,
            read=Path(40, 60),
            write=Path(40, 60),
            pads_pf=1.7,
            has_dbi=True,
            dbi=True,
        ),
    ),
    controller=Controller(address_map=DEFAULT_ADDRESS_MAP, power_down_cycles=128),
    energy_known=EnergyKnown(currents="sheet", shares="assumption"),
    package_channels=2,
    sources={
        "ranks": "one device",
        "channels": "JESD250: two per device; the configuration chooses",
        "bankgroups, banks_per_group, rows, columns": "JESD250 addressing, 8 Gb x16: 4 Gb per "
        "channel, 2 KB page",
        "device_bits, bus_bits, burst_length": "JESD250: 16-bit channel, BL16",
        "tCK_ns, burst_cycles": "JESD250: 14 Gb/s per pin, eight beats per cycle of CK",
        "AL": "not in GDDR6",
        "CL, CWL, tCCD_S, tCCD_L, tPPD": _SAMSUNG,
        "tRCDRD, tRCDWR, tRP, tRAS": _SAMSUNG + ": 15, 9, 15 and 30 ns",
        "tRFC, tRFCb, tREFI, tREFIb": _SAMSUNG + ": 120 ns, 60 ns, 1.9 us and a sixteenth of it",
        "tRRD_S, tRRD_L, tFAW": _SAMSUNG + ": 8 and 29 cycles, so that four ACTs never meet tFAW",
        "t32AW": "assumption: 0; no source read gives it (DRAMsim3: 420 cycles of 0.66 ns, "
        "unsourced)",
        "tWTR_S, tWTR_L, tWR, tRTP": _SAMSUNG,
        "tXP": "7.9 ns (DRAMsim3 GDDR6_8Gb_x16.ini)",
        "tCKE": "assumption: 10.7 ns, as in GDDR5 (DRAMsim3 GDDR5_1Gb_x32.ini)",
        "tRTRS": "a write follows a read by RL + 2 BL/8 - WL + 3 (Samsung, as Ramulator 2.1), "
        "bus turnaround 0",
        "VDD": "JESD250: 1.35 V; VPP is left out (no sourced IPP2N)",
        "IDD0, IDD2N, IDD3N, IDD4R, IDD4W, IDD5AB": _CURRENT + "; sources disagree: DRAMsim3's "
        "GDDR6 currents are its GDDR5 ones, a third of these",
        "IDD5PB, IDD6": "assumption: 0, since per-bank and self refresh are not used",
        "IDD2P": _CURRENT,
        "IDD3P": "assumption: as far above IDD2P as IDD3N is above IDD2N",
        "activate, read, write, refresh, standby": _TYPICAL,
        "open_banks": "assumption: 0, as measured in DDR3L and DDR4",
        "rho": "with it IDD0 prices an ACT at 3.25 nJ; IDD7 - IDD4R of the same table at 3.24 "
        "(second hand)",
        "io_pj_per_bit": "POD termination: half the bits low, 1.35 V squared over 40 + 60 ohm "
        "for 1/14 ns",
        "phy_pj_per_bit": "assumption: middle of the 1 to 3 pJ/bit of published PHYs",
        "interface": "JESD250: POD with DBI in both directions, assumption: on, as graphics "
        "cards run it; 40 and 60 ohm as in io_pj_per_bit; pads: assumption, as DDR4",
        "address_map": "interleaves bank groups; see docs/dram.md",
        "power_down_cycles": "Intel's default of 128 clocks for a rank (data sheets of Core "
        "i7-4770 and i9-7920X); assumption: of GDDR6 too",
        "page_policy, queue_structure, refresh_policy": _CONTROLLER,
        "command_queue_size, transaction_queue_size, unified_queue, dual_command": _CONTROLLER,
    },
)
