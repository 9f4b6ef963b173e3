"""The tables of a trace say what its values are."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from accelsim.workload.trace_file import read_trace
from accelsim.workload.trace_info import trace_info

Write = Callable[..., Any]


def test_density_and_entropy_over_all_images(write_small: Write) -> None:
    small = write_small()
    # Of 2 x 108 values: half 0, a quarter 5, a quarter -7: 0.5 x 1 + 2 x 0.25 x 2 = 1.5 bits.
    first = np.where(np.arange(108) < 54, 5, -7).astype(np.int16).reshape(3, 6, 6)
    images = [{**small.images[0], "a": first}, {**small.images[1], "a": np.zeros_like(first)}]
    info = trace_info(read_trace(write_small(images=images).path))
    row = next(e for e in info.edges if e.name == "a")
    assert (row.density, row.entropy_bits) == (0.5, 1.5)
    assert row.shape == (3, 6, 6) and row.bits == 12 and row.signed and row.stored


def test_sizes_and_layers(write_small: Write) -> None:
    small = write_small()
    info = trace_info(read_trace(small.path))
    assert info.file_bytes == small.path.stat().st_size
    assert info.n_values == 128 + 108 + 36 + 144 + 36 + 4
    conv, other, concat, pool, _ = info.layers
    assert (conv.kind, conv.macs, conv.n_weights, conv.has_weights) == ("conv", 1944, 54, True)
    assert not other.has_weights and concat.macs == pool.macs == 0
    derived = {e.name for e in info.edges if not e.stored}
    assert derived == {"ab", "max", "avg"}
    assert all((e.stored_bytes > 0) == e.stored for e in info.edges)


def test_squeezenet_has_the_published_macs() -> None:
    info = trace_info(read_trace("squeezenet1_1"))
    # 3 x 3 x 3 x 64 at 113 x 113 and so on; torchvision gives 0.35 GFLOPs at 224 x 224.
    assert info.macs == pytest.approx(0.35e9, rel=0.03)
    assert info.n_weights == 1_231_552
    assert all(0 < e.density <= 1 for e in info.edges)
