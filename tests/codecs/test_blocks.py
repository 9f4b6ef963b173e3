"""Maps cut into blocks against plain numpy slicing, and put together again."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from accelsim.codecs import blocks as module
from accelsim.codecs.base import Blocks
from accelsim.codecs.blocks import Scan, block_sizes, cut, grid, join
from accelsim.errors import CodecError

shapes = st.tuples(*[st.integers(1, 9)] * 3)
block_shapes = st.tuples(*[st.integers(1, 11)] * 3)
scans = st.sampled_from(["chw", "hwc"])


def sliced(
    values: NDArray[Any], block: tuple[int, int, int], scan: str
) -> list[NDArray[np.integer[Any]]]:
    bc, bh, bw = block
    c, h, w = values.shape
    found = []
    for c0 in range(0, c, bc):
        for r0 in range(0, h, bh):
            for w0 in range(0, w, bw):
                part = values[c0 : c0 + bc, r0 : r0 + bh, w0 : w0 + bw]
                found.append((part if scan == "chw" else part.transpose(1, 2, 0)).ravel())
    return found


def map_of(shape: tuple[int, int, int], dtype: Any = np.int16) -> NDArray[Any]:
    return (np.arange(np.prod(shape)) - 100).astype(dtype).reshape(shape)


@settings(deadline=None, max_examples=80)
@given(shapes, block_shapes, scans)
def test_blocks_are_the_slices_in_row_major_order_and_join_back(
    shape: tuple[int, int, int], block: tuple[int, int, int], scan: Scan
) -> None:
    values = map_of(shape)
    blocks = cut(values, block, scan)
    expected = sliced(values, block, scan)
    assert blocks.n_blocks == len(expected) == np.prod(grid(shape, block))
    assert blocks.sizes.tolist() == [b.size for b in expected]
    assert blocks.sizes.tolist() == block_sizes(shape, block).tolist()
    np.testing.assert_array_equal(blocks.values, np.concatenate(expected))
    np.testing.assert_array_equal(join(blocks, shape, block, scan), values)


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint16, np.int16])
def test_every_word_type_keeps_its_dtype(dtype: Any) -> None:
    values = map_of((3, 4, 5), dtype)
    blocks = cut(values, (2, 3, 2), "hwc")
    assert blocks.values.dtype == dtype
    np.testing.assert_array_equal(join(blocks, (3, 4, 5), (2, 3, 2), "hwc"), values)


def test_read_only_and_strided_maps_are_cut_alike() -> None:
    values = map_of((4, 6, 6))
    strided = np.asfortranarray(values)
    strided.setflags(write=False)
    np.testing.assert_array_equal(
        cut(strided, (2, 4, 4)).values, np.concatenate(sliced(values, (2, 4, 4), "chw"))
    )


@pytest.mark.parametrize("channels_last", [False, True])
def test_plain_python_and_compiled_copies_agree(channels_last: bool) -> None:
    values = map_of((3, 4, 5), np.uint16)
    flats = [np.zeros(values.size, np.uint16) for _ in range(2)]
    module._copy(values, flats[0], 2, 3, 2, channels_last, True)
    module._copy.py_func(values, flats[1], 2, 3, 2, channels_last, True)  # type: ignore[attr-defined]
    np.testing.assert_array_equal(*flats)


def test_impossible_cuts_say_why() -> None:
    values = map_of((2, 2, 2))
    with pytest.raises(CodecError, match="at least one channel"):
        cut(values, (1, 0, 1))
    with pytest.raises(CodecError, match="got shape"):
        cut(values[0], (1, 1, 1))
    with pytest.raises(CodecError, match="unknown scan 'wch'"):
        cut(values, (1, 1, 1), "wch")  # type: ignore[arg-type]
    with pytest.raises(CodecError, match="not float64"):
        cut(values.astype(float), (1, 1, 1))
    with pytest.raises(CodecError, match="not the blocks"):
        join(Blocks(values.ravel(), np.array([0, 8])), (2, 2, 2), (1, 1, 1))
