"""CSC: pairs by hand, what trailing zeros cost, and scipy's column format as an oracle."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from accelsim.codecs.base import Bitstream, Blocks, Word
from accelsim.codecs.formats.csc import Csc
from accelsim.errors import CodecError

NIBBLE = Word(4)
LONGEST = "1111"


def text_of(codec: Csc, values: Any) -> str:
    array = np.asarray(values).astype(codec.word.dtype)
    stream = codec.encode(Blocks(array, np.array([0, array.size])))
    return "".join(map(str, np.unpackbits(stream.payload)[: stream.bits]))


def decoded(codec: Csc, layout: str, n_values: int) -> list[int]:
    bits = np.array([int(b) for b in layout.replace(" ", "")], np.uint8)
    stream = Bitstream(np.packbits(bits), np.array([0, bits.size]))
    return [int(v) for v in codec.decode(stream, np.array([n_values])).values]


def pairs(codec: Csc, values: list[int]) -> str:
    """The format in other words: split at the non-zeros, and cut fillers from the gaps."""
    layout, last = "", -1
    reach = 1 << codec.distance_bits
    for place in np.flatnonzero(values):
        gap = int(place) - last - 1
        layout += ("1" * codec.distance_bits + "0" * codec.word.bits) * (gap // reach)
        pattern = values[place] % (1 << codec.word.bits)
        layout += f"{gap % reach:0{codec.distance_bits}b}{pattern:0{codec.word.bits}b}"
        last = int(place)
    return layout


def test_a_pair_is_the_zeros_skipped_and_the_word() -> None:
    assert text_of(Csc(NIBBLE), [0, 0, 3, 5, 0, 9]) == "00100011" + "00000101" + "00011001"


def test_the_common_vector_takes_a_pair_per_nonzero() -> None:
    # 32 values of 8 bits, 21 zeros, no run above 15.
    vector = [0, 0, 3, 5, 0, 0, 0, 7, 8, 8, 9, *[0] * 13, 12, 15, 15, 14, 0, 1, 0, 0]
    assert len(text_of(Csc(Word(8)), vector)) == 11 * (4 + 8)


@pytest.mark.parametrize(
    ("n_zeros", "fillers", "field"),
    [(15, 0, "1111"), (16, 1, "0000"), (17, 1, "0001"), (31, 1, "1111"), (32, 2, "0000")],
)
def test_fillers_skip_sixteen_zeros(n_zeros: int, fillers: int, field: str) -> None:
    expected = (LONGEST + "0000") * fillers + field + "0111"
    assert text_of(Csc(NIBBLE), [0] * n_zeros + [7]) == expected
    assert decoded(Csc(NIBBLE), expected, n_zeros + 1) == [0] * n_zeros + [7]


@pytest.mark.parametrize("n_zeros", [0, 1, 15, 16, 17, 64])
def test_zeros_after_the_last_nonzero_cost_nothing(n_zeros: int) -> None:
    assert text_of(Csc(NIBBLE), [0] * n_zeros) == ""
    assert text_of(Csc(NIBBLE), [0, 7] + [0] * n_zeros) == "00010111"
    assert decoded(Csc(NIBBLE), "00010111", 2 + n_zeros) == [0, 7] + [0] * n_zeros


@pytest.mark.parametrize(
    ("layout", "n_values"),
    [
        ("0010 0111", 2),  # the third of two values
        ("0000 0000", 4),  # a zero that is no filler
        (LONGEST + "0000", 40),  # a filler with nothing behind it
        (LONGEST + "0111", 15),
        ("0001 0000 0000 0111", 6),
        ("0000 0111 0000 01", 4),  # padding would complete the pair
        ("0000 0111", 0),
    ],
)
def test_pairs_that_the_encoder_cannot_have_written_are_refused(layout: str, n_values: int) -> None:
    with pytest.raises(CodecError, match=f"not a stream of {n_values} values"):
        decoded(Csc(NIBBLE), layout, n_values)


@pytest.mark.parametrize("distance_bits", [0, 17])
def test_distances_outside_1_to_16_bits_are_refused(distance_bits: int) -> None:
    with pytest.raises(CodecError, match=f"distance_bits is 1 to 16, not {distance_bits}"):
        Csc(NIBBLE, distance_bits)


@given(
    st.lists(st.integers(-8, 7) | st.just([0] * 9), max_size=40),
    st.sampled_from([1, 2, 4, 16]),
)
def test_streams_are_the_pairs_one_after_another(drawn: list[Any], distance_bits: int) -> None:
    # Runs of nine zeros, because zeros one by one would rarely make a filler.
    values = [v for part in drawn for v in (part if isinstance(part, list) else [part])]
    codec = Csc(Word(4, signed=True), distance_bits)
    layout = pairs(codec, values)
    assert text_of(codec, values) == layout
    assert decoded(codec, layout, len(values)) == values


def test_row_indices_are_those_of_a_sparse_column() -> None:
    rng = np.random.default_rng(3)
    values = np.where(rng.random(500) < 0.6, 0, rng.integers(1, 256, 500)).astype(np.uint8)
    column = sparse.csc_matrix(values.reshape(-1, 1))
    gaps = np.diff(np.append(-1, column.indices)) - 1
    assert gaps.max() < 16
    expected = [f"{g:04b}{w:08b}" for g, w in zip(gaps, column.data, strict=True)]
    assert text_of(Csc(Word(8)), values) == "".join(expected)
