"""Non-zeros of windows and weights, and the passes of a stage that leave products of zeros out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accelsim.array.dataflow import DATAFLOWS
from accelsim.array.nonzeros import Bools
from accelsim.codecs.weight_tiles import WeightTile
from accelsim.hardware.chip import PeArray
from accelsim.mapping.lowering.zeros import costs_of
from accelsim.mapping.measuring.operands import ConvOperands, TraceOperands, operands_of
from accelsim.mapping.measuring.summed_area import SummedArea
from accelsim.mapping.measuring.weights import tiles_of
from accelsim.mapping.stages.stage import Stage, Tiling
from accelsim.mapping.tiling.passes import Passes, passes
from accelsim.workload.layer import Conv, Window
from accelsim.workload.windows import pad
from tests.mapping.small_stages import conv_stage, windows
from tests.test_io_energy import TwoLayers

ends = st.lists(st.tuples(st.integers(-3, 9), st.integers(0, 6)), min_size=1, max_size=4)


@given(
    shape=st.tuples(*[st.integers(1, 6)] * 3),
    sides=st.tuples(ends, ends, ends),
    seed=st.integers(0),
)
def test_a_summed_area_table_counts_what_numpy_counts(
    shape: tuple[int, int, int], sides: tuple[list[tuple[int, int]], ...], seed: int
) -> None:
    nonzero = np.random.default_rng(seed).random(shape) < 0.5
    boxes = [[(start, start + length) for start, length in side] for side in sides]
    columns = [tuple(np.array(side).T) for side in boxes]
    found = SummedArea(nonzero).counts(*columns)  # type: ignore[arg-type]
    for at in np.ndindex(found.shape):
        box = [slice(*np.maximum(side[i], 0)) for side, i in zip(boxes, at, strict=True)]
        assert found[at] == nonzero[tuple(box)].sum()


@st.composite
def cut_convolutions(draw: st.DrawFn) -> tuple[Stage, Conv, Tiling]:
    """Convolutions with padding, stride, dilation and groups, cut along every axis."""
    rows, cols = draw(st.integers(1, 7)), draw(st.integers(1, 6))
    window = draw(windows(rows, cols))
    groups = draw(st.sampled_from([1, 1, 2, 3]))
    depth, width = draw(st.integers(1, 4)), draw(st.integers(2, 4))
    stage = conv_stage(groups * depth, rows, cols, groups * width, window, groups)
    layer, stored = stage.layer, stage.output
    assert isinstance(layer, Conv)
    whole = width * draw(st.integers(1, groups))
    within = draw(st.sampled_from([i for i in range(1, width + 1) if width % i == 0]))
    is_inside = groups == 1 or draw(st.booleans())
    tiling = Tiling(
        out_channels=within if is_inside else whole,
        out_rows=draw(st.integers(1, stored.rows)),
        out_cols=draw(st.integers(1, stored.cols)),
        in_channels=draw(st.integers(1, depth)) if is_inside else depth,
        order=draw(st.sampled_from(["weights_outer", "ifmap_outer"])),
        ifmap_resident=False, weights_resident=False, ifmap_tile_bytes=0, weight_tile_bytes=0,
        ofmap_tile_bytes=0, traffic_bytes=0,
        kernel=tuple(draw(st.integers(1, size)) for size in window.kernel),  # type: ignore[arg-type]
    )  # fmt: skip
    return stage, layer, tiling


def products_of(
    layer: Conv, found: Passes, tiles: list[WeightTile], at: int, ifmap: Bools, weights: Bools
) -> int:
    """The products of one pass, one by one, of which neither operand is zero."""
    tile, (_, _, r0, r1, q0, q1) = tiles[found.part[at]], found.computed[at].tolist()
    group_in, group_out = layer.in_channels // layer.groups, layer.out_channels // layer.groups
    window, total = layer.window, 0
    for out in range(*tile.out_channels):
        for channel in range(*tile.in_channels):
            for kr in range(*tile.kernel_rows):
                for kc in range(*tile.kernel_cols):
                    if not weights[out, channel, kr, kc]:
                        continue
                    for row in range(r0, r1):
                        for col in range(q0, q1):
                            r = row * window.stride[0] + kr * window.dilation[0] - window.padding[0]
                            q = col * window.stride[1] + kc * window.dilation[1] - window.padding[2]
                            inside = 0 <= r < ifmap.shape[1] and 0 <= q < ifmap.shape[2]
                            read = out // group_out * group_in + channel
                            total += bool(inside and ifmap[read, r, q])
    return total


def random_operands(stage: Stage, layer: Conv, seed: int) -> tuple[Bools, Bools]:
    rng, part = np.random.default_rng(seed), stage.inputs[0][0]
    depth = layer.in_channels // layer.groups
    ifmap = rng.random((layer.in_channels, part.rows, part.cols)) < 0.5
    return ifmap, rng.random((layer.out_channels, depth, *layer.window.kernel)) < 0.7


@pytest.mark.parametrize("of", ["ifmap", "weight", "both"])
@settings(deadline=None, max_examples=60)
@given(cut=cut_convolutions(), skip=st.booleans(), seed=st.integers(0))
def test_every_pass_makes_the_products_that_are_left(
    of: str, cut: tuple[Stage, Conv, Tiling], skip: bool, seed: int
) -> None:
    stage, layer, tiling = cut
    ifmap, weights = random_operands(stage, layer, seed)
    found, tiles = passes(stage, tiling), tiles_of(stage, tiling)
    operands = ConvOperands(
        layer.window,
        ifmap if of in ("ifmap", "both") else None,
        weights if of in ("weight", "both") else None,
    )
    zeros = "skip" if skip else "gate"
    array = PeArray(3, 2, "output_stationary", True, 32, zeros, of)  # type: ignore[arg-type]
    costs = costs_of(layer, found, tiles, operands, array)
    one, other = (mask | (of == side) for mask, side in ((ifmap, "weight"), (weights, "ifmap")))
    seen = layer
    if of == "weight":  # padding is a value like others
        one = pad(one, layer.window, True)
        seen = replace(layer, window=replace(layer.window, padding=(0, 0, 0, 0)))
    for at in range(found.n_passes):
        made = products_of(seen, found, tiles, at, one, other)
        assert costs.macs[at] - costs.skipped_macs[at] == made


@settings(deadline=None, max_examples=60)
@given(cut=cut_convolutions(), seed=st.integers(0))
def test_counts_of_windows_are_those_of_the_table_written_out(
    cut: tuple[Stage, Conv, Tiling], seed: int
) -> None:
    stage, layer, tiling = cut
    ifmap, weights = random_operands(stage, layer, seed)
    operands, found = ConvOperands(layer.window, ifmap, weights), passes(stage, tiling)
    tiles, parts = tiles_of(stage, tiling), found.parts
    for at in range(found.n_passes):
        part = int(found.part[at])
        c0, c1 = parts.in_channels[part].tolist()
        _, _, r0, r1, q0, q1 = found.computed[at].tolist()
        groups = int(parts.groups[part])
        windows_seen = operands.of_ifmap((c0, c1), groups, (r0, r1), (q0, q1), tiles[part])
        np.testing.assert_array_equal(windows_seen.counts, windows_seen.table.sum(axis=2))
        assert windows_seen.table.shape == (groups, (r1 - r0) * (q1 - q0), windows_seen.k)
        filters = operands.of_weights(tiles[part], groups)
        assert filters.k == windows_seen.k and filters.counts.shape == filters.table.shape[:2]


@settings(deadline=None, max_examples=30)
@given(cut=cut_convolutions(), seed=st.integers(0))
def test_without_zeros_every_pass_costs_what_it_costs_a_dense_array(
    cut: tuple[Stage, Conv, Tiling], seed: int
) -> None:
    stage, layer, tiling = cut
    window = Window(layer.window.kernel, layer.window.stride, dilation=layer.window.dilation)
    if min(window.out_size(stage.inputs[0][0].rows, stage.inputs[0][0].cols)) < 1:
        return
    part = stage.inputs[0][0]
    stage = conv_stage(
        layer.in_channels, part.rows, part.cols, layer.out_channels, window, layer.groups
    )
    assert isinstance(stage.layer, Conv)
    ifmap, weights = (np.ones_like(mask) for mask in random_operands(stage, stage.layer, seed))
    found, tiles = passes(stage, tiling), tiles_of(stage, tiling)
    dense = DATAFLOWS["output_stationary"].cost(
        found.of(stage.layer), PeArray(3, 2, "output_stationary", True, 32)
    )
    array = PeArray(3, 2, "output_stationary", True, 32, "skip", "both")
    costs = costs_of(stage.layer, found, tiles, ConvOperands(window, ifmap, weights), array)
    for name in ("cycles", "macs", "ifmap_reads", "weight_reads", "psum_registers"):
        np.testing.assert_array_equal(getattr(costs, name), getattr(dense, name))
    assert not costs.skipped_macs.any()  # type: ignore[union-attr]


def test_a_zero_is_the_zero_point_of_its_map_and_unknown_weights_are_dense() -> None:
    trace = TwoLayers(known=False)
    array = PeArray(4, 4, "output_stationary", True, 32, "gate", "both")
    layer = trace.graph.layers[0]
    assert isinstance(layer, Conv)
    edge = trace.graph.edge["x"]
    seen = TraceOperands(trace, array).of(layer, image=1)
    np.testing.assert_array_equal(seen.ifmap, trace.values("x", 1) != 0)
    assert seen.weights is None
    object.__setattr__(edge, "zero_point", 3)
    np.testing.assert_array_equal(
        TraceOperands(trace, array).of(layer, 0).ifmap, trace.values("x", 0) != 3
    )


def test_a_dense_array_reads_no_tensor() -> None:
    assert operands_of(TwoLayers(), PeArray(4, 4, "output_stationary", True, 32)) is None
