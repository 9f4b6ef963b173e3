"""DDR5-5600: one 32-bit sub-channel of a module, four 16 Gb x8 devices, 64 bytes a burst."""

from accelsim.dram.interface import Interface, Path
from accelsim.dram.power import EnergyKnown, Power, Rail, TypicalShares
from accelsim.dram.standard import DEFAULT_ADDRESS_MAP, DramStandard
from accelsim.dram.system import Controller, Organisation, Timing

_JEDEC = "JESD79-5D speed bin DDR5-5600B (46-45-45): 16, 16 and 32 ns, rounded as its 13.2 says"
_MICRON = "Micron MT60B2G8, 16 Gb DDR5 die rev D (Rev F), Table 8, x8, 5600 (second hand)"
_TYPICAL = "assumption: guardbanded as DDR3L (Ghose et al. 2018) and DDR4 (Shi et al. 2024) were"
_CONTROLLER = "DRAMsim3's controller defaults"

STANDARD = DramStandard(
    name="ddr5_5600_x32",
    description="DDR5-5600, 32-bit sub-channel, four 16 Gb x8 devices; REFsb not modelled",
    protocol="DDR5",
    organisation=Organisation(
        channels=1,
        ranks=1,
        bankgroups=8,
        banks_per_group=4,
        rows=65536,
        columns=1024,
        device_bits=8,
        bus_bits=32,
        burst_length=16,
    ),
    timing=Timing(
        tCK_ns=5 / 14,
        burst_cycles=8,
        AL=0,
        CL=46,
        CWL=44,
        tRCDRD=45,
        tRCDWR=45,
        tRP=45,
        tRAS=90,
        tRFC=824,
        tRFCb=364,
        tREFI=10920,
        tREFIb=1365,
        tRRD_S=8,
        tRRD_L=14,
        tFAW=32,
        t32AW=0,
        tCCD_S=8,
        tCCD_L=14,
        tWTR_S=7,
        tWTR_L=28,
        tWR=84,
        tRTP=21,
        tRTRS=4,
        tPPD=2,
        tCCD_L_WR=28,
        tCKE=21,
        tXP=21,
    ),
    power=Power(
        rails=(
            Rail(
                name="VDD",
                volts=1.1,
                IDD0=53.0,
                IDD2N=49.0,
                IDD2P=49.0 * 88 / 92,
                IDD3N=91.0,
                IDD3P=91.0 * 140 / 142,
                IDD4R=218.0,
                IDD4W=241.0,
                IDD5AB=377.0,
                IDD5PB=0.0,
                IDD6=0.0,
            ),
            Rail(
                name="VPP",
                volts=1.8,
                IDD0=8.0,
                IDD2N=7.0,
                IDD2P=7.0,
                IDD3N=8.0,
                IDD3P=8.0,
                IDD4R=8.0,
                IDD4W=8.0,
                IDD5AB=8.0,
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
        io_pj_per_bit=0.5 * 1.1**2 / (34 + 40) / 5.6 * 1e3,
        phy_pj_per_bit=1.5,
        rho=0.0,
        interface=Interface(
            signalling="pod",
            volts=1.1,
            read=Path(34, 40),
            write=Path(34, 40),
            pads_pf=1.7,
        ),
    ),
    controller=Controller(address_map=DEFAULT_ADDRESS_MAP, power_down_cycles=128),
    energy_known=EnergyKnown(currents="sheet", shares="assumption"),
    package_channels=2,
    sources={
        "ranks": "four devices, one rank",
        "channels": "JESD79-5D: a module has two independent 32-bit sub-channels; the "
        "configuration chooses",
        "bankgroups, banks_per_group, rows, columns": "JESD79-5D addressing table, 16 Gb x8",
        "device_bits, bus_bits, burst_length": "JESD79-5D: 32-bit sub-channel of x8 devices, BL16",
        "tCK_ns, burst_cycles, tCCD_S": "JESD79-5D: 5600 MT/s, two beats per cycle, BL16",
        "CL, CWL, tRCDRD, tRCDWR, tRP, tRAS": _JEDEC + "; CL even, CWL = CL - 2",
        "AL": "not in DDR5",
        "tRFC, tREFI": "JESD79-5D: tRFC1 295 ns and 3.9 us for 16 Gb",
        "tRFCb, tREFIb": "JESD79-5D: tRFCsb 130 ns, tREFI over eight; for the record: REFsb "
        "takes one bank of every group at once, which the controller cannot express, so whole "
        "ranks are refreshed",
        "tRRD_S, tRRD_L, tFAW": "JESD79-5D, 1 KB page: 8 cycles; the larger of 8 cycles and 5 "
        "ns; 32 cycles (gem5 agrees; sources disagree: Ramulator 2.1 assumes 20 ns)",
        "t32AW": "not in DDR5",
        "tPPD": "JESD79-5D: 2 cycles",
        "tCCD_L, tCCD_L_WR": "JESD79-5D: the larger of 8 cycles and 5 ns; writes without "
        "read-modify-write the larger of 16 cycles and 10 ns (with it, on x4, 32 cycles and 20 "
        "ns)",
        "tWTR_S, tWTR_L, tWR, tRTP": "JESD79-5D: 2.5 (at least 4 cycles), 10 (16), 30 and 7.5 ns "
        "(12)",
        "tCKE, tXP": "JESD79-5 (tPD, tXP): the larger of 8 cycles and 7.5 ns, both; tXP as in gem5",
        "tRTRS": "Ramulator 2.1: a write follows a read by RL + BL/2 - WL + 4, from tRPST and "
        "tWPRE; gem5 has 3.5",
        "VDD, VPP": "JESD79-5D: 1.1 and 1.8 V; the VDDQ rail is not priced: its IDDQ limits are "
        "no I/O power (Micron's core data sheet), io_pj_per_bit is",
        "IDD0, IDD2N, IDD3N, IDD4R, IDD4W, IDD5AB": _MICRON + "; a newer die than the 4800 one; "
        "IPP in commands: as IPP3N",
        "IDD5PB, IDD6": "assumption: 0, since per-bank and self refresh are not used",
        "IDD2P, IDD3P": "assumption: as far below IDD2N and IDD3N as in die rev A (gem5), 88/92 "
        "and 140/142; VPP: as IPP2N and IPP3N",
        "activate, read, write, refresh, standby": _TYPICAL,
        "open_banks": "assumption: 0, as measured in DDR3L and DDR4",
        "rho": "assumption: 0. IDD3N is measured with all 32 banks open and IDD0 lies below it; "
        "with HBM2's 0.2 an ACT of the 5600 die would have negative energy",
        "io_pj_per_bit": "POD termination: half the bits low, 1.1 V squared over 34 + 40 ohm "
        "(Micron's IDD test setting) for one bit",
        "phy_pj_per_bit": "assumption: middle of the 1 to 3 pJ/bit of published PHYs",
        "interface": "JESD79-5: POD, no DBI; 34 and 40 ohm as in io_pj_per_bit, assumption: at "
        "both ends; pads: assumption, as DDR4",
        "address_map": "interleaves bank groups; see docs/dram.md",
        "power_down_cycles": "Intel's default of 128 clocks for a rank (data sheets of Core "
        "i7-4770 and i9-7920X); assumption: of DDR5 too",
        "page_policy, queue_structure, refresh_policy": _CONTROLLER,
        "command_queue_size, transaction_queue_size, unified_queue, dual_command": _CONTROLLER,
    },
)
