"""Statistics of a map, and the raw fallback."""

import dataclasses
from itertools import pairwise

import numpy as np
import pytest

from accelsim.codecs import rates
from accelsim.codecs.base import CODECS, Bitstream, Blocks, BlockStats, Shapes, Word
from accelsim.codecs.beats import Pins
from accelsim.codecs.blocks import cut
from accelsim.codecs.fallback import as_stored
from accelsim.codecs.formats.zvc import Zvc
from accelsim.codecs.measure import measure_map
from accelsim.errors import CodecError

RNG = np.random.default_rng(3)
MAP = np.where(RNG.random((6, 10, 9)) < 0.6, 0, RNG.integers(1, 256, (6, 10, 9))).astype(np.uint8)


@pytest.mark.parametrize("name", list(CODECS))
def test_the_statistics_of_a_map_are_those_of_its_blocks(name: str) -> None:
    codec = CODECS[name].for_network(Word(8)).fit(MAP, every_symbol=True)
    channels = [6] if "whole_pixel" in codec.needs else [4, 2]
    stats = measure_map(MAP, codec, (channels[0], 8, 8), "hwc")
    assert stats.blocks.n_values.tolist() == [c * n for c in channels for n in (64, 8, 16, 2)]
    assert stats.blocks.nonzeros.sum() == np.count_nonzero(MAP)
    assert stats.word == Word(8)
    assert stats.table_bits == codec.table_bits
    counts = np.bincount(MAP.ravel())
    assert stats.entropy_bits == pytest.approx(rates.entropy_bits(counts))
    assert stats.entropy_bits <= stats.huffman_bits <= stats.entropy_bits + MAP.size


def test_zvc_sizes_follow_from_the_density() -> None:
    stats = measure_map(MAP, Zvc.for_word(Word(8)), (2, 4, 4)).blocks
    np.testing.assert_array_equal(stats.payload_bits, stats.n_values + 8 * stats.nonzeros)
    np.testing.assert_array_equal(stats.encode_work, -(-stats.n_values // 32))


def test_maps_in_a_wider_dtype_are_measured_alike() -> None:
    narrow = measure_map(MAP, Zvc.for_word(Word(8)), (2, 4, 4))
    wide = measure_map(MAP.astype(np.uint16), Zvc.for_word(Word(8)), (2, 4, 4))
    np.testing.assert_array_equal(narrow.blocks.payload_bits, wide.blocks.payload_bits)


def test_values_outside_the_word_are_refused_not_wrapped() -> None:
    with pytest.raises(CodecError, match="do not fit"):
        measure_map(MAP.astype(np.uint16) + 200, Zvc.for_word(Word(8)), (2, 4, 4))


@pytest.mark.parametrize(
    ("burst_bytes", "raw_from_bits"),
    # 80 bytes raw. A stream is stored if it needs at most 79, 4 x 16 = 64, or 64 bytes.
    [(1, 8 * 79 + 1), (16, 8 * 64 + 1), (64, 8 * 64 + 1), (128, 1)],
)
def test_a_block_is_stored_raw_when_its_stream_saves_no_burst(
    burst_bytes: int, raw_from_bits: int
) -> None:
    payload = np.array([raw_from_bits - 1, raw_from_bits, 8 * 80, 8 * 80 + 1, 0])
    n_values = np.array([80, 80, 80, 80, 0])
    stored = as_stored(BlockStats(n_values, payload, *[n_values] * 3), 8, burst_bytes)
    assert stored.is_raw.tolist() == [False, True, True, True, True]
    assert stored.bits.tolist() == [raw_from_bits - 1, 640, 640, 640, 0]
    raw_bursts = -(-80 // burst_bytes)
    fewest = -(-(raw_from_bits - 1) // (8 * burst_bytes))
    assert stored.n_bursts.tolist() == [fewest, *[raw_bursts] * 3, 0]
    assert stored.raw_bursts.tolist() == [*[raw_bursts] * 4, 0]


@dataclasses.dataclass(frozen=True)
class ForgetfulZvc(Zvc):
    """Loses the first value of every stream."""

    def decode(self, stream: Bitstream, sizes: np.ndarray, shapes: Shapes | None = None) -> Blocks:
        blocks = super().decode(stream, sizes, shapes)
        blocks.values[0] = 0
        return blocks


@dataclasses.dataclass(frozen=True)
class OptimisticZvc(Zvc):
    """Measures one bit less than it writes."""

    def payload_bits(self, blocks: Blocks) -> np.ndarray:
        return super().payload_bits(blocks) - 1


@pytest.mark.parametrize(
    ("kind", "message"),
    [(ForgetfulZvc, "does not return what was encoded"), (OptimisticZvc, "differ from the")],
)
def test_a_codec_that_breaks_its_promise_is_caught(kind: type[Zvc], message: str) -> None:
    with pytest.raises(CodecError, match=message):
        measure_map(MAP | 1, kind.for_word(Word(8)), (2, 4, 4))
    measure_map(MAP | 1, kind.for_word(Word(8)), (2, 4, 4), verify=False)


def test_beats_are_counted_of_blocks_as_coded_and_as_raw() -> None:
    pins = Pins(16, 16, costly_level=1, dbi=False)
    codec = CODECS["zvc"].for_word(Word(8))
    found = measure_map(MAP, codec, (2, 4, 4), pins=pins)
    blocks = cut(MAP, (2, 4, 4))
    stream = codec.encode(blocks)
    ones = [int(np.unpackbits(stream.payload)[a:b].sum()) for a, b in pairwise(stream.offsets_bits)]
    raw_ones = [int(np.unpackbits(blocks.values[a:b]).sum()) for a, b in pairwise(blocks.offsets)]
    np.testing.assert_array_equal(found.beats[0], ones)
    np.testing.assert_array_equal(found.beats[2], raw_ones)
    assert found.beats.shape == (4, blocks.n_blocks)
    assert measure_map(MAP, codec, (2, 4, 4)).beats.size == 0


def test_blocks_that_are_stored_raw_have_no_error() -> None:
    """SPARK makes 15 of 18, in 8 bits; a 5 takes 4. So the rows take 8, 7.5 and 5 bytes.

    Only bursts tell which errors are stored: the last row's 5 bytes for 8 save a burst of 1, 3
    or 5 bytes and none of 4 or 8; the 7.5 of the second save half a byte, and no burst at all.
    """
    rows = np.array([[[18] * 8, [5, *[18] * 7], [18, 18, *[5] * 6]]], np.uint8)
    found = measure_map(rows, CODECS["spark"].for_word(Word(8)), (1, 1, 8))
    assert found.error_energy.tolist() == [8 * 9, 7 * 9, 2 * 9]
    assert found.energy == 17 * 18**2 + 7 * 5**2
    assert [found.stored_error_energy(burst) for burst in (1, 3, 4, 5, 8)] == [18, 18, 0, 18, 0]
