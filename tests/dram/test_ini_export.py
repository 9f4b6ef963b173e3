"""A memory as a DRAMsim3 file, and back."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accelsim.dram.config import DramConfig
from accelsim.dram.ini_files.export import NEAREST, export_ini
from accelsim.dram.ini_files.read import parse_ini, read_ini
from accelsim.dram.parameters import P, parameters
from accelsim.dram.standard import STANDARDS
from accelsim.energy.dram import event_energy
from accelsim.errors import ConfigError
from tests.dram import golden

FILES = sorted(p for part in ("configs", "variants") for p in (golden.DATA / part).glob("*.ini"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_what_came_from_a_file_goes_back_without_loss(path: Path) -> None:
    config, doubts = read_ini(path)
    text, lost = export_ini(config)
    again, warnings = parse_ini(text, path)
    assert again == config and lost == ()
    # What is wrong with the memory stays wrong; of the file nothing is left to say.
    assert set(warnings) <= set(doubts)
    assert not any("not given" in warning or "is read as" in warning for warning in warnings)


POWERS = st.integers(0, 4).map(lambda n: 1 << n)


@st.composite
def imported(draw: st.DrawFn) -> DramConfig:
    """A file's configuration with other queues, policies, counts, delays and currents."""
    config, _ = read_ini(draw(st.sampled_from(FILES)))
    fields = draw(st.permutations(["ch", "ra", "bg", "ba", "ro", "co"]))
    controller = replace(
        config.controller,
        address_map="".join(fields),
        page_policy=draw(st.sampled_from(["open", "close"])),
        queue_structure="per_bank",
        refresh_policy=draw(
            st.sampled_from(["rank_staggered", "rank_simultaneous", "bank_staggered"])
        ),
        command_queue_size=draw(st.integers(1, 64)),
        transaction_queue_size=draw(st.integers(1, 64)),
        unified_queue=draw(st.booleans()),
        self_refresh_cycles=draw(st.sampled_from([0, 1, 500])),
    )
    rail = replace(config.power.rails[0], volts=draw(st.floats(0.5, 3)), IDD0=draw(st.floats(0, 1)))
    return replace(
        config,
        organisation=replace(config.organisation, channels=draw(POWERS)),
        timing=replace(config.timing, tCK_ns=draw(st.floats(0.1, 3)), tWR=draw(st.integers(0, 99))),
        power=replace(config.power, rails=(rail,)),
        controller=controller,
    )


@given(imported())
def test_every_value_survives_to_the_last_bit(config: DramConfig) -> None:
    text, _ = export_ini(config)
    (_, source) = config.sources[0]
    again, _ = parse_ini(text, Path(source.split()[-1]).with_stem(config.name))
    assert again == config


@pytest.mark.parametrize("name", sorted(STANDARDS))
def test_a_standard_keeps_its_timing_table_and_the_energy_of_commands(name: str) -> None:
    config = STANDARDS[name].config(channels=2, self_refresh_cycles=0)
    text, lost = export_ini(config)
    again, warnings = parse_ini(text, f"{name}.ini")
    assert warnings == ()
    strict = replace(config, compat="dramsim3")
    kept, wanted = parameters(again), parameters(strict)
    expected = {"WR_TO_WR_L", "PRE_TO_PRE"} if config.protocol in NEAREST else set()
    expected |= {"PREAB_TO_ACT"} if config.timing.tRPab else set()
    expected |= {"DOWN_TO_UP", "UP_TO_ANY", "UP_TO_RD"}  # of power-down, which DRAMsim3 lacks
    assert {p.name for p in P if kept[p] != wanted[p]} <= expected
    assert again.line_bytes == config.line_bytes
    assert again.peak_gb_s == pytest.approx(config.peak_gb_s)
    ours, theirs = vars(event_energy(strict)), vars(event_energy(again))
    if ours["activate"] < 0:
        ours["activate"] = event_energy(config).activate
    for key in ours.keys() - {"io", "phy"}:
        assert theirs[key] == pytest.approx(ours[key])
    # Each lost thing stands in the file as well, in lines that inih does not cut.
    comments = " ".join(line.strip("; ") for line in text.splitlines() if line.startswith(";"))
    assert all(f"Not held: {sentence}" in comments for sentence in lost)
    assert max(map(len, text.splitlines())) < 199


def test_what_ddr5_loses_is_named() -> None:
    _, lost = export_ini(STANDARDS["ddr5_4800_x32"].config())
    text = "\n".join(lost)
    for word in ("protocol DDR5", "tCCD_L_WR = 24", "tPPD = 2", "VPP 1.8 V", "energy of an ACT"):
        assert word in text


def test_what_dramsim3_cannot_describe_is_refused() -> None:
    config = STANDARDS["ddr4_3200_x16"].config()
    small = replace(config, organisation=replace(config.organisation, rows=8))
    with pytest.raises(ConfigError, match="not a whole number of MiB"):
        export_ini(small)
    with pytest.raises(ConfigError, match="DRAMsim3 knows nothing like SRAM"):
        export_ini(replace(config, protocol="SRAM"))
    slow = replace(config, timing=replace(config.timing, burst_cycles=3))
    with pytest.raises(ConfigError, match="beats a clock"):
        export_ini(slow)
