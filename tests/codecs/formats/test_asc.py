"""ASC: streams reckoned by hand, the search against a plain one, and the promised rates."""

from fractions import Fraction
from math import floor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accelsim.codecs import contract
from accelsim.codecs.base import Bitstream, Values, Word, one_block
from accelsim.codecs.blocks import Scan, cut
from accelsim.codecs.formats import asc
from accelsim.codecs.formats.asc import Asc
from accelsim.codecs.transforms import endpoint_groups, endpoint_search
from accelsim.errors import CodecError


def text(stream: Bitstream) -> str:
    return "".join(map(str, np.unpackbits(stream.payload)[: stream.bits]))


def encoded(codec: Asc, values: list[int]) -> str:
    return text(codec.encode(one_block(np.array(values, codec.word.dtype))))


def scale(place: Fraction, kind: int) -> Fraction:
    """Where a level at ``place`` (0 to 1) of even ones lies on each scale."""
    return [place, place**2, 1 - (1 - place) ** 2, (1 + (2 * place - 1) ** 3) / 2][kind]


def plain_levels(low: int, high: int, n: int, kind: int) -> list[int]:
    """Weights in 64ths, then levels, each rounded; symmetric scales are rounded to match."""
    if n == 1:
        return [low + floor(Fraction((high - low) * 32, 64) + Fraction(1, 2))]
    places = [64 * scale(Fraction(i, n - 1), kind) for i in range(n)]
    half = Fraction(1, 2)
    weights = [floor(w + half) for w in places]
    if kind == 2 or kind == 3:
        # Mirrors of the weights rounded half up from the other end.
        mirrored = [64 - floor(64 - w + half) for w in places]
        weights = mirrored if kind == 2 else weights
    if kind == 3:
        for i in range(n // 2):
            weights[i] = 32 - floor(32 - places[i] + half)
            weights[n - 1 - i] = 64 - weights[i]
    return [low + floor(Fraction((high - low) * w, 64) + half) for w in weights]


def least_squared_error(group: list[int], word: Word, index_bits: int) -> int:
    """Over both modes and all scales, endpoints next to the extremes, each value nearest."""
    half = 1 << (word.bits - 1)
    grid = sorted({(2 * e) | (2 * e // half) for e in range(half)})
    shifted = [v - word.low for v in group]
    zero, best = -word.low, None
    for keeps_zero in (False, True):
        inside = [v for v in shifted if not (keeps_zero and v == zero)]
        if not inside or (keeps_zero and len(inside) == len(shifted)):
            continue
        low = max(g for g in grid if g <= min(inside))
        high = min(g for g in grid if g >= max(inside))
        if keeps_zero and low == high:
            continue
        for kind in range(4):
            levels = plain_levels(low, high, (1 << index_bits) - keeps_zero, kind)
            error = sum(min((v - level) ** 2 for level in levels) for v in inside)
            best = error if best is None else min(best, error)
    assert best is not None
    return best


def test_indices_choose_levels_between_two_endpoints() -> None:
    # Endpoints 0 and 6 without their last bit: 000 and 011; even levels.
    assert encoded(Asc(Word(4), index_bits=1), [0, 6] * 16) == "00 000 011".replace(" ", "") + (
        "01" * 16
    )


def test_endpoints_in_falling_order_keep_index_zero_for_zero() -> None:
    # Levels 4, 5, 6 beside zero: a = 6 (011), b = 4 (010).
    expected = "00 011 010".replace(" ", "") + "00011011" * 8
    assert encoded(Asc(Word(4), index_bits=2), [0, 4, 5, 6] * 8) == expected


def test_indices_of_missing_values_are_zero() -> None:
    assert encoded(Asc(Word(4), index_bits=1), [0, 6]) == "0000001101" + 30 * "0"


def test_an_outlier_chooses_the_scale_that_is_dense_at_the_other_end() -> None:
    # Weights 0 1 5 12 21 33 47 64 (squares of 0 to 7), of 62 in 64ths, rounded.
    squares = [0, 1, 5, 12, 20, 32, 46, 62]
    mirrored = [62 - v for v in squares]
    codec = Asc(Word(7))
    for levels, kind in ((squares, "01"), (mirrored, "10")):
        assert encoded(codec, levels * 4)[:2] == kind
        assert codec.reconstruct(np.array(levels * 4, np.uint8)).tolist() == levels * 4


def test_flat_groups_of_the_variable_rate_are_one_value() -> None:
    codec = Asc(Word(8), rate="variable")  # near: 4
    assert encoded(codec, [100] * 32) == "00" + f"{100:08b}"
    assert encoded(codec, [100, 108] * 16) == "00" + f"{104:08b}"
    assert encoded(codec, [0, 4] * 16) == "00" + f"{0:08b}"
    assert encoded(codec, [100, 109] * 16)[:2] == "01"
    signed = Asc(Word(8, signed=True), rate="variable")
    assert encoded(signed, [-4, 3] * 16) == "00" + f"{128:08b}"  # zero, from the lowest


@settings(max_examples=60, deadline=None)
@given(
    word=st.sampled_from([Word(4), Word(8), Word(8, signed=True), Word(16)]),
    index_bits=st.integers(1, 4),
    n=st.integers(1, 32),
    zeros=st.sampled_from([0.0, 0.5]),
    width=st.sampled_from([0.01, 0.1, 1.0]),
    seed=st.integers(0, 1000),
)
def test_endpoints_mode_and_scale_are_the_best_by_plain_search(
    word: Word, index_bits: int, n: int, zeros: float, width: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    spread = np.rint(rng.normal(0.4, width, n) ** 2 * word.high)
    values = np.clip(np.where(rng.random(n) < zeros, 0, spread), word.low, word.high)
    group = values.astype(word.dtype)
    back = Asc(word, index_bits=index_bits).reconstruct(group)
    error = int(np.sum((back.astype(np.int64) - group) ** 2))
    assert error == least_squared_error(group.tolist(), word, index_bits)


@settings(max_examples=60, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 4), st.integers(1, 11), st.integers(1, 19)),
    block=st.tuples(st.integers(1, 4), st.integers(1, 9), st.integers(1, 17)),
    scan=st.sampled_from(["chw", "hwc"]),
    word=st.sampled_from([Word(2), Word(8), Word(8, signed=True), Word(12), Word(16, signed=True)]),
    rate=st.sampled_from(["constant", "variable"]),
    index_bits=st.integers(1, 4),
    seed=st.integers(0, 5),
)
def test_decoding_returns_what_reconstruct_says(
    shape: tuple[int, int, int],
    block: tuple[int, int, int],
    scan: Scan,
    word: Word,
    rate: str,
    index_bits: int,
    seed: int,
) -> None:
    rng = np.random.default_rng(seed)
    wide = rng.normal(0, word.high / 2, shape) * rng.choice([0.02, 1.0], (shape[0], 1, 1))
    values = np.clip(np.rint(wide), word.low, word.high).astype(word.dtype)
    blocks = cut(values, block, scan)
    codec = Asc(word, rate=rate, index_bits=index_bits)
    stream = codec.encode(blocks)
    np.testing.assert_array_equal(np.diff(stream.offsets_bits), codec.payload_bits(blocks))
    back = codec.decode(stream, blocks.sizes, blocks.shapes).values
    np.testing.assert_array_equal(back, codec.reconstruct_blocks(blocks))


def test_both_scans_have_the_same_groups() -> None:
    rng = np.random.default_rng(0)
    values = rng.integers(0, 256, (3, 9, 10)).astype(np.uint8)
    streams = [Asc(Word(8)).encode(cut(values, (3, 8, 8), scan)) for scan in ("chw", "hwc")]
    np.testing.assert_array_equal(streams[0].payload, streams[1].payload)


@pytest.mark.parametrize("index_bits", [2, 3, 4])
@pytest.mark.parametrize("word", [Word(8), Word(8, signed=True), Word(16)])
def test_constant_groups_come_back_exactly(word: Word, index_bits: int) -> None:
    middle = (word.low + word.high) // 2
    for value in (word.low, word.low + 1, middle - 1, middle, middle + 1, middle + 2, word.high):
        flat = np.full(40, value, word.dtype)
        for rate in ("constant", "variable"):
            codec = Asc(word, rate=rate, index_bits=index_bits, quality=16)
            np.testing.assert_array_equal(codec.reconstruct(flat), flat)


def smooth_map(word: Word) -> Values:
    rng = np.random.default_rng(4)
    y, x = np.mgrid[0:32, 0:48] / 16.0
    waves = np.array([np.sin(a * x + b * y) for a, b in rng.uniform(0, 1.5, (16, 2))])
    waves[8:] *= 0.03
    return np.clip(np.rint(0.9 * word.high * waves), 0, word.high).astype(word.dtype)


def test_the_constant_rate_is_four_times_on_sixteen_bits() -> None:
    maps = smooth_map(Word(16))
    blocks = cut(maps, (16, 8, 8), "hwc")
    codec = Asc(Word(16))
    assert set(codec.payload_bits(blocks)) == {16 * 64 * 16 // 4}
    assert codec.encode_work(blocks).tolist() == [32] * blocks.n_blocks


def test_the_variable_rate_saves_bits_within_its_error() -> None:
    for word in (Word(8), Word(16)):
        maps = smooth_map(word)
        blocks = cut(maps, (16, 8, 8), "hwc")
        constant, sizes, errors = Asc(word), [], []
        largest = np.abs(constant.reconstruct_blocks(blocks).astype(int) - blocks.values).max()
        for quality in (3, 5, 7):
            codec = Asc(word, rate="variable", quality=quality)
            sizes.append(int(codec.payload_bits(blocks).sum()))
            off = codec.reconstruct_blocks(blocks).astype(int) - blocks.values
            assert np.abs(off).max() <= max(largest, 2 ** (word.bits - quality) // 2)
            errors.append(float(np.mean(off**2)))
        assert sizes == sorted(sizes) and errors == sorted(errors, reverse=True)
        assert sizes[1] < 0.75 * constant.payload_bits(blocks).sum()


def test_a_width_that_does_not_exist_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    codec = Asc(Word(8), rate="variable", index_bits=2)
    # The plain kernel raises IndexError where the compiled one would read elsewhere.
    monkeypatch.setattr(asc, "_read", asc._read.py_func)
    stream = Bitstream(np.full(20, 255, np.uint8), np.array([0, 2 + 16 + 96]))
    with pytest.raises(CodecError, match="not a stream of 36 values"):
        codec.decode(stream, np.array([32]))
    blocks = contract.join_blocks(list(contract.realistic(Word(8), 5, seed=1)), Word(8))
    contract.check_broken_streams(codec, blocks, seed=2, n_trials=16)


def test_compiled_and_plain_search_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    values = np.maximum(np.rint(rng.normal(0, 40, (2, 5, 9))), 0).astype(np.uint8)
    block, codec = cut(values, (2, 5, 9), "hwc"), Asc(Word(8), rate="variable")
    assert block.shapes is not None
    compiled = codec.forward(block.values, block.shapes)
    back = codec.inverse(compiled, block.shapes)
    for module in (endpoint_groups, endpoint_search):
        for name, found in list(vars(module).items()):
            if hasattr(found, "py_func"):
                monkeypatch.setattr(module, name, found.py_func)
    plain = codec.forward(block.values, block.shapes)
    np.testing.assert_array_equal(plain, compiled)
    np.testing.assert_array_equal(codec.inverse(plain, block.shapes), back)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"rate": "fast"}, "constant or variable, not 'fast'"),
        ({"index_bits": 5}, "1 to 4, not 5"),
        ({"quality": 0}, r"1 \(coarse\) to 16 \(fine\), not 0"),
    ],
)
def test_foreign_parameters_are_refused(parameters: dict[str, str | int], message: str) -> None:
    with pytest.raises(CodecError, match=message):
        Asc(Word(8), **parameters)  # type: ignore[arg-type]
