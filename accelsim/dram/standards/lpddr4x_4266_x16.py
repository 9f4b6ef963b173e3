"""LPDDR4X-4266, one 16-bit channel of a dual-channel 8 Gb die."""

from accelsim.dram.interface import HeldShare, Interface, Path
from accelsim.dram.power import EnergyKnown, Power, Rail, TypicalShares
from accelsim.dram.standard import DEFAULT_ADDRESS_MAP, DramStandard
from accelsim.dram.system import Controller, Organisation, Timing

_JEDEC = "JESD209-4 for 4266 MT/s, nanoseconds rounded up to cycles of 15/32 ns"
_DRAMSYS = "DRAMSys MICRON_6Gb_LPDDR4-3200_32bit_A, per channel"
_TYPICAL = "assumption: guardbanded as DDR3L (Ghose et al. 2018) and DDR4 (Shi et al. 2024) were"
_CONTROLLER = "DRAMsim3's controller defaults"
# The currents are those of 3200 MT/s; a bit costs the same, so the burst excess scales.
_RATE = 4 / 3
# I/O current follows its voltage.
_VDDQ = 0.6 / 1.1

STANDARD = DramStandard(
    name="lpddr4x_4266_x16",
    description="LPDDR4X-4266, one 4 Gb 16-bit channel",
    protocol="LPDDR4",
    organisation=Organisation(
        channels=1,
        ranks=1,
        bankgroups=1,
        banks_per_group=8,
        rows=32768,
        columns=1024,
        device_bits=16,
        bus_bits=16,
        burst_length=16,
    ),
    timing=Timing(
        tCK_ns=15 / 32,
        burst_cycles=8,
        AL=0,
        CL=36,
        CWL=18,
        tRCDRD=39,
        tRCDWR=39,
        tRP=39,
        tRAS=90,
        tRFC=384,
        tRFCb=192,
        tREFI=8328,
        tREFIb=1041,
        tRRD_S=16,
        tRRD_L=16,
        tFAW=86,
        t32AW=0,
        tCCD_S=8,
        tCCD_L=8,
        tWTR_S=23,
        tWTR_L=23,
        tWR=40,
        tRTP=16,
        tRTRS=10,
        tPPD=4,
        tRPab=45,
        tCKESR=32,
        tXS=400,
        tCKE=16,
        tXP=16,
    ),
    power=Power(
        rails=(
            Rail(
                name="VDD1",
                volts=1.8,
                IDD0=3.5,
                IDD2N=2.0,
                IDD2P=1.2,
                IDD3N=2.25,
                IDD3P=1.2,
                IDD4R=2.25,
                IDD4W=2.25,
                IDD5AB=10.0,
                IDD5PB=0.0,
                IDD6=0.3,
            ),
            Rail(
                name="VDD2",
                volts=1.1,
                IDD0=45.0,
                IDD2N=27.0,
                IDD2P=3.0,
                IDD3N=30.0,
                IDD3P=9.0,
                IDD4R=30.0 + (275.0 - 30.0) * _RATE,
                IDD4W=30.0 + (210.0 - 30.0) * _RATE,
                IDD5AB=90.0,
                IDD5PB=0.0,
                IDD6=0.5,
            ),
            Rail(
                name="VDDQ",
                volts=0.6,
                IDD0=0.75 * _VDDQ,
                IDD2N=0.75 * _VDDQ,
                IDD2P=0.75 * _VDDQ,
                IDD3N=0.75 * _VDDQ,
                IDD3P=0.75 * _VDDQ,
                IDD4R=(0.75 + (150.0 - 0.75) * _RATE) * _VDDQ,
                IDD4W=(0.75 + (55.0 - 0.75) * _RATE) * _VDDQ,
                IDD5AB=0.75 * _VDDQ,
                IDD5PB=0.0,
                IDD6=0.1,
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
            volts=0.6,
            read=Path(40, 40),
            write=Path(40, 40),
            pads_pf=1.7,
            has_dbi=True,
            held=HeldShare("VDDQ", read=1.0, write=1.0),
        ),
    ),
    controller=Controller(address_map=DEFAULT_ADDRESS_MAP, power_down_cycles=128),
    energy_known=EnergyKnown(currents="assumption", shares="assumption"),
    package_channels=2,
    sources={
        "ranks": "one die",
        "channels": "JESD209-4: two per die; the configuration chooses",
        "bankgroups, banks_per_group, rows, columns": "JESD209-4 addressing, 4 Gb per channel",
        "device_bits, bus_bits, burst_length": "JESD209-4: 16-bit channel, BL16",
        "tCK_ns, burst_cycles, tCCD_S, tCCD_L": "JESD209-4: 4266.67 MT/s, two beats per cycle, "
        "BL16",
        "CL, CWL": "JESD209-4: RL 36 (DBI off) and WL 18 (set A) at 4266, as DRAMSys; tDQSCK "
        "comes on top",
        "AL": "not in LPDDR4",
        "tRCDRD, tRCDWR, tRP, tRAS": _JEDEC + ": 18, 18, 18 (per bank) and 42 ns, as DRAMSys",
        "tRFC, tRFCb, tREFI, tREFIb": "JESD209-4: 180 ns, 90 ns, 3.904 us, 488 ns at 4 Gb per "
        "channel",
        "tRRD_S, tRRD_L": "JESD209-4B at 4267 MT/s: the larger of 7.5 ns and 4 cycles; sources "
        "disagree: DRAMSys JEDEC_512Mbx16_LPDDR4-4266 has 10 ns, that of slower grades",
        "tFAW": _JEDEC + ": 40 ns, as DRAMSys JEDEC_512Mbx16_LPDDR4-4266; unconfirmed: it may be "
        "30 ns, four tRRD, at 4267",
        "t32AW": "not in LPDDR4",
        "tWTR_S, tWTR_L": _JEDEC + ": 10 ns, plus the cycle that JESD209-4 adds after WL",
        "tWR": _JEDEC + ": 18 ns, plus the cycle that JESD209-4 adds after WL",
        "tRPab": _JEDEC + ": tRPpb + 3 ns, 21 ns",
        "tRTP, tPPD": _JEDEC + ": 7.5 ns; 4 cycles; sources disagree: DRAMSys has 17 for tRTP",
        "tCKESR, tXS": "JESD209-4: tSR 15 ns; tXSR = tRFCab + 7.5 ns",
        "tCKE, tXP": "JESD209-4: 7.5 ns, and at least 4 and 5 cycles; both as in DRAMSys",
        "tRTRS": "read to write: tDQSCKmax 3.5 ns (8 cycles) and tWPRE (2), JESD209-4",
        "VDD1, VDD2, VDDQ": "JESD209-4-1: 1.8, 1.1 and 0.6 V",
        "IDD0, IDD2N, IDD2P, IDD3N, IDD3P, IDD4R, IDD4W, IDD5AB": _DRAMSYS + "; assumption: burst "
        "excess of VDD2 and VDDQ times 4266/3200; VDDQ current times 0.6/1.1, an ohmic load",
        "IDD5PB": "assumption: 0, since per-bank refresh is not used",
        "IDD6": _DRAMSYS + "; its temperature is not given",
        "activate, read, write, refresh, standby": _TYPICAL,
        "open_banks": "assumption: 0, as measured in DDR3L and DDR4",
        "rho": "JEDEC measures IDD3N of LPDDR with one bank open; assumption: more of them draw no "
        "more",
        "io_pj_per_bit": "none on top: the VDDQ current of IDD4R and IDD4W holds the I/O",
        "phy_pj_per_bit": "assumption: low end of the 1 to 3 pJ/bit of published PHYs",
        "interface": "JESD209-4-1: LVSTL, high is VDDQ/2 over 40 ohm (MR3), so a driver of 40; "
        "assumption: the currents of IDD4R and IDD4W are those of half ones and half toggles, and "
        "hold the pins; DBI off as after reset (RL is that without); pads: "
        "assumption, as DDR4",
        "address_map": "interleaves banks; see docs/dram.md",
        "power_down_cycles": "Intel's default of 128 clocks for a rank (data sheets of Core "
        "i7-4770 and i9-7920X); assumption: of LPDDR4 too",
        "page_policy, queue_structure, refresh_policy": _CONTROLLER,
        "command_queue_size, transaction_queue_size, unified_queue, dual_command": _CONTROLLER,
    },
)
