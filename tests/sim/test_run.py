"""What a run counts of its memory: bursts by cause, and bus time by the time that owns it."""

from dataclasses import replace

from accelsim.program.work import TENSOR_KINDS, BusCounts, ByteCounts
from accelsim.sim.run import on_pins
from tests.sim.small_machine import Builder


def test_lines_that_need_no_burst_never_reach_the_pins() -> None:
    """Of 60 lines of maps a waiting write answers 45 or all, of none of 40 of weights; of 50
    written 40 meet in the buffer."""
    moved = dict.fromkeys(TENSOR_KINDS, ByteCounts()) | {
        "ifmap": ByteCounts(read_bytes=60 * 16),
        "weight": ByteCounts(read_bytes=40 * 16),
        "ofmap": ByteCounts(written_bytes=50 * 16),
    }
    (stage,) = Builder().program().stages
    weights, others = BusCounts(7, 9), BusCounts(6000, 600, 4000, 100)
    work = replace(stage, bytes_by_tensor=moved, bus=others, weight_bus=weights)
    assert on_pins(work, 55, 10, 16) == BusCounts(1500 + 7, 150 + 9, 800, 20)
    assert on_pins(work, 40, 10, 16) == BusCounts(7, 9, 800, 20)
    assert on_pins(work, 100, 50, 16) == others + weights
