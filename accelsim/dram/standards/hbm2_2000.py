"""HBM2 at 2.0 Gb/s per pin: one legacy 128-bit channel of a stack, 32 GB/s."""

from accelsim.dram.interface import HeldShare, Interface, Path
from accelsim.dram.power import EnergyKnown, Power, Rail
from accelsim.dram.standard import DEFAULT_ADDRESS_MAP, DramStandard
from accelsim.dram.system import Controller, Organisation, Timing

_DRAMSIM3 = "DRAMsim3 HBM2_8Gb_x128.ini"
_DEFAULTS = "DRAMsim3's controller defaults"
_MEASURED = "measured on 36 stacks, CMU-SAFARI HBM-Power HBM2_1200MTs, two pseudo channels"
# A legacy channel is two pseudo channels that do the same: an ACT opens both their rows of 1 KB.
_PAIR = 2
# From the measurement at 1.2 Gb/s along its lines of data rate, given again at 6.4 Gb/s.
_GROWTH = (2000 - 1200) / (6400 - 1200)
_IDD2N = _PAIR * (11.756 + (70.5 * 32 / 36 - 11.756) * _GROWTH)
# With one bank open, and with all sixteen.
_IDD3N1 = _IDD2N + _PAIR * 0.638
_IDD3N = _IDD2N + _PAIR * 2.525
# Random data toggles half the wires: 5.149 pJ/bit where static data takes 3.180.
_RANDOM = 5.149 / 3.180
_READ = _PAIR * (190.4 + (489.5 * 64 / 36 - 190.4) * _GROWTH)
_WRITE = _PAIR * (125.0 + (318.3 * 64 / 36 - 125.0) * _GROWTH)

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
        tRFC=350,
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
        tCKE=8,
        tXP=8,
    ),
    power=Power(
        rails=(
            Rail(
                name="VDD",
                volts=1.2,
                IDD0=_IDD2N + _PAIR * 16.8 * (1 + 0.886 * _GROWTH) * 42 / 48,
                IDD2N=_IDD2N,
                IDD2P=_IDD2N * 28 / 40,
                IDD3N=_IDD3N,
                IDD3P=_IDD3N * 40 / 55,
                IDD4R=_IDD3N + _READ * _RANDOM,
                IDD4W=_IDD3N + _WRITE * _RANDOM,
                IDD5AB=_IDD3N1 + _PAIR * 53.9 * (1 + 0.541 * _GROWTH),
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
    package_channels=8,
    sources={
        "ranks": "one stack",
        "channels": "one of the eight of a stack; the configuration chooses",
        "bankgroups, banks_per_group, rows, columns": _DRAMSIM3,
        "device_bits, bus_bits, burst_length": "JESD235A: legacy mode, 128 bits, BL4",
        "tCK_ns, burst_cycles": "JESD235A: 2.0 Gb/s per pin, two beats per cycle",
        "AL": "not in HBM",
        "CL, CWL, tRCDRD, tRCDWR, tRP, tRAS": _DRAMSIM3,
        "tRFC, tREFI": "JESD235A: 350 ns at 8 Gb per channel (Ramulator 2.0's table) and 3.9 us; "
        "sources disagree: DRAMsim3 has 260 ns, that of 4 Gb",
        "tREFIb": "tREFI over the 16 banks",
        "tRFCb": "assumption: 200 ns, as JESD235A's tRFCSB class; unused by default",
        "tRRD_S, tRRD_L, tFAW, tCCD_S, tCCD_L, tWTR_S, tWTR_L, tWR": _DRAMSIM3,
        "tRTP": "assumption: DRAMsim3's default 5, between its tRTP_S 4 and tRTP_L 6",
        "tCKE, tXP": "8 ns both (DRAMSys HBM2.json, DRAMsim3 HBM2_8Gb_x128.ini; tXP also gem5)",
        "tRTRS": "assumption: DRAMsim3's default 2",
        "t32AW, tPPD": "not in HBM2",
        "IDD0, IDD2N, IDD3N, IDD4R, IDD4W, IDD5AB": _MEASURED + ", random data; between its 1.2 "
        "and 6.4 Gb/s on straight lines; IDD0 - IDD2N at tRC 48 for 42 ns; assumption: 8 GB "
        "stand by as the measured 4 GB",
        "IDD2P, IDD3P": "assumption: 28/40 of IDD2N and 40/55 of IDD3N, as in DRAMsim3's "
        "HBM2_8Gb_x128.ini; not measured",
        "rho": "the measured standby with one and with sixteen banks open (IDD3N1, IDD3N16 of "
        "HBM-Power)",
        "IDD5PB, IDD6": "assumption: 0, since per-bank and self refresh are not used",
        "VDD": "JESD235A: 1.2 V",
        "io_pj_per_bit": "none: unterminated, and inside the measured burst current",
        "phy_pj_per_bit": "Samsung HBM2E PHY, Hot Chips 32: 0.56 read and 1.07 write, the mean "
        "(second hand)",
        "interface": "JESD235: unterminated, DBI (AC) not modelled; a toggle costs what the "
        "measured burst draws more for random than for static data, wires of the stack included; "
        "pads: O'Connor et al. 2017, 0.80 pJ/bit at 50 % activity (they do not matter beside the "
        "measurement); driver: assumption, no effect",
        "address_map": "interleaves bank groups; see docs/dram.md",
        "power_down_cycles": "Intel's default of 128 clocks for a rank (data sheets of Core "
        "i7-4770 and i9-7920X); assumption: of HBM too",
        "page_policy, queue_structure, refresh_policy": _DEFAULTS,
        "command_queue_size, transaction_queue_size, unified_queue": _DEFAULTS,
        "dual_command": "JESD235A: separate row and column command buses",
    },
)
