"""A codec of an outside package: a flag for each value, and the word behind a 1.

One bit per value, and W bits more where the value is not zero.
"""

from dataclasses import dataclass

import numpy as np

from accelsim.codecs.base import Word
from accelsim.codecs.bits import get, put
from accelsim.codecs.lane_hardware import LaneHardware
from accelsim.codecs.lossless import LosslessCodec


@dataclass(frozen=True)
class Flagged(LosslessCodec):
    word: Word

    name = "flagged"
    hardware = LaneHardware(
        encode_values_per_cycle=1,
        decode_values_per_cycle=1,
        encode_fill_cycles=1,
        decode_fill_cycles=1,
        encode_pj_per_value=0.1,
        decode_pj_per_value=0.1,
        gates_kge=1.0,
        source="estimates of the author",
    )

    @classmethod
    def for_word(cls, word):
        return cls(word)

    def worst_case_bits(self, n_values):
        return n_values * (1 + self.word.bits)

    def size_blocks(self, words, offsets):
        bits = 1 + self.word.bits * (words != 0)
        return np.diff(np.append(0, np.cumsum(bits))[offsets])

    def write_blocks(self, words, offsets, payload, starts):
        at = 0
        for word in words.tolist():
            at = put(payload, at, int(word != 0), 1)
            if word:
                at = put(payload, at, word, self.word.bits)

    def read_blocks(self, payload, starts, words, offsets):
        for block in range(len(starts) - 1):
            at, end = int(starts[block]), int(starts[block + 1])
            for i in range(offsets[block], offsets[block + 1]):
                if at >= end:
                    return block
                present = get(payload, at, 1)
                at += 1
                words[i] = get(payload, at, self.word.bits) if present else 0
                at += present * self.word.bits
                if at > end or (present and words[i] == 0):
                    return block
            if at != end:
                return block
        return -1
