"""DRAMsim3 files: what DRAMsim3 makes of them, and what we say about it."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accelsim.dram.config import DramConfig
from accelsim.dram.ini_files.read import parse_ini, read_ini
from accelsim.errors import ConfigError
from tests.dram import golden

HEAD = "[dram_structure]\nprotocol = DDR4\n[system]\naddress_mapping = rochrababgco\n"


def read(text: str) -> tuple[DramConfig, str]:
    config, warnings = parse_ini(HEAD + text, "x.ini")
    return config, "\n".join(warnings)


@pytest.mark.parametrize(
    ("name", "ranks", "line_bytes"),
    [
        ("DDR3_8Gb_x8_1600", 2, 64),
        ("DDR4_8Gb_x8_3200", 2, 64),
        ("DDR4_8Gb_x8_3200_1rank", 1, 64),
        ("GDDR6_8Gb_x16", 1, 256),
        ("GDDR6_8Gb_x16_bus32", 1, 64),
        ("HBM2_8Gb_x128", 1, 64),
        ("LPDDR4_8Gb_x16_2400", 2, 128),
        ("LPDDR4_8Gb_x16_2400_bus32", 2, 64),
    ],
)
def test_ranks_and_lines_are_derived_as_dramsim3_does(
    name: str, ranks: int, line_bytes: int
) -> None:
    config = golden.config(name)
    assert (config.organisation.ranks, config.line_bytes) == (ranks, line_bytes)
    assert config.compat == "dramsim3"


def test_the_misspelt_refresh_interval_is_not_read_and_said_so() -> None:
    path = golden.DATA / "configs" / "DDR3_8Gb_x8_1600.ini"
    config, warnings = read_ini(path)
    assert config.timing.tREFI == 7800
    text = "\n".join(warnings)
    assert "REFI is not a key of DRAMsim3 (did you mean tREFI?)" in text
    assert "tREFI = 7800" in text


def test_the_first_of_two_values_counts() -> None:
    config, warnings = read("[timing]\nCL = 20\nCL = 30")
    assert config.timing.CL == 20
    assert "CL is given twice" in warnings


def test_integers_are_read_as_c_does() -> None:
    config, warnings = read("[timing]\ntRCD = 13.75\ntRP = 010\ntRAS = 0x20\ntWR = abc")
    t = config.timing
    assert (t.tRCDRD, t.tRP, t.tRAS, t.tWR) == (13, 8, 32, 10)
    for said in ("'13.75' is read as the integer 13", "'010' is read as", "'abc' is not an "):
        assert said in warnings


def test_keys_ignore_case_and_comments_need_a_space() -> None:
    config, _ = read("[TIMING]\ncl = 20 ; cycles\ntRAS = 30; no space\n; tRP = 99\n# tRP = 98")
    assert (config.timing.CL, config.timing.tRAS, config.timing.tRP) == (20, 30, 10)


def test_a_missing_power_down_current_saves_something_and_is_not_mentioned() -> None:
    """DRAMsim3's default, 25 mA, does nothing there: no more than the standby that is given."""
    config, warnings = read("[power]\nIDD2N = 20\nIDD3P = 12\n")
    (rail,) = config.power.rails
    assert (rail.IDD2P, rail.IDD3P) == (20, 12)
    assert "IDD2P" not in warnings


def test_bank_groups_can_be_switched_off() -> None:
    o = golden.config("GDDR6_8Gb_x16").organisation
    assert (o.bankgroups, o.banks_per_group) == (1, 16)


def test_hbm_and_gddr_have_their_own_activate_delays_and_no_trtp() -> None:
    gddr, hbm = golden.config("GDDR6_8Gb_x16").timing, golden.config("HBM2_8Gb_x128").timing
    assert (gddr.tRCDRD, gddr.tRCDWR, gddr.tRTP) == (24, 20, 5)
    assert (hbm.tRTP, hbm.tRTRS) == (5, 2)
    _, warnings = read_ini(golden.DATA / "configs" / "HBM2_8Gb_x128.ini")
    assert "tRTP = 5" in warnings[0] and "tRTRS = 2" in warnings[0]


def test_a_channel_smaller_than_its_device_grows() -> None:
    config, warnings = read("channel_size = 1\n")
    assert config.organisation.ranks == 1
    assert "smaller than one rank: raised" in warnings


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[dram_structure]\nprotocol = DDR9", "protocol: 'DDR9' is not supported"),
        ("[dram_structure]\nprotocol = HMC", "protocol: 'HMC' is not supported"),
        (HEAD + "queue_structure = PER_CHIP", "queue_structure: unknown 'PER_CHIP'"),
        (HEAD + "refresh_policy = NEVER", "refresh_policy: unknown 'NEVER'"),
        (HEAD + "[dram_structure]\nBL = 0", "an ideal bus (BL = 0) is not supported"),
        (HEAD + "[dram_structure]\nrows = 0", "counts and sizes must be at least 1"),
        (HEAD + "[dram_structure]\nrows = 1000", "rows: must be a power of two"),
        (HEAD.replace("ba", "xx"), "must name each of"),
        ("just some prose", "holds no `key = value` line"),
    ],
)
def test_files_that_describe_no_memory_are_refused(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as error:
        parse_ini(text, "x.ini")
    assert message in str(error.value)


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        read_ini(tmp_path / "no.ini")


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "big.ini"
    path.write_bytes(b"x" * (1 << 20) + b"\n")
    with pytest.raises(ConfigError, match="larger than 1 MiB"):
        read_ini(path)


KEYS = st.sampled_from(["CL", "tRFC", "rows", "BL", "bus_width", "protocol", "channel_size", "tCK"])


@given(st.text(max_size=200), st.lists(st.tuples(KEYS, st.text(max_size=8)), max_size=5))
def test_whatever_stands_in_a_file_there_is_a_config_or_a_message(
    text: str, pairs: list[tuple[str, str]]
) -> None:
    for section in ("timing", "system", "dram_structure"):
        body = "\n".join(f"{key} = {value}" for key, value in pairs)
        try:
            config, _ = parse_ini(f"{HEAD}[{section}]\n{body}\n{text}", "x.ini")
        except ConfigError as error:
            assert "\n  fix: " in str(error)
        else:
            assert config.line_bytes > 0 and config.n_lines > 0 and config.timing.tCK_ns > 0
