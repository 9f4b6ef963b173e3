"""Statistics of the weights of each layer in a codec, tile by tile: a pass loads one tile.

Weights are encoded offline, so tables are fitted to the weights themselves, one per layer, and
their bits are counted. Every tile is encoded and decoded once, when it is measured; then its size
is cached. Which tiles are stored raw follows from the bursts of the memory, as for maps
(``MapStats.as_stored``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np

from accelsim.codecs.base import Codec, Values, Word
from accelsim.codecs.beats import Pins
from accelsim.codecs.measure import MapStats, measure_blocks
from accelsim.codecs.named import codec_named, takes
from accelsim.codecs.size_cache import SizeCache, size_key
from accelsim.codecs.weight_tiles import WeightTile, check_lossless, cut_weights
from accelsim.codecs.words import check_range
from accelsim.errors import MappingError
from accelsim.mapping.measuring.measured import digest, is_file
from accelsim.mapping.stages.stage import Stage, Tiling
from accelsim.mapping.tiling.tiles import channel_groups, kernel_sides, tile_parts
from accelsim.workload.layer import Conv
from accelsim.workload.trace import Trace


def tiles_of(stage: Stage, tiling: Tiling) -> list[WeightTile]:
    """The tiles of weights that the passes of a stage load, in the order of their first use.

    Tile i is what the passes with ``Passes.part == i`` load. Every weight is in one tile. A stage
    without weights has none.
    """
    if not isinstance(stage.layer, Conv):
        return []
    parts, (_, group_in, _) = tile_parts(stage, tiling), channel_groups(stage)
    rows, cols = kernel_sides(stage, tiling.kernel)
    first = parts.in_channels[:, 0] % group_in
    channels = np.stack([first, first + parts.in_per_group], axis=1)
    columns = (n.tolist() for n in (parts.out_channels, channels, parts.positions))
    return [
        WeightTile(tuple(out), tuple(within), rows[r], cols[q])
        for out, within, (r, q) in zip(*columns, strict=True)
    ]


def measure_weights(
    trace: Trace,
    tiles: Mapping[str, Sequence[WeightTile]],
    codec: str,
    cache: SizeCache,
    pins: Pins | None = None,
) -> dict[str, MapStats]:
    """Statistics of the tiles of each layer: coded bits, cycles, and bits and toggles on ``pins``.

    ``tiles`` are those of each layer by its name; block i of the result is tile i. ``codec`` is a
    name as users write it; weights with words that it does not take are measured as raw. Layers
    whose weights are not in the trace are left out.
    Raises ``CodecError`` for a lossy codec and for tiles outside the weights, ``MappingError``
    for a layer that has no weights, ``TraceError`` for broken tensors.
    """
    codecs = {name: _codec_of(trace, name, codec) for name in tiles}
    keys = {name: _key(trace, name, tiles[name], codecs[name], pins) for name in tiles}
    # One read if all are known; otherwise one key per layer, as some may be cut as before.
    together = hashlib.sha256(" ".join(keys.values()).encode()).hexdigest()
    found = cache.get_many(together)
    if found:
        return found
    for name, key in keys.items():
        known = cache.get_many(key)
        if name not in known:
            values = trace.weights(name)
            if values is None:
                continue
            known = {name: _measured(values, tiles[name], codecs[name], pins)}
            cache.put_many(key, known)
        found |= known
    cache.put_many(together, found)
    return found


def _codec_of(trace: Trace, name: str, codec: str) -> Codec:
    layer = next((x for x in trace.graph.layers if x.name == name), None)
    if not isinstance(layer, Conv):
        raise MappingError(name, "is not a convolution of the trace", "name layers with weights")
    word = Word(layer.weight_bits, signed=True)
    found = codec_named(codec if takes(codec, word) else "raw", word, in_network=True)
    check_lossless(found)
    return found


def _key(
    trace: Trace, name: str, tiles: Sequence[WeightTile], codec: Codec, pins: Pins | None
) -> str:
    where = hashlib.sha256(np.array(tiles, np.int64).tobytes()).hexdigest()
    contents = "" if is_file(trace) else digest(trace.weights(name))
    tensor = f"{trace.facts.sha256} weights {name} {contents} fitted on themselves, tiles {where}"
    return size_key(tensor, codec, (1, 1, 1), "chw", pins)


def _measured(
    values: Values, tiles: Sequence[WeightTile], codec: Codec, pins: Pins | None
) -> MapStats:
    check_range(values, codec.word)
    blocks = cut_weights(values.astype(codec.word.dtype, copy=False), tiles)
    return measure_blocks(blocks, codec.fit(blocks.values), pins=pins)
