"""What DRAMsim3 silently makes of a file: done as it does it, and said, once each."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accelsim.dram.config import DramConfig
from accelsim.dram.ini_files import doubts
from accelsim.dram.ini_files.read import parse_ini
from accelsim.dram.replay import replay
from accelsim.dram.traces.requests import Requests
from accelsim.energy.dram import event_energy
from accelsim.errors import ConfigError
from tests.dram import golden

DDR4 = (golden.DATA / "configs" / "DDR4_8Gb_x8_3200.ini").read_text()
HBM2 = (golden.DATA / "configs" / "HBM2_8Gb_x128_1ch.ini").read_text()
SECTIONS = {"unified_queue": "[system]", "AL": "[timing]"}


def changed(key: str, line: str, text: str = DDR4) -> tuple[DramConfig, list[str]]:
    """The file with another line for ``key``, and what is said only then."""
    lines = text.splitlines()
    new = [line if old.split("=")[0].strip() == key else old for old in lines]
    if new == lines:  # the file leaves it to the default
        new.insert(lines.index(SECTIONS[key]) + 1, line)
    before = parse_ini(text, "x.ini")[1]
    config, warnings = parse_ini("\n".join(new), "x.ini")
    assert config.warnings == warnings
    return config, [each for each in warnings if each not in before]


def test_a_plain_file_leaves_no_warning() -> None:
    assert parse_ini(DDR4, "x.ini")[1] == ()


SILENT = {
    "row_buf_policy = CLOSED_PAGE": "'CLOSED_PAGE' is neither OPEN_PAGE nor CLOSE_PAGE",
    "row_buf_policy = close_page": "'close_page' is neither OPEN_PAGE nor CLOSE_PAGE",
    "unified_queue = Ture": "unified_queue = 'Ture' is neither true nor false: the default false",
    "channel_size = 20000": "20000 MiB is not a whole number of ranks: cut to 16384 MiB",
    "channel_size = 5000": "5000 MiB is smaller than one rank: raised to 8192 MiB",
    "tCK = 630": "tCK = 630 ns is not a DRAM clock",
    "tCK = 0,63": "tCK = '0,63' is read as the number 0",
    "VDD = 1.2V": "VDD = '1.2V' is read as the number 1.2",
    "tRCD = 13.75": "tRCD = '13.75' is read as the integer 13",
    "tWR = abc": "tWR = 'abc' is not an integer: the default 10",
    "IDD0 = abc": "IDD0 = 'abc' is not a number: the default 48",
    "IDD4R = 40": "IDD4R = 40 mA is below the standby of the same time: an RD would have",
    "IDD4W = 40": "IDD4W = 40 mA is below the standby of the same time: a WR would have",
    "IDD5AB = 40": "IDD5AB = 40 mA is below the standby of the same time: a refresh would have",
    "IDD0 = 40": "IDD0 = 40 mA is below the standby of the same time: an ACT would have",
    "refresh_policy = BANK_LEVEL_STAGGERED": "a refresh would have negative energy",
    "protocol = GDDR6": "BL = 8 is less than the 16 beats of a GDDR6 clock",
}


@pytest.mark.parametrize("line", SILENT)
def test_each_silent_fall_back_is_said_once(line: str) -> None:
    try:
        _, warnings = changed(line.split()[0], line)
    except ConfigError as error:  # a clock of zero cannot be run at all, and says so
        assert "tCK: must be between" in str(error) and line == "tCK = 0,63"
        return
    assert len([each for each in warnings if SILENT[line] in each]) == 1


def test_a_word_that_is_missing_is_named_with_its_default() -> None:
    for key, default in (("protocol", "DDR3"), ("address_mapping", "chrobabgraco")):
        _, warnings = changed(key, "")
        assert f"not given, so DRAMsim3's defaults apply: {key} = {default}" in warnings


def test_a_write_buffer_of_its_own_size_is_not_believed() -> None:
    _, warnings = changed("trans_queue_size", "trans_queue_size = 32\nwrite_buf_size = 64")
    assert warnings == ["write_buf_size = 64 has no effect: trans_queue_size, 32, counts"]


def test_ranks_that_no_address_reaches_are_refused() -> None:
    """Three ranks: DRAMsim3 refreshes and prices them, and its addresses have one bit for them."""
    with pytest.raises(ConfigError, match=r"24576 MiB are 3 ranks of 8192 MiB: .* address 2 of"):
        changed("channel_size", "channel_size = 24576")


def test_a_word_given_twice_is_no_word_to_dramsim3() -> None:
    """inih joins both by a line break: the comparison with CLOSE_PAGE fails."""
    config, warnings = changed("row_buf_policy", "row_buf_policy = CLOSE_PAGE\n" * 2)
    assert config.controller.page_policy == "open"
    assert any("given twice" in each for each in warnings)
    assert any("neither OPEN_PAGE nor CLOSE_PAGE" in each for each in warnings)


def test_a_bank_that_dramsim3_counts_as_nothing_is_said() -> None:
    """512 rows of 1 KiB: it counts whole MiB of each bank, and divides by their sum."""
    small = DDR4.replace("channel_size = 16384", "channel_size = 64")
    _, warnings = changed("rows", "rows = 512", small)
    assert "a bank of 524288 bytes: DRAMsim3 itself stops below 1 MiB" in warnings


def test_an_indented_line_goes_on_with_the_value_before() -> None:
    config, warnings = changed("CL", "CL = 20\n  30")
    assert config.timing.CL == 20
    assert warnings == ["line 13 is indented: DRAMsim3 appends it to CL"]


def test_sections_are_those_that_inih_finds() -> None:
    """Blanks belong to a section's name, and without its bracket there is no section."""
    text = DDR4.replace("[timing]", "[ timing ]")
    config, warnings = parse_ini(text, "x.ini")
    assert config.timing.CL == 12
    assert any(each.startswith("[ timing ] AL, [ timing ] CL,") for each in warnings)
    config, warnings = parse_ini(DDR4.replace("[power]", "[power"), "x.ini")
    assert config.power.rails[0].IDD0 == 48
    assert any("is not of the form `key = value`" in each for each in warnings)


def test_the_rest_of_a_long_line_is_a_line() -> None:
    """inih's buffer holds 199 bytes: a long comment can end in a value."""
    comment = "; " + "x" * 197 + "CL = 33"
    config, warnings = changed("CL", comment)
    assert config.timing.CL == 33
    assert len(warnings) == 1 and "longer than 199 bytes" in warnings[0]


def test_a_file_full_of_mistakes_has_a_short_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doubts, "MAX_WARNINGS", 3)
    twice = DDR4 + "[timing]\n" + "".join(f"CL{i} = 1\nCL{i} = 1\n" for i in range(10))
    _, warnings = parse_ini(twice, "x.ini")
    assert len(warnings) == 4 and warnings[-1] == "and 8 more like these"
    _, warnings = parse_ini(DDR4 + "[odd]\n" + "".join(f"k{i} = 1\n" for i in range(10)), "x.ini")
    assert warnings == (
        "[odd] k0, [odd] k1, [odd] k2, [odd] k3, [odd] k4, [odd] k5, [odd] k6, [odd] k7 and 2 "
        "more are not keys of DRAMsim3: ignored",
    )


@pytest.mark.parametrize(("compat", "expected"), [("dramsim3", 2 + 14), ("none", 2 + 14 - 3)])
def test_additive_latency_comes_off_trcd_but_not_off_trcdrd_in_dramsim3(
    compat: str, expected: int
) -> None:
    """HBM2: a read offered in cycle 0 has its ACT in 2; tRCDRD is 14. ``timing.cc`` takes AL
    off tRCD only where the protocol is neither GDDR nor HBM."""
    config, _ = changed("AL", "AL = 3", HBM2)
    config = replace(config, compat=compat)  # type: ignore[arg-type]
    one = np.zeros(1, np.int64)
    commands = replay(config, Requests(one, one, one), record_commands=True).commands
    assert commands[:, 0].tolist() == [2, expected]


def test_an_additive_latency_beyond_trcd_matters_only_where_it_is_taken_off() -> None:
    assert changed("AL", "AL = 20", HBM2)[0].timing.AL == 20
    with pytest.raises(ConfigError, match="AL: 22 reaches tRCD"):
        changed("AL", "AL = 22")


CURRENTS = ("IDD0", "IDD2N", "IDD3N", "IDD4R", "IDD4W", "IDD5AB", "IDD5PB")
POLICY = st.sampled_from(["RANK_LEVEL_STAGGERED", "BANK_LEVEL_STAGGERED"])


@settings(max_examples=300, deadline=None)
@given(
    st.fixed_dictionaries({}, optional={key: st.integers(0, 300).map(float) for key in CURRENTS}),
    POLICY,
)
def test_negative_energy_is_named_in_files_and_impossible_natively(
    currents: dict[str, float], policy: str
) -> None:
    power = "\n".join(f"{key} = {value:g}" for key, value in currents.items())
    text = (
        f"[dram_structure]\nprotocol = DDR4\n[system]\nrefresh_policy = {policy}\n[power]\n{power}"
    )
    config, warnings = parse_ini(text, "x.ini")
    each = event_energy(config)
    parts = {
        "an ACT": each.activate, "an RD": each.read, "a WR": each.write, "a refresh": each.refresh
    }  # fmt: skip
    named = {
        part
        for part in parts
        if any(f"{part} would have negative energy" in text for text in warnings)
    }
    assert named == {part for part, pj in parts.items() if pj < 0}
    try:
        native = replace(config, compat="none")
    except ConfigError:
        return
    assert min(vars(event_energy(native)).values()) >= 0


def test_a_bank_refresh_without_its_current_costs_its_part_of_all_natively() -> None:
    """16 banks: V (IDD5AB - IDD2N) tRFC / 16 = 1.2 x 213 x 560 / 16 for each of 8 devices."""
    config, _ = changed("refresh_policy", "refresh_policy = BANK_LEVEL_STAGGERED")
    config = replace(config, timing=replace(config.timing, tREFIb=7800, tRFCb=200), compat="none")
    expected = 1.2 * (250 - 37) * 560 / 16 * 8 * 0.63
    assert event_energy(config).refresh == pytest.approx(expected)
    assert event_energy(replace(config, compat="dramsim3")).refresh < 0  # (5 - 52) mA, as printed


@pytest.mark.parametrize(
    "path", sorted((golden.DATA / "configs").glob("*.ini")), ids=lambda path: path.stem
)
def test_what_dramsim3_ships_is_read_without_further_doubts(path: Path) -> None:
    """But for keys that these files lack or misspell, and a size that DRAMsim3 raises."""
    _, warnings = parse_ini(path.read_text(), path)
    known = ("not given", "not a key", "raised to")
    assert all(any(each in warning for each in known) for warning in warnings)
