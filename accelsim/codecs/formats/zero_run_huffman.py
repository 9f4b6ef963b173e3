"""Huffman code in which runs of zeros are symbols beside the non-zero values.

Our own hybrid for sparse maps. A Huffman code spends at least 1 bit on each zero; here one
symbol stands for a run, as in JPEG. Of independent values with 95 % zeros a value costs
about 0.67 bits (huffman 1.29, entropy 0.58); one code for runs and values that take turns
costs up to 2 bits for each non-zero value.

Symbols of one canonical Huffman code, in this order: the W-bit words (two's complement read
as unsigned if signed), of which 0 has no code; the escape; the classes of runs. Class 0 is a
single zero; class j is a run of 2^(j-1) + 1 to 2^j zeros, followed by j - 1 extra bits, the
run less its least. So 1, 2, 3-4, 5-8, ... up to ``longest_run``. Codes have at most 12 bits,
and 16 when more than 4096 symbols occur.

Bit layout: for each non-zero value its code, for each run of zeros the code of its class and
the extra bits, most significant bit first. Runs end with the block. A run longer than
``longest_run`` is as many of that length as fit, then the rest; other runs never touch.

``fit`` counts the runs of the values in C order as if they were one block. Blocks cut runs
elsewhere, so if there are zeros each class gets one pseudo-count. Values that calibration
never saw (``every_symbol=True``): as in huffman, one pseudo-count each up to 8 bits; wider
words share an escape code, followed by the word. If more than 65536 symbols occur, the
rarest words escape, too. The table costs 4 bits per non-zero word, class and escape, as in huffman.

>>> from accelsim.codecs.base import Blocks, Word
>>> values = np.array([7] + [0] * 98 + [7], np.uint8)
>>> codec = ZeroRunHuffman.for_word(Word(8)).fit(values)
>>> codec.encode(Blocks(values, np.array([0, 100]))).bits   # 3 + (3 + 6) + 3
15
>>> codec.table_bits   # 255 words, 13 classes
1072
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from accelsim.codecs.base import Values, Word
from accelsim.codecs.bits import get, put
from accelsim.codecs.code_limits import LENGTH_FIELD_BITS, LONG_LIMIT, limit_of
from accelsim.codecs.coding.huffman_code import canonical_codes, code_lengths, decoding_table
from accelsim.codecs.coding.run_classes import LONGEST_RUNS, class_counts, classes
from accelsim.codecs.coding.unseen import with_unseen
from accelsim.codecs.lane_costs import huffman_gates_pj, huffman_kge, pj_per_value
from accelsim.codecs.lane_hardware import LaneHardware
from accelsim.codecs.lossless import LosslessCodec, exercise
from accelsim.codecs.rates import histogram
from accelsim.codecs.words import Words, from_words, to_words
from accelsim.errors import CodecError
from accelsim.jit import kernel


@kernel
def _size(
    words: Words,
    offsets: NDArray[np.int64],
    widths: NDArray[np.int64],
    run_widths: NDArray[np.int64],
    bits: NDArray[np.int64],
) -> None:
    longest = len(run_widths) - 1
    for block in range(len(bits)):
        n_bits, run = 0, 0
        # No branches: zeros come at random, and a mispredicted branch costs 5 ns.
        for i in range(offsets[block], offsets[block + 1]):
            is_zero = int(words[i] == 0)
            n_bits += widths[words[i]] + run_widths[run & (is_zero - 1)]
            run = (run + 1) & -is_zero
            is_full = int(run == longest)
            n_bits += run_widths[longest] & -is_full
            run &= is_full - 1
        bits[block] = n_bits + run_widths[run]


@kernel
def _write(
    words: Words,
    offsets: NDArray[np.int64],
    codes: NDArray[np.int64],
    widths: NDArray[np.int64],
    run_codes: NDArray[np.int64],
    run_widths: NDArray[np.int64],
    payload: NDArray[np.uint8],
    starts: NDArray[np.int64],
) -> None:
    longest = len(run_widths) - 1
    for block in range(len(starts) - 1):
        at, run = starts[block], 0
        for i in range(offsets[block], offsets[block + 1]):
            word = words[i]
            if word == 0:
                run += 1
                if run < longest:
                    continue
            if run > 0:
                at = put(payload, at, run_codes[run], run_widths[run])
                run = 0
            if word != 0:
                at = put(payload, at, codes[word], widths[word])
        if run > 0:
            put(payload, at, run_codes[run], run_widths[run])


@kernel
def _read(
    payload: NDArray[np.uint8],
    starts: NDArray[np.int64],
    table: NDArray[np.int64],
    window: int,
    word_bits: int,
    longest: int,
    lengths: NDArray[np.uint8],
    words: Words,
    offsets: NDArray[np.int64],
) -> int:
    escape = 1 << word_bits
    for block in range(len(starts) - 1):
        at, end = starts[block], starts[block + 1]
        i, last, may_run = offsets[block], offsets[block + 1], True
        while i < last:
            entry = table[get(payload, at, window)]
            symbol = entry >> 5
            at += entry & 31
            # A window beyond the block's end may still hold a code; a missing one has 0 bits.
            if entry == 0 or at > end:
                return block
            if symbol > escape:
                extra = max(symbol - escape - 2, 0)
                run = (1 << (symbol - escape - 1)) // 2 + 1 + get(payload, at, extra)
                at += extra
                if at > end or i + run > last or not may_run:
                    return block
                for zero in range(i, i + run):
                    words[zero] = 0
                i += run
                may_run = run == longest
                continue
            if symbol == escape:
                symbol = get(payload, at, word_bits)
                at += word_bits
                if at > end or symbol == 0 or lengths[symbol] != 0:
                    return block
            words[i] = symbol
            i += 1
            may_run = True
        if at != end:
            return block
    return -1


@dataclass(frozen=True)
class ZeroRunHuffman(LosslessCodec):
    """A Huffman code of words and of runs up to ``longest_run`` (1, 2, 4, ... 32768) zeros."""

    word: Word
    longest_run: int = 4096
    lengths: bytes = field(default=b"", repr=False)
    """[2^W + 1 + n_classes] code length of each word, the escape, each class of runs; 0
    where there is no code. Empty before ``fit``."""

    name = "zero_run_huffman"
    evidence = "own"

    @property
    def hardware(self) -> LaneHardware:
        bits, limit = self.word.bits, limit_of(1 << self.word.bits)
        n_symbols = (1 << bits) + self._n_classes
        pj = huffman_gates_pj(bits) + pj_per_value(1.0)
        return LaneHardware(
            encode_values_per_cycle=1,
            decode_values_per_cycle=1,
            encode_fill_cycles=3,
            decode_fill_cycles=3,
            encode_pj_per_value=pj,
            decode_pj_per_value=pj,
            gates_kge=huffman_kge(bits) + 2,
            encode_buffer_bits=n_symbols * (limit + 4),
            decode_buffer_bits=n_symbols * (bits + 1) + limit * limit,
            source=(
                "estimates: huffman's lane, run counter, priority encoder, shifter of extra bits "
                "(1 kGE each way), one stage more; 15 % activity x 1.5 fJ per gate, 65 nm; a table "
                "of all words and classes of runs: codes of 12 + 4 bits (encoder), symbols a bit "
                "wider than words and first codes (decoder)"
            ),
        )

    def __post_init__(self) -> None:
        if self.longest_run not in LONGEST_RUNS:
            allowed = f"a power of two from 1 to {LONGEST_RUNS[-1]}"
            raise CodecError(f"{self.name}: longest_run must be {allowed}, not {self.longest_run}")

    @classmethod
    def for_word(cls, word: Word) -> Self:
        return cls(word)

    @property
    def _n_classes(self) -> int:
        return self.longest_run.bit_length()

    def fit(self, calibration: Values, *, every_symbol: bool = False) -> Self:
        """The best code for these values; see the top of the file for ``every_symbol``.

        Raises ``CodecError`` for values outside the word.
        """
        of_words = histogram(calibration, self.word)
        has_zeros, nonzero = of_words[0] > 0, of_words[1:]
        nonzero = with_unseen(nonzero, self.word.bits) if every_symbol else np.append(nonzero, 0)
        of_classes = class_counts(to_words(calibration, self.word), self.longest_run)
        of_classes += int(has_zeros or every_symbol)
        n_excess = np.count_nonzero(nonzero) + np.count_nonzero(of_classes) - (1 << LONG_LIMIT)
        if n_excess > 0:
            n_excess += int(nonzero[-1] == 0)
            seen = np.flatnonzero(nonzero[:-1])
            rarest = seen[np.argsort(nonzero[seen], kind="stable")[:n_excess]]
            nonzero[-1] += nonzero[rarest].sum()
            nonzero[rarest] = 0
        counts = np.concatenate([np.zeros(1, np.int64), nonzero, of_classes])
        limit = limit_of(int(np.count_nonzero(counts)))
        return replace(self, lengths=code_lengths(counts, limit).tobytes())

    @property
    def parameters(self) -> dict[str, int | str]:
        table = hashlib.sha256(self.lengths).hexdigest() if any(self.lengths) else "not fitted"
        return {**super().parameters, "longest_run": self.longest_run, "table": table}

    @cached_property
    def _lengths(self) -> NDArray[np.uint8]:
        n_symbols = (1 << self.word.bits) + 1 + self._n_classes
        return np.frombuffer(self.lengths or bytes(n_symbols), np.uint8).copy()

    @property
    def table_bits(self) -> int:
        has_escape = int(self._lengths[1 << self.word.bits] > 0)
        return LENGTH_FIELD_BITS * ((1 << self.word.bits) - 1 + has_escape + self._n_classes)

    def worst_case_bits(self, n_values: int) -> int:
        """All values as those that cost most."""
        if not self._lengths.any():
            return n_values * (LONG_LIMIT + self.word.bits)
        _, widths, _, run_widths = self._codes
        of_runs = run_widths[1:] * n_values // np.arange(1, len(run_widths))
        return max(int(widths.max()) * n_values, int(of_runs.max()))

    @cached_property
    def _codes(
        self,
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Codes and widths, escaped words and extra bits included: of words [2^W], of runs."""
        lengths, escape = self._lengths.astype(np.int64), 1 << self.word.bits
        codes = canonical_codes(self._lengths)
        word_codes, word_widths = codes[:escape].copy(), lengths[:escape].copy()
        if lengths[escape] > 0:
            escaped = 1 + np.flatnonzero(lengths[1:escape] == 0)
            word_codes[escaped] = (codes[escape] << self.word.bits) | escaped
            word_widths[escaped] = lengths[escape] + self.word.bits
        of_runs, extra, extra_bits = classes(self.longest_run)
        symbols = escape + 1 + of_runs
        run_codes = (codes[symbols] << extra_bits) | extra
        run_widths = lengths[symbols] + extra_bits
        run_codes[0] = run_widths[0] = 0
        return word_codes, word_widths, run_codes, run_widths

    def size_blocks(self, words: Words, offsets: NDArray[np.int64]) -> NDArray[np.int64]:
        _, widths, _, run_widths = self._codes
        uncodable = widths == 0
        uncodable[0] = self._lengths[-1] == 0
        if uncodable.any() and uncodable[words].any():
            value = from_words(words[uncodable[words]][:1], self.word)[0]
            raise CodecError(
                f"zero_run_huffman: value {value} has no code; it did not occur in the values "
                "of fit(). Fit with every_symbol=True to code all values"
            )
        bits = np.empty(len(offsets) - 1, np.int64)
        _size(words, offsets, widths, run_widths, bits)
        return bits

    def write_blocks(
        self,
        words: Words,
        offsets: NDArray[np.int64],
        payload: NDArray[np.uint8],
        starts: NDArray[np.int64],
    ) -> None:
        _write(words, offsets, *self._codes, payload, starts)

    def read_blocks(
        self,
        payload: NDArray[np.uint8],
        starts: NDArray[np.int64],
        words: Words,
        offsets: NDArray[np.int64],
    ) -> int:
        table = (*decoding_table(self._lengths), self.word.bits, self.longest_run, self._lengths)
        return _read(payload, starts, *table, words, offsets)


CODEC = ZeroRunHuffman


def warm_up() -> None:
    """Compile the kernels of this file with the types of production."""
    exercise(CODEC.for_word(Word(8)))
