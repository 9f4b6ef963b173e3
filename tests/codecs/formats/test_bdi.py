"""Base-delta-immediate against its layout, coded once more from bytes."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from accelsim.codecs import contract
from accelsim.codecs.base import Bitstream, Word
from accelsim.codecs.coding import base_delta, memory_lines
from accelsim.codecs.contract import adversarial, join_blocks, realistic
from accelsim.codecs.formats import bdi
from accelsim.codecs.formats.bdi import Bdi
from accelsim.errors import CodecError

# 32 values of 8 bits, 21 zeros: a common vector, sized by independent scripts.
VECTOR = np.zeros(32, np.uint8)
VECTOR[[2, 3, 7, 8, 9, 10]] = [3, 5, 7, 8, 8, 9]
VECTOR[[24, 25, 26, 27, 29]] = [12, 15, 15, 14, 1]

PAIRS = {2: (8, 1), 3: (8, 2), 4: (8, 4), 5: (4, 1), 6: (4, 2), 7: (2, 1)}


def written(codec: Bdi, values: list[int] | NDArray[Any]) -> str:
    stream = codec.encode(join_blocks([np.array(values, codec.word.dtype)], codec.word))
    return "".join(map(str, np.unpackbits(stream.payload)[: stream.bits]))


def signed(value: int, n_bits: int) -> int:
    """The number that ``value`` modulo 2^n_bits is in two's complement."""
    return (value + 2 ** (n_bits - 1)) % 2**n_bits - 2 ** (n_bits - 1)


def attempt(line: bytes, base_bytes: int, delta_bits: int) -> str | None:
    """Base, differences and flags as bits; None if some element fits neither base."""
    n_bits, bound = 8 * base_bytes, 2 ** (delta_bits - 1)
    elements = [
        int.from_bytes(line[i : i + base_bytes], "little") for i in range(0, len(line), base_bytes)
    ]
    far = [not -bound <= signed(e, n_bits) < bound for e in elements]
    base = next((e for e, is_far in zip(elements, far, strict=True) if is_far), 0)
    deltas = [signed(e - base * f, n_bits) for e, f in zip(elements, far, strict=True)]
    if not all(-bound <= d < bound for d in deltas):
        return None
    flags = "".join(str(int(f)) for f in far)
    flags += "0" * (-len(flags) % 8)
    differences = "".join(f"{d % 2**delta_bits:0{delta_bits}b}" for d in deltas)
    return f"{base:0{n_bits}b}" + differences + flags


def line_oracle(line: bytes, nibbles: bool) -> str:
    if not any(line):
        return "0000" + "0" * 8
    if line == line[:8] * (len(line) // 8):
        return "0001" + f"{int.from_bytes(line[:8], 'little'):064b}"
    tries = [(tag, attempt(line, b, 8 * d)) for tag, (b, d) in PAIRS.items()]
    if nibbles:
        tries.append((8, attempt(line, 1, 4)))
    found = [f"{tag:04b}{text}" for tag, text in tries if text is not None]
    numbers = (int.from_bytes(line[i : i + 4], "little") for i in range(0, len(line), 4))
    raw = "1111" + "".join(f"{number:032b}" for number in numbers)
    shortest = min(found, key=len, default=raw)
    return shortest if len(shortest) < len(raw) else raw


def oracle(codec: Bdi, values: NDArray[Any]) -> str:
    kind = "i" if codec.word.signed else "u"
    memory = values.astype(f"<{kind}{1 if codec.word.bits <= 8 else 2}").tobytes()
    memory += bytes(-len(memory) % codec.line_bytes)
    lines = (memory[i : i + codec.line_bytes] for i in range(0, len(memory), codec.line_bytes))
    return "".join(line_oracle(line, codec.nibble_deltas) for line in lines)


def line_of(elements: list[int], width: int) -> NDArray[np.uint8]:
    memory = b"".join((e % 2 ** (8 * width)).to_bytes(width, "little") for e in elements)
    return np.frombuffer(memory, np.uint8)


FAR = 0x0123_4567_89AB_CDEF


@pytest.mark.parametrize(
    ("line", "tag", "n_bytes"),
    [
        (line_of([0] * 4, 8), 0, 1),
        (line_of([FAR] * 4, 8), 1, 8),
        (line_of([FAR, FAR + 127, 5, FAR - 128], 8), 2, 13),
        (line_of([FAR, FAR + 128, -1, 0], 8), 3, 17),
        (line_of([FAR, 0, FAR + 0x1234_5678, 0], 8), 4, 25),
        (line_of([70_000 + i for i in range(8)], 4), 5, 13),
        (line_of([70_000 + 300 * i for i in range(8)], 4), 6, 21),
        (line_of([1000 + i for i in range(16)], 2), 7, 20),
        (line_of([100 + 7 * i for i in range(32)], 1), 15, 32),
    ],
    ids=lambda v: str(v) if isinstance(v, int) else "line",
)
def test_each_encoding_has_the_size_of_its_formula(
    line: NDArray[np.uint8], tag: int, n_bytes: int
) -> None:
    if tag in PAIRS:
        base, delta = PAIRS[tag]
        assert n_bytes == base + 32 // base * delta + math.ceil(32 // base / 8)
    text = written(Bdi(Word(8)), line)
    assert (int(text[:4], 2), len(text)) == (tag, 4 + 8 * n_bytes)


def test_a_line_is_base_differences_and_flags() -> None:
    line = line_of([FAR, 5, FAR - 2, -1], 8)
    by_hand = f"0010 {FAR:064b} 00000000 00000101 11111110 11111111 1010 0000"
    assert written(Bdi(Word(8)), line) == by_hand.replace(" ", "")


def test_a_line_that_needs_no_base_has_base_zero() -> None:
    line = line_of([1, 2, 3, 4], 8)
    by_hand = f"0010 {0:064b} 00000001 00000010 00000011 00000100 00000000"
    assert written(Bdi(Word(8)), line) == by_hand.replace(" ", "")


def test_of_equally_short_encodings_the_wider_base_is_taken() -> None:
    # (8, 1) and (4, 1) both take 13 bytes.
    assert written(Bdi(Word(8)), line_of([7, 0, 1, 0, 2, 0, 3, 0], 4))[:4] == "0010"


def test_differences_wrap_around_the_element() -> None:
    high = 2**31 - 1  # one more is -2^31: a difference of 1
    text = written(Bdi(Word(8)), line_of([high, high + 1] * 3 + [0, high], 4))
    assert text[:4] == "0101" and len(text) == 4 + 8 * 13


def test_the_common_vector_is_incompressible() -> None:
    assert len(written(Bdi(Word(8)), VECTOR)) == 256 + 4
    # Of bytes up to 15, those up to 7 are near zero and the others near the first 8.
    assert len(written(Bdi(Word(8), nibble_deltas=True), VECTOR)) == 4 + 8 * (1 + 16 + 4)


def test_nibble_deltas_catch_bytes_near_each_other_or_near_zero() -> None:
    near = np.array([100, 107, 0, 7, 92, 104, 248, 99] * 3 + [101] * 8, np.uint8)
    assert len(written(Bdi(Word(8)), near)) == 4 + 256
    text = written(Bdi(Word(8), nibble_deltas=True), near)
    assert text[:4] == "1000" and len(text) == 4 + 8 * (1 + 16 + 4)


def test_the_last_line_is_filled_with_zeros() -> None:
    assert len(written(Bdi(Word(8)), [200])) == 4 + 8 * 13
    assert len(written(Bdi(Word(8)), [0] * 33)) == 2 * 12


def test_narrow_words_fill_bytes_and_wide_ones_two() -> None:
    rng = np.random.default_rng(0)
    for word, n_values in ((Word(4), 32), (Word(9), 16)):
        values = rng.integers(0, word.high, n_values)
        assert len(written(Bdi(word), values)) == 260 == Bdi(word).worst_case_bits(n_values)


CODECS = [
    Bdi(Word(8)),
    Bdi(Word(8, True), nibble_deltas=True),
    Bdi(Word(4, True), 16),
    Bdi(Word(16), 64),
    Bdi(Word(11, True), 128, True),
    Bdi(Word(16, True), 16),
]


@pytest.mark.parametrize("codec", CODECS, ids=str)
def test_streams_equal_those_of_the_oracle(codec: Bdi) -> None:
    for values in (*adversarial(codec.word), *realistic(codec.word, 80, seed=4)):
        assert written(codec, values) == oracle(codec, values)


@pytest.mark.parametrize("codec", CODECS[1:], ids=str)
def test_other_parameters_keep_every_promise(codec: Bdi) -> None:
    word = codec.word
    blocks = join_blocks([*adversarial(word), *realistic(word, 100, seed=0)], word)
    contract.check_coding(codec, blocks)
    contract.check_broken_streams(codec, blocks, seed=0, n_trials=16)


elements = st.sampled_from([1, 2, 4, 8]).flatmap(
    lambda width: st.tuples(
        st.just(width),
        st.integers(0, 2 ** (8 * width) - 1),
        st.lists(
            st.tuples(
                st.booleans(), st.sampled_from([-129, -128, -8, -1, 0, 7, 8, 127, 128, 40_000])
            ),
            min_size=32 // width,
            max_size=64 // width,
        ),
    )
)


@settings(deadline=None, max_examples=300)
@given(elements, st.booleans())
def test_lines_around_a_base_equal_the_oracle(
    drawn: tuple[int, int, list[tuple[bool, int]]], nibbles: bool
) -> None:
    width, base, differences = drawn
    line = line_of([base * is_far + d for is_far, d in differences], width)
    codec = Bdi(Word(8), nibble_deltas=nibbles)
    assert written(codec, line) == oracle(codec, line)
    blocks = join_blocks([line], codec.word)
    decoded = codec.decode(codec.encode(blocks), blocks.sizes)
    np.testing.assert_array_equal(decoded.values, line)


@settings(deadline=None, max_examples=400)
@given(st.sampled_from([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 15]), st.data())
def test_a_stream_that_decodes_is_the_one_that_encoding_writes(
    tag: int, data: st.DataObject
) -> None:
    codec = Bdi(Word(8), 16, True)
    sizes = {0: 1, 1: 8, 2: 11, 3: 13, 5: 9, 6: 13, 7: 11, 8: 11, 15: 16}
    n_bytes = sizes.get(tag, 5)
    # Mostly zeros, so that noise is sometimes a line.
    noise = data.draw(st.lists(st.sampled_from([0, 0, 0, 0, 1, 128, 255]), max_size=n_bytes))
    filled = bytes([*noise, *[0] * (n_bytes - len(noise))])
    text = f"{tag:04b}" + "".join(f"{byte:08b}" for byte in filled)
    stream = Bitstream(np.packbits([int(b) for b in text]), np.array([0, len(text)]))
    try:
        values = codec.decode(stream, np.array([16])).values
    except CodecError:
        return
    assert written(codec, values) == text


@pytest.mark.parametrize(
    ("layout", "why"),
    [
        ("0000 00000001", "zeros that are none"),
        ("0001" + "0" * 64, "zeros as repeated elements"),
        ("1001" + "0" * 8, "a tag of no encoding"),
        ("1000" + "0" * 8 * 21, "nibble deltas without the parameter"),
        (f"0010 {1000:064b}" + "0" * 24 + "00000001 00000000", "a base that nothing needs"),
        (f"0010 {5:064b}" + "0" * 32 + "10000000", "an element from a base that fits zero"),
        (f"0010 {0:064b}" + "0" * 24 + "00000001 00000001", "flags beyond the elements"),
        (f"0010 {1000:064b} 00000001" + "0" * 24 + "10000000", "a base that is no element"),
        ("1111" + "0" * 255 + "1", "raw, although it compresses"),
        ("0000 0000000", "a bit too few"),
        ("0000 000000000", "a bit too many"),
        ("000", "half a tag"),
    ],
)
def test_what_encoding_cannot_have_written_is_refused(layout: str, why: str) -> None:
    bits = np.array([int(b) for b in layout.replace(" ", "")], np.uint8)
    stream = Bitstream(np.packbits(bits), np.array([0, len(bits)]))
    with pytest.raises(CodecError, match="not a stream of 32 values"):
        Bdi(Word(8)).decode(stream, np.array([32]))


def test_kernels_of_all_files_agree_uncompiled(monkeypatch: pytest.MonkeyPatch) -> None:
    codec = Bdi(Word(16, True), nibble_deltas=True)
    spread = line_of([FAR, -FAR, -1, 2**63, FAR + 9, 0, 1, FAR - 128], 8).view("<i2")
    blocks = join_blocks([*realistic(codec.word, 6, seed=9), spread], codec.word)
    stream = codec.encode(blocks)
    for module in (memory_lines, base_delta, bdi):
        for name, kernel in list(vars(module).items()):
            if hasattr(kernel, "py_func"):
                monkeypatch.setattr(module, name, kernel.py_func)
    np.testing.assert_array_equal(codec.encode(blocks).payload, stream.payload)
    np.testing.assert_array_equal(codec.decode(stream, blocks.sizes).values, blocks.values)
    contract.check_broken_streams(codec, blocks, seed=1, n_trials=16)


def test_wrong_line_sizes_say_what_is_allowed() -> None:
    with pytest.raises(CodecError, match="16, 32, 64 or 128 bytes, not 48"):
        Bdi(Word(8), 48)


def test_parameters_tell_lines_apart() -> None:
    assert len({str(Bdi(Word(8), size, n).parameters) for size in (32, 64) for n in (0, 1)}) == 4
