"""Figures of lanes: they follow the words, their sources, and count the same things."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from accelsim import read_hardware, read_trace, simulate
from accelsim.codecs.base import CODECS, Word, one_block
from accelsim.codecs.contract import join_blocks, realistic
from accelsim.codecs.lane_hardware import LaneHardware
from accelsim.errors import CodecError, ConfigError
from accelsim.hardware.read import chip_from_resolved
from accelsim.process_node import scaled
from accelsim.workload.layer import Conv, Window
from accelsim.workload.synth import synthesise
from tests.mapping.test_lower import graph_of

FIXED_WIDTH = {
    *("raw", "eyeriss_rlc", "bdi", "fpc", "spark", "cap", "transform_coding"),
    "bit_compactor",
}
"""64-bit words, lines of memory, nibbles, codecs of symbols of at most 8 bits, and a format of
byte cells, whatever words lie in them."""


def lane(name: str, bits: int = 8) -> LaneHardware:
    return CODECS[name].for_network(Word(bits)).hardware


@pytest.mark.parametrize(
    ("bits", "encoder_bits", "decoder_bits"),
    [
        (5, 32 * (12 + 4), 32 * 5 + 12 * (12 + 5)),
        (8, 256 * (12 + 4), 256 * 8 + 12 * (12 + 8)),
        # More than 4096 symbols may have codes of 16 bits: 1.3 Mbit.
        (16, 65_536 * (16 + 4), 65_536 * 16 + 16 * (16 + 16)),
    ],
)
def test_huffman_tables_have_an_entry_for_each_word(
    bits: int, encoder_bits: int, decoder_bits: int
) -> None:
    found = lane("huffman", bits)
    assert (found.encode_buffer_bits, found.decode_buffer_bits) == (encoder_bits, decoder_bits)
    of_sram = 0.5e-3 * (encoder_bits + decoder_bits)  # half a gate equivalent for each bit
    assert of_sram < found.gates_kge < of_sram + 12


@pytest.mark.parametrize("name", sorted({*CODECS} - FIXED_WIDTH))
def test_area_energy_and_storage_follow_the_width_of_the_words(name: str) -> None:
    narrow, usual, wide = (lane(name, bits) for bits in (5, 8, 16))
    for column in ("gates_kge", "encode_pj_per_value", "decode_pj_per_value"):
        assert getattr(narrow, column) < getattr(usual, column) < getattr(wide, column)
    for column in ("encode_buffer_bits", "decode_buffer_bits"):
        assert getattr(narrow, column) <= getattr(usual, column) <= getattr(wide, column)


@pytest.mark.parametrize("name", ["huffman", "transform_coding"])
def test_energy_of_an_fpga_is_carried_from_its_own_node(name: str) -> None:
    """4.26 mW for 32 lanes at 160 MHz on 20 nm: .83 pJ there, .99 at 22 nm, not .11."""
    found = lane(name)
    assert found.node_nm == 20
    assert found.encode_pj_per_value == pytest.approx(4.26e-3 / 32 / 160e6 * 1e12, rel=0.01)
    at_22_nm = scaled(found.encode_pj_per_value, found.node_nm, 22)
    assert at_22_nm == pytest.approx(0.832 * (22 / 20) ** 1.9, rel=0.01)


def test_the_multipliers_of_a_transform_are_those_of_65_nm() -> None:
    """0.85 kGE x 15 % x 1.5 fJ for each of 16 channels, beside the Huffman coder of 20 nm."""
    found = lane("transform_coding")
    inverse = found.decode_pj_per_value - found.encode_pj_per_value
    assert inverse == pytest.approx(16 * 0.85 * 0.15 * 1.5 * (20 / 65) ** 1.9)


def test_ebpc_has_its_published_energy() -> None:
    found = lane("ebpc")
    for energy in (found.encode_pj_per_value, found.decode_pj_per_value):
        assert 0.27 <= energy <= 0.45
    assert "Rutishauser" in found.source
    assert found.gates_kge == pytest.approx(2.8 + 3.0)


def test_spark_has_a_packer_like_every_other_lane() -> None:
    """Its published areas translate a value; zero_rle's lane is a packer and little else."""
    packers = lane("zero_rle")
    assert lane("spark").gates_kge == pytest.approx(packers.gates_kge + 0.027 + 0.013)
    assert lane("spark").encode_pj_per_value > packers.encode_pj_per_value


@pytest.mark.parametrize("bits", [4, 8, 12])
def test_bit_planes_take_a_cycle_each_and_that_is_the_rate(bits: int) -> None:
    """16 words: a base and W + 1 planes of their differences."""
    codec = CODECS["bpc"].for_network(Word(bits))
    assert codec.hardware.encode_values_per_cycle == pytest.approx(16 / (bits + 2))
    values = np.arange(16 * 10).reshape(1, 1, -1) % (1 << bits)
    work = codec.encode_work(one_block(values.astype(codec.word.dtype)))
    assert work.tolist() == [10 * (bits + 2)]


def test_a_fractional_rate_gives_the_lanes_that_the_array_needs() -> None:
    """16 rows want 16 values a cycle: ten lanes of 1.6."""
    assert read_hardware("edge_npu", ["codec.name=bpc"]).codec.lanes == 10


@pytest.mark.parametrize("name", list(CODECS))
@pytest.mark.parametrize("bits", [5, 8])
def test_no_lane_works_faster_than_its_rate(name: str, bits: int) -> None:
    word = Word(bits)
    try:
        codec = CODECS[name].for_network(word)
    except CodecError:
        return
    if "whole_pixel" in codec.needs or "spatial_tile" in codec.needs or name == "raw":
        return
    blocks = join_blocks(list(realistic(word, 60, seed=5)), word)
    fitted = codec.fit(blocks.values)
    for work, rate in (
        (fitted.encode_work(blocks), codec.hardware.encode_values_per_cycle),
        (fitted.decode_work(blocks), codec.hardware.decode_values_per_cycle),
    ):
        assert (work * rate >= blocks.sizes - 1e-9).all()


def test_a_chip_has_lanes_for_the_words_of_the_trace(tmp_path: Path) -> None:
    point = Window((1, 1))
    layers = [Conv("a", "x", "a", 3, 16, point), Conv("b", "a", "b", 16, 10, point)]
    synthesise(tmp_path / "narrow.h5", graph_of(layers, 3, 33, 29), 0.4, 2.5, seed=3, bits=5)
    trace, chip = read_trace(tmp_path / "narrow.h5"), read_hardware("edge_npu")
    result = simulate(chip, trace, codec="huffman")
    codec: Any = result.config["codec"]
    assert codec["word_bits"] == 5
    assert result.codec_area_kge == pytest.approx(16 * lane("huffman", 5).gates_kge)
    again = simulate(chip_from_resolved(result.config), trace)
    assert again.codec_area_kge == result.codec_area_kge and again.config == result.config
    eight = simulate(read_hardware("edge_npu", ["codec.word_bits=8"]), trace, codec="huffman")
    assert eight.codec_area_kge == pytest.approx(16 * 12.0)


def test_compressed_weights_are_refused_wherever_they_are_asked_for() -> None:
    chip = read_hardware("edge_npu")
    for ask in (
        lambda: read_hardware("edge_npu", ["codec.weight_name=zvc"]),
        lambda: simulate(chip, read_trace("fmnist_resnet8_q8"), codec={"weight": "zvc"}),
        lambda: chip_from_resolved(chip.resolved, {"codec.weight_name": "huffman"}),
    ):
        with pytest.raises(ConfigError, match="compressed weights are not modelled"):
            ask()
