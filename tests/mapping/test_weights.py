"""Weights in a codec, tile by tile: the tiles of the program, and sizes of real streams."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from accelsim import read_trace
from accelsim.codecs.base import CODECS, Blocks, Word
from accelsim.codecs.beats import Pins
from accelsim.codecs.measure import MapStats
from accelsim.codecs.named import codec_named
from accelsim.codecs.size_cache import SizeCache
from accelsim.codecs.weight_tiles import WeightTile, weight_tiles
from accelsim.errors import CodecError, MappingError
from accelsim.mapping.measuring.weights import measure_weights, tiles_of
from accelsim.mapping.stages.stage import Stage, Tiling
from accelsim.mapping.tiling.passes import passes
from accelsim.workload.graph import Edge, Graph
from accelsim.workload.layer import Conv, Pool
from accelsim.workload.trace import TraceFacts, Values
from accelsim.workload.trace_constants import weight_shape
from accelsim.workload.trace_file import TraceFile
from tests.mapping import walked_passes
from tests.mapping.small_stages import conv_stage, graph_of, square, windows

LOSSLESS = [name for name in CODECS if CODECS[name].lossless]


# --- the tiles of a stage ---


@st.composite
def cut_stages(draw: st.DrawFn) -> tuple[Stage, Tiling]:
    """Convolutions with and without groups, cut along all that can be cut."""
    rows, cols = draw(st.integers(1, 7)), draw(st.integers(1, 5))
    window = draw(windows(rows, cols))
    groups, group_in, group_out = (draw(st.integers(1, n)) for n in (4, 5, 5))
    stage = conv_stage(groups * group_in, rows, cols, groups * group_out, window, groups)
    # Tiles lie inside a group, or cover whole ones.
    whole = [n * group_out for n in range(1, groups + 1)]
    inside = [n for n in range(1, group_out + 1) if groups == 1 or group_out % n == 0]
    out_channels = draw(st.sampled_from([*whole, *inside]))
    in_channels = draw(st.integers(1, group_in))
    kernel = tuple(draw(st.integers(1, n)) for n in window.kernel)
    out = [draw(st.integers(1, n)) for n in window.out_size(rows, cols)]
    order = draw(st.sampled_from(["weights_outer", "ifmap_outer"]))
    sizes = (in_channels, order, False, False, 0, 0, 0, 0)
    return stage, Tiling(out_channels, *out, *sizes, kernel=kernel)  # type: ignore[arg-type]


@settings(deadline=None, max_examples=200)
@given(cut_stages())
def test_passes_load_the_tiles_and_every_weight_is_in_one(drawn: tuple[Stage, Tiling]) -> None:
    stage, tiling = drawn
    tiles = tiles_of(stage, tiling)
    if not isinstance(stage.layer, Conv):  # one weight to a channel: a scale
        assert tiles == []
        return
    layer = stage.layer
    found = passes(stage, tiling)
    used = dict(zip(found.part.tolist(), walked_passes.passes(stage, tiling), strict=True))
    assert list(used) == list(range(len(tiles)))  # in the order of first use
    seen = np.zeros((layer.out_channels, layer.in_channels // layer.groups, *layer.window.kernel))
    for number, tile in enumerate(tiles):
        step = used[number]
        assert tile.n_weights == step.n_weights
        assert tile.out_channels == (step.output.c0, step.output.c1)
        assert tile.kernel_rows[1] - tile.kernel_rows[0] == step.kernel[0]
        # The inputs that its outputs read, in groups.
        group = tile.out_channels[0] // (layer.out_channels // layer.groups)
        assert step.window.c0 == group * (layer.in_channels // layer.groups) + tile.in_channels[0]
        seen[tuple(slice(*along) for along in tile)] += 1
    assert (seen == 1).all()


def test_a_pooling_has_no_weights() -> None:
    from accelsim.mapping.stages.form import stages

    (pool,) = stages(graph_of([Pool("pool", "x", "y", square(2, 2))], [Edge("x", 4, 6, 6)]))
    assert tiles_of(pool, Tiling(4, 3, 3, 1, "weights_outer", False, False, 0, 0, 0, 0)) == []


# --- what they are in a codec ---


@dataclass
class WeightsOnly:
    """A trace in memory of which only the weights are read, and counted."""

    graph: Graph
    held: dict[str, Values | None]
    n_read: int = 0
    facts: TraceFacts = field(default_factory=lambda: TraceFacts("by hand", 1, "0" * 64))

    def weights(self, layer: str) -> Values | None:
        self.n_read += 1
        return self.held[layer]

    def values(self, edge: str, image: int) -> Values:
        raise AssertionError("no map is read")


def pruned(shape: tuple[int, ...], bits: int = 8, seed: int = 0) -> NDArray[np.int8]:
    """Weights of a Laplacian, a third of them zero."""
    rng = np.random.default_rng(seed)
    high = (1 << (bits - 1)) - 1
    values = np.clip(np.rint(rng.laplace(0, high / 8, shape)), -high - 1, high)
    return np.where(rng.random(shape) < 1 / 3, 0, values).astype(np.int8)


def two_layers(bits: int = 8) -> WeightsOnly:
    layers = [
        Conv("first", "x", "a", 6, 10, square(3), weight_bits=bits),
        Conv("deep", "a", "y", 10, 10, square(3), groups=10, weight_bits=bits),
    ]
    graph = graph_of(list(layers), [Edge("x", 6, 9, 9)])
    held = {"first": pruned((10, 6, 3, 3), bits), "deep": pruned((10, 1, 3, 3), bits, seed=1)}
    return WeightsOnly(graph, dict(held))


TILES = {
    "first": weight_tiles((10, 6, 3, 3), (4, 3, 3, 2)),
    # Irregular ones are tiles, too.
    "deep": [
        WeightTile((0, 7), (0, 1), (0, 3), (0, 3)),
        WeightTile((7, 10), (0, 1), (0, 2), (1, 3)),
    ],
}


def tile_of(values: Values | None, tile: WeightTile) -> list[int]:
    assert values is not None
    (o0, o1), (i0, i1), (r0, r1), (q0, q1) = tile
    return values[o0:o1, i0:i1, r0:r1, q0:q1].ravel().tolist()


@pytest.mark.parametrize("bits", [4, 8])
@pytest.mark.parametrize("name", LOSSLESS)
def test_sizes_are_those_of_streams_that_decode_to_each_tile(
    name: str, bits: int, tmp_path: Path
) -> None:
    trace, word = two_layers(bits), Word(bits, signed=True)
    found = measure_weights(trace, TILES, name, SizeCache(tmp_path))
    assert list(found) == ["first", "deep"]
    for layer, tiles in TILES.items():
        parts = [tile_of(trace.held[layer], tile) for tile in tiles]
        together = np.array([v for part in parts for v in part], np.int8)
        codec = codec_named(name, word, in_network=True).fit(together)
        stats = found[layer]
        assert stats.table_bits == codec.table_bits
        assert stats.word == word and stats.blocks.n_values.tolist() == [len(p) for p in parts]
        for i, part in enumerate(parts):
            one = Blocks(np.array(part, np.int8), np.array([0, len(part)]))
            stream = codec.encode(one)
            assert stats.blocks.payload_bits[i] == stream.bits
            assert codec.decode(stream, one.sizes).values.tolist() == part
            assert stats.blocks.decode_work[i] == codec.decode_work(one)[0]
            assert stats.blocks.nonzeros[i] == sum(v != 0 for v in part)


def test_zero_value_compression_by_counting(tmp_path: Path) -> None:
    trace = two_layers()
    stats = measure_weights(trace, TILES, "zvc", SizeCache(tmp_path))["first"]
    parts = [tile_of(trace.held["first"], tile) for tile in TILES["first"]]
    bits = [len(p) + 8 * sum(v != 0 for v in p) for p in parts]
    assert stats.blocks.payload_bits.tolist() == bits
    # 32 values a cycle; the largest tile has 4 x 3 x 3 x 2 = 72.
    assert stats.blocks.decode_work.tolist() == [-(-len(p) // 32) for p in parts]
    assert stats.blocks.decode_work.max() == 3


def test_tables_are_fitted_on_the_weights_themselves(tmp_path: Path) -> None:
    """No code is spent on weights that a layer has not, and each layer has its own."""
    found = measure_weights(two_layers(), TILES, "huffman", SizeCache(tmp_path))
    for stats in found.values():
        # Far below 12 bits, a limited code is the ideal one.
        assert stats.blocks.payload_bits.sum() == stats.huffman_bits
        assert stats.table_bits == 4 * 256
    assert found["first"].huffman_bits != found["deep"].huffman_bits


def test_tiles_that_save_no_burst_are_stored_raw(tmp_path: Path) -> None:
    """The rule of the maps: by bursts of the memory, not by bits."""
    dense = np.full((8, 1, 1, 1), 77, np.int8)
    values = np.concatenate([dense, np.zeros_like(dense), dense], axis=1)
    values[0, 2] = 0  # 7 non-zeros
    graph = graph_of([Conv("conv", "x", "y", 3, 8, square(1))], [Edge("x", 3, 2, 2)])
    tiles = {"conv": weight_tiles((8, 3, 1, 1), (8, 1, 1, 1))}
    stats = measure_weights(WeightsOnly(graph, {"conv": values}), tiles, "zvc", SizeCache(tmp_path))
    # 8 + 8 k bits of 64: 9, 1 and 8 bytes.
    assert stats["conv"].blocks.payload_bits.tolist() == [72, 8, 64]
    assert stats["conv"].as_stored(1).is_raw.tolist() == [True, False, True]
    assert stats["conv"].as_stored(1).n_bytes.tolist() == [8, 1, 8]
    assert stats["conv"].as_stored(4).n_bursts.tolist() == [2, 1, 2]
    # In bursts of 8 bytes a raw tile is one, and so is any stream.
    assert stats["conv"].as_stored(8).is_raw.tolist() == [True, True, True]


def equal(one: MapStats, other: MapStats) -> bool:
    return replace(one, blocks=other.blocks) == other and all(
        np.array_equal(getattr(one.blocks, name), getattr(other.blocks, name))
        for name in ("n_values", "payload_bits", "nonzeros", "encode_work", "decode_work")
    )


def test_what_was_measured_once_is_known_without_the_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = SizeCache(tmp_path)
    with read_trace("fmnist_resnet8_q8") as trace:
        layers = [layer for layer in trace.graph.layers if isinstance(layer, Conv)]
        tiles = {x.name: weight_tiles(weight_shape(x), (16, 8, 3, 3)) for x in layers}
        before = measure_weights(trace, tiles, "huffman", cache)
        assert list(before) == list(tiles)

        read: list[str] = []
        weights = TraceFile.weights
        monkeypatch.setattr(
            TraceFile, "weights", lambda self, layer: read.append(layer) or weights(self, layer)
        )
        after = measure_weights(trace, tiles, "huffman", cache)
        assert read == [] and list(after) == list(tiles)
        assert all(equal(before[name], after[name]) for name in before)
        # A layer that is cut in another way is measured anew, and no other.
        first, *others = tiles
        tiles[first] = weight_tiles(weight_shape(layers[0]), (16, 1, 1, 3))
        other = measure_weights(trace, tiles, "huffman", cache)
        assert read == [first] and list(other) == list(tiles)
        assert other[first].blocks.n_blocks == 3
        assert all(equal(before[name], other[name]) for name in others)


def test_keys_hold_tiles_codec_and_weights(tmp_path: Path) -> None:
    cache, trace = SizeCache(tmp_path), two_layers()

    def bits(**changes: object) -> int:
        tiles = {"first": changes.get("tiles", TILES["first"])}
        codec = str(changes.get("codec", "golomb_rice"))
        of = changes.get("trace", trace)
        return int(measure_weights(of, tiles, codec, cache)["first"].blocks.payload_bits[0])  # type: ignore[arg-type]

    first = bits()
    assert bits() == first
    assert bits(tiles=weight_tiles((10, 6, 3, 3), (5, 3, 3, 2))) != first
    assert bits(codec="golomb_rice:k=3") != first
    other = two_layers()
    other.held["first"] = pruned((10, 6, 3, 3), seed=9)  # under the same hash
    assert bits(trace=other) != first
    assert bits() == first


def test_what_tiles_do_on_the_pins_is_counted(tmp_path: Path) -> None:
    pins = Pins(bus_bits=8, line_bytes=8, costly_level=1, dbi=False)
    graph = graph_of([Conv("conv", "x", "y", 1, 16, square(1))], [Edge("x", 1, 2, 2)])
    values = np.full((16, 1, 1, 1), 3, np.int8)
    tiles = {"conv": weight_tiles((16, 1, 1, 1), (8, 1, 1, 1))}
    trace = WeightsOnly(graph, {"conv": values})
    stats = measure_weights(trace, tiles, "raw", SizeCache(tmp_path), pins)["conv"]
    # Two ones in each of 8 bytes; they rise once, from rest.
    assert stats.beats.tolist() == [[16, 16], [2, 2]] * 2


def test_lossy_codecs_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CodecError, match="spark is lossy; weights are coded exactly"):
        measure_weights(two_layers(), TILES, "spark", SizeCache(tmp_path))


def test_layers_without_weights_are_left_out_or_refused(tmp_path: Path) -> None:
    trace = two_layers()
    trace.held["deep"] = None
    assert list(measure_weights(trace, TILES, "zvc", SizeCache(tmp_path))) == ["first"]
    with pytest.raises(MappingError, match="not a convolution"):
        measure_weights(trace, {"x": []}, "zvc", SizeCache(tmp_path))


def test_tiles_outside_the_weights_are_refused(tmp_path: Path) -> None:
    tiles = {"first": weight_tiles((11, 6, 3, 3), (11, 6, 3, 3))}
    with pytest.raises(CodecError, match="does not lie in weights of shape"):
        measure_weights(two_layers(), tiles, "zvc", SizeCache(tmp_path))


def test_words_that_a_codec_does_not_take_are_raw(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from accelsim.mapping.measuring import weights

    monkeypatch.setattr(weights, "takes", lambda *_: False)
    stats = measure_weights(two_layers(4), TILES, "zvc", SizeCache(tmp_path))["deep"]
    assert stats.blocks.payload_bits.tolist() == [4 * 63, 4 * 12]
