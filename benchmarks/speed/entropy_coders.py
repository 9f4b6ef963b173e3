"""The speed of our ANS coders beside that of constriction, in one run on one core.

Run as ``python benchmarks/speed/entropy_coders.py``. All code the same 2.6 M values of 8
bits, 55 % zeros and exponential magnitudes, with the same frequencies: ours in blocks of
1024 values, each with its own state; constriction's ANS coder (compiled Rust) all values
as one message, its fastest way. Rounds take turns, so that a busy machine slows all alike.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from statistics import median
from time import perf_counter
from typing import NamedTuple

import constriction
import numpy as np

from accelsim.codecs.base import CODECS, Blocks, Codec, Values, Word

N_VALUES, BLOCK_VALUES = 2_600_000, 1024
CODERS: tuple[tuple[str, dict[str, int]], ...] = (
    ("rans", {}),
    ("rans", {"states": 4}),
    ("tans", {}),
    ("tans", {"states": 4}),
)


class Speed(NamedTuple):
    """Median rates in M values/s, and bits per value."""

    encode: float
    decode: float
    bits_per_value: float


Coder = tuple[Callable[[], object], Callable[[], object], float]
"""Encode all values, decode them, and the bits of the stream."""


def constriction_coder(values: Values, frequencies: list[int]) -> Coder:
    shares = np.array(frequencies, np.float64) / sum(frequencies)
    model = constriction.stream.model.Categorical(shares, perfect=False)
    symbols = values.astype(np.int32)

    def encode() -> constriction.stream.stack.AnsCoder:
        coder = constriction.stream.stack.AnsCoder()
        coder.encode_reverse(symbols, model)
        return coder

    stream = encode().get_compressed()

    def decode() -> object:
        return constriction.stream.stack.AnsCoder(stream).decode(model, symbols.size)

    np.testing.assert_array_equal(decode(), symbols)
    return encode, decode, 32 * stream.size


def our_coder(codec: Codec, blocks: Blocks) -> Coder:
    stream = codec.encode(blocks)
    np.testing.assert_array_equal(codec.decode(stream, blocks.sizes).values, blocks.values)
    return lambda: codec.encode(blocks), lambda: codec.decode(stream, blocks.sizes), stream.bits


def side_by_side(n_values: int = N_VALUES, n_rounds: int = 9) -> dict[str, Speed]:
    """Medians of all coders, over rounds in which each encodes and decodes once."""
    rng = np.random.default_rng(0)
    magnitude = np.minimum(1 + rng.exponential(20, n_values), 255)
    values = np.where(rng.random(n_values) < 0.55, 0, magnitude).astype(np.uint8)
    blocks = Blocks(values, np.append(np.arange(0, n_values, BLOCK_VALUES), n_values))

    coders: dict[str, Coder] = {}
    for name, parameters in CODERS:
        codec = replace(CODECS[name].for_word(Word(8)), **parameters)  # type: ignore[type-var]
        label = ":".join([name, *(f"{k}={v}" for k, v in parameters.items())])
        coders[label] = our_coder(codec.fit(values, every_symbol=True), blocks)
    rans = CODECS["rans"].for_word(Word(8)).fit(values, every_symbol=True)
    frequencies = np.frombuffer(rans.frequencies, "<i4")[:-1].tolist()
    coders["constriction"] = constriction_coder(values, frequencies)

    seconds: dict[str, tuple[list[float], list[float]]] = {label: ([], []) for label in coders}
    for _ in range(n_rounds):
        for label, (encode, decode, _bits) in coders.items():
            for times, action in zip(seconds[label], (encode, decode), strict=True):
                start = perf_counter()
                action()
                times.append(perf_counter() - start)
    million = n_values / 1e6
    return {
        label: Speed(
            million / median(seconds[label][0]),
            million / median(seconds[label][1]),
            bits / n_values,
        )
        for label, (_, _, bits) in coders.items()
    }


def main() -> None:
    print(f"{'M values/s':<20}{'encode':>10}{'decode':>10}{'bits/value':>14}")
    for label, speed in side_by_side().items():
        print(f"{label:<20}{speed.encode:>10.0f}{speed.decode:>10.0f}{speed.bits_per_value:>14.4f}")


if __name__ == "__main__":
    main()
