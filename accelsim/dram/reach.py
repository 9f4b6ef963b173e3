"""How much of its peak a memory can give to a DMA engine, and how many reads that takes.

Little's law: n lines in flight for a latency L are n / L lines in the time L. An engine
sends its lines in order, so those in flight are consecutive, and how many channels they
keep busy is the address map's doing.
"""

from __future__ import annotations

from typing import Final

from accelsim.dram.address_map import address_map
from accelsim.dram.config import ADDRESS_FIELDS, DramConfig, Timing
from accelsim.units import ceil_div

MAX_OUTSTANDING_READS: Final = 4096


def unloaded_read_cycles(timing: Timing) -> int:
    """From the offer of a read to its last beat: idle memory, its bank closed."""
    return 1 + timing.tRCDRD + timing.read_latency + timing.burst_cycles


def covering_reads(timing: Timing) -> int:
    """Reads in flight that keep the bus of an idle channel busy: latency over burst."""
    return ceil_div(unloaded_read_cycles(timing), timing.burst_cycles)


def enough_outstanding_reads(config: DramConfig) -> int:
    """Lines in flight with which one engine can use all channels.

    Peak bandwidth x unloaded latency / bytes of a line, which an idle memory needs; at
    least the read queue of every channel, which a busy one can fill and reorder.

    >>> from accelsim.dram.standard import STANDARDS
    >>> [enough_outstanding_reads(STANDARDS["hbm2_2000_x64"].config(n)) for n in (1, 16)]
    [32, 512]
    """
    queue = config.controller.transaction_queue_size
    each = max(covering_reads(config.timing), queue)
    return min(config.organisation.channels * each, MAX_OUTSTANDING_READS)


def latency_bound_gb_s(config: DramConfig, outstanding_reads: int) -> float:
    """What so many lines in flight can bring at most, whatever the peak."""
    latency_ns = unloaded_read_cycles(config.timing) * config.timing.tCK_ns
    return outstanding_reads * config.line_bytes / latency_ns


def busy_channels(config: DramConfig, outstanding_reads: int) -> float:
    """Channels that one engine keeps busy with consecutive lines, at most.

    Of lines that alternate between channels it sends one to each in a clock. Where g > 1
    consecutive lines are in one channel, it sends g in g - 1 clocks (the last of a group
    and the first of the next meet in one), and those in flight cover n / g channels.
    """
    n_channels = config.organisation.channels
    group_lines = 1 << address_map(config).shift[ADDRESS_FIELDS.index("ch")]
    if n_channels == 1 or group_lines == 1:
        return n_channels
    sent_per_cycle = group_lines / (group_lines - 1)
    covered = max(1.0, outstanding_reads / group_lines)
    return min(n_channels, covered, max(1.0, sent_per_cycle * config.timing.burst_cycles))


def reachable_gb_s(config: DramConfig, outstanding_reads: int) -> float:
    """Bandwidth of one engine that reads consecutive lines, of a memory with this map."""
    share = busy_channels(config, outstanding_reads) / config.organisation.channels
    return min(share * config.peak_gb_s, latency_bound_gb_s(config, outstanding_reads))
