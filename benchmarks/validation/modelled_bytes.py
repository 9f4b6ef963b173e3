"""Modelled bytes against moved bytes for every channel count from 1 to 256.

Run as ``python benchmarks/validation/modelled_bytes.py [edge_npu|eyeriss_like|tpu_like]``
(ten minutes for each chip). For each shape of layer and each codec it prints the largest
difference, and where it is. ``tests/mapping/test_modelled_bytes.py`` takes a coarse grid.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.mapping.modelled_cases import CODECS, HARDWARE, SHAPES, Case, stage_bytes

MAX_CHANNELS, SIDE = 256, 14


def main(chips: tuple[str, ...]) -> None:
    """Print a row for each chip, codec and shape."""
    print("chip codec shape: largest difference in percent, at channels, stage, modelled, moved")
    for hardware in chips:
        for codec in CODECS:
            for shape in SHAPES:
                print(hardware, codec, shape, *worst(hardware, codec, shape), flush=True)


def worst(hardware: str, codec: str, shape: str) -> tuple[float, int, str, int, int]:
    """The case with the largest difference, leaving out the first 64 bytes of each."""
    found = []
    for channels in range(1, MAX_CHANNELS + 1):
        for name, modelled, moved, _ in stage_bytes(Case(shape, channels, SIDE, codec, hardware)):
            off = max(0, abs(modelled - moved) - 64) / moved
            found.append((round(100 * off, 2), channels, name, modelled, moved))
    return max(found)


if __name__ == "__main__":
    main(tuple(sys.argv[1:]) or HARDWARE)
