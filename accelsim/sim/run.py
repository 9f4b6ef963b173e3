"""One simulation: a program on a chip, from start to the last byte in DRAM, as counts."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from accelsim.dram.events import NO_EVENTS, DramEvents
from accelsim.dram.memory import POLICIES, Memory
from accelsim.hardware.chip import Chip
from accelsim.program.table import Kind, Program
from accelsim.program.units import STALL_CAUSES, Cause
from accelsim.program.work import StageWork
from accelsim.sim.counts import BusCounts, LayerCounts, RunCounts
from accelsim.sim.machine import Machine, Times, decoders_of
from accelsim.sim.stalls import StallAccount


@dataclass(frozen=True)
class Run:
    """What a simulation leaves behind: its counts, and when each row did what."""

    counts: RunCounts
    times: Times
    memory: Memory


def run(program: Program, chip: Chip, *, record_traffic: bool = False) -> Run:
    """Simulate ``program`` on ``chip``. Deterministic: same input, same counts.

    ``record_traffic`` keeps every line that the memory accepted, for ``--dram-trace``.
    """
    memory = memory_of(program, chip, record_traffic=record_traffic)
    machine = Machine(program, chip.core, memory)
    end_fs = machine.run()
    return Run(_count(program, chip, machine, memory, end_fs), machine.times, memory)


def memory_of(program: Program, chip: Chip, *, record_traffic: bool = False) -> Memory:
    """The chip's memory, with a queue for each DMA engine of the program."""
    return POLICIES[chip.dram.policy](
        chip.dram.config,
        n_requesters=sum(unit.is_dma for unit in program.units),
        n_labels=len(program.stages),
        decoders=decoders_of(program, chip.core),
        outstanding_reads=chip.dram.outstanding_reads,
        record_traffic=record_traffic,
    )


def _count(
    program: Program, chip: Chip, machine: Machine, memory: Memory, end_fs: int
) -> RunCounts:
    times, core, rows = machine.times, chip.core, program.rows
    n_stages = len(program.stages)
    account = StallAccount(program, times, core, chip.dram.config, chip.dram.outstanding_reads)
    busy = np.zeros((n_stages, len(Kind)), np.int64)
    np.add.at(busy, (rows.stage, rows.kind), rows.cycles)
    stalls = [[0] * len(Cause) for _ in range(n_stages)]
    total, image_end = [0] * n_stages, [0] * program.n_images
    previous_end = 0
    for row in rows.working.tolist():
        stage, image = int(rows.stage[row]), int(rows.image[row])
        stalls[stage] = [a + b for a, b in zip(stalls[stage], account.charge(row), strict=True)]
        end = core.edge_at_or_after(times.done[row])
        total[stage] += end - previous_end
        previous_end = image_end[image] = end
    end_cycle = core.edge_at_or_after(end_fs)
    final = int(rows.stage[rows.working[-1]])
    stalls[final][Cause.DRAIN] += end_cycle - previous_end
    total[final] += end_cycle - previous_end

    dram = memory.counts()
    states = _states_by_stage(program, machine, dram.background)
    layers = tuple(
        LayerCounts(
            work=work,
            cycles=total[i],
            compute_cycles=int(busy[i, Kind.COMPUTE]),
            vector_cycles=int(busy[i, Kind.VECTOR]),
            stall_cycles=dict(zip(STALL_CAUSES, stalls[i], strict=True)),
            dram=caused + states[i],
            bus=on_pins(work, caused.reads, caused.writes, memory.line_bytes),
        )
        for i, (work, caused) in enumerate(zip(program.stages, dram.by_label, strict=True))
    )
    return RunCounts(
        layers=layers,
        cycles=end_cycle,
        image_end_cycles=tuple(image_end),
        drain_writes=dram.drain_writes,
        memory_cycles=dram.cycles,
    )


def on_pins(work: StageWork, reads: int, writes: int, line_bytes: int) -> BusCounts:
    """Costly bits and toggles of the bursts that a stage caused.

    Lines which the write buffer answered or merged need no burst and never reach the pins.
    Weights are never among them, since nobody writes any; the others are taken for the mean
    of what the stage moves in their direction.
    """
    moved, bus = dict(work.bytes_by_tensor), work.bus
    weight_bytes = moved.pop("weight").read_bytes
    asked_bytes = sum(each.read_bytes for each in moved.values())
    read = (reads * line_bytes - weight_bytes) / max(1, asked_bytes)
    written = writes * line_bytes / max(1, sum(each.written_bytes for each in moved.values()))
    return work.weight_bus + BusCounts(
        round(read * bus.read_costly_bits),
        round(read * bus.read_toggles),
        round(written * bus.written_costly_bits),
        round(written * bus.written_toggles),
    )


def _states_by_stage(program: Program, machine: Machine, end: DramEvents) -> list[DramEvents]:
    """The memory's events of time, by the stage that owns the time."""
    states, before = [NO_EVENTS] * len(program.stages), NO_EVENTS
    moments = sorted(machine.background.items())
    for number, (row, at) in enumerate(moments):
        after = end if number == len(moments) - 1 else at  # the drain belongs to the last
        # A burst that has just been sent may be still to come with the gap before it.
        after = replace(after, bus_fs=max(before.bus_fs, after.bus_fs))
        states[int(program.rows.stage[row])] += after - before
        before = after
    return states
