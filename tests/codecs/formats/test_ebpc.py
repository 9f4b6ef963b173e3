"""EBPC and BPC against published streams, and a coder of strings written from the layout."""

import math
from itertools import groupby, pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from accelsim.codecs import contract
from accelsim.codecs.base import Bitstream, Blocks, Word
from accelsim.codecs.coding import bit_matrix, bit_planes, zero_runs
from accelsim.codecs.contract import adversarial, join_blocks, realistic
from accelsim.codecs.formats import bpc, ebpc
from accelsim.codecs.formats.bpc import Bpc
from accelsim.codecs.formats.ebpc import Ebpc
from accelsim.errors import CodecError

# 32 values of 8 bits, 21 zeros: a common vector, sized by independent scripts.
VECTOR = np.zeros(32, np.uint8)
VECTOR[[2, 3, 7, 8, 9, 10]] = [3, 5, 7, 8, 8, 9]
VECTOR[[24, 25, 26, 27, 29]] = [12, 15, 15, 14, 1]
VECTOR_ZEROS = "000011100010111101100111100000100001"

# The authors' golden model: values, cycles of the encoder, stream of the planes.
GOLDEN = [
    ([5] * 8, 10, "00000101001111"),
    ([1, 2, 3, 4, 5, 6, 7, 8], 10, "000000010000000000001101"),
    ([1, 127] * 4, 12, "000000010100000101010100010100000001"),
    (
        [17, 93, 2, 64, 127, 5, 33, 80],
        10,
        "00010001101010011011010011100010101001001100000110100011111110011110010001",
    ),
    ([3, 3, 3, 100, 3, 3, 3, 3], 12, "00000011000100100001101000100100010010010001001001"),
    (
        [90, 70, 50, 30, 20, 10, 5, 1],
        10,
        "01011010000111010001001111110011100011101111110011110000001001",
    ),
]


def blocks_of(codec: Ebpc | Bpc, values: list[int] | NDArray[Any]) -> Blocks:
    return join_blocks([np.array(values, codec.word.dtype)], codec.word)


def written(codec: Ebpc | Bpc, values: list[int] | NDArray[Any]) -> str:
    stream = codec.encode(blocks_of(codec, values))
    return "".join(map(str, np.unpackbits(stream.payload)[: stream.bits]))


def xor(a: str, b: str) -> str:
    return "".join("01"[x != y] for x, y in zip(a, b, strict=True))


def group_oracle(values: list[int], width: int, reverse: bool, rtl: bool) -> str:
    """One group, planes as strings; ``reverse``: the sign plane last."""
    n = len(values)
    deltas = [f"{(b - a) % 2 ** (width + 1):0{width + 1}b}" for a, b in pairwise(values)]
    planes = ["".join(column) for column in zip(*deltas, strict=True)]
    if reverse:
        planes.reverse()
    coded = list(zip(planes, [planes[0], *map(xor, planes, planes[1:])], strict=True))
    place_bits, run_bits = math.ceil(math.log2(n)), math.ceil(math.log2(width))
    out = f"{values[0] % 2**width:0{width}b}"
    for is_zero, some in groupby(coded, key=lambda pair: "1" not in pair[1]):
        symbols = list(some)
        if is_zero:
            one, more = ("01", "001") if rtl else ("001", "01")
            out += one if len(symbols) == 1 else f"{more}{len(symbols) - 2:0{run_bits}b}"
            continue
        for plane, dbx in symbols:
            if "0" not in dbx:
                out += "00000"
            elif "1" not in plane:
                out += "00001"
            elif dbx.strip("0") == "11":
                out += f"00010{dbx.index('1'):0{place_bits}b}"
            elif dbx.strip("0") == "1":
                out += f"00011{dbx.index('1'):0{place_bits}b}"
            else:
                out += "1" + dbx
    return out


def groups(values: list[int], n: int) -> list[list[int]]:
    padded = values + [0] * (-len(values) % n)
    return [padded[i : i + n] for i in range(0, len(padded), n)]


def ebpc_oracle(codec: Ebpc, values: list[int]) -> str:
    out = ""
    for is_zero, some in groupby(values, key=lambda v: v == 0):
        length = len(list(some))
        if not is_zero:
            out += "1" * length
        for start in range(0, length if is_zero else 0, 16):
            out += f"0{min(16, length - start) - 1:04b}"
    width = codec.word.bits
    signed = [v - 2**width if v >= 2 ** (width - 1) else v for v in values if v != 0]
    for group in groups(signed, codec.n):
        out += group_oracle(group, width, reverse=True, rtl=codec.variant == "rtl")
    return out


def bpc_oracle(codec: Bpc, values: list[int]) -> str:
    return "".join(group_oracle(g, codec.word.bits, False, False) for g in groups(values, codec.n))


@pytest.mark.parametrize(("values", "cycles", "planes"), GOLDEN)
def test_groups_of_the_golden_model(values: list[int], cycles: int, planes: str) -> None:
    for word in (Word(8), Word(8, signed=True)):
        codec = Ebpc.for_word(word)
        assert written(codec, values) == "1" * 8 + planes
        assert codec.encode_work(blocks_of(codec, values)).tolist() == [cycles]
        assert codec.decode_work(blocks_of(codec, values)).tolist() == [10]


def test_zeros_of_the_golden_model() -> None:
    values = [0, 0, 0, 5, 0, 7, 7] + [0] * 18
    assert written(Ebpc.for_word(Word(8)), values)[:23] == "00010100000110111100001"


def test_the_common_vector_has_its_published_sizes() -> None:
    codec = Ebpc.for_word(Word(8))
    assert written(codec, VECTOR)[:36] == VECTOR_ZEROS
    assert codec.payload_bits(blocks_of(codec, VECTOR)).tolist() == [36 + 35 + 42]


def test_the_common_vector_takes_its_values_as_cycles() -> None:
    # 26 values hold the first 8 non-zeros, coded in 10 cycles; then 6 values, 12 cycles.
    codec = Ebpc.for_word(Word(8))
    assert codec.encode_work(blocks_of(codec, VECTOR)).tolist() == [26 + 12]
    assert codec.decode_work(blocks_of(codec, VECTOR)).tolist() == [26 + 10]


def test_dense_values_wait_for_the_coder_and_sparse_ones_do_not() -> None:
    codec = Ebpc.for_word(Word(8))
    rng = np.random.default_rng(0)
    dense = rng.integers(1, 128, 8000)
    cycles = int(codec.encode_work(blocks_of(codec, dense))[0])
    # The authors' RTL: 10.05 cycles for 8 values uniform in 1 to 127, 10 to decode.
    assert cycles / 1000 == pytest.approx(10.05, abs=0.03)
    assert codec.decode_work(blocks_of(codec, dense)).tolist() == [10_000]
    sparse = np.where(np.arange(8000) % 2, 0, dense)
    assert codec.encode_work(blocks_of(codec, sparse)).tolist() == [8000]


def test_zeros_behind_the_last_group_cost_a_cycle_each() -> None:
    codec = Ebpc.for_word(Word(8))
    assert codec.encode_work(blocks_of(codec, [5] * 8 + [0] * 7)).tolist() == [10 + 7]
    assert codec.encode_work(blocks_of(codec, [])).tolist() == [0]


def test_published_average_sizes_of_random_groups() -> None:
    # The independent encoder: 72.7 bits uniform in 1 to 127, beside 8 flags.
    values = np.random.default_rng(1).integers(1, 128, 80_000)
    codec = Ebpc.for_word(Word(8))
    bits = codec.payload_bits(blocks_of(codec, values))[0] / 10_000
    assert bits - 8 == pytest.approx(72.7, abs=0.1)


def test_the_variants_swap_the_codes_of_zero_planes() -> None:
    same = [5] * 8  # nine zero planes
    assert written(Ebpc(Word(8)), same)[16:] == "001" + "111"
    assert written(Ebpc(Word(8), variant="evaluation"), same)[16:] == "01" + "111"
    # Differences of 1: dbx all ones twice, then 7 zero planes.
    rising = list(range(1, 9))
    assert written(Ebpc(Word(8), variant="evaluation"), rising)[16:] == "00000" * 2 + "01" + "101"
    # A single zero plane: differences of 2, planes 0 1 0 0 .., dbx 0 1 1 0 ...
    even = list(range(2, 17, 2))
    assert written(Ebpc(Word(8)), even)[16:] == "01" + "00000" * 2 + "001" + "100"
    by_hand = "001" + "00000" * 2 + "01" + "100"
    assert written(Ebpc(Word(8), variant="evaluation"), even)[16:] == by_hand


def test_bpc_starts_with_the_sign_plane_and_codes_zeros_too() -> None:
    # d = 1 seven times: 8 zero planes, then the lowest of ones.
    assert written(Bpc(Word(8), n=8), list(range(8))) == "00000000" + "01" + "110" + "00000"
    # d = 128, then 0: planes 8 | 7 | 6 .. 0 are zero, dbx at 7 and 6 has a one at place 0.
    two = "00011" + "000"
    one_step = [0] + [128] * 7
    assert written(Bpc(Word(8), n=8), one_step) == "0" * 8 + "001" + two + "00001" + "01" + "100"


def test_bpc_takes_unsigned_words_as_they_are_and_ebpc_as_signed() -> None:
    values = [127, 128] * 4
    assert written(Bpc(Word(8), n=8), values) == group_oracle(values, 8, False, False)
    signed = [127, -128] * 4
    assert written(Ebpc(Word(8)), values)[8:] == group_oracle(signed, 8, True, True)


WORDS = [Word(8), Word(8, True), Word(2), Word(5, True), Word(12), Word(16), Word(16, True)]


@pytest.mark.parametrize("word", WORDS, ids=str)
def test_streams_equal_those_of_the_oracle(word: Word) -> None:
    codecs: list[Ebpc | Bpc] = [Ebpc(word), Ebpc(word, 16), Ebpc(word, 16, "evaluation")]
    codecs += [Bpc(word, n) for n in (8, 16, 32)]
    for values in (*adversarial(word), *realistic(word, 60, seed=5)):
        for codec in codecs:
            oracle = ebpc_oracle if isinstance(codec, Ebpc) else bpc_oracle
            assert written(codec, values) == oracle(codec, values.tolist())  # type: ignore[operator]


@pytest.mark.parametrize("codec", [Ebpc(Word(8), 16, "evaluation"), Bpc(Word(7, True), 32)])
def test_other_parameters_keep_every_promise(codec: Ebpc | Bpc) -> None:
    word = codec.word
    blocks = join_blocks([*adversarial(word), *realistic(word, 150, seed=0)], word)
    contract.check_coding(codec, blocks)
    contract.check_broken_streams(codec, blocks, seed=0)


def test_kernels_of_all_files_agree_uncompiled(monkeypatch: pytest.MonkeyPatch) -> None:
    word = Word(16, signed=True)
    blocks = join_blocks([*realistic(word, 6, seed=9), np.array([-32768, 32767] * 9)], word)
    expected = {codec: codec.encode(blocks) for codec in (Ebpc(word), Bpc(word, 32))}
    for module in (bit_matrix, bit_planes, zero_runs, ebpc, bpc):
        for name, kernel in list(vars(module).items()):
            if hasattr(kernel, "py_func"):
                monkeypatch.setattr(module, name, kernel.py_func)
    for codec, stream in expected.items():
        np.testing.assert_array_equal(codec.encode(blocks).payload, stream.payload)
        np.testing.assert_array_equal(codec.decode(stream, blocks.sizes).values, blocks.values)
        contract.check_broken_streams(codec, blocks, seed=1, n_trials=8)


@settings(deadline=None, max_examples=300)
@given(
    st.binary(min_size=1, max_size=24),
    st.integers(0, 20),
    st.sampled_from([Ebpc(Word(3)), Ebpc(Word(2, True), 8, "evaluation"), Bpc(Word(2), 8)]),
)
def test_a_stream_that_decodes_is_the_one_that_encoding_writes(
    noise: bytes, n_values: int, codec: Ebpc | Bpc
) -> None:
    payload = np.frombuffer(noise, np.uint8)
    bits = "".join(map(str, np.unpackbits(payload)))
    for n_bits in range(len(bits) + 1):
        stream = Bitstream(payload, np.array([0, n_bits]))
        try:
            values = codec.decode(stream, np.array([n_values])).values
        except CodecError:
            continue
        assert written(codec, values) == bits[:n_bits]


@settings(deadline=None, max_examples=200)
@given(
    st.lists(st.sampled_from([0, 0, 1, 2, 127, 128, 255]), max_size=40),
    st.sampled_from([Ebpc(Word(8)), Ebpc(Word(8), 16, "evaluation"), Bpc(Word(8), 8)]),
    st.data(),
)
def test_one_wrong_bit_is_refused_or_another_stream(
    values: list[int], codec: Ebpc | Bpc, data: st.DataObject
) -> None:
    bits = list(written(codec, values))
    if not bits:
        return
    at = data.draw(st.integers(0, len(bits) - 1))
    bits[at] = "01"[bits[at] == "0"]
    payload = np.packbits(np.array(bits, np.uint8))
    stream = Bitstream(payload, np.array([0, len(bits)]))
    try:
        decoded = codec.decode(stream, np.array([len(values)])).values
    except CodecError:
        return
    assert written(codec, decoded) == "".join(bits)


@pytest.mark.parametrize(
    "layout",
    [
        "00000 1 00000101 001111",  # a run of one zero, then another value than announced
        "11111111 00000101 01 001110",  # nine zero planes as 1 + 8
        "11111111 00000101 0011111",  # a bit too many
        "11111111 00000101 00111",  # a bit too few
        "11111111 00000001 10000000 00000 00000 001100",  # raw zero
        "11111111 00000001 00000 11111111 001101",  # ones only as raw
        "11111111 00000001 00011111 00001 001101",  # a one at the eighth of seven places
        "1" * 7 + "00000" + "00000101 001111",  # the eighth of seven values is not zero
        "11111111 00000000 001111",  # values that are zero
    ],
)
def test_what_encoding_cannot_have_written_is_refused(layout: str) -> None:
    bits = np.array([int(b) for b in layout.replace(" ", "")], np.uint8)
    with pytest.raises(CodecError, match="not a stream of 8 values"):
        Ebpc(Word(8)).decode(Bitstream(np.packbits(bits), np.array([0, len(bits)])), np.array([8]))


@pytest.mark.parametrize("word", [Word(2), Word(3), Word(8), Word(16)], ids=str)
@pytest.mark.parametrize("n", [8, 16])
def test_the_worst_case_is_the_most_over_all_numbers_of_non_zeros(word: Word, n: int) -> None:
    codec = Ebpc(word, n)
    group_bits = word.bits + (word.bits + 1) * n
    for n_values in [*range(40), 200, 513]:
        sizes = [0]
        for k in range(n_values + 1):
            gaps = [0] * (k + 1)
            for zero in range(n_values - k):
                # A zero first goes where there is none, then to fill runs.
                gaps[zero if zero <= k else (zero - k - 1) // 15 % (k + 1)] += 1
            runs = sum(math.ceil(gap / 16) for gap in gaps)
            sizes.append(k + 5 * runs + math.ceil(k / n) * group_bits)
        assert codec.worst_case_bits(n_values) >= max(sizes)


def test_the_worst_case_is_the_published_one_and_single_zeros() -> None:
    # 88 bits for 8 words, 304 for 16. As many groups hold n - 1 fewer non-zeros: each of
    # those then costs 5 bits of a run for a flag of 1.
    assert Ebpc(Word(8)).worst_case_bits(800) == 800 * 88 // 8 + 7 * 4
    assert Ebpc(Word(16), 16).worst_case_bits(1600) == 1600 * 304 // 16 + 15 * 4


@pytest.mark.parametrize(
    ("kind", "wrong", "says"),
    [
        (Ebpc, {"n": 4}, "n = 8 or 16 words, not 4"),
        (Ebpc, {"variant": "paper"}, "rtl or evaluation, not 'paper'"),
        (Bpc, {"n": 64}, "n = 8, 16 or 32 words, not 64"),
    ],
)
def test_wrong_parameters_say_what_is_allowed(kind: Any, wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(CodecError, match=says):
        kind(Word(8), **wrong)


def test_parameters_tell_variants_apart() -> None:
    codecs = [Ebpc(Word(8)), Ebpc(Word(8), 16), Ebpc(Word(8), 8, "evaluation")]
    assert len({str(codec.parameters) for codec in codecs}) == 3


def test_bpc_takes_a_cycle_for_the_base_and_each_plane() -> None:
    codec = Bpc(Word(8), n=32)
    assert codec.encode_work(blocks_of(codec, [1] * 33)).tolist() == [2 * 10]


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(0, (1 << 17) - 1), min_size=1, max_size=32), st.integers(1, 17))
def test_columns_are_the_bits_of_the_rows(rows: list[int], n_columns: int) -> None:
    columns = np.zeros(17, np.int64)
    bit_matrix.transpose(np.array(rows, np.int64), len(rows), n_columns, columns)
    for column in range(n_columns):
        expected = "".join(str(row >> column & 1) for row in rows)
        assert f"{columns[column]:0{len(rows)}b}" == expected
    for row in rows:
        assert bit_matrix.count_ones(row) == row.bit_count()
