"""How fast the codecs are: medians of warm runs on one core, beside their goals.

Run as ``python benchmarks/speed/codecs.py [CODEC ...]``. The values are the real feature maps
of one image of the shipped SqueezeNet 1.1 (8 bits), in blocks of 16 channels x 64 columns.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np

from accelsim.codecs import rates
from accelsim.codecs.base import CODECS, Blocks, Shapes, Values, Word
from accelsim.codecs.blocks import cut, join
from accelsim.codecs.measure import measure_map
from accelsim.codecs.size_cache import SizeCache
from accelsim.workload.trace_file import read_trace

BLOCK = (16, 1, 64)
WORD = Word(8)
MEASURE_GOALS = {
    **dict.fromkeys(("zvc", "zero_rle", "shapeshifter", "golomb_rice", "exp_golomb"), 300),
    **dict.fromkeys(("huffman", "eyeriss_rlc"), 300),
    **dict.fromkeys(("ebpc", "bpc"), 50),
    **dict.fromkeys(("rans", "tans"), 100),
}
CODING_GOAL = 50
REPORTED_ONLY = ("apack", "huffman_adaptive")
"""Serial by their nature, or with a table for each block: no goal."""
VGG16_MAPS = (
    *[(64, 224, 224)] * 2,
    *[(128, 112, 112)] * 2,
    *[(256, 56, 56)] * 3,
    *[(512, 28, 28)] * 3,
    *[(512, 14, 14)] * 3,
)
VGG16_GOAL_S = 5


def seconds(action: Callable[[], object], n_runs: int = 7) -> float:
    """Median of warm runs."""
    action()
    times = []
    for _ in range(n_runs):
        start = perf_counter()
        action()
        times.append(perf_counter() - start)
    return median(times)


def real_maps() -> list[Values]:
    """The maps that SqueezeNet 1.1 makes of one image, all of unsigned 8-bit words."""
    with read_trace("squeezenet1_1") as trace:
        return [
            trace.values(edge.name, 0)
            for edge in trace.graph.edges
            if trace.is_stored(edge.name) and (edge.bits, edge.signed) == (8, False)
        ]


def in_blocks(maps: list[Values]) -> Blocks:
    """The blocks of all maps, one after the other."""
    parts = [cut(each, BLOCK) for each in maps]
    sizes = np.concatenate([part.sizes for part in parts])
    extents = np.concatenate([part.shapes.extents for part in parts if part.shapes])
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])
    return Blocks(np.concatenate([p.values for p in parts]), offsets, Shapes(extents, False))


def vgg16_image(values: Values) -> list[Values]:
    """Maps of the shapes of VGG-16, filled with these values again and again."""
    return [np.resize(values, shape) for shape in VGG16_MAPS]


def main() -> None:
    names = sys.argv[1:] or list(CODECS)
    maps = real_maps()
    blocks = in_blocks(maps)
    million = blocks.values.size / 1e6
    density = np.count_nonzero(blocks.values) / blocks.values.size
    print(f"{million:.1f} M values, density {density:.2f}, {blocks.n_blocks} blocks")
    print(f"M values/s (goal){'measure':>17}{'encode':>16}{'decode':>16}{'bits/value':>14}")
    for name in names:
        _codec(name, maps, blocks, million)
    if len(sys.argv) == 1:
        _vgg16(blocks.values)
        _the_rest(maps[0])


def _codec(name: str, maps: list[Values], blocks: Blocks, million: float) -> None:
    kind = CODECS[name]
    # Transforms look at channels: of the largest map, as one layer has them.
    largest = max(maps, key=lambda m: m.size)
    calibration = blocks.values if kind.lossless else largest
    if not kind.lossless:
        blocks, million = cut(largest, kind.preferred_block), largest.size / 1e6
    codec = kind.for_network(WORD).fit(calibration, every_symbol=True)
    stream = codec.encode(blocks)
    measured = million / seconds(lambda: codec.measure(blocks))
    encoded = million / seconds(lambda: codec.encode(blocks))
    decoded = million / seconds(lambda: codec.decode(stream, blocks.sizes, blocks.shapes))
    goal = f"({MEASURE_GOALS[name]})" if name in MEASURE_GOALS else ""
    coding = f"({CODING_GOAL})" if kind.lossless and name not in REPORTED_ONLY else ""
    print(
        f"{name:<22}{measured:>6.0f} {goal:<6}{encoded:>9.0f} {coding:<6}{decoded:>9.0f} "
        f"{coding:<6}{stream.bits / million / 1e6:>11.2f}",
        flush=True,
    )


def _vgg16(values: Values) -> None:
    """All lossless codecs on all maps of one image, each map with its own tables."""
    maps = vgg16_image(values)
    for each in maps:
        cut(each, BLOCK)
    start = perf_counter()
    slowest: dict[str, float] = {}
    for each in maps:
        blocks = cut(each, BLOCK)
        for name in CODECS:
            if CODECS[name].lossless:
                begun = perf_counter()
                CODECS[name].for_network(WORD).fit(blocks.values).measure(blocks)
                slowest[name] = slowest.get(name, 0.0) + perf_counter() - begun
    total = perf_counter() - start
    million = sum(each.size for each in maps) / 1e6
    print(
        f"\nVGG-16 image, {million:.1f} M values, {len(slowest)} lossless codecs, fit and measure: "
        f"{total:.2f} s ({VGG16_GOAL_S})"
    )
    worst = sorted(slowest.items(), key=lambda item: -item[1])[:5]
    print("  longest: " + ", ".join(f"{name} {spent:.2f} s" for name, spent in worst))


def _the_rest(values: Values) -> None:
    million = values.size / 1e6
    print(f"\nms for {million:.2f} M values")
    for scan in ("chw", "hwc"):
        print(f"cut {scan:<16}{1e3 * seconds(lambda s=scan: cut(values, BLOCK, s)):>8.1f}")
        own = cut(values, BLOCK, scan)
        joined = seconds(lambda s=scan, b=own: join(b, values.shape, BLOCK, s))
        print(f"join {scan:<15}{1e3 * joined:>8.1f}")
    print(f"{'histogram':<20}{1e3 * seconds(lambda: rates.histogram(values, WORD)):>8.1f}")
    zvc = CODECS["zvc"].for_word(WORD)
    checked = seconds(lambda: measure_map(values, zvc, BLOCK))
    unchecked = seconds(lambda: measure_map(values, zvc, BLOCK, verify=False))
    print(f"{'measure_map zvc':<20}{1e3 * checked:>8.1f}, without verify {1e3 * unchecked:.1f}")

    stats = measure_map(values[:3], zvc, BLOCK)
    with tempfile.TemporaryDirectory() as folder:
        cache = SizeCache(Path(folder))
        cache.put_many("key", {f"map{i}": stats for i in range(30)})
        found = seconds(lambda: cache.get_many("key"))
    print(f"{'30 maps from cache':<20}{1e3 * found:>8.1f}")


if __name__ == "__main__":
    main()
