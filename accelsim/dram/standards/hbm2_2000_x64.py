"""HBM2 at 2.0 Gb/s per pin: one 64-bit pseudo channel of a stack of four 8 Gb dies."""

from accelsim.dram.interface import HeldShare, Interface, Path
from accelsim.dram.power import EnergyKnown, Power, Rail
from accelsim.dram.standard import DEFAULT_ADDRESS_MAP, DramStandard
from accelsim.dram.system import Controller, Organisation, Timing

_STRAP = "timing of a graphics card at 2 Gb/s (DRAMSys HBM2.json; gem5 agrees)"
_MEASURED = "measured on 36 stacks, CMU-SAFARI HBM-Power HBM2_1200MTs, per pseudo channel"
_CONTROLLER = "DRAMsim3's controller defaults"
# From the measurement at 1.2 Gb/s along its lines of data rate, given again at 6.4 Gb/s.
_GROWTH = (2000 - 1200) / (6400 - 1200)
_IDD2N = 11.756 + (70.5 * 32 / 36 - 11.756) * _GROWTH
# With one bank open, and with all sixteen.
_IDD3N1 = _IDD2N + 0.638
_IDD3N = _IDD2N + 2.525
# Random data toggles half the wires: 5.149 pJ/bit where static data takes 3.180.
_RANDOM = 5.149 / 3.180
_READ = 190.4 + (489.5 * 64 / 36 - 190.4) * _GROWTH
_WRITE = 125.0 + (318.3 * 64 / 36 - 125.0) * _GROWTH

STANDARD = DramStandard(
    name="hbm2_2000_x64",
    description="HBM2 2.0 Gb/s, one 64-bit pseudo channel of 2 Gb",
    protocol="HBM2",
    organisation=Organisation(
        channels=1,
        ranks=1,
        bankgroups=4,
        banks_per_group=4,
        rows=16384,
        columns=128,
        device_bits=64,
        bus_bits=64,
        burst_length=4,
    ),
    timing=Timing(
        tCK_ns=1.0,
        burst_cycles=2,
        AL=0,
        CL=18,
        CWL=7,
        tRCDRD=12,
        tRCDWR=6,
        tRP=14,
        tRAS=28,
        tRFC=260,
        tRFCb=160,
        tREFI=3900,
        tREFIb=243,
        tRRD_S=4,
        tRRD_L=6,
        tFAW=16,
        t32AW=0,
        tCCD_S=2,
        tCCD_L=3,
        tWTR_S=4,
        tWTR_L=9,
        tWR=14,
        tRTP=5,
        tRTRS=5,
        tPPD=0,
        tCKE=8,
        tXP=8,
    ),
    power=Power(
        rails=(
            Rail(
                name="VDD",
                volts=1.2,
                IDD0=_IDD2N + 16.8 * (1 + 0.886 * _GROWTH),
                IDD2N=_IDD2N,
                IDD2P=_IDD2N * 28 / 40,
                IDD3N=_IDD3N,
                IDD3P=_IDD3N * 40 / 55,
                IDD4R=_IDD3N + _READ * _RANDOM,
                IDD4W=_IDD3N + _WRITE * _RANDOM,
                IDD5AB=_IDD3N1 + 53.9 * (1 + 0.541 * _GROWTH),
                IDD5PB=0.0,
                IDD6=0.0,
            ),
        ),
        rho=(16 * 0.638 / 2.525 - 1) / 15,
        io_pj_per_bit=0.0,
        phy_pj_per_bit=0.8,
        interface=Interface(
            signalling="unterminated",
            volts=1.2,
            read=Path(50),
            write=Path(50),
            pads_pf=2.2,
            held=HeldShare("VDD", read=1 - 1 / _RANDOM, write=1 - 1 / _RANDOM),
        ),
    ),
    controller=Controller(
        address_map=DEFAULT_ADDRESS_MAP, dual_command=True, power_down_cycles=128
    ),
    energy_known=EnergyKnown(currents="measured", shares="measured"),
    package_channels=16,
    sources={
        "ranks": "one stack",
        "channels": "JESD235D: sixteen pseudo channels of a stack; the configuration chooses",
        "bankgroups, banks_per_group, rows, columns": "JESD235D addressing, 4 Gb per channel: 1 "
        "KB page of a pseudo channel",
        "device_bits, bus_bits, burst_length": "JESD235D: pseudo-channel mode, 64 bits, BL4",
        "tCK_ns, burst_cycles, tCCD_S": "JESD235D: 2.0 Gb/s per pin, two beats per cycle, BL4",
        "AL": "not in HBM",
        "CL, CWL, tRCDRD, tRCDWR, tRP, tRAS": _STRAP + "; CL 18 (gem5; DRAMSys 17); sources "
        "disagree: Ramulator 2.1 and DRAMsim3 have 14-14-14-34",
        "tRFC, tREFI": "JESD235D: 260 ns at 4 Gb per channel (AMD PG276: stack of four) and 3.9 "
        "us; the card has 220 ns",
        "tRFCb, tREFIb": "JESD235D: 160 ns; tREFI over the 16 banks; unused by default",
        "tRRD_S, tRRD_L, tFAW, tCCD_L": _STRAP,
        "t32AW, tPPD": "not in HBM2",
        "tWTR_S, tWTR_L, tWR, tRTP": _STRAP,
        "tCKE, tXP": "8 ns both (DRAMSys HBM2.json, DRAMsim3 HBM2_8Gb_x128.ini; tXP also gem5)",
        "tRTRS": _STRAP + ": a write follows a read by 18 ns",
        "VDD": "JESD235D: 1.2 V",
        "IDD0, IDD2N, IDD3N, IDD4R, IDD4W, IDD5AB": _MEASURED + ", random data; between its 1.2 "
        "and 6.4 Gb/s on straight lines",
        "IDD2P, IDD3P": "assumption: 28/40 of IDD2N and 40/55 of IDD3N, as in DRAMsim3's "
        "HBM2_8Gb_x128.ini; not measured",
        "rho": "the measured standby with one and with sixteen banks open (IDD3N1, IDD3N16 of "
        "HBM-Power)",
        "IDD5PB, IDD6": "assumption: 0, since per-bank and self refresh are not used",
        "io_pj_per_bit": "none: unterminated, and inside the measured burst current",
        "phy_pj_per_bit": "Samsung HBM2E PHY, Hot Chips 32: 0.56 read and 1.07 write, the mean "
        "(second hand)",
        "interface": "JESD235D: unterminated, DBI (AC) not modelled; a toggle costs what the "
        "measured burst draws more for random than for static data, wires of the stack included; "
        "pads: O'Connor et al. 2017, 0.80 pJ/bit at 50 % activity (they do not matter beside the "
        "measurement); driver: assumption, no effect",
        "address_map": "interleaves bank groups; see docs/dram.md",
        "power_down_cycles": "Intel's default of 128 clocks for a rank (data sheets of Core "
        "i7-4770 and i9-7920X); assumption: of HBM too",
        "page_policy, queue_structure, refresh_policy": _CONTROLLER,
        "command_queue_size, transaction_queue_size, unified_queue": _CONTROLLER,
        "dual_command": "JESD235D: separate row and column command buses",
    },
)
