"""How much of its peak a memory can give to one DMA engine, and how many reads that takes.

Little's law: n lines in flight with a latency L give a throughput of n / L lines per unit of time.
An engine sends its lines in order, so the lines in flight are consecutive, and the address map
determines how many channels they keep busy.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from accelsim.dram.address_map import address_map
from accelsim.dram.config import DramConfig
from accelsim.dram.system import ADDRESS_FIELDS, Timing
from accelsim.units import ceil_div

MAX_OUTSTANDING_READS: Final = 4096


def unloaded_read_cycles(timing: Timing) -> int:
    """From the offer of a read to its last beat: idle memory, its bank closed."""
    return 1 + timing.tRCDRD + timing.read_latency + timing.burst_cycles


def open_row_read_cycles(timing: Timing) -> int:
    """The same if its row is open: no read is faster."""
    return 1 + timing.read_latency + timing.burst_cycles


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
    """What so many lines in flight can bring at most, whatever the peak: all from open rows."""
    latency_ns = open_row_read_cycles(config.timing) * config.timing.tCK_ns
    return outstanding_reads * config.line_bytes / latency_ns


def busy_channels(config: DramConfig, outstanding_reads: int, policy: str = "dramsim3") -> float:
    """Channels that one engine keeps busy with consecutive lines, at most.

    Of lines that alternate between channels it sends one to each in a clock. Where g > 1
    consecutive lines are in one channel, it sends g in g - 1 clocks (the last of a group
    and the first of the next meet in one), and those in flight cover n / g channels. The
    ideal memory has one bus for all.
    """
    n_channels = config.organisation.channels
    group_lines = 1 << address_map(config).shift[ADDRESS_FIELDS.index("ch")]
    if n_channels == 1 or group_lines == 1 or policy == "ideal":
        return n_channels
    sent_per_cycle = group_lines / (group_lines - 1)
    covered = max(1.0, outstanding_reads / group_lines)
    return min(n_channels, covered, max(1.0, sent_per_cycle * config.timing.burst_cycles))


def reachable_gb_s(config: DramConfig, outstanding_reads: int, policy: str = "dramsim3") -> float:
    """Bandwidth of one engine that reads consecutive lines, of a memory with this map."""
    channels = busy_channels(config, outstanding_reads, policy)
    by_map = channels / config.organisation.channels * config.peak_gb_s
    return min(by_map, latency_bound_gb_s(config, outstanding_reads))


def reach_warnings(config: DramConfig, outstanding_reads: int, policy: str) -> Iterator[str]:
    """Why one DMA engine cannot use the full bandwidth of the memory."""
    bound, peak = latency_bound_gb_s(config, outstanding_reads), config.peak_gb_s
    if bound < peak:
        yield (
            f"dram.outstanding_reads: with {outstanding_reads} lines in flight a DMA engine "
            f"reaches at most {bound:.3g} of {peak:.3g} GB/s; {enough_outstanding_reads(config)} "
            "are enough"
        )
    n_channels = config.organisation.channels
    channels = busy_channels(config, outstanding_reads, policy)
    if channels < n_channels:
        yield (
            f"dram.address_map: with {config.controller.address_map} the consecutive lines of a "
            f"DMA engine keep at most {channels:.2g} of {n_channels} channels busy; a map with "
            "ch last keeps all of them busy"
        )


def limit_delays_fs(
    config: DramConfig, outstanding_reads: int, n_lines: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """By how much the limit delays the last of ``n_lines``, and their time on the bus; both [n].

    The first ``outstanding_reads`` lines are not delayed. The others arrive at that many per
    unloaded latency, instead of one per burst and channel.
    """
    period, channels = config.clock.period_fs, config.organisation.channels
    latency, burst = unloaded_read_cycles(config.timing), config.timing.burst_cycles
    behind = np.maximum(n_lines - outstanding_reads, 0) * period
    delays = np.maximum(behind * latency // outstanding_reads - behind * burst // channels, 0)
    return delays, n_lines * period * burst // channels
