"""What everything without blocks does on the pins, against plain walks over bits."""

from collections import Counter
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accelsim.codecs.base import Word
from accelsim.codecs.beats import BeatTotals, Pins
from accelsim.codecs.measure import measure_map
from accelsim.codecs.named import codec_named
from accelsim.dram.standard import STANDARDS
from accelsim.mapping.placing.bus import BusLevels, Levels, levels_of, pins_of, random_levels
from accelsim.mapping.stages.stage import StoredMap
from tests.codecs.test_beats import plain
from tests.dram import golden


def test_pins_are_those_of_the_standard() -> None:
    assert pins_of(STANDARDS["ddr4_3200_x64"].config()) == Pins(64, 64, 0, False)
    assert pins_of(STANDARDS["ddr4_3200_x64"].config(dbi=True)) == Pins(64, 64, 0, True)
    assert pins_of(STANDARDS["gddr6_14000_x16"].config()) == Pins(16, 32, 0, True)
    assert pins_of(STANDARDS["lpddr4_3200_x16"].config()) == Pins(16, 32, 1, False)
    assert pins_of(golden.config("DDR4_8Gb_x8_3200")) is None


def as_on_the_pins(byte: int, pins: Pins) -> tuple[int, ...]:
    """Nine levels: eight of data, and whether the byte is inverted; 1 is costly."""
    bits = [(byte >> i & 1) ^ (1 - pins.costly_level) for i in range(8)]
    if pins.dbi and sum(bits) > 4:
        return (*(1 - bit for bit in bits), 1)
    return (*bits, 0)


@pytest.mark.parametrize(("level", "dbi"), list(product((0, 1), (False, True))))
def test_random_bytes_are_the_mean_over_all_bytes(level: int, dbi: bool) -> None:
    pins = Pins(16, 32, level, dbi)
    seen = [as_on_the_pins(byte, pins) for byte in range(256)]
    costly = sum(map(sum, seen)) / 256
    # A pin differs from itself one beat later with 2 p (1 - p).
    shares = [sum(pin) / 256 for pin in zip(*seen, strict=True)]
    toggles = sum(2 * p * (1 - p) for p in shares)
    assert random_levels(pins) == pytest.approx((costly / 8, toggles / 8))


@settings(max_examples=40, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 7), st.integers(1, 4), st.integers(1, 5)),
    group=st.integers(1, 5),
    bits=st.sampled_from([5, 8, 16]),
    bus=st.sampled_from([(8, 4), (16, 16), (64, 64)]),
    level=st.integers(0, 1),
    dbi=st.booleans(),
    seed=st.integers(0, 99),
)
def test_a_map_without_blocks_is_counted_as_it_lies(
    shape: tuple[int, int, int],
    group: int,
    bits: int,
    bus: tuple[int, int],
    level: int,
    dbi: bool,
    seed: int,
) -> None:
    """Groups of channels, rows, columns, and the channels of a group innermost."""
    word, pins = Word(bits), Pins(*bus, level, dbi)
    values = np.random.default_rng(seed).integers(0, 1 << bits, shape).astype(word.dtype)
    channels, rows, cols = shape
    text = "".join(
        f"{values[c, r, q]:0{bits}b}"
        for g0 in range(0, channels, group)
        for r in range(rows)
        for q in range(cols)
        for c in range(g0, min(g0 + group, channels))
    )
    found = measure_map(values, codec_named("raw", word), (group, 2, 2), pins=pins).linear
    assert found is not None
    n_lines = -(-len(text) // (8 * pins.line_bytes))
    assert found == (n_lines * 8 * pins.line_bytes, *plain(text, pins))


def test_the_mean_of_a_stream_gives_back_its_counts() -> None:
    levels = levels_of(BeatTotals(line_bits=384, costly=123, toggles=77))
    assert levels.of(384) == (123, 77)
    assert levels_of(BeatTotals(0, 0, 0)) == Levels(0.0, 0.0)


def test_an_image_has_its_own_levels() -> None:
    stored = StoredMap("x", 0, 4, 2, 2, 8, False)
    levels = BusLevels(maps=[{stored: Levels(0.1, 0.2)}, {}])
    assert Counter(levels.of_image(0)) == Counter({stored: Levels(0.1, 0.2)})
    assert levels.of_image(1) == levels.of_image(2) == {}
