"""A replay that offers one line in each clock to each channel, as the simulator's own front end.

Channels are independent, so each has its own requests. The reference drivers
(``accelsim.dram.replay``) offer one line per clock to all channels together, which is too slow for
many fast channels.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from accelsim.dram.address_map import address_map
from accelsim.dram.chunked_replay import ChunkedReplay, ReplayCounts
from accelsim.dram.config import DramConfig
from accelsim.dram.system import ADDRESS_FIELDS
from accelsim.dram.traces.requests import Requests


@dataclass(frozen=True)
class ChannelsResult:
    """Results of all channels; each stays in standby until the last one has finished."""

    counts: ReplayCounts
    done_cycle: NDArray[np.int64]  # [requests] data returned, or write acknowledged


def replay_channels(config: DramConfig, requests: Requests) -> ChannelsResult:
    """Run ``requests`` through ``config``, in order within each channel.

    >>> from accelsim.dram.standard import STANDARDS
    >>> two = STANDARDS["ddr4_2400_x16"].config(channels=2, address_map="rorabgbacoch")
    >>> zeros = np.zeros(2, np.int64)
    >>> replay_channels(two, Requests(np.array([0, 16]), zeros, zeros)).done_cycle   # 2+17+17+4
    array([40, 40])
    """
    one = replace(config, organisation=replace(config.organisation, channels=1))
    channel, inner = _split(config, requests.address)
    runs, done_cycle, latency_cycles = [], np.zeros(len(requests), np.int64), 0.0
    for c in range(config.organisation.channels):
        mine = np.flatnonzero(channel == c)
        run = ChunkedReplay(one)
        run.feed(Requests(inner[mine], requests.is_write[mine], requests.arrival_cycle[mine]))
        run.drain()
        done_cycle[mine] = run.done_cycle
        runs.append(run)
    end = max(run.cycles for run in runs)
    each = [run.counts_until(end) for run in runs]
    n_reads = np.bincount(channel[requests.is_write == 0], minlength=len(each))
    latency_cycles = sum(
        counts.average_read_latency_cycles * n for counts, n in zip(each, n_reads, strict=True)
    )
    totals = {
        key.name: sum(getattr(counts, key.name) for counts in each)
        for key in fields(ReplayCounts)
        if getattr(each[0], key.name) is not None
    }
    totals |= {
        "cycles": end,
        "average_read_latency_cycles": float(latency_cycles / max(1, n_reads.sum())),
    }
    return ChannelsResult(replace(each[0], **totals), done_cycle)


def _split(
    config: DramConfig, address: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """[n] the channel, and the address within it: the same without the bits of the channel."""
    mapping, place = address_map(config), ADDRESS_FIELDS.index("ch")
    low, high = mapping.shift[place], mapping.shift[place] + mapping.bits[place]
    line, within = np.divmod(address, config.line_bytes)
    inner = (line >> high << low) | (line & ((1 << low) - 1))
    return (line >> low) & (config.organisation.channels - 1), inner * config.line_bytes + within
