"""The bytes that a plan is chosen by are the bytes that its program moves.

A planner that believes in other bytes picks bad tilings for one format and good ones for
another, and every gain of a codec over raw is then wrong. So both are compared for whatever
shapes, formats and arrays there are, table traffic included. The sweep over all channel
counts is ``benchmarks/validation/modelled_bytes.py``.
"""

from __future__ import annotations

import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from accelsim.errors import MappingError
from accelsim.sim.run import run
from tests.mapping.modelled_cases import (
    CODECS,
    HARDWARE,
    SHAPES,
    Case,
    bytes_by_tensor,
    chip_of,
    lowered,
    stage_bytes,
)

TOLERANCE = 0.02
CHANNELS = (
    1, 2, 3, 5, 8, 12, 15, 16, 17, 20, 24, 31, 32, 33, 40, 48, 60, 64, 72, 88, 100, 116, 120,
    128, 160, 184, 200, 240, 255, 256,
)  # fmt: skip


def check(case: Case) -> None:
    for name, modelled, moved, known_bytes in stage_bytes(case):
        assert abs(modelled - moved) <= TOLERANCE * moved + 64 + known_bytes, (
            name,
            modelled,
            moved,
        )


@pytest.mark.parametrize("channels", CHANNELS)
@pytest.mark.parametrize("shape", SHAPES)
def test_raw_maps_of_any_channel_count(shape: str, channels: int) -> None:
    check(Case(shape, channels, 14, "raw", "edge_npu"))


@pytest.mark.parametrize("channels", CHANNELS[::3])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("codec", sorted(set(CODECS) - {"raw"}))
def test_compressed_maps_of_any_channel_count(codec: str, shape: str, channels: int) -> None:
    check(Case(shape, channels, 14, codec, "edge_npu"))


@pytest.mark.parametrize("layout", ["linear", "slotted", "packed"])
@pytest.mark.parametrize("shape", SHAPES)
def test_each_tensor_by_itself(shape: str, layout: str) -> None:
    """What is written, and weights, to the byte; what is read but for block tables."""
    codec = "raw" if layout == "linear" else "zvc"
    layout = "slotted" if layout == "linear" else layout
    case = Case(shape, 100, 13, codec, "edge_npu", kib=16, layout=layout)
    known_bytes = stage_bytes(case)[-1].known_entries_bytes
    for kind, modelled, moved in bytes_by_tensor(case):
        exact = kind != "ifmap" or codec == "raw"
        slack = 0.0 if exact else TOLERANCE * moved + known_bytes
        assert abs(modelled - moved) <= slack, kind


cases = st.builds(
    Case,
    shape=st.sampled_from(SHAPES),
    channels=st.integers(1, 256),
    side=st.integers(4, 30),
    codec=st.sampled_from(CODECS),
    hardware=st.sampled_from(HARDWARE),
    bits=st.sampled_from([4, 5, 8, 16]),
    kib=st.sampled_from([None, 8]),
    layout=st.sampled_from(["slotted", "packed"]),
    seed=st.integers(0, 3),
)


@given(cases)
@settings(deadline=None, max_examples=60)
def test_any_case(case: Case) -> None:
    try:
        check(case)
    except MappingError:  # does not fit these buffers in any way
        reject()


def test_a_depthwise_layer_of_100_channels_moves_every_value_once() -> None:
    # 100 x 28 x 28 bytes in and out; the weights are 9 x 16 bytes to a tile of 16 channels and
    # 9 x 4 bytes (3 lines of 16) to the last one: 158 448 bytes. The group of 4 channels begins
    # on a line, and so does every tile of whole groups.
    case = Case("depthwise", 100, 28, "raw", "edge_npu", ends_coded=False)
    name, modelled, moved, _ = stage_bytes(case)[-1]
    assert name == "layer"
    least = 2 * 100 * 28 * 28 + 900
    assert least <= moved <= least * 1.005
    assert least <= modelled <= least * 1.005


def test_its_cycles_follow() -> None:
    # On an output stationary array of 16 x 16, every channel is 49 folds of 9 products each,
    # which wait for the 16 sums of the fold before: 100 x 49 x 16 cycles, and a little at the ends.
    case = Case("depthwise", 100, 28, "raw", "edge_npu")
    chip = chip_of(case)
    counts = run(lowered(case, chip).program, chip).counts
    layer = next(layer for layer in counts.layers if layer.work.name == "layer")
    assert 78_400 <= layer.compute_cycles <= 78_400 * 1.03
    assert layer.cycles <= 78_400 * 1.05
