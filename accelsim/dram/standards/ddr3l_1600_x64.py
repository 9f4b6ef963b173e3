"""DDR3L-1600 at 1.35 V, eight 4 Gb x8 devices on a 64-bit bus: one rank of a module."""

from accelsim.dram.interface import Interface, Path
from accelsim.dram.power import EnergyKnown, Power, Rail, TypicalShares
from accelsim.dram.standard import DEFAULT_ADDRESS_MAP, DramStandard
from accelsim.dram.system import Controller, Organisation, Timing

_JEDEC = "JESD79-3F speed bin DDR3-1600K (11-11-11), nanoseconds rounded up to cycles"
_MICRON = "Micron MT41K512M8 (4 Gb DDR3L Rev Q), Table 20, die rev E, for 1.35 and 1.5 V"
_GHOSE = "measured over data sheet currents of 50 DDR3L modules, Ghose et al. 2018"
_CONTROLLER = "DRAMsim3's controller defaults"

STANDARD = DramStandard(
    name="ddr3l_1600_x64",
    description="DDR3L-1600 (1.35 V), eight 4 Gb x8 devices, 64-bit bus, one rank",
    protocol="DDR3",
    organisation=Organisation(
        channels=1,
        ranks=1,
        bankgroups=1,
        banks_per_group=8,
        rows=65536,
        columns=1024,
        device_bits=8,
        bus_bits=64,
        burst_length=8,
    ),
    timing=Timing(
        tCK_ns=1.25,
        burst_cycles=4,
        AL=0,
        CL=11,
        CWL=8,
        tRCDRD=11,
        tRCDWR=11,
        tRP=11,
        tRAS=28,
        tRFC=208,
        tRFCb=208,
        tREFI=6240,
        tREFIb=6240,
        tRRD_S=5,
        tRRD_L=5,
        tFAW=24,
        t32AW=0,
        tCCD_S=4,
        tCCD_L=4,
        tWTR_S=6,
        tWTR_L=6,
        tWR=12,
        tRTP=6,
        tRTRS=2,
        tPPD=0,
        tCKESR=5,
        tXS=216,
        tXSDLL=512,
        tCKE=4,
        tXP=5,
        tXPDLL=20,
    ),
    power=Power(
        rails=(
            Rail(
                name="VDD",
                volts=1.35,
                IDD0=55.0,
                IDD2N=32.0,
                IDD2P=18.0,
                IDD3N=38.0,
                IDD3P=38.0,
                IDD4R=157.0,
                IDD4W=125.0,
                IDD5AB=235.0,
                IDD5PB=0.0,
                IDD6=20.0,
            ),
        ),
        typical=TypicalShares(
            activate=0.43,
            read=0.74,
            write=0.54,
            refresh=0.83,
            standby=0.57,
            open_banks=0.0,
        ),
        rho=0.2,
        io_pj_per_bit=(1.35 / 2) ** 2 * (1 / (34 + 40) + 1 / 40) * 0.625 * 1e3,
        phy_pj_per_bit=1.5,
        interface=Interface(
            signalling="sstl",
            volts=1.35,
            read=Path(34, 40),
            write=Path(34, 40),
            pads_pf=3.5,
        ),
    ),
    controller=Controller(address_map=DEFAULT_ADDRESS_MAP, power_down_cycles=128),
    energy_known=EnergyKnown(currents="sheet", shares="measured"),
    sources={
        "ranks": "eight devices, one rank",
        "channels": "one; the configuration chooses",
        "bankgroups, banks_per_group, rows, columns": "JESD79-3F addressing table, 4 Gb x8; DDR3 "
        "has no bank groups",
        "device_bits, bus_bits, burst_length": "JESD79-3F; eight devices, one rank",
        "tCK_ns, burst_cycles, tCCD_S, tCCD_L": "JESD79-3F: 1600 MT/s, two beats per cycle, BL8",
        "AL, CL, CWL, tRCDRD, tRCDWR, tRP, tRAS": _JEDEC,
        "tRFC, tREFI": "JESD79-3F: 260 ns and 7.8 us for 4 Gb, as Micron, gem5 and DRAMsim3; "
        "sources disagree: the older JESD79-3D has 300 ns",
        "tRFCb, tREFIb": "not in DDR3; equal to the all-bank values and unused",
        "tRRD_S, tRRD_L, tFAW": "JESD79-3F, 1 KB page: the larger of 4 cycles and 6 ns; 30 ns",
        "t32AW, tPPD": "not in DDR3",
        "tCKESR, tXS, tXSDLL": "JESD79-3F: tCKE (5 ns) + 1 cycle; tRFC + 10 ns; tDLLK",
        "tWTR_S, tWTR_L, tWR, tRTP": "JESD79-3F: 7.5 (at least 4 cycles), 15 and 7.5 ns",
        "tCKE, tXP, tXPDLL": "JESD79-3F: the larger of 3 cycles and 5 ns; 3 cycles and 6 ns; 10 "
        "cycles and 24 ns, as IDD2P is that of slow exit",
        "tRTRS": "JESD79-3F: a write follows a read by RL + tCCD + 2 - WL",
        "VDD": "JESD79-3-1A: 1.35 V",
        "IDD0, IDD2N, IDD3N, IDD4R, IDD4W, IDD5AB, IDD6": _MICRON,
        "IDD5PB": "not in DDR3",
        "IDD2P, IDD3P": "DRAMsim3 DDR3_4Gb_x8_1600.ini, the same die; IDD2P with slow exit, with "
        "fast exit it is IDD2N (gem5)",
        "activate, read, write, refresh, standby": _GHOSE,
        "open_banks": "none: measured IDD3N lies below measured IDD2N in DDR3L (VAMPIRE) and DDR4",
        "rho": "assumption: as measured on HBM2 (HBM-Power: one and sixteen banks open); nobody "
        "published it of DDR3L",
        "io_pj_per_bit": "SSTL: half of 1.35 V over 34 + 40 ohm (Micron's IDD test setting) for "
        "0.625 ns, in both states, and what its divider of two 80 ohm resistors draws (JESD79-3F)",
        "phy_pj_per_bit": "assumption: middle of the 1 to 3 pJ/bit of published PHYs",
        "interface": "JESD79-3F: SSTL, no DBI; 34 and 40 ohm as in io_pj_per_bit, assumption: at "
        "both ends; pads: middle of 1.2 to 2.3 pF (Samsung K4B2G0846D, Table 43), assumption: "
        "the chip's are alike",
        "address_map": "interleaves banks; see docs/dram.md",
        "power_down_cycles": "Intel's default of 128 clocks for a rank (data sheets of Core "
        "i7-4770 and i9-7920X)",
        "page_policy, queue_structure, refresh_policy": _CONTROLLER,
        "command_queue_size, transaction_queue_size, unified_queue, dual_command": _CONTROLLER,
    },
)
