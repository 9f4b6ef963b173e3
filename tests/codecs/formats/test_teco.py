"""TECO: streams reckoned by hand, Rice parameters by the formula, and a plain decoder."""

from math import floor, log2

import numpy as np
import pytest

from accelsim.codecs import contract, rates
from accelsim.codecs.base import Bitstream, Blocks, Values, Word, one_block
from accelsim.codecs.coding import rice_tiles
from accelsim.codecs.coding.rice_tiles import RiceTiles
from accelsim.codecs.formats.teco import Teco
from accelsim.errors import CodecError


def text(stream: Bitstream) -> str:
    return "".join(map(str, np.unpackbits(stream.payload)[: stream.bits]))


def tile_of(coefficients: dict[int, int], bits: int = 11) -> Blocks:
    """One tile of patterns with these coefficients in zigzag order."""
    tile = np.zeros(64, np.uint16)
    for place, r in coefficients.items():
        tile[place] = r & ((1 << bits) - 1)
    return Blocks(tile, np.array([0, 64]))


def read(codec: RiceTiles, bits: str) -> list[int]:
    bits = bits.replace(" ", "")
    payload = np.packbits(np.array(list(bits), np.uint8))
    stream = Bitstream(payload, np.array([0, len(bits)]))
    return codec.decode(stream, np.array([64])).values.tolist()


PLAIN = RiceTiles(Word(11), False, (0,) * 15)
SIGNED = RiceTiles(Word(11), True, (2,) * 15)
EMPTY, LAST_0, LAST_2 = "0", "1 000000", "1 000010"


@pytest.mark.parametrize(
    ("coder", "coefficients", "expected"),
    [
        (PLAIN, {}, EMPTY),
        (PLAIN, {0: 3}, f"{LAST_0} 1110"),  # no sign: z = 3
        (PLAIN, {0: 3, 1: -2, 2: 1}, f"{LAST_2} 1110 11110 10"),
        (PLAIN, {2: -1}, f"{LAST_2} 0 0 110"),
        (PLAIN, {0: 11}, f"{LAST_0} {11 * '1'} 0"),
        (PLAIN, {0: 12}, f"{LAST_0} {12 * '1'} {12:011b}"),
        (PLAIN, {0: 2040}, f"{LAST_0} {12 * '1'} {2040:011b}"),
        (SIGNED, {0: 3}, f"{LAST_0} 10 01"),  # z = 5, k = 2: quotient 1, rest 1
        (SIGNED, {0: -24}, f"{LAST_0} {12 * '1'} {2048 - 24:011b}"),  # z = 48 = 12 x 4
        (SIGNED, {0: 24}, f"{LAST_0} {11 * '1'} 0 11"),  # z = 47
        (SIGNED, {63: 1}, "1 111111" + 63 * "000" + "001"),
    ],
)
def test_tiles_have_the_documented_layout(
    coder: RiceTiles, coefficients: dict[int, int], expected: str
) -> None:
    stream = coder.encode(tile_of(coefficients))
    assert text(stream) == expected.replace(" ", "")
    assert read(coder, expected) == tile_of(coefficients).values.tolist()


@pytest.mark.parametrize(
    "bits",
    [
        f"{LAST_2} 10 0 0",  # the last coefficient is zero
        f"{LAST_0} {12 * '1'} {11:011b}",  # an escape that a code would hold
        f"{LAST_0} 10 0",  # a bit too many
        f"{LAST_0} 1",  # cut in a code
        "1 0000",  # cut in the header
        f"{LAST_0} {12 * '1'} 0000",  # cut in an escape
        "",
    ],
)
def test_streams_that_no_tile_has_are_refused(bits: str) -> None:
    with pytest.raises(CodecError, match="not a stream of 64 values"):
        read(PLAIN, bits)


def test_a_code_too_large_for_its_field_is_refused() -> None:
    narrow = RiceTiles(Word(4), True, (3,) * 15)
    assert read(narrow, f"{LAST_0} 10 101")[0] == 7  # z = 13
    with pytest.raises(CodecError, match="not a stream"):
        read(narrow, f"{LAST_0} 10 111")  # z = 15: 8 would wrap around to -8


def smooth_maps(seed: int = 0) -> Values:
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:32, 0:40] / 8.0
    waves = [np.sin(a * x + b) * np.cos(c * y) for a, b, c in rng.uniform(0, 2, (6, 3))]
    noisy = 90 * np.array(waves) + rng.normal(0, 3, (6, 32, 40))
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)


def z_of_coded(codec: Teco, maps: Values) -> list[list[int]]:
    """For each frequency, z of the coefficients that a stream holds, tile by tile."""
    block = one_block(maps)
    assert block.shapes is not None
    zs: list[list[int]] = [[] for _ in range(15)]
    for tile in codec.forward(block.values, block.shapes).reshape(-1, 64).astype(int):
        last = int(np.flatnonzero(tile).max(initial=-1))
        frequency = -1
        for place in range(last + 1):
            while place >= sum(min(d + 1, 15 - d) for d in range(frequency + 1)):
                frequency += 1
            r = tile[place]
            if place == 0:
                zs[frequency].append(r)
            else:
                r = r - 2048 if r >= 1024 else r
                zs[frequency].append(2 * abs(r) - (r > 0))
    return zs


def test_rice_parameters_follow_the_formula_for_each_frequency() -> None:
    maps = smooth_maps()
    codec = Teco(Word(8), quality=7).fit(maps)
    expected = []
    for zs in z_of_coded(codec, maps):
        mean = np.mean(zs) if zs else 0.0
        expected.append(max(0, floor(log2(0.694 * mean))) if mean > 0 else 0)
    assert list(codec.ks) == expected and max(expected) > 3
    assert codec.table_bits == 64 and Teco(Word(8)).table_bits == 0


def test_sizes_are_the_sum_of_all_codes() -> None:
    maps = smooth_maps(1)
    codec = Teco(Word(8), quality=6).fit(maps)
    block = one_block(maps)
    assert block.shapes is not None
    tiles = codec.forward(block.values, block.shapes).reshape(-1, 64)
    n_bits = len(tiles) + 6 * int(tiles.any(axis=1).sum())
    for zs, k in zip(z_of_coded(codec, maps), codec.ks, strict=True):
        n_bits += sum((z >> k) + 1 + k if z >> k < 12 else 12 + 11 for z in zs)
    assert codec.payload_bits(block).tolist() == [n_bits]


def test_the_fitted_parameters_serve_better_than_others() -> None:
    maps = smooth_maps()
    codec = Teco(Word(8)).fit(maps)
    fitted = codec.payload_bits(one_block(maps))[0]
    assert fitted < Teco(Word(8)).payload_bits(one_block(maps))[0]
    shifted = Teco(Word(8), ks=tuple(k + 2 for k in codec.ks))
    assert fitted < shifted.payload_bits(one_block(maps))[0]


def test_smooth_maps_take_fewer_bits_than_their_entropy() -> None:
    maps = smooth_maps()
    entropy = rates.entropy_bits(rates.histogram(maps, Word(8)))
    codec = Teco(Word(8)).fit(maps)
    assert codec.payload_bits(one_block(maps))[0] + codec.table_bits < 0.5 * entropy


def test_plain_python_and_compiled_codes_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    tiles = np.rint(rng.laplace(0, 40, 64 * 30) / (1 + np.arange(64 * 30) % 64)).astype(int)
    tiles[64:128] = 0
    coder = RiceTiles(Word(11, signed=False), True, tuple(range(5, 0, -1)) + (0,) * 10)
    blocks = Blocks((tiles & 2047).astype(np.uint16), np.array([0, 640, 640, 1920]))
    compiled = coder.encode(blocks)
    for name in ("last_nonzero", "folded", "_size", "_write", "_read"):
        monkeypatch.setattr(rice_tiles, name, getattr(rice_tiles, name).py_func)
    plain = coder.encode(blocks)
    np.testing.assert_array_equal(plain.payload, compiled.payload)
    np.testing.assert_array_equal(plain.offsets_bits, compiled.offsets_bits)
    np.testing.assert_array_equal(coder.decode(plain, blocks.sizes).values, blocks.values)
    # Plain kernels raise IndexError where compiled ones would read elsewhere.
    teco = Teco(Word(5, signed=True), quality=4, ks=(2,) * 15)
    small = contract.join_blocks(list(contract.realistic(teco.word, 5, seed=1)), teco.word)
    contract.check_broken_streams(teco, small, seed=2, n_trials=16)


def test_foreign_parameters_are_refused() -> None:
    with pytest.raises(CodecError, match=r"quality is 1 \(coarse\) to 16 \(fine\), not 0"):
        Teco(Word(8), quality=0)
    for ks in ((0,) * 14, (16,) * 15, (-1,) * 15):
        with pytest.raises(CodecError, match="15 numbers from 0 to 15"):
            Teco(Word(8), ks=ks)


@pytest.mark.parametrize(("constant", "k"), [(184, 6), (185, 7)])  # 0.694 x 184.4 = 128
def test_the_factor_of_the_formula_is_exact(constant: int, k: int) -> None:
    assert Teco(Word(8)).fit(np.full((8, 8), constant, np.uint8)).ks[0] == k
