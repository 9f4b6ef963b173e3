"""DDR4-3200, one 8 Gb x16 device on a 16-bit bus."""

from accelsim.dram.interface import Interface, Path
from accelsim.dram.power import EnergyKnown, Power, Rail, TypicalShares
from accelsim.dram.standard import DEFAULT_ADDRESS_MAP, DramStandard
from accelsim.dram.system import Controller, Organisation, Timing

_JEDEC = "JESD79-4 speed bin DDR4-3200, nanoseconds rounded up to cycles"
_DRAMSIM3 = "DRAMsim3's controller defaults"
_TYPICAL = "measured over data sheet currents of DDR4-2133 modules, Shi et al. 2024 (second hand)"

STANDARD = DramStandard(
    name="ddr4_3200_x16",
    description="DDR4-3200, one 8 Gb x16 device, 16-bit bus",
    protocol="DDR4",
    organisation=Organisation(
        channels=1,
        ranks=1,
        bankgroups=2,
        banks_per_group=4,
        rows=65536,
        columns=1024,
        device_bits=16,
        bus_bits=16,
        burst_length=8,
    ),
    timing=Timing(
        tCK_ns=0.625,
        burst_cycles=4,
        AL=0,
        CL=22,
        CWL=16,
        tRCDRD=22,
        tRCDWR=22,
        tRP=22,
        tRAS=52,
        tRFC=560,
        tRFCb=560,
        tREFI=12480,
        tREFIb=12480,
        tRRD_S=9,
        tRRD_L=11,
        tFAW=48,
        t32AW=0,
        tCCD_S=4,
        tCCD_L=8,
        tWTR_S=4,
        tWTR_L=12,
        tWR=24,
        tRTP=12,
        tRTRS=1,
        tPPD=0,
        tCKESR=9,
        tXS=576,
        tXSDLL=1024,
        tCKE=8,
        tXP=10,
    ),
    power=Power(
        rails=(
            Rail(
                name="VDD",
                volts=1.2,
                IDD0=95.0,
                IDD2N=37.0,
                IDD2P=25.0,
                IDD3N=56.0,
                IDD3P=47.0,
                IDD4R=302.0,
                IDD4W=278.0,
                IDD5AB=460.0,
                IDD5PB=0.0,
                IDD6=30.0,
            ),
            Rail(
                name="VPP",
                volts=2.5,
                IDD0=4.0,
                IDD2N=3.0,
                IDD2P=3.0,
                IDD3N=3.0,
                IDD3P=3.0,
                IDD4R=3.0,
                IDD4W=3.0,
                IDD5AB=3.0,
                IDD5PB=3.0,
                IDD6=3.0,
            ),
        ),
        typical=TypicalShares(
            activate=0.54,
            read=0.55,
            write=0.43,
            refresh=0.83,
            standby=0.58,
            open_banks=0.0,
        ),
        rho=0.2,
        io_pj_per_bit=0.5 * 1.2**2 / (34 + 60) * 0.3125 * 1e3,
        phy_pj_per_bit=1.5,
        interface=Interface(
            signalling="pod",
            volts=1.2,
            read=Path(34, 60),
            write=Path(34, 60),
            pads_pf=1.7,
            has_dbi=True,
        ),
    ),
    controller=Controller(address_map=DEFAULT_ADDRESS_MAP, power_down_cycles=128),
    energy_known=EnergyKnown(currents="sheet", shares="measured"),
    sources={
        "ranks": "one device, one rank",
        "bankgroups, banks_per_group, rows, columns": "JESD79-4 addressing table, 8 Gb x16",
        "device_bits, bus_bits, burst_length": "JESD79-4; one device, one rank",
        "channels": "one; the configuration chooses",
        "tCK_ns, burst_cycles, tCCD_S": "JESD79-4: 3200 MT/s, two beats per cycle, BL8",
        "AL, CL, CWL, tRCDRD, tRCDWR, tRP, tRAS": _JEDEC,
        "tRFC, tREFI": "JESD79-4: 350 ns and 7.8 us for 8 Gb",
        "tRFCb, tREFIb": "not in DDR4; equal to the all-bank values and unused",
        "tRRD_S, tRRD_L, tFAW": "JESD79-4, 2 KB page: 5.3 ns, 6.4 ns and 30 ns, rounded up",
        "t32AW, tPPD": "not in DDR4",
        "tCKESR, tXS, tXSDLL": "JESD79-4: tCKE (5 ns) + 1 cycle; tRFC + 10 ns; tDLLK",
        "self_refresh_cycles": "off, as in DRAMsim3's files",
        "tCCD_L, tWTR_S, tWTR_L, tWR, tRTP": _JEDEC,
        "tCKE, tXP": "JESD79-4: the larger of 3 cycles and 5 ns; of 4 cycles and 6 ns",
        "tRTRS": "assumption: one cycle of bus turnaround, as in DRAMsim3's DDR4 files",
        "VDD, VPP": "JESD79-4: 1.2 and 2.5 V",
        "VPP currents": "IPP0 4 mA (DRAMsim3 DDR4_8Gb_x16_3200.ini, gem5), "
        "IPP3N 3 mA in all other states (gem5; Micron's sheet says so of standby, RD and WR); "
        "assumption: of refreshes too",
        "IDD0, IDD2N, IDD3N, IDD4R, IDD4W, IDD6": "DRAMsim3 DDR4_8Gb_x16_3200.ini, "
        "from Micron's data sheet",
        "IDD5AB": "IDD2N + (IDD5R - IDD2N) * tREFI / tRFC with IDD5R - IDD2N = 19 mA of "
        "Micron's 8 Gb DDR4 Rev N; assumption: same die and excess at 3200",
        "IDD5PB": "not in DDR4",
        "IDD2P, IDD3P": "DRAMsim3 DDR4_8Gb_x16_3200.ini",
        "activate, read, write, standby": _TYPICAL,
        "open_banks": "none: measured IDD3N lies below measured IDD2N in DDR3L (VAMPIRE) and DDR4",
        "rho": "assumption: as measured on HBM2 (HBM-Power: one and sixteen banks open); nobody "
        "published it of DDR4",
        "refresh": "measured over data sheet IDD5B of DDR3L, Ghose et al. 2018 (second hand)",
        "io_pj_per_bit": "POD termination: half the bits low, 1.2 V squared over 34 + 60 ohm "
        "for 0.3125 ns",
        "phy_pj_per_bit": "assumption: middle of the 1 to 3 pJ/bit of published PHYs",
        "interface": "JESD79-4: POD, driver RZQ/7, termination RZQ/4 at both ends; DBI off as "
        "after reset (its pin is DM's, and CL is that without DBI); pads: middle of 0.55 to 1.15 "
        "pF (Alliance AS4C512M8D4, Table 73), assumption: the chip's are alike",
        "address_map": "interleaves bank groups; see docs/dram.md",
        "power_down_cycles": "Intel's default of 128 clocks for a rank (data sheets of Core "
        "i7-4770 and i9-7920X)",
        "page_policy, queue_structure, refresh_policy": _DRAMSIM3,
        "command_queue_size, transaction_queue_size, unified_queue, dual_command": _DRAMSIM3,
    },
)
