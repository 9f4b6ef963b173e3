"""Statistics of every stored map of an image in the codec of the chip; values go no further.

Tables (Huffman) are fitted to the other images of the trace, at most four of them, as for a
machine that is calibrated offline; if a trace has one image only, to that image. Every
stream is written and read back once, when it is measured; then the size is cached.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np

from accelsim.codecs.base import Codec, Values, Word
from accelsim.codecs.beats import Pins
from accelsim.codecs.blocks import cut
from accelsim.codecs.measure import MapStats, measure_map
from accelsim.codecs.named import codec_named, takes
from accelsim.codecs.size_cache import SizeCache, size_key
from accelsim.hardware.chip import Chip, CodecBlock
from accelsim.mapping.placing.blocked import BlockedMap
from accelsim.mapping.placing.bus import BusLevels, Levels, levels_of, random_levels
from accelsim.mapping.stages.stage import StoredMap
from accelsim.mapping.tiling.sizes import BlockedSize, MapSize, Sizes, linear_size
from accelsim.units import bits_to_bytes, ceil_div
from accelsim.workload.layer import Conv
from accelsim.workload.trace import Trace
from accelsim.workload.trace_file import TraceFile

MAX_CALIBRATION_IMAGES = 4


def calibration_images(n_images: int, image: int) -> tuple[int, ...]:
    """The images to whose values the tables for ``image`` are fitted.

    >>> calibration_images(3, 1), calibration_images(1, 0)
    ((0, 2), (0,))
    """
    others = [i for i in range(n_images) if i != image]
    return tuple(others[:MAX_CALIBRATION_IMAGES]) or (image,)


def measure_maps(
    trace: Trace,
    maps: Iterable[StoredMap],
    image: int,
    block: CodecBlock,
    cache: SizeCache,
    pins: Pins | None = None,
) -> dict[StoredMap, MapStats]:
    """Statistics of the blocks of each map of one image, and their bits and toggles on ``pins``.

    Maps with words that the codec does not take are measured as raw.
    Raises ``TraceError`` for broken tensors, ``CodecError`` for values that the codec
    cannot take.
    """
    found: dict[StoredMap, MapStats] = {}
    by_word: dict[Word, list[StoredMap]] = {}
    for stored in maps:
        by_word.setdefault(Word(stored.bits, stored.signed), []).append(stored)
    calibration = calibration_images(trace.facts.n_images, image)
    for word, group in by_word.items():
        name = block.name if takes(block.name, word) else "raw"
        codec = codec_named(name, word, in_network=True)
        tensors = f"{trace.facts.sha256} image {image} fitted on {calibration} in block order"
        key = size_key(tensors, codec, block.block, block.scan, pins)
        known = cache.get_many(key)
        used = (image, *(calibration if _is_fitted(codec) else ()))
        names = {stored: stored.name + _contents(trace, stored, used) for stored in group}
        missing = [stored for stored in group if names[stored] not in known]
        for stored in missing:
            fitted = _fitted(codec, trace, stored, calibration, block)
            values = values_of(trace, stored, image)
            known[names[stored]] = measure_map(values, fitted, block.block, block.scan, pins=pins)
        if missing:
            cache.put_many(key, known)
        found |= {stored: known[names[stored]] for stored in group}
    return found


def bus_levels(
    trace: Trace, maps: Sequence[Mapping[StoredMap, MapStats]], pins: Pins, cache: SizeCache
) -> BusLevels:
    """Bits and toggles on ``pins`` of everything without blocks; ``maps`` are those of each image.

    Weights are those of the trace, in its order. If it has none, and for tables, random bytes are
    assumed.
    """
    linear = [
        {stored: levels_of(m.linear) for stored, m in image.items() if m.linear} for image in maps
    ]
    return BusLevels(linear, _weight_levels(trace, pins, cache), random_levels(pins))


def _weight_levels(trace: Trace, pins: Pins, cache: SizeCache) -> dict[str, Levels]:
    found: dict[str, MapStats] = {}
    by_word: dict[Word, list[str]] = {}
    for layer in trace.graph.layers:
        if isinstance(layer, Conv):
            by_word.setdefault(Word(layer.weight_bits, signed=True), []).append(layer.name)
    for word, names in by_word.items():
        raw = codec_named("raw", word)
        held = {name: trace.weights(name) for name in names} if not is_file(trace) else {}
        contents = "".join(f" {name} {digest(values)}" for name, values in held.items())
        key = size_key(f"{trace.facts.sha256} weights{contents}", raw, (1, 1, 1), "chw", pins)
        known = cache.get_many(key)
        if not known:
            for name in names:
                values = trace.weights(name)
                if values is not None:
                    row = values.reshape(1, 1, -1)
                    known[name] = measure_map(row, raw, row.shape, verify=False, pins=pins)
            cache.put_many(key, known)
        found |= known
    return {name: levels_of(stats.linear) for name, stats in found.items() if stats.linear}


def planned_sizes(
    maps: Mapping[StoredMap, MapStats], coded: Collection[StoredMap], chip: Chip
) -> Sizes:
    """What the planner knows: the arrangement of raw maps, and each block of ``coded`` maps."""
    line_bytes, block = chip.dram.config.line_bytes, chip.codec.block
    found: dict[str, MapSize] = {}
    for stored, measured in maps.items():
        if stored not in coded:
            found[stored.name] = linear_size(stored, block[0])
            continue
        n_blocks = measured.blocks.n_blocks
        order = np.arange(n_blocks) if chip.codec.layout == "packed" else None
        placed = BlockedMap(stored, block, measured.blocks, 0, line_bytes, order)
        found[stored.name] = BlockedSize(
            block=block,
            block_lines=placed.n_lines.reshape(placed.grid),
            entry_bits=placed.entry_bits,
            codec_table_lines=ceil_div(bits_to_bytes(measured.table_bits), line_bytes),
        )
    return Sizes(found, line_bytes, chip.codec.index_cache_entries)


def values_of(trace: Trace, stored: StoredMap, image: int) -> Values:
    """The integers of a stored map, shape (channels, rows, cols)."""
    return trace.values(stored.edge, image)[stored.channel_start : stored.channel_stop]


def is_file(trace: Trace) -> bool:
    """Whether the hash of the trace identifies its tensors, which are checked against it when they
    are read. An object that wraps, derives from or patches a file may return other tensors under
    the same hash."""
    return type(trace) is TraceFile and not {"values", "weights"} & vars(trace).keys()


def _contents(trace: Trace, stored: StoredMap, images: Sequence[int]) -> str:
    """What distinguishes tensors with the same hash and images of a trace; empty for a file."""
    if is_file(trace):
        return ""
    return "".join(f" {digest(values_of(trace, stored, image))}" for image in images)


def digest(values: Values | None) -> str:
    if values is None:
        return "none"
    header = f"{values.dtype.str} {values.shape} ".encode()
    return hashlib.sha256(header + np.ascontiguousarray(values).tobytes()).hexdigest()


def _is_fitted(codec: Codec) -> bool:
    """False for codecs without tables: they need no other images."""
    return type(codec).fit is not Codec.fit


def _fitted(
    codec: Codec, trace: Trace, stored: StoredMap, images: Sequence[int], block: CodecBlock
) -> Codec:
    if not _is_fitted(codec):
        return codec
    maps = [values_of(trace, stored, image) for image in images]
    if codec.lossless:
        # Runs of values depend on the order in which blocks hold them.
        ordered = [cut(each, block.block, block.scan).values for each in maps]
        return codec.fit(np.concatenate(ordered), every_symbol=True)
    return codec.fit(np.stack(maps), every_symbol=True)
