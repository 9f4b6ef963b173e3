"""Maps that stay in a shared buffer: bytes by hand, laws, and the choice against all others."""

from __future__ import annotations

from itertools import chain, combinations
from math import inf
from pathlib import Path

import numpy as np
import pytest

from accelsim import read_hardware, read_trace, simulate
from accelsim.hardware.chip import Chip
from accelsim.mapping.lowering.units import Of
from accelsim.mapping.residency.costs import StageCosts
from accelsim.mapping.residency.keep import plan_with_kept_maps
from accelsim.mapping.residency.lives import held_bytes, lives_of
from accelsim.mapping.stages.form import stages, storable_maps
from accelsim.mapping.stages.stage import StoredMap
from accelsim.mapping.tiling.room import room_of
from accelsim.mapping.tiling.sizes import Sizes
from accelsim.program.table import Kind, Program
from accelsim.sim.machine import Times
from accelsim.sim.run import run
from accelsim.simulation.prepare import prepare
from accelsim.units import KIB, ceil_div
from accelsim.workload.layer import Add, Conv, Window
from accelsim.workload.synth import synthesise
from accelsim.workload.trace import Trace
from tests.mapping.residual_graphs import inverted_residuals, resnet8
from tests.mapping.test_lower import check_bytes, check_macs, graph_of, network
from tests.sim.edges import edges

GRAPHS = {
    "resnet8": resnet8(),
    "inverted": inverted_residuals(),
    "concat": network(8, 20, 20, 16, 1),
}
ALL = ("buffers.weight_kib=0",)


def chip(kib: float, *options: str) -> Chip:
    return read_hardware("edge_npu", [f"buffers.shared_kib={kib}", *options])


@pytest.fixture(params=list(GRAPHS))
def trace(request: pytest.FixtureRequest, tmp_path: Path) -> Trace:
    synthesise(tmp_path / "net.h5", GRAPHS[request.param], 0.4, 2.5, seed=5, n_images=2)
    return read_trace(tmp_path / "net.h5")


def check_space(program: Program, times: Times) -> None:
    """No pool ever holds more than it has, and all bytes come back."""
    n_rows = program.rows.n_rows
    for number, pool in enumerate(program.pools):
        taken, given = (a.by_row(number) for a in (program.takes, program.gives))
        events = [(times.submit[r], 1, int(taken[r])) for r in range(n_rows) if taken[r]]
        events += [(times.done[r], 0, -int(given[r])) for r in range(n_rows) if given[r]]
        held = 0
        for _, _, n_bytes in sorted(events):
            held += n_bytes
            assert 0 <= held <= pool.capacity_bytes, pool.name
        assert held == 0


@pytest.mark.parametrize("policy", ["ideal", "dramsim3"])
@pytest.mark.parametrize("codec", ["raw", "zvc"])
@pytest.mark.parametrize("kib", [48, 160, 4096])
@pytest.mark.parametrize("own_weights", [True, False])
def test_laws_of_a_shared_buffer(
    trace: Trace, kib: int, codec: str, own_weights: bool, policy: str
) -> None:
    on = chip(kib, f"codec.name={codec}", f"dram.policy={policy}", *(() if own_weights else ALL))
    prepared = prepare(on, trace, images=2)
    program = prepared.program
    check_bytes(program, on)
    check_macs(program, trace.graph)
    played = run(program, prepared.chip)
    check_space(program, played.times)
    row, source, _ = edges(program)
    done, start = np.array(played.times.done), np.array(played.times.submit)
    works = program.rows.kind[row] != Kind.TRANSFER
    assert (done[source[works]] <= start[row[works]]).all()
    for layer in played.counts.layers:
        busy = layer.compute_cycles + layer.vector_cycles
        assert layer.cycles == busy + sum(layer.stall_cycles.values())
    moved = sum(b.fetched_bytes for w in program.stages for b in w.bytes_by_tensor.values())
    modelled = 2 * sum(p.tiling.traffic_bytes for p in prepared.plans)
    assert moved == pytest.approx(modelled, rel=1e-9 if codec == "raw" else 0.02)


@pytest.mark.parametrize("kib", [48, 160, 4096])
def test_space_is_held_for_as_long_as_it_is_used(trace: Trace, kib: int) -> None:
    """In the order of the rows: the maps that a stage reads or passes by, and its own tiles."""
    on = chip(kib, *ALL)
    prepared = prepare(on, trace, images=2)
    program, plans = prepared.program, prepared.plans
    kept = frozenset[StoredMap]().union(*(p.on_chip for p in plans))
    lives = lives_of([p.stage for p in plans])
    shared = next(i for i, pool in enumerate(program.pools) if pool.name == "shared")
    taken, given = (a.by_row(shared) for a in (program.takes, program.gives))
    tiles = [
        p.tiling.ifmap_tile_bytes + 2 * p.tiling.weight_tile_bytes + p.tiling.ofmap_space_bytes
        for p in plans
    ]
    held = 0
    for row in range(program.rows.n_rows):
        held += int(taken[row])
        if program.rows.kind[row] != Kind.TRANSFER:
            stage = int(program.rows.stage[row])
            assert held == held_bytes(kept, lives, stage) + tiles[stage]
        held -= int(given[row])
    assert held == 0


def test_who_reads_a_kept_map_waits_for_the_pass_that_made_it(trace: Trace) -> None:
    """And every unit of a stage for its reserve."""
    program = prepare(chip(4096), trace).program
    rows = program.rows
    row, source, _ = edges(program)
    reserve_of = {int(rows.stage[r]): r for r in np.flatnonzero(rows.kind == Kind.RESERVE)}
    waits = set(zip(row.tolist(), source.tolist(), strict=True))
    for stage, reserve in reserve_of.items():
        for unit in (Of.IFMAP, Of.WEIGHT, Of.ARRAY):
            mine = np.flatnonzero((rows.stage == stage) & (rows.unit == unit))
            assert not len(mine) or (int(mine[0]), int(reserve)) in waits
    plans = prepare(chip(4096), trace).plans
    last = {p.stage.output: i for i, p in enumerate(plans)}
    for number, planned in enumerate(plans):
        # Of every kept map that a stage reads whole, its passes wait for the last pass together.
        found = {int(s) for r, s in waits if rows.stage[r] == number and rows.unit[r] == Of.ARRAY}
        for stored in dict.fromkeys(planned.stage.reads):
            if stored in planned.on_chip:
                made = (rows.stage == last[stored]) & (rows.unit == Of.ARRAY)
                assert np.flatnonzero(made)[-1] in found


def test_where_all_maps_fit_only_the_ends_and_the_weights_move(trace: Trace) -> None:
    on = chip(4096)
    prepared = prepare(on, trace)
    graph, work = trace.graph, prepared.program.stages
    read, weights, written = (
        sum(w.bytes_by_tensor[kind].needed_bytes for w in work)
        for kind in ("ifmap", "weight", "ofmap")
    )
    ends = [sum(graph.edge[n].n_values for n in names) for names in (graph.inputs, graph.outputs)]
    n_weights = sum(x.n_weights for x in graph.layers if isinstance(x, Conv))
    assert [read, written, weights] == [*ends, n_weights]
    outputs = {p.stage.output for p in prepared.plans} - {prepared.plans[-1].stage.output}
    assert frozenset().union(*(p.on_chip for p in prepared.plans)) == outputs


def test_two_layers_by_hand(tmp_path: Path) -> None:
    """8 x 12 x 12 -> 16 x 12 x 12 -> 4 x 12 x 12, 1x1: what moves without and with the map."""
    point = Window((1, 1))
    layers = [Conv("a", "x", "a", 8, 16, point), Conv("b", "a", "b", 16, 4, point)]
    synthesise(tmp_path / "two.h5", graph_of(layers, 8, 12, 12), 0.5, 3, seed=1)
    two = read_trace(tmp_path / "two.h5")
    pixels = 144
    ends, weights, between = 8 * pixels + 4 * pixels, 8 * 16 + 16 * 4, 16 * pixels
    for options, moved in ((["mapping.on_chip=false"], 2 * between), ([], 0)):
        program = prepare(chip(64, *options), two).program
        total = sum(b.fetched_bytes for w in program.stages for b in w.bytes_by_tensor.values())
        assert total == ends + weights + moved


@pytest.mark.parametrize("kib", [8, 24, 40])
@pytest.mark.parametrize("objective", ["traffic", "latency"])
@pytest.mark.parametrize("name", list(GRAPHS))
def test_no_other_choice_of_maps_is_cheaper(name: str, objective: str, kib: int) -> None:
    graph, on = GRAPHS[name], chip(kib, f"mapping.objective={objective}")
    work = stages(graph)
    sizes = Sizes.raw(storable_maps(graph), 16, 16)
    lives = lives_of(work, graph.outputs)
    costs, capacity = StageCosts(on, sizes, room_of(on.buffers)), int(kib * KIB)

    def total(kept: frozenset[object]) -> float:
        cost = 0.0
        for number, stage in enumerate(work):
            held = held_bytes(kept, lives, number)  # type: ignore[arg-type]
            if held > capacity:
                return inf
            mine = frozenset(m for m in (*stage.reads, stage.output) if m in kept)
            cost += costs.cost(stage, mine, capacity - held)
        return cost

    every = chain.from_iterable(combinations(lives, n) for n in range(len(lives) + 1))
    best = min(total(frozenset(kept)) for kept in every)
    plans = plan_with_kept_maps(work, on, sizes, graph.outputs)
    assert total(frozenset().union(*(p.on_chip for p in plans))) == best < inf


def test_a_larger_buffer_never_gives_more_modelled_traffic() -> None:
    for graph in GRAPHS.values():
        work, sizes = stages(graph), Sizes.raw(storable_maps(graph), 16, 16)
        moved = [
            sum(
                p.tiling.traffic_bytes
                for p in plan_with_kept_maps(
                    work, chip(kib, "mapping.objective=traffic"), sizes, graph.outputs
                )
            )
            for kib in (8, 16, 24, 48, 96, 192, 768)
        ]
        assert moved == sorted(moved, reverse=True)


def test_the_buffer_is_read_and_written_where_a_map_stays(tmp_path: Path) -> None:
    """4 x 6 x 6 -> a: 8 x 6 x 6, 3x3; b: 8 -> 8, 1x1, plus a; on an array that holds a fold.

    8 x 8 PEs, output stationary: every input is read once for the one fold of 8 channels, and
    every sum written. Where a plan adds up P parts of the input channels, wide sums of 4 bytes
    are written P times and read back P - 1 times, and read once more to be finished. A sum of one
    part is finished as it is written, where it stays. For b the drain path reads its sums and
    the shortcut, and writes where the map stays.
    """
    same = Window((3, 3), padding=(1, 1, 1, 1))
    layers = [
        Conv("a", "x", "a", 4, 8, same),
        Conv("b", "a", "b", 8, 8, Window((1, 1))),
        Add("c", ("a", "b"), "c"),
        Conv("d", "c", "d", 8, 8, Window((1, 1))),
    ]
    synthesise(tmp_path / "sum.h5", graph_of(layers, 4, 6, 6), 0.5, 3, seed=1)
    on = chip(64, "array.rows=8", "array.cols=8")
    prepared = prepare(on, read_trace(tmp_path / "sum.h5"))
    parts = [
        ceil_div(p.stage.layer.in_channels, p.tiling.in_channels)  # type: ignore[union-attr]
        for p in prepared.plans
    ]
    n, per_value = 8 * 36, [4 if n_parts > 1 else 1 for n_parts in parts]
    assert [p.on_chip for p in prepared.plans] != [frozenset()] * 3
    a, b, d = (work.sram for work in prepared.program.stages)
    assert (a.ifmap_write_bytes, a.ifmap_read_bytes) == (4 * 36, 36 * 36)
    assert (b.ifmap_write_bytes, b.ifmap_read_bytes) == (0, 36 * 8 + n)
    assert (d.ifmap_write_bytes, d.ifmap_read_bytes) == (0, 36 * 8)
    for sram, n_parts, wide, passes_drain, stays in zip(
        (a, b, d), parts, per_value, (False, True, True), (True, True, False), strict=True
    ):
        drains = passes_drain or n_parts > 1
        read = (n_parts - 1 + drains) * n * wide
        written = n_parts * n * wide + (n if drains and stays else 0)
        assert (sram.ofmap_read_bytes, sram.ofmap_write_bytes) == (read, written)


def test_results_say_which_maps_stayed(trace: Trace) -> None:
    result = simulate(chip(4096, "codec.name=zvc"), trace)
    assert any("stay on the chip" in note for note in result.notes)
