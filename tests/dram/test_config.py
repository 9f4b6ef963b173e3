"""Configurations: standards with sources, impossible values, the address map."""

from collections.abc import Callable
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accelsim.dram.address_map import address_map
from accelsim.dram.config import DramConfig
from accelsim.dram.power import Power
from accelsim.dram.standard import STANDARDS, DramStandard
from accelsim.errors import ConfigError, UnknownNameError
from accelsim.units import Clock

each_standard = pytest.mark.parametrize("name", list(STANDARDS))
DDR4 = STANDARDS["ddr4_3200_x64"].config()


@each_standard
def test_every_value_has_a_source(name: str) -> None:
    standard = STANDARDS[name]
    assert isinstance(standard, DramStandard) and standard.name == name
    explained = {key.strip() for keys in standard.sources for key in keys.split(",")}
    values = {
        field.name
        for part in (standard.organisation, standard.timing, standard.controller)
        for field in fields(part)
    }
    # A memory without self-refresh need not say why.
    optional = {"tCKESR", "tXS", "tXSDLL", "tXPDLL", "self_refresh_cycles"}
    parts = vars(standard.timing) | vars(standard.controller)
    values -= {name for name in optional if parts[name] == 0}
    power = standard.power
    values |= {field.name for field in fields(Power)} - {"rails", "typical"}
    values -= {name for name in ("tCCD_L_WR", "tRPab") if getattr(standard.timing, name) == 0}
    values |= {field.name for field in fields(power.typical)} if power.typical.read < 1 else set()
    for rail in power.rails:
        of_all = f"{rail.name} currents"
        values |= {rail.name}
        values |= {of_all} if of_all in explained else {f.name for f in fields(rail)[2:]}
    assert values <= explained, sorted(values - explained)
    assert all(text.strip() for text in standard.sources.values())


@pytest.mark.parametrize(
    ("name", "line_bytes", "mega_transfers", "bus_bits", "gbit"),
    [
        ("ddr4_2400_x16", 16, 2400, 16, 8),
        ("ddr4_3200_x16", 16, 3200, 16, 8),
        ("ddr4_3200_x64", 64, 3200, 64, 64),
        ("lpddr4_3200_x16", 32, 3200, 16, 4),
        ("hbm2_2000", 64, 2000, 128, 8),
    ],
)
def test_size_and_speed_are_those_of_the_part(
    name: str, line_bytes: int, mega_transfers: int, bus_bits: int, gbit: int
) -> None:
    config = STANDARDS[name].config()
    assert config.line_bytes == line_bytes
    assert config.peak_gb_s == pytest.approx(mega_transfers * bus_bits / 8 / 1000)
    assert config.n_lines * line_bytes * 8 == gbit * 2**30
    assert config.clock == Clock.from_mhz(mega_transfers / 2)
    assert STANDARDS[name].config(channels=4).peak_gb_s == pytest.approx(4 * config.peak_gb_s)


BAD: dict[str, tuple[Callable[[], DramConfig], str]] = {
    "no banks": (
        lambda: replace(DDR4, organisation=replace(DDR4.organisation, bankgroups=0)),
        "bankgroups: must be a power of two",
    ),
    "three channels": (lambda: STANDARDS["ddr4_3200_x64"].config(channels=3), "channels: must be"),
    "map without rows": (
        lambda: STANDARDS["ddr4_3200_x64"].config(address_map="rachcobabgbg"),
        "must name each of ch ra bg ba ro co once",
    ),
    "closed": (
        lambda: STANDARDS["ddr4_3200_x64"].config(page_policy="closed"),  # type: ignore[arg-type]
        "page_policy: must be one of open, close, got 'closed'",
    ),
    "negative delay": (
        lambda: replace(DDR4, timing=replace(DDR4.timing, tRCDRD=-1)),
        "tRCDRD: must be at least 1 cycles",
    ),
    "no clock": (lambda: replace(DDR4, timing=replace(DDR4.timing, tCK_ns=0.0)), "tCK: must be"),
    "clock not a number": (
        lambda: replace(DDR4, timing=replace(DDR4.timing, tCK_ns=float("nan"))),
        "tCK: must be",
    ),
    "always refreshing": (
        lambda: replace(DDR4, timing=replace(DDR4.timing, tREFI=500)),
        "tREFI: 500 for 1 rank(s) leaves no time",
    ),
    "AL": (lambda: replace(DDR4, timing=replace(DDR4.timing, AL=22)), "AL: 22 reaches tRCD"),
    "far apart": (
        lambda: replace(DDR4, timing=replace(DDR4.timing, tRRD_L=100)),
        "exceed tRC = tRAS + tRP",
    ),
    "queue": (
        lambda: STANDARDS["ddr4_3200_x64"].config(command_queue_size=5000),
        "command_queue_size: must be between",
    ),
    "narrow bus": (
        lambda: replace(DDR4, organisation=replace(DDR4.organisation, bus_bits=4)),
        "is narrower than one device",
    ),
    "sleeping forever": (
        lambda: STANDARDS["ddr4_3200_x64"].config(self_refresh_cycles=-1),
        "self_refresh_cycles: must be 0 or more, got -1",
    ),
    "sleeping for nothing": (
        lambda: STANDARDS["hbm2_2000"].config(self_refresh_cycles=1000),
        "IDD6: self-refresh has no current",
    ),
    "waking too fast": (
        lambda: replace(
            STANDARDS["ddr4_3200_x64"].config(self_refresh_cycles=1000),
            timing=replace(DDR4.timing, tXS=559),
        ),
        "tXS, tCKESR: 559, 9 do not allow self-refresh beside tRFC = 560",
    ),
    "closing before the access": (
        lambda: replace(DDR4, timing=replace(DDR4.timing, tRAS=21)),
        "tRAS: 21 is shorter than tRCD (22, 22)",
    ),
    "four activates before two": (
        lambda: replace(DDR4, timing=replace(DDR4.timing, tFAW=3)),
        "tFAW: 3 is shorter than tRRD_S = 4",
    ),
    "no rail": (lambda: replace(DDR4, power=Power(rails=())), "has no supply rail"),
    "bank by bank": (
        lambda: replace(
            DDR4,
            timing=replace(DDR4.timing, tREFIb=300),
            controller=replace(DDR4.controller, refresh_policy="bank_staggered"),
        ),
        "tREFIb: 300 for 1 rank(s) leaves no time",
    ),
}


@pytest.mark.parametrize("what", BAD)
def test_impossible_memories_are_refused_with_a_reason(what: str) -> None:
    make, message = BAD[what]
    with pytest.raises(ConfigError) as error:
        make()
    assert message in str(error.value) and "fix:" in str(error.value)


def test_an_unknown_standard_names_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'ddr4_3200_x16'"):
        STANDARDS["ddr4_3200x16"]


@given(
    st.sampled_from(list(STANDARDS)),
    st.permutations(["ch", "ra", "bg", "ba", "ro", "co"]),
    st.sampled_from([1, 2, 8]),
    st.data(),
)
def test_every_map_gives_each_line_its_own_place(
    name: str, order: list[str], channels: int, data: st.DataObject
) -> None:
    """Reading the map backwards from the fields returns the line."""
    config = STANDARDS[name].config(channels, "".join(order))
    mapping = address_map(config)
    line = data.draw(st.integers(0, config.n_lines - 1))
    fields_of_line, back = mapping.decode(line), 0
    width = dict(zip(("ch", "ra", "bg", "ba", "ro", "co"), mapping.bits, strict=True))
    for field in order:
        assert 0 <= fields_of_line[field] < 1 << width[field]
        back = back << width[field] | fields_of_line[field]
    assert back == line
    assert sum(mapping.bits) == config.n_lines.bit_length() - 1


def test_a_memory_has_no_more_banks_and_queues_than_can_be_remembered() -> None:
    with pytest.raises(ConfigError, match="131,072 banks in all channels, more than 65,536"):
        replace(DDR4, organisation=replace(DDR4.organisation, channels=8192))
    # 64 channels of 16 queues of 4096 entries and two buffers of 32.
    with pytest.raises(ConfigError, match="4,198,400 entries in all queues"):
        replace(
            DDR4,
            controller=replace(DDR4.controller, command_queue_size=4096),
            organisation=replace(DDR4.organisation, channels=64),
        )
