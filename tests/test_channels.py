"""More channels of a memory never make a chip slower, as it comes."""

from itertools import pairwise

from accelsim import read_hardware, read_trace, simulate


def test_more_channels_of_hbm2_are_never_slower() -> None:
    """Tiles change with the bandwidth, so within 1 %. 16 channels hold the array's peak."""
    trace = read_trace("squeezenet1_1")
    found = []
    for channels in (1, 2, 4, 8, 16):
        chip = read_hardware(
            "tpu_like", ["dram.standard=hbm2_2000_x64", f"dram.channels={channels}"]
        )
        totals = simulate(chip, trace).totals
        assert not totals.stall_cycles["outstanding"]
        found.append(totals.cycles)
    assert all(more <= 1.01 * fewer for fewer, more in pairwise(found)), found
    assert found[0] > 1.7 * found[1], "bound by its memory, a second channel nearly halves it"
    own = simulate(read_hardware("tpu_like"), trace).totals.cycles
    assert found[-1] < 0.7 * own, "256 GB/s against 25.6"


def test_a_limit_of_reads_in_flight_is_named_as_the_cause() -> None:
    """Two reads in flight bring at most 2 x 16 bytes in 22 clocks of 5/6 ns. What they cost
    is charged to them as far as an idle memory would show it, and nothing without them."""
    found = []
    for option in ("dram.outstanding_reads=2", "dram.outstanding_reads=null"):
        result = simulate(read_hardware("edge_npu", [option]), read_trace("fmnist_resnet8_q8"))
        found.append(result)
    limited, free = (r.totals.stall_cycles for r in found)
    assert free["outstanding"] == 0
    assert not found[1].warnings
    costs = found[0].totals.cycles - found[1].totals.cycles
    assert costs / 3 < limited["outstanding"] <= costs
    (text,) = found[0].warnings
    assert "1.75 of 4.8 GB/s" in text
