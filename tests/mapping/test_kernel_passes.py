"""Passes over parts of a large kernel: every product once, and bytes of the plain product."""

from __future__ import annotations

from collections import Counter
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accelsim import read_hardware
from accelsim.hardware.chip import Chip
from accelsim.mapping.lowering.lower import lower
from accelsim.mapping.stages.form import stages, stored_maps
from accelsim.mapping.stages.stage import Stage, Tiling
from accelsim.mapping.tiling.plan import plan
from accelsim.mapping.tiling.sizes import Sizes
from accelsim.mapping.tiling.tiles import kernel_ranges
from accelsim.sim.run import run
from accelsim.workload.graph import Edge
from accelsim.workload.layer import Conv, Window
from tests.mapping.small_stages import conv_stage, graph_of, windows
from tests.mapping.walked_fetches import fetches
from tests.mapping.walked_passes import passes


@st.composite
def cut_kernels(draw: st.DrawFn) -> tuple[Stage, Tiling]:
    rows, cols = draw(st.integers(1, 9)), draw(st.integers(1, 7))
    window = draw(windows(rows, cols))
    stage = conv_stage(2, rows, cols, 3, window)
    kernel = tuple(draw(st.integers(1, n)) for n in window.kernel)
    out = [draw(st.integers(1, n)) for n in window.out_size(rows, cols)]
    order = draw(st.sampled_from(["weights_outer", "ifmap_outer"]))
    ins = draw(st.integers(1, 2))
    return stage, Tiling(2, *out, ins, order, False, False, 0, 0, 0, 0, kernel=kernel)  # type: ignore[arg-type]


@given(cut_kernels(), st.sampled_from([None, (2, 2, 3), (1, 1, 2)]))
@settings(deadline=None, max_examples=150)
def test_every_product_is_made_once_from_values_that_are_there(drawn, block) -> None:  # type: ignore[no-untyped-def]
    stage, tiling = drawn
    layer, part = stage.layer, stage.inputs[0][0]
    made: Counter[tuple[int, ...]] = Counter()
    there: set[tuple[int, int, int]] = set()
    n_parts = len(kernel_ranges(stage, tiling.kernel))
    for step in passes(stage, tiling):
        if step.loads_ifmap:
            found = [f.fetched for f in fetches(stage, step, lambda _: block)]
            whole = {
                v for w in found
                for v in product(range(w.c0, w.c1), range(w.r0, w.r1), range(w.q0, w.q1))
            }  # fmt: skip
            there = whole | (there if step.retained else set())
        kernel = kernel_ranges(stage, tiling.kernel)[step.part % n_parts]
        ks = list(product(range(*kernel[0]), range(*kernel[1])))
        ins = range(step.window.c0, step.window.c1)
        assert step.k == len(ks) * len(ins)
        for y, x in product(range(*step.conv_rows), range(*step.conv_cols)):
            for i, j in ks:
                r = y * layer.window.stride[0] - layer.window.padding[0]
                r += i * layer.window.dilation[0]
                q = x * layer.window.stride[1] - layer.window.padding[2]
                q += j * layer.window.dilation[1]
                for c in ins:
                    for n in range(step.output.c0, step.output.c1):
                        made[n, y, x, c, i, j] += 1
                    if 0 <= r < part.rows and 0 <= q < part.cols:
                        assert (c, r, q) in there
    assert set(made.values()) == {1}
    assert len(made) == stage.output.n_values * layer.macs_per_output


def moved_bytes(layer: Conv, shape: tuple[int, int, int], chip: Chip) -> tuple[int, int]:
    """Bytes and cycles of one raw layer on ``shape``."""
    work = stages(graph_of([layer], [Edge("x", *shape)]))
    plans = plan(work, chip, Sizes.raw(stored_maps(work), 16, 16), chip.mapping.objective)
    program = lower(plans, [{}], chip)
    moved = sum(b.fetched_bytes for b in program.stages[0].bytes_by_tensor.values())
    assert moved == plans[0].tiling.traffic_bytes
    return moved, run(program, chip).counts.cycles


def edge_npu(*settings: str) -> Chip:
    return read_hardware("edge_npu", ["dram.policy=ideal", "codec.name=raw", *settings])


def test_a_patch_embedding_is_the_product_that_it_is() -> None:
    # 32 x 32 patches of 3 channels: the product of 49 pixels, 768 channels and 3072 values.
    patches = Conv("p", "x", "y", 3, 768, Window((32, 32), (32, 32)))
    plain = Conv("p", "x", "y", 3072, 768, Window((1, 1)))
    bytes_of_patches, cycles = moved_bytes(patches, (3, 224, 224), edge_npu())
    bytes_of_product, plain_cycles = moved_bytes(plain, (3072, 7, 7), edge_npu())
    assert bytes_of_patches == pytest.approx(bytes_of_product, rel=0.02)
    assert cycles == pytest.approx(plain_cycles, rel=0.02)
    # Weights once (2 359 296 bytes), the map for each of 5 tiles of channels, the output.
    assert bytes_of_product == 3072 * 768 + 5 * 3072 * 49 + 768 * 49


@pytest.mark.parametrize("kib", [2, 16, 96])
def test_a_fully_connected_layer_is_a_product_whatever_the_shape_of_its_input(kib: int) -> None:
    chip = edge_npu(*(f"buffers.{name}_kib={kib}" for name in ("ifmap", "weight", "ofmap")))
    n = 8 * 135 * 240
    connected = Conv("fc", "x", "y", 8, 10, Window((135, 240)), fully_connected=True)
    flat = Conv("fc", "x", "y", n, 10, Window((1, 1)), fully_connected=True)
    moved, cycles = moved_bytes(connected, (8, 135, 240), chip)
    assert n * 11 + 10 <= moved <= (n * 11 + 10) * 1.001, "every value and every weight once"
    assert cycles == pytest.approx(moved_bytes(flat, (n, 1, 1), chip)[1], rel=0.01)
