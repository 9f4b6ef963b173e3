"""A chip has one truth: its configuration is a function of its parts, and no part is invalid."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accelsim.array.dataflow import DATAFLOWS
from accelsim.codecs.base import CODECS
from accelsim.dram.standard import STANDARDS
from accelsim.errors import ConfigError
from accelsim.hardware.chip import (
    Buffers,
    Chip,
    CodecBlock,
    EnergyChoice,
    PeArray,
    VectorUnit,
)
from accelsim.hardware.document import flat
from accelsim.hardware.read import chip_from_resolved, read_hardware, shipped_files
from accelsim.results.json_form import config_sha256
from accelsim.simulation.lanes import with_codec
from accelsim.units import Clock, in_kib, in_mhz

EDGE = read_hardware("edge_npu")


def again(chip: Chip) -> Chip:
    """The chip of what a result file holds of it."""
    return chip_from_resolved(json.loads(json.dumps(chip.resolved, allow_nan=False)))


OVERRIDES: dict[str, st.SearchStrategy[Any]] = {
    "core.clock_mhz": st.floats(1, 10_000),
    "array.rows": st.integers(1, 4096),
    "array.cols": st.integers(1, 4096),
    "array.dataflow": st.sampled_from(sorted(DATAFLOWS)),
    "array.fold_overlap": st.booleans(),
    "buffers.ifmap_kib": st.integers(1, 1 << 20).map(lambda n: n / 1024),
    "buffers.weight_kib": st.integers(1, 1 << 20),
    "vector.lanes": st.integers(1, 65536),
    "codec.name": st.sampled_from([*CODECS, "huffman:substreams=4"]),
    "codec.lanes": st.none() | st.integers(1, 4096),
    "codec.block": st.none() | st.lists(st.integers(1, 64), min_size=3, max_size=3),
    "codec.layout": st.sampled_from(["auto", "slotted", "packed"]),
    "codec.hardware.decode_fill_cycles": st.none() | st.integers(0, 99),
    "dram.standard": st.sampled_from(sorted(STANDARDS)),
    "dram.channels": st.none() | st.sampled_from([1, 2, 4]),
    "dram.address_map": st.sampled_from([None, "rochrababgco"]),
    "dram.policy": st.sampled_from(["dramsim3", "ideal"]),
    "dram.dbi": st.sampled_from(["default", "off"]),
    "dram.power_down_cycles": st.none() | st.just(0),
    "mapping.objective": st.sampled_from(["latency", "traffic"]),
    "mapping.on_chip": st.booleans(),
    "energy.node_nm": st.integers(22, 65),
    "frame_rate_hz": st.none() | st.floats(0.001, 1e6),
}


@settings(deadline=None, max_examples=100)
@given(
    st.sampled_from(shipped_files()),
    st.fixed_dictionaries({}, optional=OVERRIDES),
    st.fixed_dictionaries({}, optional=OVERRIDES),
)
def test_a_chip_is_what_its_configuration_says_and_says_what_it_is(
    path: Path, first: dict[str, Any], second: dict[str, Any]
) -> None:
    chip = read_hardware(path, first)
    assert again(chip) == chip
    assert written(again(chip)) == written(chip)
    both = read_hardware(path, {**first, **second})
    # Figures that an override gave to one codec or memory do not outlive it.
    if chip.codec.name == both.codec.name and chip.dram.standard == both.dram.standard:
        assert parts(chip_from_resolved(chip.resolved, second)) == parts(both), (
            "overrides of a result are overrides of its file"
        )


def written(chip: Chip) -> str:
    """The configuration as text: 1 and 1.0 are equal values, but not equal files."""
    return json.dumps(chip.resolved)


@pytest.mark.parametrize("codec", list(CODECS))
def test_two_routes_to_one_chip_have_one_hash(codec: str) -> None:
    chip = read_hardware("edge_npu", {"codec.name": codec})
    assert config_sha256(again(chip).resolved) == config_sha256(chip.resolved)


def test_a_whole_number_is_no_other_rate() -> None:
    whole, read = replace(EDGE, frame_rate_hz=30), read_hardware("edge_npu", ["frame_rate_hz=30"])
    assert parts(whole) == parts(read) and str(parts(whole)) == str(parts(read))
    lane = replace(CODEC.hardware, gates_kge=2)
    assert str(lane) == str(replace(CODEC.hardware, gates_kge=2.0))


def parts(chip: Chip) -> dict[str, Any]:
    return {key: value for key, value in flat(chip.resolved).items() if "sources" not in key}


def test_a_replaced_part_is_simulated_reported_and_hashed() -> None:
    larger = replace(EDGE, array=replace(EDGE.array, rows=32))
    assert larger.resolved["array"]["rows"] == 32
    assert config_sha256(larger.resolved) != config_sha256(EDGE.resolved)
    assert larger.sources["array.rows"] == "set in Python"
    assert larger.sources["array.cols"] == EDGE.sources["array.cols"]
    assert again(larger) == larger


def test_a_following_codec_keeps_it() -> None:
    larger = replace(EDGE, array=replace(EDGE.array, rows=65))
    coded = with_codec(larger, "zvc")
    assert coded.array.rows == 65
    assert coded.codec.lanes == 3, "what 65 rows need of lanes of 32 values per cycle"
    by_hand = replace(EDGE, codec=replace(EDGE.codec, lanes=7))
    assert with_codec(by_hand, "zvc").codec.lanes == 7, "a number that was set stays"


def test_a_replaced_memory_is_reported_value_for_value() -> None:
    timing = replace(EDGE.dram.config.timing, tRP=29)
    slower = replace(EDGE, dram=replace(EDGE.dram, config=replace(EDGE.dram.config, timing=timing)))
    assert slower.resolved["dram"]["changes"] == {"timing.tRP": 29}
    assert again(slower) == slower
    assert with_codec(slower, "zvc").dram.config.timing.tRP == 29
    native = chip_from_resolved(slower.resolved, ["dram.standard=ddr4_3200_x16"])
    assert native.dram.config == STANDARDS["ddr4_3200_x16"].config(1)


def test_a_memory_that_no_file_can_name_is_refused() -> None:
    power = replace(EDGE.dram.config.power, rails=EDGE.dram.config.power.rails[:1])
    config = replace(EDGE.dram.config, power=power)
    with pytest.raises(ConfigError, match="has other parts than its standard"):
        replace(EDGE.dram, config=config)


def test_a_policy_without_power_down_takes_it_away() -> None:
    ideal = replace(EDGE, dram=replace(EDGE.dram, policy="ideal"))
    assert EDGE.dram.config.controller.power_down_cycles == 128
    assert ideal.dram.config.controller.power_down_cycles == 0
    assert again(ideal) == ideal


ARRAY = EDGE.array
CODEC = EDGE.codec
INVALID: list[tuple[Any, dict[str, Any], str]] = [
    (ARRAY, {"rows": -3}, "array.rows: must be a whole number from 1 to 4096 (PEs), got -3"),
    (ARRAY, {"rows": 2.0}, "array.rows: must be a whole number"),
    (ARRAY, {"dataflow": "row"}, "array.dataflow: unknown dataflow 'row'"),
    (EDGE.buffers, {"ifmap_bytes": 0}, "buffers.ifmap_kib: must be above 0 where no buffer is"),
    (EDGE.buffers, {"ifmap_bytes": -1}, "buffers.ifmap_kib: must be a number from 0"),
    (EDGE.buffers, {"shared_bytes": 1024}, "buffers.ifmap_kib: must be 0, got 96"),
    (EDGE.buffers, {"port_bits": 8}, "buffers.port_bits: must be a whole number from 64 to 512"),
    (EDGE.vector, {"lanes": 0}, "vector.lanes: must be"),
    (CODEC, {"lanes": 0}, "codec.lanes: must be"),
    (CODEC, {"block": (16, 0, 4)}, "codec.block: must be"),
    (CODEC, {"name": "zcv"}, "codec.name: unknown codec 'zcv'. Did you mean 'zvc'?"),
    (CODEC, {"name": "zvc"}, "codec.layout: linear has no blocks, which zvc needs"),
    (CODEC, {"hardware": replace(CODEC.hardware, gates_kge=-1.0)}, "codec.hardware.gates_kge"),
    (CODEC, {"lanes": None}, "codec.lanes: must be a whole number from 1 to 4096 (lanes), got"),
    (CODEC, {"layout": "auto"}, "codec.layout: must be one of linear, slotted, packed, got 'auto'"),
    (CODEC, {"word_bits": None}, "codec.word_bits: must be a whole number from 2 to 16"),
    (EDGE.dram, {"outstanding_reads": None}, "dram.outstanding_reads: must be"),
    (EDGE.dram, {"outstanding_reads": 0}, "dram.outstanding_reads: must be"),
    (EDGE.dram, {"policy": "dramsim"}, "dram.policy: unknown DRAM policy 'dramsim'"),
    (EDGE.dram, {"standard": "ddr9"}, "dram.standard: unknown DRAM standard 'ddr9'"),
    (EDGE.energy, {"node_nm": 7}, "energy.node_nm: must be a whole number from 22 to 65"),
    (EDGE, {"frame_rate_hz": -1.0}, "frame_rate_hz: must be"),
    (EDGE.mapping, {"objective": "speed"}, "mapping.objective: must be one of latency, traffic"),
    (EDGE, {"core": Clock(1)}, "core.clock_mhz: must be a number from 1 to 10000"),
    (EDGE, {"energy": replace(EDGE.energy, dram_data="vampire_a")}, "is measured on DDR3L"),
]


@pytest.mark.parametrize(("part", "change", "expected"), INVALID)
def test_an_invalid_part_cannot_be_made(part: Any, change: dict[str, Any], expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        replace(part, **change)
    assert expected in str(caught.value)


def test_parts_made_by_hand_are_checked_like_those_of_a_file() -> None:
    for make in (
        lambda: PeArray(-3, 16, "output_stationary", fold_overlap=True, psum_bits=32),
        lambda: Buffers(0, 0, 0, 0),
        lambda: VectorUnit(0),
        lambda: EnergyChoice(22, "fast", "typical"),  # type: ignore[arg-type]
        lambda: CodecBlock("zvc", "raw", 1, (1, 1, 1), "chw", "linear", 1, 1, CODEC.hardware),
    ):
        with pytest.raises(ConfigError):
            make()


def test_units_come_back_as_they_were_written() -> None:
    assert (in_kib(96 * 1024), in_kib(448)) == (96, 0.4375)
    assert in_mhz(Clock.from_mhz(700)) == 700.0
    # 833.333 MHz has a period of 1 200 000.48 fs, kept as 1 200 000: that of 833.3333 MHz.
    assert Clock.from_mhz(in_mhz(Clock(1_200_000))) == Clock(1_200_000)
