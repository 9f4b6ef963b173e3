"""Tiles through the machine, reckoned by hand on a memory of ten cycles a line."""

import numpy as np
import pytest
import simpy

from accelsim.mapping.lowering.units import In, Of
from accelsim.program.table import NONE, Program
from accelsim.program.units import STALL_CAUSES, Cause
from accelsim.sim.machine import Machine, PoolState
from accelsim.sim.run import _count
from accelsim.sim.stalls import StallAccount
from accelsim.units import ceil_div
from tests.sim.small_machine import CORE, MEMORY, Builder, OneLineAtATime, chip

IFMAP, WEIGHT, INDEX = Of.IFMAP, Of.WEIGHT, Of.INDEX


def play(program: Program) -> tuple[Machine, int]:
    machine = Machine(program, CORE, OneLineAtATime(len(program.stages)))
    return machine, machine.run()


def cycles(fs: int) -> int:
    assert fs % CORE.period_fs == 0
    return fs // CORE.period_fs


def stalls(
    program: Program, machine: Machine, row: int, outstanding_reads: int = 32
) -> dict[str, int]:
    account = StallAccount(program, machine.times, CORE, MEMORY, outstanding_reads)
    charged = dict(zip(STALL_CAUSES, account.charge(row), strict=True))
    return {cause: n for cause, n in charged.items() if n}


def test_a_tile_waits_for_its_operands_and_its_result_is_written() -> None:
    b = Builder()
    weights = b.read(WEIGHT, 2)
    ifmap = b.read(IFMAP, 3)
    compute = b.compute(100, weights, ifmap)
    b.write(compute, 4)
    program = b.program()
    machine, end = play(program)
    # Both reads are submitted at 0; the ifmap DMA comes first: 30, then 20 for the weights.
    assert cycles(machine.times.submit[compute]) == 50
    assert cycles(machine.times.done[compute]) == 150
    assert cycles(end) == 190
    assert stalls(program, machine, compute) == {"weight_dram": 50}


def test_what_the_limit_of_reads_in_flight_costs_is_charged_to_it() -> None:
    """Five reads in flight: five lines in an unloaded latency of 39 clocks of 5/6 ns, 7.8
    instead of 4 clocks a line. That delays those behind the first five by 3.8 clocks each.
    Two in flight would take longer than this memory does, which needs 10 ns a line, 12 clocks:
    what exceeds the 4 of each line on the bus is due to the limit."""
    clock = MEMORY.clock.period_fs
    on_the_bus = 300 * 10 * CORE.period_fs - 300 * 4 * clock
    for n_reads, lines, limited_fs in (
        (5, 100, 19 * 19 * clock),
        (5, 25, 4 * 19 * clock),
        (5, 5, 0),
        (2, 300, on_the_bus),
    ):
        b = Builder()
        compute = b.compute(5, b.read(IFMAP, lines))
        program = b.program()
        machine, _ = play(program)
        expected = {"outstanding": ceil_div(limited_fs, CORE.period_fs), "ifmap_dram": 10 * lines}
        expected["ifmap_dram"] -= expected["outstanding"]
        nonzero = {cause: n for cause, n in expected.items() if n}
        assert stalls(program, machine, compute, n_reads) == nonzero
        assert stalls(program, machine, compute) == {"ifmap_dram": 10 * lines}


def test_the_next_tile_loads_while_the_present_one_computes() -> None:
    b = Builder()
    first = b.read(IFMAP, 3, takes=500)
    second = b.read(IFMAP, 3, takes=500)
    a = b.compute(100, first, gives={In.IFMAP: 500})
    c = b.compute(100, second, gives={In.IFMAP: 500})
    program = b.program()
    machine, end = play(program)
    assert [cycles(machine.times.submit[r]) for r in (a, c)] == [30, 130]
    assert cycles(end) == 230
    assert stalls(program, machine, c) == {}


def test_a_tile_waits_for_the_shortcut_that_is_added_to_it() -> None:
    b = Builder()
    ifmap = b.read(IFMAP, 1)
    a = b.compute(100, ifmap)
    projection = b.write(a, 4)
    window = b.read(IFMAP, 2)
    shortcut = b.read(IFMAP, 3, after=projection, work=9)
    c = b.compute(20, window, shortcut, stage=1)
    program = b.program()
    machine, _ = play(program)
    # The window comes while a computes, until 110; four lines are accepted at 150, the
    # shortcut is there at 180 and decoded at 189.
    assert cycles(machine.times.done[window]) == 30
    assert cycles(machine.times.submit[c]) == 189
    assert stalls(program, machine, c) == {"ofmap_dram": 40, "ifmap_dram": 30, "decoder": 9}


def test_without_space_for_the_next_tile_its_load_is_exposed() -> None:
    b = Builder()
    first = b.read(IFMAP, 3, takes=501)
    second = b.read(IFMAP, 3, takes=500)
    b.compute(100, first, gives={In.IFMAP: 501})
    c = b.compute(100, second, gives={In.IFMAP: 500})
    program = b.program()
    machine, _ = play(program)
    assert cycles(machine.times.submit[second]) == 130, "submitted when the first is released"
    assert cycles(machine.times.submit[c]) == 160
    # The first tile came at 30 and the engine stood still until 130: with space, no wait.
    assert stalls(program, machine, c) == {"buffer_full": 30}


def test_a_tile_that_could_come_but_a_little_earlier_charges_the_buffer_just_that() -> None:
    b = Builder()
    first = b.read(IFMAP, 3, takes=501)
    second = b.read(IFMAP, 20, takes=500)
    b.compute(100, first, gives={In.IFMAP: 501})
    c = b.compute(100, second, gives={In.IFMAP: 500})
    program = b.program()
    machine, _ = play(program)
    # Submitted at 130, there at 330. With space it had come 100 earlier, not 200.
    assert stalls(program, machine, c) == {"buffer_full": 100, "ifmap_dram": 100}


def test_a_busy_memory_is_charged_though_the_buffer_is_full_as_well() -> None:
    b = Builder()
    tiles = [b.read(IFMAP, 10, takes=500) for _ in range(4)]
    busy = [b.compute(20, tile, gives={In.IFMAP: 500}) for tile in tiles]
    program = b.program()
    machine, _ = play(program)
    # Tile 2 goes out when tile 0 is computed, at 120; tile 1 is on its way until 200.
    assert cycles(machine.times.submit[tiles[2]]) == 120
    assert [stalls(program, machine, row) for row in busy[1:3]] == [{"ifmap_dram": 80}] * 2


def test_bytes_of_the_ofmap_buffer_may_also_come_back_with_a_computation() -> None:
    b = Builder()
    ifmap = b.read(IFMAP, 1)
    a = b.compute(10, ifmap, takes=1000, gives={In.OFMAP: 1000})
    c = b.compute(10, ifmap, takes=1000)
    program = b.program()
    machine, _ = play(program)
    assert machine.times.submit[c] == machine.times.done[a]


def test_time_after_the_last_beat_belongs_to_the_decoder() -> None:
    b = Builder()
    ifmap = b.read(IFMAP, 2, work=70)
    compute = b.compute(10, ifmap)
    program = b.program()
    machine, _ = play(program)
    assert cycles(machine.times.submit[compute]) == 90
    assert stalls(program, machine, compute) == {"ifmap_dram": 20, "decoder": 70}


def test_lines_that_a_full_decoder_held_back_belong_to_the_decoder() -> None:
    b = Builder()
    ifmap = b.read(IFMAP, 3)
    compute = b.compute(10, ifmap)
    program = b.program()
    machine, _ = play(program)
    machine.times.held[ifmap] = CORE.to_fs(12)
    assert stalls(program, machine, compute) == {"decoder": 12, "ifmap_dram": 18}


def test_a_read_waits_until_its_producer_is_accepted_and_the_wait_is_walked_back() -> None:
    b = Builder()
    ifmap = b.read(IFMAP, 1)
    a = b.compute(100, ifmap)
    write = b.write(a, 4, work=60)
    again = b.read(IFMAP, 2, after=write)
    c = b.compute(10, again, stage=1)
    program = b.program()
    machine, _ = play(program)
    # compute ends at 110; encoded at 170; four lines accepted at 210; read until 230.
    assert cycles(machine.times.done[write]) == 210
    assert cycles(machine.times.submit[c]) == 230
    assert stalls(program, machine, c) == {"encoder": 60, "ofmap_dram": 40, "ifmap_dram": 20}


def test_a_block_table_is_fetched_before_its_blocks_and_charged_to_the_index() -> None:
    b = Builder()
    index = b.read(INDEX, 1)
    ifmap = b.read(IFMAP, 2, index=index)
    compute = b.compute(10, ifmap)
    program = b.program()
    machine, _ = play(program)
    assert stalls(program, machine, compute) == {"index_dram": 10, "ifmap_dram": 20}


def test_table_entries_are_fetched_one_tile_ahead_and_no_further() -> None:
    b = Builder()
    first = b.read(IFMAP, 3, index=b.read(INDEX, 1), takes=1000)
    ahead = b.read(INDEX, 1, behind=first)
    second = b.read(IFMAP, 3, index=ahead, takes=1000)
    further = b.read(INDEX, 1, behind=second)
    third = b.read(IFMAP, 3, index=further, takes=1000)
    for tile in (first, second, third):
        b.compute(100, tile, gives={In.IFMAP: 1000})
    machine, _ = play(b.program())
    assert machine.times.submit[ahead] == machine.times.submit[first]
    assert machine.times.submit[further] == machine.times.submit[second]
    assert cycles(machine.times.submit[second]) == 140, "when the first tile is released"


def test_a_full_ofmap_buffer_stops_the_array_until_a_write_is_accepted() -> None:
    b = Builder()
    ifmap = b.read(IFMAP, 1)
    a = b.compute(10, ifmap, takes=600)
    b.write(a, 5, gives=600)
    c = b.compute(10, ifmap, takes=600)
    program = b.program()
    machine, _ = play(program)
    # a ends at 20; its five lines are accepted at 70; then c starts.
    assert cycles(machine.times.submit[c]) == 70
    assert stalls(program, machine, c) == {"ofmap_dram": 50}


def test_a_stage_waits_for_the_space_that_the_one_before_it_reserved() -> None:
    b = Builder()
    first = b.read(IFMAP, 1)
    b.before(first, b.reserve(600))
    a = b.compute(10, first)
    b.write(a, 5, gives=600)
    second = b.read(IFMAP, 2)
    b.before(second, b.reserve(600))
    c = b.compute(10, second)
    program = b.program()
    machine, _ = play(program)
    # a ends at 20, its five lines are accepted at 70; the read of two lines takes until 90.
    assert cycles(machine.times.submit[second]) == 70
    assert stalls(program, machine, c) == {"ofmap_dram": 50, "ifmap_dram": 20}


def test_what_worked_is_charged_to_the_label_of_the_edge_that_led_there() -> None:
    """Another array of 60 cycles makes what a tile needs: by each label in turn."""
    for label in (Cause.BUFFER_FULL, Cause.DEPENDENCY, NONE):
        b = Builder()
        other = b.work_beside(60)
        c = b.compute(10)
        b.writer.need(np.array([c]), other, label)
        program = b.program()
        machine, _ = play(program)
        name = "dependency" if label == NONE else STALL_CAUSES[label]
        assert stalls(program, machine, c) == {name: 60}


def test_who_asks_first_for_bytes_gets_them_first() -> None:
    env = simpy.Environment()
    pool = PoolState(env, 10)
    assert pool.take(8) is None
    large, small = pool.take(6), pool.take(2)
    assert large is not None and small is not None, "the small one waits behind the large one"
    pool.give_back(3, row=7)
    assert not large.triggered and not small.triggered
    pool.give_back(5, row=8)
    assert large.triggered and small.triggered
    assert pool.freed_by == 8


def test_the_encoder_fills_once_a_tile_and_only_for_coded_blocks() -> None:
    b = Builder()
    ifmap = b.read(IFMAP, 1)
    a = b.compute(100, ifmap)
    coded = b.write(a, 4, work=60)
    raw = b.write(b.compute(1000, ifmap), 4)
    machine, _ = play(b.program(encode_fill=7))
    assert cycles(machine.times.done[coded]) == 110 + 60 + 7 + 40
    assert cycles(machine.times.done[raw]) == 1110 + 40


def test_encoder_lanes_work_on_blocks_side_by_side() -> None:
    from accelsim.sim.kernel import encode_blocks

    work = np.array([10, 20, 5, 5], np.int64)
    for function in (encode_blocks, encode_blocks.py_func):  # type: ignore[attr-defined]
        free, done = np.zeros(2, np.int64), np.zeros(4, np.int64)
        next_lane = function(work, 100, 0, free, done)
        # Lane 0: 100-110, 110-115. Lane 1: 100-120, 120-125. Blocks leave in order.
        assert done.tolist() == [110, 120, 120, 125]
        assert (next_lane, free.tolist()) == (0, [115, 125])


@pytest.mark.parametrize("ofmap_bytes", [600, 1200])
def test_cycles_are_compute_plus_stalls_and_layers_add_up(ofmap_bytes: int) -> None:
    b = Builder()
    for stage in range(3):
        for _ in range(4):
            ifmap = b.read(IFMAP, 3, work=7, takes=300, stage=stage)
            weight = b.read(WEIGHT, 2, takes=300, stage=stage)
            row = b.compute(
                25, weight, ifmap, takes=600, stage=stage, gives={In.IFMAP: 300, In.WEIGHT: 300}
            )  # fmt: skip
            b.write(row, 4, work=30, gives=600, stage=stage)
    program = b.program(ofmap=ofmap_bytes)
    memory = OneLineAtATime(3)
    machine = Machine(program, CORE, memory)
    end_fs = machine.run()
    counts = _count(program, chip(), machine, memory, end_fs)
    for layer in counts.layers:
        assert layer.cycles == layer.compute_cycles + sum(layer.stall_cycles.values())
        assert layer.compute_cycles == 100
    assert sum(layer.cycles for layer in counts.layers) == counts.cycles == cycles(end_fs)
    states = [layer.dram.active_rank_cycles for layer in counts.layers]
    assert sum(states) == counts.cycles
    assert counts.layers[-1].stall_cycles["drain"] > 0
    assert all(layer.stall_cycles["drain"] == 0 for layer in counts.layers[:-1])
