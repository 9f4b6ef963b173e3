"""HBM3 at 6.4 Gb/s per pin: one 32-bit pseudo channel of a stack of four 16 Gb dies."""

from accelsim.dram.interface import HeldShare, Interface, Path
from accelsim.dram.power import EnergyKnown, Power, Rail
from accelsim.dram.standard import DEFAULT_ADDRESS_MAP, DramStandard
from accelsim.dram.system import Controller, Organisation, Timing

_RAMULATOR = "Ramulator 2.1 HBM3_6400Mbps, JESD238 where it says so; cycles, no other source found"
_DERIVED = "CMU-SAFARI HBM-Power HBM3E_6400MTs: measured HBM2, extrapolated, per pseudo channel"
_CONTROLLER = "DRAMsim3's controller defaults"
# Random data toggles half the wires: 5.149 pJ/bit where static data takes 3.180.
_RANDOM = 5.149 / 3.180

STANDARD = DramStandard(
    name="hbm3_6400_x32",
    description="HBM3 6.4 Gb/s, one 32-bit pseudo channel of 2 Gb",
    protocol="HBM3",
    organisation=Organisation(
        channels=1,
        ranks=1,
        bankgroups=4,
        banks_per_group=4,
        rows=16384,
        columns=256,
        device_bits=32,
        bus_bits=32,
        burst_length=8,
    ),
    timing=Timing(
        tCK_ns=0.625,
        burst_cycles=2,
        AL=0,
        CL=20,
        CWL=10,
        tRCDRD=31,
        tRCDWR=15,
        tRP=26,
        tRAS=45,
        tRFC=416,
        tRFCb=320,
        tREFI=6240,
        tREFIb=390,
        tRRD_S=4,
        tRRD_L=5,
        tFAW=24,
        t32AW=0,
        tCCD_S=2,
        tCCD_L=4,
        tWTR_S=7,
        tWTR_L=10,
        tWR=33,
        tRTP=9,
        tRTRS=8,
        tPPD=2,
        tCKE=13,
        tXP=13,
    ),
    power=Power(
        rails=(
            Rail(
                name="VDD",
                volts=1.1,
                IDD0=106.1,
                IDD2N=70.5,
                IDD2P=70.5 * 28 / 40,
                IDD3N=73.3,
                IDD3P=73.3 * 40 / 55,
                IDD4R=73.3 + (560.7 - 71.2) * _RANDOM,
                IDD4W=73.3 + (389.5 - 71.2) * _RANDOM,
                IDD5AB=164.7,
                IDD5PB=0.0,
                IDD6=0.0,
            ),
        ),
        rho=(16 * (71.2 - 70.5) / (73.3 - 70.5) - 1) / 15,
        io_pj_per_bit=0.0,
        phy_pj_per_bit=0.3,
        interface=Interface(
            signalling="unterminated",
            volts=1.1,
            read=Path(50),
            write=Path(50),
            pads_pf=2.2,
            held=HeldShare("VDD", read=1 - 1 / _RANDOM, write=1 - 1 / _RANDOM),
        ),
    ),
    controller=Controller(
        address_map=DEFAULT_ADDRESS_MAP, dual_command=True, power_down_cycles=128
    ),
    energy_known=EnergyKnown(currents="assumption", shares="assumption"),
    package_channels=32,
    sources={
        "ranks": "one stack of four dies; a higher stack has more ranks (SID)",
        "channels": "JESD238: sixteen channels of two pseudo channels in a stack; the "
        "configuration chooses",
        "bankgroups, banks_per_group, rows, columns": "JESD238 addressing, 4 Gb per channel: 1 "
        "KB page; Ryu et al., JSSC 2023 agree",
        "device_bits, bus_bits, burst_length": "JESD238: pseudo channel of 32 bits, BL8",
        "tCK_ns, burst_cycles, tCCD_S, tCCD_L": "JESD238: 6.4 Gb/s per pin, four beats per cycle "
        "of CK; 2 and 4 cycles, as Ryu et al., JSSC 2023",
        "AL": "not in HBM",
        "CL, CWL, tRCDRD, tRCDWR, tRP, tRAS": _RAMULATOR,
        "tRFC, tREFI": "JESD238B: 260 ns at 4 Gb per channel and 3.9 us; Ramulator 2.1 describes "
        "8 Gb: 350 ns",
        "tRFCb, tREFIb": _RAMULATOR + ": 200 ns, tREFI over the 16 banks; unused by default",
        "tRRD_S, tRRD_L, tFAW": _RAMULATOR,
        "t32AW": "not in HBM3",
        "tWTR_S, tWTR_L, tWR, tRTP, tPPD": _RAMULATOR,
        "tCKE, tXP": "assumption: 8 ns both, as of HBM2 (DRAMSys)",
        "tRTRS": _RAMULATOR + ": a write follows a read by 20 cycles",
        "VDD": "JESD238: 1.1 V; VDDQL and VPP are inside the derived currents or left out",
        "IDD0, IDD2N, IDD3N, IDD4R, IDD4W, IDD5AB": _DERIVED + ", random data",
        "IDD2P, IDD3P": "assumption: 28/40 of IDD2N and 40/55 of IDD3N, as in DRAMsim3's "
        "HBM2_8Gb_x128.ini; not measured",
        "rho": "the derived standby with one and with sixteen banks open (IDD3N1, IDD3N16 of "
        "HBM-Power)",
        "IDD5PB, IDD6": "assumption: 0, since per-bank and self refresh are not used",
        "io_pj_per_bit": "none: unterminated (JESD238), and inside the derived burst current",
        "phy_pj_per_bit": "Chae et al., JSSC 2024: 0.25 write, 0.29 read at 9 Gb/s and 0.66 V "
        "(second hand), rounded up",
        "interface": "JESD238: unterminated, DBI (AC) not modelled; a toggle costs what the "
        "measured burst draws more for random than for static data, wires of the stack included; "
        "pads: O'Connor et al. 2017, 0.80 pJ/bit at 50 % activity (they do not matter beside the "
        "measurement); driver: assumption, no effect",
        "address_map": "interleaves bank groups; see docs/dram.md",
        "power_down_cycles": "Intel's default of 128 clocks for a rank (data sheets of Core "
        "i7-4770 and i9-7920X); assumption: of HBM too",
        "page_policy, queue_structure, refresh_policy": _CONTROLLER,
        "command_queue_size, transaction_queue_size, unified_queue": _CONTROLLER,
        "dual_command": "JESD238: separate row and column command buses",
    },
)
