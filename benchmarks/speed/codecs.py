"""How fast the codecs are: medians of warm runs on one core, beside their goals.

Run as ``python benchmarks/speed/codecs.py``. The map is 2.6 M values of 8 bits with 55 %
zeros and exponential magnitudes, in blocks of 512, as a small network's maps together.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np

from accelsim.codecs import rates
from accelsim.codecs.base import CODECS, Word
from accelsim.codecs.blocks import cut, join
from accelsim.codecs.measure import measure_map
from accelsim.codecs.size_cache import SizeCache

SHAPE = (100, 130, 200)
BLOCK = (8, 8, 8)
PAYLOAD_BITS_GOALS = {"zvc": 300, "zero_rle": 300, "huffman": 100}
CODING_GOAL = 50


def seconds(action: Callable[[], object], n_runs: int = 9) -> float:
    """Median of warm runs."""
    action()
    times = []
    for _ in range(n_runs):
        start = perf_counter()
        action()
        times.append(perf_counter() - start)
    return median(times)


def main() -> None:
    rng = np.random.default_rng(0)
    magnitude = np.minimum(1 + rng.exponential(20, SHAPE), 255)
    values = np.where(rng.random(SHAPE) < 0.55, 0, magnitude).astype(np.uint8)
    word = Word(8)
    blocks = cut(values, BLOCK)
    million = values.size / 1e6

    print(f"M values/s (goal){'payload_bits':>22}{'encode':>16}{'decode':>16}")
    for name in CODECS:
        codec = CODECS[name].for_network(word).fit(values, every_symbol=True)
        stream = codec.encode(blocks)
        measured = million / seconds(lambda c=codec: c.payload_bits(blocks))
        encoded = million / seconds(lambda c=codec: c.encode(blocks))
        decoded = million / seconds(lambda c=codec, s=stream: c.decode(s, blocks.sizes))
        goal = PAYLOAD_BITS_GOALS.get(name)
        print(
            f"{name:<20}{measured:>12.0f} {f'({goal})' if goal else '':<6}"
            f"{encoded:>10.0f} ({CODING_GOAL}){decoded:>11.0f} ({CODING_GOAL})"
        )

    print(f"\nms for {million:.1f} M values (goal)")
    for scan in ("chw", "hwc"):
        print(f"cut {scan:<16}{1e3 * seconds(lambda s=scan: cut(values, BLOCK, s)):>8.1f} (30)")
        own = cut(values, BLOCK, scan)
        joined = seconds(lambda s=scan, b=own: join(b, SHAPE, BLOCK, s))
        print(f"join {scan:<15}{1e3 * joined:>8.1f} (30)")
    print(f"{'histogram':<20}{1e3 * seconds(lambda: rates.histogram(values, word)):>8.1f}")
    zvc = CODECS["zvc"].for_word(word)
    checked = seconds(lambda: measure_map(values, zvc, BLOCK))
    unchecked = seconds(lambda: measure_map(values, zvc, BLOCK, verify=False))
    print(f"{'measure_map zvc':<20}{1e3 * checked:>8.1f}, without verify {1e3 * unchecked:.1f}")

    stats = measure_map(values[:3], zvc, BLOCK)
    with tempfile.TemporaryDirectory() as folder:
        cache = SizeCache(Path(folder))
        cache.put_many("key", {f"map{i}": stats for i in range(30)})
        found = seconds(lambda: cache.get_many("key"))
    print(f"{'30 maps from cache':<20}{1e3 * found:>8.1f} (30)")


if __name__ == "__main__":
    main()
