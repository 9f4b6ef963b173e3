"""JPEG-ACT: streams reckoned by hand, and the shifts against a plain search."""

from itertools import pairwise

import numpy as np
import pytest

from accelsim.codecs.base import Bitstream, Shapes, Values, Word, one_block
from accelsim.codecs.formats.jpeg_act import JpegAct
from accelsim.codecs.transforms import dct
from accelsim.errors import CodecError


def text(stream: Bitstream) -> str:
    return "".join(map(str, np.unpackbits(stream.payload)[: stream.bits]))


def smooth_maps(seed: int = 0) -> Values:
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:32, 0:40] / 8.0
    waves = [np.sin(a * x + b) * np.cos(c * y) for a, b, c in rng.uniform(0, 2, (6, 3))]
    return np.clip(np.rint(90 * np.array(waves) + rng.normal(0, 3, (6, 32, 40))), 0, 255).astype(
        np.uint8
    )


def test_a_constant_tile_is_one_coefficient() -> None:
    stream = JpegAct(Word(8)).encode(one_block(np.full((8, 8), 200, np.uint8)))
    assert text(stream) == "1" + 31 * "0" + f"{200:08b}" + 32 * "0"


def test_negative_coefficients_are_twos_complement_in_zigzag_order() -> None:
    # Rows 0 to 7 times 10: mean 35, vertical coefficients 1, 3 and 5 (-182.2, -19.0 and
    # -5.7, divided by 8: -22.8, -2.4 and -0.7) at places 2, 9 and 20 of the zigzag.
    ramp = np.repeat(10 * np.arange(8, dtype=np.uint8), 8).reshape(8, 8)
    mask = [int(place in (0, 2, 9, 20)) for place in range(32)]
    words = "".join(f"{r & 255:08b}" for r in (35, -23, -2, -1))
    expected = "".join(map(str, mask)) + words + 32 * "0"
    assert text(JpegAct(Word(8)).encode(one_block(ramp))) == expected


def test_a_row_alone_costs_the_masks_of_a_whole_tile() -> None:
    codec = JpegAct(Word(8))
    rows = np.full((16, 1, 64), 9, np.uint8)
    assert codec.payload_bits(one_block(rows)).tolist() == [16 * 8 * (64 + 8)]
    assert codec.encode_work(one_block(rows)).tolist() == [16 * 8 * 8]


@pytest.mark.parametrize("quality", [2, 4, 6])
def test_fitted_shifts_are_the_best_by_plain_search(quality: int) -> None:
    maps = smooth_maps()
    codec = JpegAct(Word(8), quality=quality).fit(maps)
    shapes = Shapes(np.array([maps.shape]), False)
    exact = dct.forward(maps, shapes, np.zeros(64, np.int64)).reshape(-1, 64).astype(float)
    step = 2.0 ** (8 - quality)
    for place in range(1, 64):
        costs = []
        for shift in range(3, 11):
            rounded = np.floor(exact[:, place] / 2.0**shift + 0.5)
            error = np.sum((rounded * 2.0**shift - exact[:, place]) ** 2)
            costs.append(error + step**2 / 8 * 8 * np.count_nonzero(rounded))
        assert codec.shifts[place] == 3 + int(np.argmin(costs))
    assert codec.shifts[0] == 3
    assert codec.table_bits == 256


def test_higher_quality_never_has_a_larger_shift_or_error() -> None:
    maps = smooth_maps()
    fitted = [JpegAct(Word(8), quality=quality).fit(maps) for quality in range(1, 9)]
    for coarse, fine in pairwise(fitted):
        assert all(f <= c for f, c in zip(fine.shifts, coarse.shifts, strict=True))
    errors = [np.mean((c.reconstruct(maps) - 1.0 * maps) ** 2) for c in fitted]
    assert errors == sorted(errors, reverse=True)
    sizes = [int(c.payload_bits(one_block(maps))[0]) for c in fitted]
    assert sizes == sorted(sizes)


def test_a_stack_of_maps_is_fitted_as_its_channels_together() -> None:
    maps = smooth_maps()
    stack = maps.reshape(2, 3, 32, 40)
    assert JpegAct(Word(8)).fit(stack) == JpegAct(Word(8)).fit(maps)


def test_tables_tell_fitted_codecs_apart() -> None:
    codec = JpegAct(Word(8))
    assert codec.parameters["table"] == "not fitted" and codec.table_bits == 0
    one, other = codec.fit(smooth_maps()), codec.fit(np.zeros((8, 8), np.uint8))
    assert one.parameters["table"] != other.parameters["table"]
    assert {one: 1}[codec.fit(smooth_maps())] == 1


@pytest.mark.parametrize("quality", [0, 17])
def test_qualities_outside_one_to_sixteen_are_refused(quality: int) -> None:
    with pytest.raises(CodecError, match=r"quality is 1 \(coarse\) to 16"):
        JpegAct(Word(8), quality=quality)


@pytest.mark.parametrize("shifts", [(3,) * 63, (2,) * 64, (11,) * 64])
def test_foreign_shifts_are_refused(shifts: tuple[int, ...]) -> None:
    with pytest.raises(CodecError, match="64 numbers from 3 to 10"):
        JpegAct(Word(8), shifts=shifts)
