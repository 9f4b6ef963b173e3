"""The profile of Lane Compression: which lanes, and which method for each of them.

Any split of the word into up to four lanes is weighed, and every method for each lane, in
bits that the calibration values would take. A lane's bits do not depend on the others, so
the best split follows from the best method of each possible lane.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from accelsim.codecs.coding.lane_streams import (
    CHUNK,
    CONST,
    DICT,
    MASK,
    N_ENTRIES,
    RAW,
    ZRL,
    zero_run_bits,
)
from accelsim.codecs.words import Words
from accelsim.jit import kernel
from accelsim.units import ceil_div

MOST_LANES = 4
MOST_SEARCHED_VALUES = 1 << 20
"""Of more values, evenly spaced chunks are searched for zeros, to keep the search short."""


class BitLane(NamedTuple):
    """A field of the word, and how it is stored."""

    bits: int
    method: int
    values: tuple[int, ...] = ()
    """The value of a CONST lane, or the entries of a DICT lane, most frequent first."""


def longest_bits(lane: BitLane, n_values: int) -> int:
    """Bits of the longest stream of a lane of ``n_values`` (up to a chunk)."""
    if lane.method == ZRL:
        # Lone zeros take 5 bits, which may be more than a literal.
        n_zeros = ceil_div(n_values, 2) if lane.bits < 4 else 0
        return 5 * n_zeros + (1 + lane.bits) * (n_values - n_zeros)
    if lane.method == MASK:
        return ceil_div(n_values, 8) + lane.bits * n_values
    if lane.method == DICT:
        return (3 + lane.bits) * n_values
    return lane.bits * n_values if lane.method == RAW else 0


def length_field_bits(lane: BitLane) -> int:
    """Bits of the length in front of a lane: 0 where the method fixes its length."""
    return 0 if lane.method in (RAW, CONST) else longest_bits(lane, CHUNK).bit_length()


@kernel
def _merge_groups(words: Words, sizes: NDArray[np.int64]) -> None:
    """For each OR of eight values, how many values such groups have."""
    for group in range(0, len(words), 8):
        merged, end = 0, min(group + 8, len(words))
        for i in range(group, end):
            merged |= int(words[i])
        sizes[merged] += end - group


@kernel
def _zero_run_bits(words: Words, chunk: int, lane_mask: int, width: int) -> int:
    total = 0
    for first in range(0, len(words), chunk):
        total += zero_run_bits(words, first, min(first + chunk, len(words)), lane_mask, width)
    return total


def best_lanes(words: Words, word_bits: int, allow_constant: bool) -> tuple[BitLane, ...]:
    """The lanes, that of the highest bits first, in which ``words`` take the fewest bits."""
    profile = _Profile(words, word_bits)
    # best[n][top]: bits and lanes of the bits below ``top`` in n lanes.
    best: list[dict[int, tuple[float, tuple[BitLane, ...]]]] = [{0: (0.0, ())}]
    single = {
        (low, top): profile.best(low, top - low, allow_constant)
        for low in range(word_bits)
        for top in range(low + 1, word_bits + 1)
    }
    for _ in range(MOST_LANES):
        found: dict[int, tuple[float, tuple[BitLane, ...]]] = {}
        for low, (bits, lanes) in best[-1].items():
            for top in range(low + 1, word_bits + 1):
                lane_bits, lane = single[low, top]
                if top not in found or bits + lane_bits < found[top][0]:
                    found[top] = (bits + lane_bits, (lane, *lanes))
        best.append(found)
    # Of equals the one with the fewest lanes.
    return min((n[word_bits] for n in best if word_bits in n), key=lambda found: found[0])[1]


class _Profile:
    """What the calibration values say about any lane."""

    def __init__(self, words: Words, word_bits: int) -> None:
        self.counts = np.bincount(words, minlength=1 << word_bits)
        self.n_values = words.size
        step = ceil_div(max(1, words.size), MOST_SEARCHED_VALUES)
        self.sample = words
        if step > 1:
            whole = words[: words.size // CHUNK * CHUNK].reshape(-1, CHUNK)
            self.sample = whole[::step].reshape(-1)
        self.group_sizes = np.zeros(1 << word_bits, np.int64)
        _merge_groups(self.sample, self.group_sizes)
        self.scale = self.n_values / max(1, self.sample.size)

    def best(self, low: int, width: int, allow_constant: bool) -> tuple[float, BitLane]:
        """The method with the fewest bits for the ``width`` bits from bit ``low`` on."""
        field = np.arange(len(self.counts)) >> low & (1 << width) - 1
        counts = np.bincount(field, self.counts, 1 << width)
        frequent = np.argsort(-counts, kind="stable")[:N_ENTRIES].tolist()
        found = (float(self.n_values * width), BitLane(width, RAW))
        if allow_constant and counts[frequent[0]] == self.n_values:
            return 0.0, BitLane(width, CONST, (frequent[0],))
        mask = ((1 << width) - 1) << low
        n_groups = ceil_div(self.sample.size, 8)
        stored = int(self.group_sizes[field != 0].sum())
        candidates = [
            (self.scale * (n_groups + width * stored), BitLane(width, MASK)),
            (self.scale * _zero_run_bits(self.sample, CHUNK, mask, width), BitLane(width, ZRL)),
        ]
        if len(frequent) == N_ENTRIES:
            in_codes = float(counts[frequent] @ [1, 2, 3])
            escaped = self.n_values - float(counts[frequent].sum())
            entries = BitLane(width, DICT, tuple(frequent))
            candidates.append((in_codes + escaped * (3 + width), entries))
        for bits, lane in candidates:
            bits += ceil_div(self.n_values, CHUNK) * length_field_bits(lane)
            if bits < found[0]:
                found = (bits, lane)
        return found


def warm_up() -> None:
    """Compile the kernels of this file with the types of production."""
    best_lanes(np.zeros(1, np.uint16), 2, allow_constant=False)
