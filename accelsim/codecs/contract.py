"""The rules for every codec, as checks that an outside package can run on its own codecs.

``check_codec(MyCodec)`` runs all of them, on many words and blocks, and fails with an
``AssertionError`` that says which rule is broken. Only numpy is needed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import is_dataclass, replace

import numpy as np
from numpy.typing import NDArray

from accelsim.codecs.base import Bitstream, Blocks, Codec, Shapes, Values, Word, one_block
from accelsim.codecs.blocks import Scan, cut
from accelsim.codecs.identity import identity
from accelsim.codecs.named import parameters_of
from accelsim.errors import CodecError

SCANS: tuple[Scan, ...] = ("chw", "hwc")
WORDS = tuple(Word(bits, signed) for bits in (2, 4, 5, 8, 12, 16) for signed in (False, True))


def check_codec(codec: type[Codec], n_random_blocks: int = 300, seed: int = 0) -> None:
    """Check every invariant of ``accelsim.codecs.base.Codec`` on all words that the codec takes.

    A codec may refuse a word width with ``CodecError``, but not all of them.
    """
    taken = 0
    for word in WORDS:
        blocks = join_blocks([*adversarial(word), *realistic(word, n_random_blocks, seed)], word)
        for variant in variants(codec, word):
            taken += 1
            assert variant.reconstruction == (variant.evidence == "abstract")
            fitted = variant.fit(blocks.values)
            check_coding(fitted, blocks)
            check_maps(variant, word, seed)
            check_independence(fitted, blocks)
            check_broken_streams(fitted, blocks, seed)
            check_refusals(fitted)
            check_unseen_values(variant, blocks)
            check_identity(variant, blocks)
    assert taken, f"{codec.name} takes none of the words {WORDS}"


def variants(codec: type[Codec], word: Word) -> list[Codec]:
    """The codec as in ``codecs measure`` and as in networks; empty if it refuses the word."""
    try:
        measured, in_network = codec.for_word(word), codec.for_network(word)
    except CodecError:
        return []
    return [measured] if measured == in_network else [measured, in_network]


def check_coding(codec: Codec, blocks: Blocks) -> None:
    """Decoding inverts encoding, measured sizes are those of encoding, and no bound is exceeded."""
    stream, stats = codec.encode(blocks), codec.measure(blocks)
    decoded = codec.decode(stream, blocks.sizes, blocks.shapes)
    expected = codec.reconstruct_blocks(blocks)
    np.testing.assert_array_equal(decoded.values, expected, _says(codec, "decode(encode)"))
    np.testing.assert_array_equal(decoded.offsets, blocks.offsets)
    assert decoded.values.dtype == codec.word.dtype, _says(codec, f"dtype {decoded.values.dtype}")
    if codec.lossless:
        np.testing.assert_array_equal(expected, blocks.values, _says(codec, "lossless"))
    starts = stream.offsets_bits
    np.testing.assert_array_equal(np.diff(starts), stats.payload_bits, _says(codec, "measure"))
    assert starts[0] == 0 and stream.payload.size == (stream.bits + 7) // 8
    assert not np.unpackbits(stream.payload)[stream.bits :].any(), _says(codec, "padding")
    for n_values, bits in zip(stats.n_values, stats.payload_bits, strict=True):
        assert 0 <= bits <= codec.worst_case_bits(int(n_values)), _says(codec, "worst case")
    counts = [np.count_nonzero(blocks.values[a:b]) for a, b in _ranges(blocks)]
    np.testing.assert_array_equal(stats.nonzeros, np.array(counts, np.int64))
    for cycles in (stats.encode_work, stats.decode_work):
        assert cycles.shape == stats.n_values.shape and (cycles >= 0).all()


def check_maps(codec: Codec, word: Word, seed: int) -> None:
    """Blocks cut from maps, in both scans: fitted on the map, on a stack of maps, as arrays.

    A codec may refuse blocks that lack what it ``needs``, such as all channels of a pixel.
    """
    rng = np.random.default_rng(seed)
    for shape, block in (((5, 9, 11), (5, 8, 8)), ((16, 8, 8), (16, 8, 8)), ((3, 1, 7), (3, 1, 4))):
        smooth = rng.normal(0, 0.2 * word.high, (2, *shape)).cumsum(axis=-1)
        maps = np.clip(np.rint(smooth), word.low, word.high).astype(word.dtype)
        fitted = codec.fit(maps)
        for scan in SCANS:
            check_coding(fitted, cut(maps[0], block, scan))
        alone = fitted.decode(fitted.encode(one_block(maps[1])), *_layout(maps[1])).values
        rebuilt = fitted.reconstruct(maps[1])
        assert rebuilt.shape == shape and rebuilt.dtype == word.dtype, _says(codec, "reconstruct")
        np.testing.assert_array_equal(alone, rebuilt.reshape(-1), _says(codec, "reconstruct"))


def check_independence(codec: Codec, blocks: Blocks) -> None:
    """A block has the same bits alone as among others."""
    together = codec.encode(blocks)
    bits = np.unpackbits(together.payload)
    ranges = list(_ranges(blocks))
    for i in range(0, len(ranges), max(1, len(ranges) // 20)):
        alone = codec.encode(join_blocks([blocks.values[slice(*ranges[i])]], codec.word))
        there = bits[together.offsets_bits[i] : together.offsets_bits[i + 1]]
        here = np.unpackbits(alone.payload)[: alone.bits]
        np.testing.assert_array_equal(here, there, _says(codec, f"block {i} depends on others"))


def check_broken_streams(codec: Codec, blocks: Blocks, seed: int, n_trials: int = 40) -> None:
    """A broken stream is refused or decodes to the right number of values, and nothing worse."""
    rng = np.random.default_rng(seed)
    stream = codec.encode(blocks)
    for trial in range(n_trials):
        payload, starts, sizes = stream.payload.copy(), stream.offsets_bits.copy(), blocks.sizes
        match trial % 4:
            case 0 if payload.size:
                payload[rng.integers(payload.size, size=3)] ^= rng.integers(1, 256, 3, np.uint8)
            case 1:
                payload = rng.integers(0, 256, payload.size, np.uint8)
            case 2 if len(starts) > 2:
                at = rng.integers(1, len(starts) - 1)
                starts[at] = rng.integers(starts[at - 1], starts[at + 1] + 1)
            case _:
                sizes = rng.permutation(sizes)
        _decodes_or_refuses(codec, Bitstream(payload, starts), sizes)
    for _ in range(5 * n_trials):
        # A short block of noise: its last field often reaches beyond bits or values.
        noise = rng.integers(0, 256, rng.integers(1, 17), np.uint8)
        end = np.array([0, 8 * noise.size - rng.integers(0, 8)])
        _decodes_or_refuses(codec, Bitstream(noise, end), rng.integers(1, 20, 1))
    # Far more values than bits: a decoder that does not check for the end runs beyond it.
    _decodes_or_refuses(codec, stream, blocks.sizes + 5000)
    for fill in (0, 255):
        few = Bitstream(np.full(4, fill, np.uint8), np.array([0, 32]))
        _decodes_or_refuses(codec, few, np.array([5000]))
    if stream.payload.size:
        longer = np.append(stream.payload, np.uint8(0))
        for n_bits, payload in ((-1, stream.payload), (8, longer)):
            starts = stream.offsets_bits.copy()
            starts[-1] += n_bits
            _refuses(codec, Bitstream(payload, starts), blocks.sizes)
        _refuses(codec, Bitstream(stream.payload[:-1], stream.offsets_bits), blocks.sizes)
        _refuses(codec, Bitstream(stream.payload, stream.offsets_bits[:-1]), blocks.sizes)
        _refuses(codec, Bitstream(stream.payload, stream.offsets_bits + 1), blocks.sizes)


def check_refusals(codec: Codec) -> None:
    """Values outside the word are refused and never wrap around."""
    outside = Blocks(np.array([codec.word.high + 1], np.int64), np.array([0, 1], np.int64))
    for take in (codec.encode, codec.payload_bits):
        try:
            take(outside)
        except CodecError:
            continue
        raise AssertionError(_says(codec, f"accepts a value outside its word in {take.__name__}"))


def check_unseen_values(codec: Codec, blocks: Blocks) -> None:
    """Fitted with ``every_symbol`` on a part of the values, a codec codes all of them."""
    part = blocks.values[: blocks.values.size // 2]
    check_coding(codec.fit(part, every_symbol=True), blocks)
    extremes = np.array([codec.word.low, codec.word.high, 0], codec.word.dtype)
    check_coding(codec.fit(extremes[2:], every_symbol=True), join_blocks([extremes], codec.word))


def check_identity(codec: Codec, blocks: Blocks) -> None:
    """Codecs that differ in a field, or in what they were fitted to, have different keys.

    Sizes are cached on disk under these keys. A codec must be a dataclass, so that its fields are
    known.
    """
    assert is_dataclass(codec), _says(codec, "is not a dataclass: its parameters are not visible")
    assert identity(codec) == identity(replace(codec)), _says(codec, "identity of a copy")
    for field in parameters_of(codec):
        other = _with_another(codec, field.name)
        if other is not None:
            assert identity(other) != identity(codec), _says(
                codec, f"identity without {field.name}"
            )
    fitted = codec.fit(blocks.values)
    assert (identity(fitted) == identity(codec)) == (fitted == codec), _says(codec, "identity, fit")


def _with_another(codec: Codec, parameter: str) -> Codec | None:
    """The codec with another value of a parameter; None if it accepts none of those tried."""
    now = getattr(codec, parameter)
    tried: tuple[object, ...] = (f"another {now}",)
    if isinstance(now, bool):
        tried = (not now,)
    elif isinstance(now, int | float):
        tried = (now + 1, now - 1, 2 * now)
    for value in tried:
        with suppress(CodecError, ValueError):
            return replace(codec, **{parameter: value})  # type: ignore[type-var]
    return None


def adversarial(word: Word) -> Iterator[Values]:
    """Blocks that break careless coders: empty, single, constant, alternating, long runs."""
    low, high = word.low, word.high
    for n in (0, 1, 2, 15, 16, 17, 31, 32, 33, 64, 65):
        yield np.zeros(n, word.dtype)
        yield np.full(n, high, word.dtype)
        yield np.full(n, low, word.dtype)
    for pattern in ([0, high], [high, 0], [low, high], [0, 0, 0, 1]):
        yield np.resize(np.array(pattern, word.dtype), 97)
    for run in (15, 16, 17, 31, 32, 33, 64, 1000):
        values = np.zeros(2 * run + 2, word.dtype)
        values[run], values[-1] = high, 1
        yield values
        yield values[:-1]
    yield np.arange(low, min(high, low + 300) + 1).astype(word.dtype)


def realistic(word: Word, n_blocks: int, seed: int) -> Iterator[Values]:
    """Blocks like activations: many zeros and small values, some dense or uniform."""
    rng = np.random.default_rng(seed)
    for _ in range(n_blocks):
        n = int(rng.integers(1, 200))
        magnitude = rng.exponential(rng.choice([0.5, 3.0, 20.0, word.high]), n)
        if word.signed:
            magnitude *= rng.choice([-1, 1], n)
        values = np.where(rng.random(n) < rng.choice([0.0, 0.5, 0.95]), 0, magnitude)
        yield np.clip(np.rint(values), word.low, word.high).astype(word.dtype)


def join_blocks(blocks: list[Values], word: Word) -> Blocks:
    """These arrays, one block each."""
    offsets = np.cumsum([0, *(b.size for b in blocks)], dtype=np.int64)
    return Blocks(np.concatenate([*blocks, np.zeros(0, word.dtype)]).astype(word.dtype), offsets)


def _layout(values: Values) -> tuple[NDArray[np.int64], Shapes | None]:
    block = one_block(values)
    return block.sizes, block.shapes


def _ranges(blocks: Blocks) -> Iterator[tuple[int, int]]:
    return zip(blocks.offsets[:-1].tolist(), blocks.offsets[1:].tolist(), strict=True)


def _decodes_or_refuses(codec: Codec, stream: Bitstream, sizes: NDArray[np.int64]) -> None:
    try:
        decoded = codec.decode(stream, sizes)
    except CodecError:
        return
    assert decoded.values.size == sizes.sum(), _says(codec, "size after a broken stream")
    assert decoded.values.dtype == codec.word.dtype
    low, high = decoded.values.min(initial=0), decoded.values.max(initial=0)
    assert codec.word.low <= low and high <= codec.word.high, _says(codec, "range after damage")


def _refuses(codec: Codec, stream: Bitstream, sizes: NDArray[np.int64]) -> None:
    try:
        codec.decode(stream, sizes)
    except CodecError:
        return
    raise AssertionError(_says(codec, "decodes a stream that contradicts itself"))


def _says(codec: Codec, what: str) -> str:
    return f"{codec.name}, {codec.word}: {what}"
