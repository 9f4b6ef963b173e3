"""Levels on the pins, against a plain count over beats and bits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accelsim.codecs import beats
from accelsim.codecs.base import Blocks, Word
from accelsim.codecs.beats import Pins, count_beats
from accelsim.codecs.formats.raw import CODEC as RAW
from accelsim.errors import CodecError


def plain(bits: str, pins: Pins) -> tuple[int, int]:
    """Costly pins and toggles of one block, a beat and a byte at a time."""
    rest = "1" if pins.costly_level == 0 else "0"
    cost = "0" if pins.costly_level == 0 else "1"
    bits += rest * (-len(bits) % (8 * pins.line_bytes))
    lanes = pins.bus_bits // 8
    last = [rest * 9] * lanes
    costly = toggles = 0
    for beat in range(0, len(bits), pins.bus_bits):
        for lane in range(lanes):
            byte = bits[beat + 8 * lane : beat + 8 * lane + 8]
            if pins.dbi and byte.count(cost) > 4:
                byte = "".join("10"[int(b)] for b in byte) + cost
            else:
                byte += rest
            costly += byte.count(cost)
            toggles += sum(a != b for a, b in zip(byte, last[lane], strict=True))
            last[lane] = byte
    return costly, toggles


@settings(deadline=None, max_examples=100)
@given(
    st.lists(st.text("01", max_size=200), min_size=1, max_size=4),
    st.sampled_from([(8, 4), (16, 4), (16, 16), (32, 8), (64, 64)]),
    st.integers(0, 1),
    st.booleans(),
)
def test_counts_are_those_of_a_plain_walk_over_the_beats(
    blocks: list[str], bus: tuple[int, int], costly_level: int, dbi: bool
) -> None:
    pins = Pins(*bus, costly_level, dbi)
    whole = "".join(blocks)
    payload = np.packbits(np.array(list(whole), np.uint8)) if whole else np.zeros(0, np.uint8)
    offsets = np.cumsum([0, *map(len, blocks)])
    expected = [plain(block, pins) for block in blocks]
    for count in (beats._count, beats._count.py_func):  # type: ignore[attr-defined]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(beats, "_count", count)
            found = count_beats(payload, offsets, pins)
        assert list(zip(found.costly.tolist(), found.toggles.tolist(), strict=True)) == expected


def test_a_sparse_map_costs_pod_most_and_lvstl_least() -> None:
    """10 % ones: POD without inversion pays for the zeros, LVSTL for the ones."""
    values = np.where(np.arange(4096) % 10 == 0, 255, 0).astype(np.uint8)
    stream = RAW.for_word(Word(8)).encode(Blocks(values, np.array([0, values.size])))
    n_bits = 8 * values.size
    share = {
        (level, dbi): count_beats(
            stream.payload, stream.offsets_bits, Pins(64, 64, level, dbi)
        ).costly.sum() / n_bits
        for level in (0, 1) for dbi in (False, True)
    }  # fmt: skip
    assert share[0, False] == pytest.approx(0.9, abs=0.001)
    assert share[1, False] == pytest.approx(0.1, abs=0.001)
    # Inverted, a zero byte costs its DBI pin alone: 1 of 8.
    assert share[0, True] == pytest.approx(0.9 / 8, abs=0.001)
    assert share[1, True] == pytest.approx(0.1 / 8, abs=0.001)


def test_a_byte_is_never_worse_than_half_with_inversion() -> None:
    every = np.arange(256).astype(np.uint8)
    for level in (0, 1):
        counts = count_beats(every, 8 * np.arange(257), Pins(8, 1, level, True))
        assert counts.costly.max() == 4
        assert counts.toggles.max() <= 5  # from rest: at most four pins and the DBI pin


def test_lines_hold_whole_beats() -> None:
    with pytest.raises(CodecError, match="not a whole number of beats"):
        Pins(24, 16, 0, False)
