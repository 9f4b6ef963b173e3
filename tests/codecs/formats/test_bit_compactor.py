"""The bit compactor: streams worked out by hand, and a plain reference from its description."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accelsim.codecs import contract
from accelsim.codecs.base import Bitstream, Values, Word, one_block
from accelsim.codecs.formats.bit_compactor import BitCompactor
from accelsim.errors import CodecError

BYTE, SIGNED = Word(8), Word(8, signed=True)


def written(codec: BitCompactor, values: list[int] | Values) -> bytes:
    stream = codec.encode(one_block(np.array(values, codec.word.dtype)))
    assert stream.bits == 8 * stream.payload.size
    return stream.payload.tobytes()


def filled(text: str) -> bytes:
    """Bytes in hexadecimal, the end, and zeros to 32 bytes."""
    stream = bytes.fromhex(text) + b"\0"
    return stream + bytes(-len(stream) % 32)


# --- by hand ---


def test_no_values_are_an_end() -> None:
    assert written(BitCompactor(BYTE), []) == bytes(32)


def test_a_rest_is_its_bytes() -> None:
    # Type 1, 3 bytes: 1 + 4 x 3.
    assert written(BitCompactor(BYTE), [1, 2, 254]) == filled("0d 01 02 fe")


def test_one_width_has_at_least_three_bits() -> None:
    # No base: type 3, plain, width 3: 3 + 32 x 3. Three bits 1 0 1 again and again from the
    # lowest: 0x6d, 0xdb, 0xb6. With the minimum as base there were 27 bytes, not 26.
    assert written(BitCompactor(BYTE), [5] * 64) == filled("63 00" + "6d db b6" * 8)


def test_wide_differences_take_eight_bits() -> None:
    # 63 of 2 bits and one of 8 are 134. Fields: 3 + 32 x 2 + 256 + 1024 x 134 = 0x21943.
    zeros = [0] * 63
    assert written(BitCompactor(BYTE), [200, *zeros]) == filled(
        "43 19 02" + "01" + 7 * "00" + "c8" + 16 * "00"
    )
    # Last of all: bit 63 of the bitmap, and 8 bits behind 126 zeros: 200 x 64 is 00 32.
    assert written(BitCompactor(BYTE), [*zeros, 200]) == filled(
        "43 19 02" + 7 * "00" + "80" + 15 * "00" + "00 32"
    )


def test_means_are_rounded_away_from_zero() -> None:
    # 44 x -13 + 19 x -12 = -800 = 64 x -12.5, so the base is -13 (f3): 44 differences of 0,
    # 19 of 1, which zigzags to 2, and 13, which zigzags to 26 and takes 8 bits.
    # Fields: 3 + 4 x 2 + 32 x 2 + 256 + 1024 x 134 = 0x2194b. 88 zero bits; 16 x 2 are aa;
    # three more and the low two bits of 26 are 2 + 8 + 32 + 128 = aa again; 26 >> 2 is 6.
    values = [-13] * 44 + [-12] * 19 + [0]
    assert written(BitCompactor(SIGNED), values) == filled(
        "4b 19 02" + "f3" + 7 * "00" + "80" + 11 * "00" + 4 * "aa" + "aa 06"
    )


def test_the_median_is_that_of_unsigned_bytes() -> None:
    # 100 has rank 31 of 64: 31 below, 32 above. Differences 0 and, below and above, the same
    # bytes in 8 bits; the mean is 100.5, so 101; the minimum is 0. One width needs 8 bits.
    # Of two widths, 34 short ones around 100: 31 - 17 = 14 below.
    values = [0] * 15 + [99] * 16 + [100] + [101] * 17 + [100] + [200] * 14
    assert sorted(values)[31] == 100
    # Zigzag: 99 is 1, 101 is 2, all of 2 bits: 35 x 2 + 29 x 8 = 302 bits, 38 bytes.
    stream = written(BitCompactor(BYTE), values)
    assert stream[:4] == bytes.fromhex("4b b9 04 64")  # 3 + 8 + 64 + 256 + 1024 x 302
    # 15 wide, 34 narrow, then 14 wide; the last narrow one is before them.
    wide = sum(1 << i for i, v in enumerate(values) if v in (0, 200))
    assert stream[4:12] == wide.to_bytes(8, "little")


def test_the_block_before_predicts() -> None:
    # 37 i modulo 256 is spread: 512 bits and no base do not pay. Then all differences are 0.
    spread = [37 * i % 256 for i in range(64)]
    raw = "02" + bytes(spread).hex()
    assert written(BitCompactor(BYTE), spread) == filled(raw)
    # Type 3, decoder 4, width 3: 3 + 16 + 96.
    assert written(BitCompactor(BYTE), spread * 2) == filled(raw + "73 00" + 24 * "00")


def test_the_signed_minimum_is_for_weights() -> None:
    # 24 weights are -100, 36 lie from 20 to 125, so that the median is 113 and the minimum of
    # unsigned bytes 20: neither is near many, nor is the mean.
    values = [*range(20, 128, 3), *[-100] * 24, -40, -30, -20, -10]
    assert written(BitCompactor(SIGNED), values)[0] == 2
    # Wide: 40 x 8 bits, short: 24 x 2, together 368: 3 + 8 + 64 + 256 + 1024 x 368. Base 9c.
    stream = written(BitCompactor(SIGNED, weights=True), values)
    assert stream[:4] == bytes.fromhex("4b c1 05 9c")
    assert len(stream) == 64  # 58 bytes and the end


def test_words_of_two_bytes_are_split_into_halves() -> None:
    # 0102: low bytes 02 become 04, high bytes 01 become 02. Plain, width 3: 0 0 1 and 0 1 0.
    stream = written(BitCompactor(Word(16)), [0x0102] * 64)
    assert stream == filled("63 00" + "24 49 92" * 8 + "63 00" + "92 24 49" * 8)
    # The top bit of each byte goes to the other half; a rest below 128 bytes is not split.
    stream = written(BitCompactor(Word(16)), [0x8001] * 64 + [0x1234])
    # 01 is 02 with the sign: 3; 80 is 0. 3 is 1 1 0; zeros are predicted by none.
    assert stream == filled("63 00" + "db b6 6d" * 8 + "63 00" + 24 * "00" + "09 34 12")


def test_a_storage_element_is_bitmap_count_and_values() -> None:
    codec = BitCompactor(BYTE, sparse=True, element=16)
    element = [0, 0, 7, *[0] * 12, 9]
    # Bits 2 and 15, 2 x 2, the values: a rest of 5 bytes.
    assert written(codec, element) == filled("15" + "04 80 04 07 09")
    # A last partial element is filled up: 3 bytes more for one zero.
    assert written(codec, [*element, 0]) == filled("21" + "04 80 04 07 09" + "00 00 00")


def test_many_values_of_an_element_are_counted_in_two_bytes() -> None:
    codec = BitCompactor(BYTE, sparse=True, element=256)
    # 128 are 4 x 128 + 1 = 0201 in two bytes; 127 are 254 in one. 32 bytes of bitmap.
    for n, count in ((127, "fe"), (128, "01 02")):
        packed = ((1 << n) - 1).to_bytes(32, "little") + bytes.fromhex(count) + bytes([9]) * n
        values = [9] * n + [0] * (256 - n)
        assert written(codec, values) == written(BitCompactor(BYTE), list(packed))


# --- against the description ---


def signed(byte: int) -> int:
    return (byte + 128) % 256 - 128


def zigzag(byte: int) -> int:
    x = signed(byte)
    return 2 * x if x >= 0 else 2 * -x - 1


def little(fields: list[tuple[int, int]]) -> bytes:
    """Fields (number, width), each from the lowest free bit on; zeros to a byte."""
    number, at = 0, 0
    for field, width in fields:
        number |= field << at
        at += width
    return number.to_bytes((at + 7) // 8, "little")


def block_reference(block: bytes, before: bytes | None, weights: bool) -> bytes:
    total = sum(map(signed, block))
    mean = int(abs(total) / 64 + 0.5) * (1 if total > 0 else -1)
    tries = [(3, min(block)), *([(2, min(map(signed, block)))] if weights else []), (2, mean)]
    tries += [(0, None), (1, None), (2, sorted(block)[31]), *([(4, None)] if before else [])]
    singles, duals = [], []
    for decoder, base in tries:
        expected = before if decoder == 4 and before else [base or 0] * 64
        differences = [(v - e) % 256 for v, e in zip(block, expected, strict=True)]
        if decoder in (1, 2, 4):
            differences = [zigzag(d) for d in differences]
        of_base = [(base % 256, 8)] if base is not None else []
        width = max(3, max(d.bit_length() for d in differences))
        head = [(3, 2), (decoder, 3), (width, 3), (0, 2), (0, 6), *of_base]
        singles.append(little([*head, *((d, width) for d in differences)]))
        # What takes the fewest bits; the shorter width among equals.
        costs = {w: sum(w if d < 1 << w else 8 for d in differences) for w in range(2, 8)}
        width = min(costs, key=lambda w: (costs[w], w))
        wide = [d >= 1 << width for d in differences]
        if not any(wide):
            continue  # the first would take 8 bits: never shorter than one width
        head = [(3, 2), (decoder, 3), (width, 3), (1, 2), (costs[width], 10), (0, 4), *of_base]
        bitmap = [(int(is_wide), 1) for is_wide in wide]
        fields = [(d, 8 if w else width) for d, w in zip(differences, wide, strict=True)]
        duals.append(little([*head, *bitmap, *fields]))
    best = min([*singles, *duals], key=len)  # singles first
    return best if len(best) < 65 else b"\2" + block


def reference(data: bytes, weights: bool) -> bytes:
    whole, stream = len(data) // 64 * 64, b""
    for first in range(0, whole, 64):
        before = data[first - 64 : first] if first else None
        stream += block_reference(data[first : first + 64], before, weights)
    rest = data[whole:]
    stream += bytes([1 + 4 * len(rest)]) + rest if rest else b""
    return filled(stream.hex())


def packed_reference(values: list[int], n_cell: int, element: int) -> bytes:
    packed = b""
    for first in range(0, len(values), element):
        part = values[first : first + element]
        bitmap = sum(1 << i for i, v in enumerate(part) if v)
        count = sum(v != 0 for v in part)
        packed += bitmap.to_bytes(element // 8, "little")
        packed += bytes([2 * count]) if count < 128 else (4 * count + 1).to_bytes(2, "little")
        packed += b"".join((v % 256**n_cell).to_bytes(n_cell, "little") for v in part if v)
    return packed


def halved_reference(data: bytes) -> bytes:
    halved = b""
    for first in range(0, len(data), 128):
        part = data[first : first + 128]
        if len(part) == 128:
            pairs = list(zip(part[::2], part[1::2], strict=True))
            part = bytes((2 * low) % 256 + high // 128 for low, high in pairs)
            part += bytes((2 * high) % 256 + low // 128 for low, high in pairs)
        halved += part
    return halved


@st.composite
def maps(draw: st.DrawFn, word: Word) -> list[int]:
    """Values around a few centres, and repetitions: all predictors have their turn."""
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    n = int(rng.choice([0, 1, 63, 64, 65, 128, 200, 300]))
    centre, far = rng.integers(word.low, word.high + 1, 2)
    spread = rng.choice([0.5, 1.5, 4, 12, word.high])
    near = rng.normal(centre, spread, 64)
    values = np.resize(np.where(rng.random(64) < rng.choice([0, 0.2, 0.6]), far, near), n)
    values = values + rng.integers(-1, 2, n) * rng.choice([0, 1])
    values = np.where(rng.random(n) < rng.choice([0, 0.5, 0.95]), 0, values)
    return [int(v) for v in np.clip(np.rint(values), word.low, word.high)]


@settings(max_examples=250, deadline=None)
@given(st.data(), st.booleans(), st.sampled_from([None, 16, 64, 256]))
def test_streams_are_those_of_the_description(
    data: st.DataObject, weights: bool, element: int | None
) -> None:
    word = data.draw(
        st.sampled_from([BYTE, SIGNED, Word(5), Word(4, True), Word(16), Word(12, True)])
    )
    values = data.draw(maps(word))
    codec = BitCompactor(word, weights, element is not None, element or 64)
    n_cell = 1 if word.bits <= 8 else 2
    held = b"".join((v % 256**n_cell).to_bytes(n_cell, "little") for v in values)
    if element:
        held = packed_reference(values, n_cell, element)
    if n_cell == 2:
        held = halved_reference(held)
    blocks = one_block(np.array(values, word.dtype))
    stream = codec.encode(blocks)
    assert stream.payload.tobytes() == reference(held, weights)
    assert codec.payload_bits(blocks).tolist() == [stream.bits]
    np.testing.assert_array_equal(codec.decode(stream, blocks.sizes).values, blocks.values)


@pytest.mark.parametrize("word", [BYTE, SIGNED, Word(4), Word(16), Word(12, True)])
@pytest.mark.parametrize("element", [16, 128])
def test_the_sparse_mode_keeps_every_promise(word: Word, element: int) -> None:
    codec = BitCompactor(word, sparse=True, element=element)
    values = [*contract.adversarial(word), *contract.realistic(word, 100, seed=3)]
    blocks = contract.join_blocks(values, word)
    contract.check_coding(codec, blocks)
    contract.check_independence(codec, blocks)
    contract.check_broken_streams(codec, blocks, seed=4)
    contract.check_refusals(codec)


@pytest.mark.parametrize("word", [BYTE, Word(16)])
@pytest.mark.parametrize("n", [1, 63, 64, 200, 513])
def test_the_bound_is_reached_by_noise(word: Word, n: int) -> None:
    codec = BitCompactor(word)
    noise = np.random.default_rng(6).integers(1, word.high + 1, n).astype(word.dtype)
    assert codec.encode(one_block(noise)).bits == codec.worst_case_bits(n)
    sparse = replace(codec, sparse=True, element=128)
    # 16 bytes of bitmap, one of the count, and all values are a rest.
    few = noise[: 40 // noise.itemsize]
    assert sparse.encode(one_block(few)).bits == sparse.worst_case_bits(few.size)


# --- streams that no encoder writes ---

PLAIN = "63 00" + "6d db b6" * 8


@pytest.mark.parametrize(
    ("stream", "flaw"),
    [
        (PLAIN, None),
        ("67 00" + "6d db b6" * 8, None),  # zigzag: 5 is -3
        ("77 00" + "6d db b6" * 8, "decoder 5"),
        ("73 00" + "6d db b6" * 8, "a block before the first"),
        ("43 00" + "00" * 16, "one width of 2 bits"),
        ("63 04" + "6d db b6" * 8, "bits where zeros stand"),
        ("63 02" + "6d db b6" * 8, "two widths, coded as 2"),
        ("43 01 02" + "00" * 24, "two widths without a wide difference"),
        ("43 19 02" + "01" + 7 * "00" + "03" + 16 * "00", "a wide difference that is short"),
        ("43 1d 02" + "01" + 7 * "00" + "c8" + 16 * "00", "a count of other bits"),
        ("43 19 02" + "01" + 7 * "00" + "c8" + 15 * "00" + "40", "bits behind the last"),
        ("06" + 64 * "ff", "a raw block with more than its type"),
        ("01", "a rest of no bytes"),
        ("05 07" + PLAIN, "a block behind the rest"),
        ("05 07", "too few values"),
        (PLAIN + "05 07", "too many values"),
    ],
)
def test_streams_that_no_encoder_writes_are_refused(stream: str, flaw: str | None) -> None:
    payload = np.frombuffer(filled(stream), np.uint8)
    coded = Bitstream(payload, np.array([0, 8 * payload.size]))
    codec = BitCompactor(BYTE)
    if flaw is None:
        assert codec.decode(coded, np.array([64])).values[0] in (5, 253)
        return
    with pytest.raises(CodecError, match="not a stream of 64 values"):
        codec.decode(coded, np.array([64]))


@pytest.mark.parametrize(
    ("stream", "flaw"),
    [
        ("15 04 80 04 07 09", None),
        ("15 04 80 06 07 09", "a count that the bitmap has not"),
        ("15 04 80 04 07 00", "a zero among the values"),
        ("19 04 80 11 00 07 09", "few values, counted in two bytes"),
        ("19 04 80 04 07 09 00", "a byte too many"),
        ("09 04 80", "no count"),
    ],
)
def test_storage_elements_that_no_encoder_writes_are_refused(stream: str, flaw: str | None) -> None:
    payload = np.frombuffer(filled(stream), np.uint8)
    coded = Bitstream(payload, np.array([0, 256]))
    codec = BitCompactor(BYTE, sparse=True, element=16)
    if flaw is None:
        assert codec.decode(coded, np.array([16])).values.sum() == 16
        with pytest.raises(CodecError, match="not a stream of 15 values"):  # bit 15 is one
            codec.decode(coded, np.array([15]))
        return
    with pytest.raises(CodecError, match="not a stream of 16 values"):
        codec.decode(coded, np.array([16]))


def test_bytes_that_are_no_words_are_refused() -> None:
    payload = np.frombuffer(filled("0d 01 20 03"), np.uint8)
    with pytest.raises(CodecError, match="not a stream of 3 values"):
        BitCompactor(Word(5)).decode(Bitstream(payload, np.array([0, 256])), np.array([3]))


@pytest.mark.parametrize("element", [0, 8, 24, 8208, -16])
def test_storage_elements_have_a_multiple_of_sixteen_values(element: int) -> None:
    with pytest.raises(CodecError, match="multiple of 16"):
        BitCompactor(BYTE, sparse=True, element=element)


def test_a_lane_codes_32_bytes_a_cycle() -> None:
    blocks = contract.join_blocks([np.zeros(65, np.uint16)], Word(16))
    assert BitCompactor(Word(16)).decode_work(blocks).tolist() == [5]
    sparse, dense = BitCompactor(BYTE, sparse=True).hardware, BitCompactor(BYTE).hardware
    assert sparse.gates_kge > dense.gates_kge
