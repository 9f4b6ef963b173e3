"""LPDDR5-6400, one 16-bit channel of a 16 Gb die in bank-group mode, 32 bytes a burst."""

from accelsim.dram.interface import HeldShare, Interface, Path
from accelsim.dram.power import EnergyKnown, Power, Rail, TypicalShares
from accelsim.dram.standard import DEFAULT_ADDRESS_MAP, DramStandard
from accelsim.dram.system import Controller, Organisation, Timing

_JEDEC = "JESD209-5B for 6400 MT/s, CK:WCK 1:4, rounded up to cycles of 1.25 ns, as Ramulator 2.1"
_MICRON = "Micron Y52P 16 Gb LPDDR5X (Rev H), Table 18, x16, 7500 (second hand)"
_TYPICAL = "assumption: guardbanded as DDR3L (Ghose et al. 2018) and DDR4 (Shi et al. 2024) were"
_CONTROLLER = "DRAMsim3's controller defaults"
# The currents are those of 7500 MT/s; a bit costs the same, so the burst excess scales.
_RATE = 6400 / 7500

STANDARD = DramStandard(
    name="lpddr5_6400_x16",
    description="LPDDR5-6400, one 16 Gb 16-bit channel, bank groups; WCK2CK and REFpb not modelled",
    protocol="LPDDR5",
    organisation=Organisation(
        channels=1,
        ranks=1,
        bankgroups=4,
        banks_per_group=4,
        rows=65536,
        columns=1024,
        device_bits=16,
        bus_bits=16,
        burst_length=16,
    ),
    timing=Timing(
        tCK_ns=1.25,
        burst_cycles=2,
        AL=0,
        CL=17,
        CWL=9,
        tRCDRD=15,
        tRCDWR=15,
        tRP=15,
        tRAS=34,
        tRFC=224,
        tRFCb=112,
        tREFI=3124,
        tREFIb=390,
        tRRD_S=4,
        tRRD_L=4,
        tFAW=16,
        t32AW=0,
        tCCD_S=2,
        tCCD_L=4,
        tWTR_S=5,
        tWTR_L=12,
        tWR=28,
        tRTP=8,
        tRTRS=2,
        tPPD=2,
        tRPab=17,
        tCKE=6,
        tXP=6,
    ),
    power=Power(
        rails=(
            Rail(
                name="VDD1",
                volts=1.8,
                IDD0=3.8,
                IDD2N=1.5,
                IDD2P=1.5 * 1.2 / 2.0,
                IDD3N=2.8,
                IDD3P=2.8 * 1.2 / 2.25,
                IDD4R=2.8 + (18.0 - 2.8) * _RATE,
                IDD4W=2.8 + (16.5 - 2.8) * _RATE,
                IDD5AB=2.8,
                IDD5PB=0.0,
                IDD6=0.0,
            ),
            Rail(
                name="VDD2H",
                volts=1.05,
                IDD0=53.0,
                IDD2N=32.5,
                IDD2P=3.9,
                IDD3N=40.0,
                IDD3P=40.0 * 9 / 30,
                IDD4R=40.0 + (390.0 - 40.0) * _RATE,
                IDD4W=40.0 + (265.0 - 40.0) * _RATE,
                IDD5AB=205.0,
                IDD5PB=0.0,
                IDD6=0.0,
            ),
            Rail(
                name="VDDQ",
                volts=0.5,
                IDD0=0.6,
                IDD2N=0.6,
                IDD2P=0.6,
                IDD3N=0.6,
                IDD3P=0.6,
                IDD4R=0.6 + (111.9 - 0.6) * _RATE,
                IDD4W=0.6,
                IDD5AB=0.6,
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
        rho=1.0,
        io_pj_per_bit=0.0,
        phy_pj_per_bit=1.0,
        interface=Interface(
            signalling="lvstl",
            volts=0.5,
            read=Path(40, 40),
            write=Path(40, 40),
            pads_pf=1.7,
            has_dbi=True,
            held=HeldShare("VDDQ", read=1.0),
        ),
    ),
    controller=Controller(address_map=DEFAULT_ADDRESS_MAP, power_down_cycles=128),
    energy_known=EnergyKnown(currents="assumption", shares="assumption"),
    sources={
        "ranks": "one die",
        "channels": "one per x16 die; the configuration chooses",
        "bankgroups, banks_per_group, rows, columns": "JESD209-5B addressing, 16 Gb per channel, "
        "bank-group mode, 2 KB page",
        "device_bits, bus_bits, burst_length": "JESD209-5B: 16-bit channel, BL16; BL32 takes "
        "twice the burst and is not offered",
        "tCK_ns, burst_cycles, tCCD_S, tCCD_L": "JESD209-5B: 6400 MT/s, eight beats per cycle; 2 "
        "cycles between groups, 4 within one",
        "CL, CWL": "JESD209-5B: RL 17 (set 0) and WL 9 (set A) at 6400; gem5 agrees on RL",
        "AL": "not in LPDDR5",
        "tRCDRD, tRCDWR, tRP, tRAS": _JEDEC + ": 18, 18, 18 (per bank) and 42 ns; gem5 agrees",
        "tRFC, tRFCb, tREFI, tREFIb": "JESD209-5B: 280 ns, 140 ns, 3.906 us, 488 ns at 16 Gb; "
        "REFpb takes a pair of banks, which the controller cannot express, so whole ranks are "
        "refreshed",
        "tRRD_S, tRRD_L, tFAW": _JEDEC + ": 5 and 20 ns in bank-group mode; gem5 agrees",
        "t32AW": "not in LPDDR5",
        "tWTR_S": _JEDEC + ": 6.25 ns",
        "tWTR_L": _JEDEC + ": 12 ns, and two more cycles since it counts from BL/n_max",
        "tWR, tRTP": _JEDEC + ": 34 ns; BL/n_max and nRBTP, 8 cycles",
        "tXP": "JESD209-5: the larger of 3 cycles and 7 ns (gem5)",
        "tCKE": "assumption: 7.5 ns, as in LPDDR4",
        "tRTRS": "read to write: tWCKDQO 1.6 ns (2 cycles), JESD209-5B, as Ramulator 2.1; gem5 "
        "has 1",
        "tPPD": "JESD209-5B: 2 cycles",
        "tRPab": _JEDEC + ": 21 ns",
        "VDD1, VDD2H, VDDQ": "JESD209-5B: 1.8, 1.05 and 0.5 V",
        "IDD0, IDD2N, IDD3N, IDD4R, IDD4W": _MICRON + "; assumption: burst excess times 6400/7500",
        "IDD5AB": _MICRON + "; VDD1: assumption, as IDD3N (not read)",
        "IDD5PB, IDD6": "assumption: 0, since per-bank and self refresh are not used",
        "IDD2P, IDD3P": _MICRON
        + ": IDD2P of VDD2H; assumption: the others are as far below IDD2N and "
        "IDD3N as in LPDDR4 (DRAMSys)",
        "activate, read, write, refresh, standby": _TYPICAL,
        "open_banks": "assumption: 0, as measured in DDR3L and DDR4",
        "rho": "JEDEC measures IDD3N of LPDDR with one bank open; assumption: more of them draw no "
        "more",
        "io_pj_per_bit": "none on top: DQ termination is off by default (JESD209-5C) and the "
        "VDDQ current holds the rest",
        "phy_pj_per_bit": "assumption: low end of the 1 to 3 pJ/bit of published PHYs",
        "interface": "JESD209-5B: LVSTL, high is VDDQ/2 over 40 ohm, so a driver of 40, "
        "assumption: terminated at this rate, though off after reset; assumption: the current of "
        "IDD4R is that of half ones and half toggles; writes are driven by the chip: on top; DBI "
        "off as after reset (RL is that without); pads: assumption, as DDR4",
        "address_map": "interleaves bank groups; see docs/dram.md",
        "power_down_cycles": "Intel's default of 128 clocks for a rank (data sheets of Core "
        "i7-4770 and i9-7920X); assumption: of LPDDR5 too",
        "page_policy, queue_structure, refresh_policy": _CONTROLLER,
        "command_queue_size, transaction_queue_size, unified_queue, dual_command": _CONTROLLER,
    },
)
