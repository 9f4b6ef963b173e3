"""How fast the memory is inside a simulation, beside replay of the very same traffic.

Run as ``python benchmarks/speed/dram_in_simulation.py``; one core, kernels compiled. Streams
side by side each send the next transfer when the one before is done; then SqueezeNet on the
edge NPU. Counted is all that a simulator waits for: transfers made, submitted and advanced
to, with the bookkeeping of who waits for which. Both run in turn; figures are medians of CPU
seconds (on the edge NPU of elapsed ones). On a shared machine the ratio counts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from time import perf_counter, process_time

import numpy as np
from simulation import memory_seconds

from accelsim import read_hardware, read_trace
from accelsim.dram.config import DramConfig
from accelsim.dram.memory import POLICIES, Decoder, Memory, Transfer
from accelsim.dram.replay import replay
from accelsim.dram.standard import STANDARDS
from accelsim.dram.traces.requests import Requests
from accelsim.dram.traces.traffic import TrafficMemory
from accelsim.sim.run import run
from accelsim.simulation.lanes import with_codec
from accelsim.simulation.prepare import prepare

N_BURSTS = 20_000
N_RUNS = 15
GOALS = {64: "goals 2.5, 60 %", 16: "goal 1"}


@dataclass(frozen=True)
class Streams:
    """Requesters that read, behind a decoder or not, and requesters that write."""

    readers: int
    writers: int
    decoder: bool = False

    def open(self, config: DramConfig, record_traffic: bool = False) -> Memory:
        decoder = Decoder(lanes=4, fill_fs=0, fifo_blocks=32, period_fs=config.clock.period_fs)
        return POLICIES["dramsim3"](
            config,
            n_requesters=self.readers + self.writers,
            n_labels=1,
            decoders=dict.fromkeys(range(self.readers), decoder) if self.decoder else {},
            record_traffic=record_traffic,
        )

    def play(self, memory: Memory, config: DramConfig, lines: int) -> float:
        """CPU seconds of ``N_BURSTS`` in transfers of ``lines``."""
        n = self.readers + self.writers
        next_line = [stream * (config.n_lines // n) for stream in range(n)]
        size = np.array([lines], np.int64)
        # As fast as the bus: four lanes that each decode a block in the time of four.
        decode = 4 * size * config.timing.burst_cycles * config.clock.period_fs
        idle, busy, left, now = list(range(n)), dict[int, int](), N_BURSTS // lines, 0
        start = process_time()
        while left or busy:
            while left and idle:
                stream = idle.pop()
                is_write = stream >= self.readers
                times = decode if self.decoder and not is_write else None
                first = np.array([next_line[stream]], np.int64)
                transfer = Transfer(stream, 0, is_write, first, size, decode_fs=times)
                busy[memory.submit(now, transfer)] = stream
                next_line[stream] += lines
                left -= 1
            for completion in memory.advance(None):
                idle.append(busy.pop(completion.transfer))
                now = max(now, completion.done_fs)
        return process_time() - start


def traffic_of(memory: Memory) -> Requests:
    """What a memory accepted, to be replayed at the same cycles."""
    assert isinstance(memory, TrafficMemory)
    cycle, line, is_write = np.ascontiguousarray(memory.traffic().T)
    return Requests(line * memory.line_bytes, is_write, cycle)


def replay_seconds(
    config: DramConfig, traffic: Requests, clock: Callable[[], float] = process_time
) -> float:
    start = clock()
    replay(config, traffic)
    return clock() - start


def show(what: str, n_bursts: int, inside: list[float], replayed: list[float], goal: str) -> None:
    own, other = (n_bursts / median(times[1:]) / 1e6 for times in (inside, replayed))
    print(f"{what:<52}{own:>8.2f}{other:>9.2f}{100 * own / other:>7.0f} %  {goal}")


def main() -> None:
    print(f"{'':<52}{'inside':>8}{'replay':>9}    ratio (M bursts/s)")
    for name in ("ddr4_3200_x64", "ddr4_2400_x16"):
        config = STANDARDS[name].config()
        for lines in (16, 64, 256):
            for streams in (
                *(Streams(1, 0), Streams(1, 0, decoder=True), Streams(2, 0), Streams(1, 1)),
                *(Streams(2, 1), Streams(2, 1, decoder=True)),
            ):
                recording = streams.open(config, record_traffic=True)
                streams.play(recording, config, lines)
                traffic, inside, replayed = traffic_of(recording), [], []
                for _ in range(N_RUNS):
                    inside.append(streams.play(streams.open(config), config, lines))
                    replayed.append(replay_seconds(config, traffic))
                what = f"{name}, {lines}: {streams.readers} read, {streams.writers} write"
                what += ", decoders" if streams.decoder else ""
                show(what, len(traffic), inside, replayed, GOALS.get(lines, ""))
    chip, trace = read_hardware("edge_npu"), read_trace("squeezenet1_1")
    for codec in ("raw", "zvc", "huffman"):
        with_this = with_codec(chip, codec)
        program = prepare(with_this, trace).program
        traffic = traffic_of(run(program, with_this, record_traffic=True).memory)
        inside, replayed = [], []
        for _ in range(N_RUNS):
            inside.append(memory_seconds(program, with_this))
            replayed.append(replay_seconds(chip.dram.config, traffic, perf_counter))
        show(f"squeezenet1_1 on edge_npu, {codec}", len(traffic), inside, replayed, "")


if __name__ == "__main__":
    main()
