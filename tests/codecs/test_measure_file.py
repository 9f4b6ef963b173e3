"""What `codecs measure` reports: conventions to the letter, and one error for a bad file."""

import io
import resource
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from accelsim.codecs.array_files import MAX_VALUES
from accelsim.codecs.base import CODECS, Word
from accelsim.codecs.contract import variants
from accelsim.codecs.measure_file import (
    ArrayMeasure,
    Cutting,
    measure_array,
    measure_codecs,
    measure_file,
)
from accelsim.codecs.named import codec_named
from accelsim.codecs.reading import Reading, word_named
from accelsim.errors import UnknownNameError, UserError
from accelsim.workload.graph import Edge, Graph
from accelsim.workload.layer import Conv, Window
from accelsim.workload.trace_file import read_trace
from accelsim.workload.trace_writer import write_trace
from tests.codecs import fuzz_arrays

RNG = np.random.default_rng(11)
DTYPES = [np.uint8, np.int8, np.uint16, np.int16]


def sparse(shape: tuple[int, ...], dtype: Any) -> NDArray[Any]:
    info = np.iinfo(dtype)
    values = np.rint(RNG.laplace(0, 20, shape)).clip(info.min, info.max)
    return np.where(RNG.random(shape) < 0.5, 0, values).astype(dtype)


def measure_one(tmp_path: Path, values: NDArray[Any], codec: str, **options: Any) -> ArrayMeasure:
    np.save(tmp_path / "x.npy", values)
    return measure_file(tmp_path / "x.npy", codec, **options)["x"]


@pytest.mark.parametrize("dtype", DTYPES)
def test_sizes_of_one_block_follow_from_counting(tmp_path: Path, dtype: Any) -> None:
    values = sparse((3, 7, 11), dtype)
    n, nonzeros, word = values.size, np.count_nonzero(values), 8 * values.itemsize
    zvc = measure_one(tmp_path, values, "zvc")
    assert zvc.values == n
    assert zvc.density == nonzeros / n
    assert zvc.stream_bits == n + word * nonzeros
    assert zvc.side_bits == 0
    assert zvc.bits_per_value == zvc.stream_bits / n
    assert (zvc.lossless, zvc.mse) == (True, 0.0)
    assert measure_one(tmp_path, values, "raw").stream_bits == n * word


@pytest.mark.parametrize("dtype", DTYPES)
def test_runs_follow_the_c_order_of_the_array(tmp_path: Path, dtype: Any) -> None:
    values = sparse((4, 5, 6), dtype)
    word = 8 * values.itemsize
    expected, run = 0, 0
    for value in [*values.ravel().tolist(), None]:
        if value == 0:
            run += 1
            continue
        expected += -(-run // 16) * 5 + (0 if value is None else 1 + word)
        run = 0
    for stored in (values, np.asfortranarray(values), values.astype(f">{values.dtype.str[1:]}")):
        assert measure_one(tmp_path, stored, "zero_rle").stream_bits == expected


@pytest.mark.parametrize("dtype", DTYPES)
def test_huffman_is_fitted_on_the_array_and_counts_its_table(tmp_path: Path, dtype: Any) -> None:
    found = measure_one(tmp_path, sparse((2000,), dtype), "huffman")
    word = 8 * np.dtype(dtype).itemsize
    assert found.side_bits == 4 * 2**word
    assert found.stream_bits == found.huffman_bits
    assert found.entropy_bits <= found.huffman_bits < found.entropy_bits + found.values
    assert found.bits_per_value == (found.stream_bits + found.side_bits) / found.values


def test_eyeriss_rlc_keeps_sixteen_bit_levels(tmp_path: Path) -> None:
    assert measure_one(tmp_path, np.ones(4, np.uint8), "eyeriss_rlc").stream_bits == 2 * 64


def test_blocks_cut_the_flat_array_and_the_last_is_shorter(tmp_path: Path) -> None:
    values = np.zeros(20, np.uint8)
    # Runs of 16 + 4 in one block; of 8, 8 and 4 in blocks of 8.
    assert measure_one(tmp_path, values, "zero_rle").stream_bits == 2 * 5
    assert measure_one(tmp_path, values, "zero_rle", block=8).stream_bits == 3 * 5
    assert measure_one(tmp_path, values, "zero_rle", block=100).stream_bits == 2 * 5


def test_fallback_stores_raw_what_saves_no_burst_and_counts_a_flag_per_block() -> None:
    """Blocks of 8 values in zvc: 9, 1 and (4 values) 4.5 bytes, for 8, 8 and 4."""
    values = np.r_[np.ones(8, np.uint8), np.zeros(8, np.uint8), np.ones(4, np.uint8)]
    zvc = codec_named("zvc", Word(8))
    without = measure_array(values, zvc, Cutting(8))
    assert (without.stream_bits, without.side_bits) == (8 * 9 + 8 + 4 * 9, 0)
    by_byte = measure_array(values, zvc, Cutting(8, fallback=True, burst_bytes=1))
    assert (by_byte.stream_bits, by_byte.side_bits) == (64 + 8 + 32, 3)
    # A burst of 8 bytes moves one byte as it moves eight.
    by_burst = measure_array(values, zvc, Cutting(8, fallback=True, burst_bytes=8))
    assert (by_burst.stream_bits, by_burst.side_bits) == (64 + 64 + 32, 3)
    assert by_burst.fetched_bits == 8 * 8 * (3 + 1)
    assert measure_array(values, zvc, Cutting(fallback=True)).side_bits == 1


def test_bits_set_the_word_and_keep_the_sign(tmp_path: Path) -> None:
    values = np.array([0, -3, 7, 0], np.int64)
    assert measure_one(tmp_path, values, "zvc", bits=4).stream_bits == 4 + 2 * 4
    with pytest.raises(UserError, match="do not fit signed words of 3 bits"):
        measure_one(tmp_path, values, "zvc", bits=3)
    with pytest.raises(UserError, match=r"int64, wider than the 16 bits[^~]*--bits"):
        measure_one(tmp_path, values, "zvc")
    with pytest.raises(UserError, match="2 to 16 bits, not 1"):
        measure_one(tmp_path, values, "zvc", bits=1)


@pytest.mark.parametrize("name", list(CODECS))
def test_every_codec_measures_every_array_of_an_archive(tmp_path: Path, name: str) -> None:
    arrays = {"b": sparse((5, 5), np.uint8), "a": sparse((40,), np.int16)}
    np.savez_compressed(tmp_path / "x.npz", **arrays)
    if not variants(CODECS[name], Word(16, signed=True)):
        with pytest.raises(UserError, match="words have 16"):
            measure_file(tmp_path / "x.npz", name)
        return
    found = measure_file(tmp_path / "x.npz", name)
    assert list(found) == ["b", "a"]
    assert [m.values for m in found.values()] == [25, 40]


def test_a_trace_gives_the_stored_maps_of_all_images(tmp_path: Path) -> None:
    edges = (Edge("in", 1, 4, 4, bits=5, signed=True), Edge("out", 2, 4, 4))
    graph = Graph((Conv("conv", "in", "out", 1, 2, Window((1, 1))),), edges, ("in",), ("out",))
    images = [
        {"in": np.full((1, 4, 4), -1, np.int8), "out": np.full((2, 4, 4), i, np.uint8)}
        for i in range(2)
    ]
    write_trace(tmp_path / "t.h5", name="t", graph=graph, n_images=2, images=images)
    found = measure_file(tmp_path / "t.h5", "zvc")
    assert {name: m.stream_bits for name, m in found.items()} == {
        "in[0]": 16 * 6,
        "in[1]": 16 * 6,
        "out[0]": 32,
        "out[1]": 32 * 9,
    }


def npy_bytes(values: NDArray[Any]) -> bytes:
    with io.BytesIO() as file:
        np.save(file, values, allow_pickle=True)
        return file.getvalue()


def npy_of_header(text: str) -> bytes:
    padded = text.encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + len(padded).to_bytes(2, "little") + padded


def npy_promising(shape: tuple[int, ...], dtype: Any = "|u1") -> bytes:
    with io.BytesIO() as file:
        header = {"descr": dtype, "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        return file.getvalue() + bytes(100)


BAD = {
    "truncated": (npy_bytes(np.ones(1000, np.uint8))[:-1], "truncated: 999 of 1000 bytes"),
    "header cut": (npy_bytes(np.ones(9, np.uint8))[:40], "damaged"),
    "nothing": (b"", "damaged"),
    "foreign": (b"%PDF-1.7 and more", "damaged"),
    "objects": (npy_bytes(np.array([None, 1])), "Python objects, which are never loaded"),
    "floats": (npy_bytes(np.array([np.nan, 1.0])), "float64, not integers"),
    "booleans": (npy_bytes(np.array([True])), "bool, not integers"),
    "empty": (npy_bytes(np.zeros((3, 0), np.uint8)), r"is empty: shape \(3, 0\)"),
    "huge": (npy_promising((MAX_VALUES + 1,)), "more than 134217728 values"),
    "overflowing": (npy_promising((1 << 40, 1 << 40)), "more than 134217728 values"),
    "negative": (npy_promising((-5,)), "impossible shape"),
    "wide": (npy_promising((MAX_VALUES // 2,), "<i8"), "bytes of int64, more than 268435456"),
    "long header": (
        b"\x93NUMPY\x02\x00" + (1 << 31).to_bytes(4, "little") + bytes(100),
        "a header of 2147483648 bytes",
    ),
    "deep header": (npy_of_header("(" * 4000), "damaged"),
    "odd header": (npy_of_header(r"{'descr': '|u1\\d', 'shape': (3,), 'x': 1}"), "damaged"),
    "many dimensions": (npy_promising((1,) * 100), "damaged"),
    "records": (npy_promising((3,), [("a", "u1"), ("b", "O")]), "Python objects|not integers"),
    "version": (b"\x93NUMPY\x09\x00" + bytes(100), "format version"),
}


@pytest.mark.parametrize("kind", list(BAD))
@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_a_bad_array_gives_one_clear_error(tmp_path: Path, kind: str, suffix: str) -> None:
    data, message = BAD[kind]
    file = tmp_path / f"bad{suffix}"
    if suffix == ".npy":
        file.write_bytes(data)
    else:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("member.npy", data)
    with pytest.raises(UserError, match=message) as found:
        measure_file(file, "zvc")
    assert str(file) in str(found.value)
    assert len(str(found.value).splitlines()) == 2


def test_an_archive_of_zeros_is_refused_before_they_are_read(tmp_path: Path) -> None:
    """1 GiB behind 1 MB: a header that promises 2 GiB of itself, and an array of 8-byte items."""
    for name, start in (
        ("header", b"\x93NUMPY\x02\x00" + (1 << 31).to_bytes(4, "little")),
        ("array", npy_promising((MAX_VALUES,), "<i8")),
    ):
        file = tmp_path / f"{name}.npz"
        with (
            zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive,
            archive.open("a.npy", "w", force_zip64=True) as member,
        ):
            member.write(start)
            for _ in range(64):
                member.write(bytes(1 << 20))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        with pytest.raises(UserError, match="more than"):
            measure_file(file, "zvc")
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 32 << 10  # KiB


def test_names_in_an_archive_stay_on_one_line_and_apart(tmp_path: Path) -> None:
    file = tmp_path / "x.npz"
    with warnings.catch_warnings(), zipfile.ZipFile(file, "w") as archive:
        warnings.simplefilter("ignore")
        archive.writestr("a\nb\x1b[2J.npy", npy_bytes(np.arange(9, dtype=np.uint8)))
    assert list(measure_file(file, "zvc")) == [r"a\nb\x1b[2J"]
    with warnings.catch_warnings(), zipfile.ZipFile(file, "a") as archive:
        warnings.simplefilter("ignore")
        for _ in range(2):
            archive.writestr("twice.npy", npy_bytes(np.arange(9, dtype=np.uint8)))
    with pytest.raises(UserError, match="two arrays of one name"):
        measure_file(file, "zvc")


def test_a_few_hundred_damaged_array_files_are_answered_or_refused_in_one_message() -> None:
    """``python -m tests.codecs.fuzz_arrays 20000`` tries as many as it is told."""
    assert fuzz_arrays.run(300, seed=1) == []


@pytest.mark.parametrize(
    ("text", "values", "bits"),
    [("u4", [0, 3, 15], 3 * 4), ("s5", [-16, 3, 15], 3 * 5), ("s4", [-8, 0, 7], 3 * 4)],
)
def test_a_word_of_any_sign_and_width_is_read_from_any_dtype(
    tmp_path: Path, text: str, values: list[int], bits: int
) -> None:
    for dtype in (np.int8, np.int32):
        found = measure_one(
            tmp_path, np.array(values, dtype), "raw", reading=Reading(word_named(text))
        )
        assert (found.stream_bits, found.word_bits) == (bits, bits // 3)
    with pytest.raises(UserError, match="do not fit"):
        measure_one(tmp_path, np.array([16]), "raw", reading=Reading(word_named(text)))


@pytest.mark.parametrize("first", ["low", "high"])
@pytest.mark.parametrize("word", ["u4", "s4"])
def test_packed_nibbles_are_two_words_a_byte(tmp_path: Path, first: Any, word: str) -> None:
    low, high = RNG.integers(0, 16, (2, 6, 5))
    stored = (low | high << 4).astype(np.uint8)
    pairs = (low, high) if first == "low" else (high, low)
    words = np.stack(pairs, axis=-1).reshape(6, 10).astype(np.uint8)
    if word == "s4":
        words = np.where(words < 8, words, words.astype(int) - 16).astype(np.int8)
    plain = measure_one(tmp_path, words, "shapeshifter", bits=4)
    reading = Reading(word_named(word), nibbles=first)
    assert measure_one(tmp_path, stored, "shapeshifter", reading=reading) == plain
    with pytest.raises(UserError, match="needs bytes"):
        measure_one(tmp_path, stored.astype(np.int16), "raw", reading=reading)
    with pytest.raises(UserError, match="words of 4 bits, not 5"):
        Reading(bits=5, nibbles=first)


def test_channels_last_is_the_same_map_in_another_order(tmp_path: Path) -> None:
    values = sparse((2, 16, 9, 8), np.uint8)  # images, channels, rows, cols
    stored, reading = np.moveaxis(values, 1, -1), Reading(channels_last=True)
    for codec, block in (("zero_rle", None), ("jpeg_act", (16, 8, 8)), ("zvc", 32)):
        plain = measure_one(tmp_path, values, codec, block=block)
        assert measure_one(tmp_path, stored, codec, block=block, reading=reading) == plain
    with pytest.raises(UserError, match="needs rows, columns and channels"):
        measure_one(tmp_path, values[0, 0], "zvc", reading=reading)


@pytest.mark.parametrize("text", ["4", "u1", "u17", "i4", "u", "s-4", "u٤"])
def test_what_is_no_word_says_how_one_is_written(text: str) -> None:
    with pytest.raises(UserError, match="as in u4 or s5"):
        word_named(text)


@pytest.mark.parametrize("seed", range(30))
def test_a_damaged_archive_gives_an_error_or_the_same_values(tmp_path: Path, seed: int) -> None:
    file = tmp_path / "x.npz"
    np.savez_compressed(file, a=sparse((500,), np.uint8))
    expected = measure_file(file, "zvc")
    rng = np.random.default_rng(seed)
    data = bytearray(file.read_bytes())
    if seed % 3 == 0:
        data = data[: rng.integers(len(data))]
    else:
        data[int(rng.integers(len(data)))] ^= int(rng.integers(1, 256))
    file.write_bytes(data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found = measure_file(file, "zvc")
        except UserError as error:
            assert len(str(error).splitlines()) == 2
        else:
            assert list(found.values()) == list(expected.values())


@pytest.mark.parametrize("missing", ["no.npy", "no.npz", "no_such_trace"])
def test_a_missing_file_is_named(tmp_path: Path, missing: str) -> None:
    with pytest.raises(UserError, match="no such file"):
        measure_file(tmp_path / missing, "zvc")


def test_wrong_options_say_what_is_allowed(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'zvc'"):
        measure_file(tmp_path / "x.npy", "zcv")
    with pytest.raises(UserError, match="at least 1"):
        measure_one(tmp_path, np.ones(3, np.uint8), "zvc", block=0)


def test_fetched_bits_are_whole_bursts_of_each_block_and_of_the_tables(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.r_[np.zeros(100, np.uint8), np.ones(100, np.uint8)])
    cutting = Cutting(block=100, burst_bytes=16)
    found = measure_codecs(tmp_path / "x.npy", ["zvc", "huffman"], cutting)
    zvc, huffman = found["zvc"]["x"], found["huffman"]["x"]
    # 100 and 900 bits in bursts of 128; Huffman 100 bits each, and a table of 1024.
    assert zvc.fetched_bits == (1 + 8) * 128
    assert huffman.fetched_bits == (1 + 1 + 8) * 128
    assert (zvc.blocks, zvc.block_bits_p50, zvc.block_bits_p99, zvc.block_bits_max) == (
        2, 100, 900, 900,
    )  # fmt: skip


def test_blocks_of_maps_are_cut_from_each_map_of_a_stack(tmp_path: Path) -> None:
    values = sparse((2, 3, 5, 6), np.uint8)
    np.save(tmp_path / "x.npy", values)
    found = measure_codecs(tmp_path / "x.npy", ["zvc"], Cutting((2, 5, 4)))["zvc"]["x"]
    parts = [m[c : c + 2, :, w : w + 4] for m in values for c in (0, 2) for w in (0, 4)]
    expected = sorted(p.size + 8 * np.count_nonzero(p) for p in parts)
    assert found.blocks == len(parts)
    assert found.stream_bits == sum(expected)
    assert found.block_bits_max == expected[-1]
    assert found.block_bits_p50 == expected[len(parts) // 2 - 1]


def test_a_stream_that_no_memory_holds_is_refused_before_it_is_written(tmp_path: Path) -> None:
    # Rice codes of 65535 at k = 1 have 32769 bits: a million of them 4 GB.
    with pytest.raises(UserError, match=r"would take 4\.1 GB; other parameters"):
        measure_one(tmp_path, np.full(1_000_000, 65535, np.uint16), "golomb_rice")


def test_the_weights_of_a_trace_are_measured_by_every_lossless_codec() -> None:
    names = [name for name in CODECS if CODECS[name].lossless]
    measures = measure_codecs("fmnist_resnet8_q8", names, tensor="weights")
    with read_trace("fmnist_resnet8_q8") as trace:
        held = {x.name: trace.weights(x.name) for x in trace.graph.layers if isinstance(x, Conv)}
    assert len(held) == 10
    for name in names:
        assert list(measures[name]) == list(held)
    for layer, values in held.items():
        assert values is not None
        nonzeros = np.count_nonzero(values)
        assert measures["raw"][layer].stream_bits == 8 * values.size
        assert measures["zvc"][layer].stream_bits == values.size + 8 * nonzeros
        assert all(measures[name][layer].lossless for name in names)
        assert all(measures[name][layer].blocks == 1 for name in names)


def test_weights_are_cut_into_tiles_of_four_dimensions(tmp_path: Path) -> None:
    measures = measure_codecs(
        "fmnist_resnet8_q8", ["zvc"], Cutting((16, 8, 3, 3)), tensor="weights"
    )["zvc"]
    with read_trace("fmnist_resnet8_q8") as trace:
        for layer, found in measures.items():
            values = trace.weights(layer)
            assert values is not None
            out, ins, rows, cols = (
                -(-n // t) for n, t in zip(values.shape, (16, 8, 3, 3), strict=True)
            )
            assert found.blocks == out * ins * rows * cols
            longest = max(
                part.size + 8 * np.count_nonzero(part)
                for o in range(out)
                for i in range(ins)
                for part in [values[16 * o : 16 * o + 16, 8 * i : 8 * i + 8]]
            )
            assert found.block_bits_max == longest
    # An array of an array file is cut in the same way, leading ones added.
    values = np.arange(24, dtype=np.int8).reshape(2, 3, 4)
    assert measure_one(tmp_path, values, "zvc", block=(1, 2, 2, 4)).blocks == 2


def test_what_has_no_weights_to_measure_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.ones(4, np.int8))
    with pytest.raises(UserError, match="--tensor"):
        measure_codecs(tmp_path / "x.npy", ["zvc"], tensor="weights")
    with pytest.raises(UserError, match="spark is lossy"):
        measure_codecs("fmnist_resnet8_q8", ["spark"], tensor="weights")
    both = measure_codecs("fmnist_resnet8_q8", ["spark", "raw"], tensor="weights")
    assert (len(both["spark"]), len(both["raw"])) == (0, 10)
    with pytest.raises(UserError, match="spark is lossy"):
        measure_one(tmp_path, np.ones((2, 3, 4, 5), np.int8), "spark", block=(1, 1, 1, 1))
    with pytest.raises(UserError, match="holds no weights"):
        measure_codecs("efficientnet_lite0_q8", ["zvc"], tensor="weights")
