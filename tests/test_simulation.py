"""The whole house on small networks: laws that any correct machine obeys."""

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from itertools import pairwise, product
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import simpy
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from accelsim import compare, read_hardware, read_trace, simulate
from accelsim.codecs.base import CODECS, Word
from accelsim.codecs.blocks import cut
from accelsim.codecs.formats.zero_run_huffman import ZeroRunHuffman
from accelsim.codecs.size_cache import SizeCache
from accelsim.errors import ConfigError, MappingError, TraceError, UnknownNameError
from accelsim.hardware.chip import Chip
from accelsim.mapping.measuring.measured import measure_maps, values_of
from accelsim.program.table import Program
from accelsim.sim.machine import Machine
from accelsim.sim.run import memory_of, run
from accelsim.simulation.prepare import prepare
from accelsim.workload.layer import Conv, Window
from accelsim.workload.synth import synthesise
from accelsim.workload.trace import Trace
from tests.mapping.test_lower import graph_of, network

POINT = Window((1, 1))


@pytest.fixture(scope="module")
def trace(tmp_path_factory: pytest.TempPathFactory) -> Trace:
    path = tmp_path_factory.mktemp("traces") / "small.h5"
    synthesise(path, network(3, 33, 29, 16, 1), 0.4, 2.5, seed=3, n_images=3)
    return read_trace(path)


def chip(*settings: str) -> Chip:
    return read_hardware("edge_npu", ["buffers.ifmap_kib=8", "buffers.weight_kib=8", *settings])


@pytest.mark.parametrize("codec", list(CODECS))
@pytest.mark.parametrize("policy", ["dramsim3", "ideal"])
def test_parts_add_up_to_the_whole(trace: Trace, codec: str, policy: str) -> None:
    of_tiles = chip(f"dram.policy={policy}", "buffers.ifmap_kib=16")  # blocks of 16 x 8 x 8
    result = simulate(of_tiles, trace, codec=codec, images=2)
    total, layers = result.totals, result.layers
    for part in (total, *layers):
        assert part.cycles == part.compute_cycles + part.vector_cycles + sum(
            part.stall_cycles.values()
        )
        dram = part.dram
        assert dram.read_bytes + dram.written_bytes == dram.fetched_bytes >= dram.coded_bytes
        coded_and_rest = dram.coded_bytes + dram.padding_bytes + dram.index_bytes
        assert dram.fetched_bytes == coded_and_rest + dram.table_bytes
        energy = dict(part.energy_pj)
        assert energy.pop("total") == pytest.approx(sum(energy.values()))
        assert min(energy.values()) >= 0
    for name in ("cycles", "macs", "compute_cycles", "vector_cycles"):
        assert getattr(total, name) == sum(getattr(layer, name) for layer in layers)
    assert total.energy_pj["total"] == pytest.approx(sum(x.energy_pj["total"] for x in layers))
    assert total.dram.fetched_bytes == sum(x.dram.fetched_bytes for x in layers)
    graph = trace.graph
    assert total.macs == 2 * sum(graph.macs(layer) for layer in graph.layers)


def test_the_memory_moves_the_bytes_of_the_program(trace: Trace) -> None:
    program = prepare(chip(), trace).program
    counts = run(program, chip()).counts
    moved = sum(layer.dram.reads + layer.dram.writes for layer in counts.layers)
    # Reads that a waiting write answers, and writes of one line that meet in the write
    # buffer, need no burst; nothing else may be missing.
    n_lines = int(program.extents.n_lines.sum())
    assert 0.95 * n_lines < moved <= n_lines
    ideal = run(program, chip("dram.policy=ideal")).counts
    assert sum(x.dram.reads + x.dram.writes for x in ideal.layers) == n_lines


@pytest.mark.parametrize("codec", ["raw", "huffman"])
def test_two_runs_give_the_same_bytes(trace: Trace, codec: str) -> None:
    one, two = (
        json.dumps(asdict(simulate(chip(), trace, codec=codec, images=2))) for _ in range(2)
    )
    assert one == two


@pytest.mark.parametrize("policy", ["dramsim3", "ideal"])
@given(step_cycles=st.integers(1, 4000), offset_fs=st.integers(0, 10**6))
@settings(deadline=None, max_examples=8, phases=[Phase.explicit, Phase.generate])
def test_waking_the_memory_at_any_other_time_changes_nothing(
    trace: Trace, policy: str, step_cycles: int, offset_fs: int
) -> None:
    machine_chip = chip("codec.name=huffman", f"dram.policy={policy}", "codec.fifo_blocks=3")
    program = prepare(machine_chip, trace).program
    undisturbed = machine_of(program, machine_chip)
    end = undisturbed.run()
    woken = machine_of(program, machine_chip)
    step_fs, stop_fs = machine_chip.core.to_fs(step_cycles), max(undisturbed.times.done)
    woken.env.process(ticker(woken, step_fs, offset_fs, stop_fs))
    assert woken.run() == end
    assert woken.times == undisturbed.times


def machine_of(program: Program, machine_chip: Chip) -> Machine:
    return Machine(program, machine_chip.core, memory_of(program, machine_chip))


def ticker(machine: Machine, step_fs: int, start_fs: int, stop_fs: int) -> Iterator[simpy.Event]:
    """Wake the memory again and again; no longer than the machine itself runs."""
    yield machine.env.timeout(start_fs)
    while machine.env.now + step_fs < stop_fs:
        yield machine.env.timeout(step_fs)


def test_on_an_ideal_memory_time_falls_with_the_coded_bits(trace: Trace) -> None:
    """Unlimited lanes, one plan, blocks in equal places: fewer lines are never slower."""
    endless = chip(
        "dram.policy=ideal", "codec.name=zvc", "codec.lanes=4096", "codec.fifo_blocks=4096",
        "codec.hardware.encode_fill_cycles=0", "codec.hardware.decode_fill_cycles=0",
        "codec.hardware.encode_values_per_cycle=4096",
        "codec.hardware.decode_values_per_cycle=4096",
    )  # fmt: skip
    prepared = prepare(endless, trace)
    extents = prepared.program.extents
    cycles = []
    for share in (1.0, 0.75, 0.5, 0.25, 0.0):
        fewer = np.ceil(extents.n_lines * share).astype(np.int64)
        program = replace(prepared.program, extents=replace(extents, n_lines=fewer))
        cycles.append(run(program, endless).counts.cycles)
    assert cycles == sorted(cycles, reverse=True)


def test_with_endless_bandwidth_only_compute_and_the_first_tiles_remain(trace: Trace) -> None:
    quick = chip("dram.policy=ideal", "dram.standard=hbm2_2000", "dram.channels=8")
    quick = replace(quick, core=replace(quick.core, period_fs=100 * quick.core.period_fs))
    total = simulate_as_is(quick, trace)
    busy = sum(x.compute_cycles + x.vector_cycles for x in total.layers)
    # At 10 MHz the memory answers within a cycle or two: what is left to wait for is the
    # chain write, read between layers, a few dozen cycles each.
    assert busy <= total.cycles <= busy * 1.05 + 40 * len(total.layers)


def simulate_as_is(machine_chip: Chip, trace: Trace):  # type: ignore[no-untyped-def]
    return run(prepare(machine_chip, trace).program, machine_chip).counts


def test_raw_blocks_in_slots_cost_what_an_identity_codec_costs(trace: Trace) -> None:
    """`raw` with a codec's layout: every block falls back, none passes the decoder."""
    slotted = simulate(chip("codec.name=raw", "codec.layout=slotted"), trace)
    few = simulate(chip("codec.name=raw", "codec.layout=slotted", "codec.lanes=1"), trace)
    assert slotted.totals.cycles == few.totals.cycles
    assert slotted.totals.energy_pj["codec"] == 0
    assert slotted.totals.stall_cycles["decoder"] == 0


def test_steady_state_is_faster_than_a_cold_start(trace: Trace) -> None:
    one, three = (simulate(chip(), trace, images=n) for n in (1, 3))
    assert one.totals.images_per_second is None
    assert three.totals.images_per_second is not None
    assert three.totals.images_per_second >= 0.99 * three.totals.images_per_second_cold
    assert three.totals.macs == 3 * one.totals.macs


def test_a_fixed_mapping_is_held_for_all_codecs(trace: Trace) -> None:
    codecs = ["raw", "zvc", "zero_rle", "eyeriss_rlc", "huffman", "jpeg_act"]
    results = compare(chip(), trace, codecs, mapping="fixed")
    assert list(results) == codecs
    compute = {r.totals.compute_cycles for r in results.values()}
    assert len(compute) == 1, "one plan, one set of passes"


def test_a_fixed_mapping_cuts_no_block(trace: Trace) -> None:
    """Raw maps could be cut anywhere; the mapping that is held must suit the blocks."""
    tall = chip("codec.block=[16, 4, 8]", "buffers.ifmap_kib=12")
    fixed = compare(tall, trace, ["raw", "zvc"], mapping="fixed")
    replanned = compare(tall, trace, ["zvc"])
    written = [r["zvc"].totals.dram.by_tensor["ofmap"].coded_bytes for r in (fixed, replanned)]
    assert written[0] == written[1], "every block once"
    of_raw = prepare(tall, trace).plans
    with pytest.raises(MappingError, match="cut blocks"):
        simulate(tall, trace, codec="zvc", mapping=of_raw)


def test_inputs_and_outputs_of_the_network_stay_raw(tmp_path: Path) -> None:
    """Also the maps that are stacked in an output: who reads them has no decoder."""
    whole = network(3, 9, 9, 4, 1)
    graph = replace(whole, layers=whole.layers[:-2], edges=whole.edges[:-2], outputs=("both",))
    synthesise(tmp_path / "stacked.h5", graph, 0.4, 2.5, seed=3)
    prepared = prepare(chip("codec.name=zvc"), read_trace(tmp_path / "stacked.h5"))
    assert {m.edge for m in prepared.coded} == {"a", "sum"}  # b joins the sum before it is stored


def test_a_map_smaller_than_its_code_table_stays_raw(tmp_path: Path) -> None:
    """A Huffman table of 8-bit words takes 4 x 256 bits, as much as 128 values."""
    for cols, coded in ((8, set()), (9, {"a", "sum"})):
        graph = network(3, 4, cols, 4, 1)  # maps of 4 x 4 x cols values
        path = tmp_path / f"{cols}.h5"
        synthesise(path, graph, 0.4, 2.5, seed=3, n_images=2)
        found = {m.edge for m in prepare(chip("codec.name=huffman"), read_trace(path)).coded}
        assert coded <= found and ("a" in found) == bool(coded)
        with_zvc = prepare(chip("codec.name=zvc"), read_trace(path)).coded
        assert {"a", "sum"} <= {m.edge for m in with_zvc}
        if not coded:
            result = simulate(chip(), read_trace(path), codec="huffman")
            assert result.totals.dram.table_bytes == 0
            assert result.totals.bits_per_value.stream == 8.0


def test_the_dram_trace_replays_in_dramsim3s_format(trace: Trace, tmp_path: Path) -> None:
    path = tmp_path / "traffic.txt"
    simulate(chip(), trace, codec="zvc", dram_trace=path)
    lines = path.read_text().splitlines()
    n_lines = prepare(chip("codec.name=zvc"), trace).program.extents.n_lines.sum()
    assert len(lines) == n_lines
    cycles = [int(line.split()[2]) for line in lines]
    assert cycles == sorted(cycles)


def test_what_cannot_be_run_says_why(trace: Trace) -> None:
    with pytest.raises(TraceError, match="9 images asked for, the trace has 3"):
        simulate(chip(), trace, images=9)
    with pytest.raises(UnknownNameError, match="unknown codec 'zcv'"):
        simulate(chip(), trace, codec="zcv")
    with pytest.raises(ConfigError, match="compressed weights are not modelled"):
        simulate(chip(), trace, codec={"weight": "zvc"})
    with pytest.raises(MappingError, match="buffers"):
        simulate(chip("buffers.weight_kib=1", "codec.block=[16, 64, 64]", "buffers.ofmap_kib=1"),
                 trace, codec="zvc")  # fmt: skip


@pytest.mark.parametrize("standard", ["ddr4_2400_x16", "ddr4_3200_x64"])
def test_a_lossy_codec_says_by_how_much_it_changes_the_stored_maps(
    trace: Trace, standard: str
) -> None:
    """Values up to 7 take a nibble, others a byte; a block that saves no burst is stored raw."""
    chip_of = chip("codec.name=spark", f"dram.standard={standard}", "codec.block=[16, 1, 16]")
    burst_bytes = {"ddr4_2400_x16": 16, "ddr4_3200_x64": 64}[standard]
    result = simulate(chip_of, trace, codec="spark", images=2)
    spark = CODECS["spark"].for_network(Word(8))
    coded = prepare(chip_of, trace, images=2).coded
    energy = changed = 0
    for stored, image in product(coded, (0, 1)):
        blocks = cut(values_of(trace, stored, image), chip_of.codec.block)
        for start, end in pairwise(blocks.offsets):
            values = blocks.values[start:end].astype(int)
            energy += int((values**2).sum())
            coded_bytes = -(-int(np.where(values <= 7, 1, 2).sum()) // 2)
            if -(-coded_bytes // burst_bytes) < -(-values.size // burst_bytes):
                decoded = spark.reconstruct(values.astype(np.uint8)).astype(int)
                changed += int(((decoded - values) ** 2).sum())
    assert result.codec_error == pytest.approx((changed / energy) ** 0.5)
    assert result.codec_error > 0
    assert not result.closed_loop and not result.reconstruction
    lossless = simulate(chip_of, trace, codec="zvc")
    assert lossless.codec_error == 0 and lossless.closed_loop
    assert simulate(chip("buffers.ifmap_kib=16"), trace, codec="teco").reconstruction


def test_blocks_that_stay_raw_have_cost_their_encoder_its_time_and_energy(tmp_path: Path) -> None:
    """Noise in 8 bits: no code is shorter, which the encoder finds out by coding it."""
    first, last = Conv("a", "x", "a", 3, 16, POINT), Conv("b", "a", "b", 16, 10, POINT)
    synthesise(tmp_path / "noise.h5", graph_of([first, last], 3, 33, 29), 1.0, 7.99, seed=3)
    noise, one_lane = read_trace(tmp_path / "noise.h5"), chip("codec.name=tans", "codec.lanes=1")
    result, raw = simulate(one_lane, noise), simulate(one_lane, noise, codec="raw")
    n_values, n_blocks = 16 * 33 * 29, 33  # of the map between: a block is a row of 16 channels
    assert result.layers[0].dram.fallback_blocks == n_blocks
    lane, to_node = one_lane.codec.hardware, (one_lane.energy.node_nm / 65) ** 1.9
    assert result.totals.energy_pj["codec"] == pytest.approx(
        n_values * lane.encode_pj_per_value * to_node
    )
    # One lane, one value a cycle: longer than the array needs, and the whole run waits for it.
    assert result.totals.stall_cycles["encoder"] > 0
    assert result.totals.cycles >= n_values > raw.totals.cycles


def test_maps_of_words_that_a_codec_does_not_take_stay_raw(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    path = tmp_path_factory.mktemp("traces") / "wide.h5"
    graph = network(3, 33, 29, 16, 1)
    wide = [replace(edge, bits=12) if edge.name == graph.layers[0].output else edge
            for edge in graph.edges]  # fmt: skip
    synthesise(path, replace(graph, edges=tuple(wide)), 0.4, 2.5, seed=3)
    with read_trace(path) as opened:
        prepared = prepare(chip("codec.name=spark"), opened)
        assert prepared.coded and all(stored.bits <= 8 for stored in prepared.coded)
        assert simulate(chip(), opened, codec="spark").totals.macs > 0


def test_tables_are_fitted_on_values_in_the_order_of_the_blocks(
    trace: Trace, tmp_path: Path
) -> None:
    """Every other channel is zero: runs of one value across channels, of all within them."""
    block = chip("codec.name=zero_run_huffman", "codec.scan=hwc", "codec.block=[4, 3, 5]").codec
    stored = prepare(chip(), trace).plans[0].stage.output
    striped = trace.values(stored.edge, 0) | 1
    striped[::2] = 0
    same_maps = SimpleNamespace(facts=trace.facts, values=lambda edge, image: striped)
    found = measure_maps(same_maps, [stored], 0, block, SizeCache(tmp_path))[stored]
    blocks = cut(striped, (4, 3, 5), "hwc")
    sizes = []
    for order in (np.tile(blocks.values, 2), np.tile(striped.ravel(), 2)):
        code = ZeroRunHuffman.for_word(Word(8)).fit(order, every_symbol=True)
        sizes.append(code.payload_bits(blocks))
    np.testing.assert_array_equal(found.blocks.payload_bits, sizes[0])
    assert sizes[0].sum() < sizes[1].sum(), "the other order gives another code"


@pytest.mark.parametrize("codec", ["zvc", "huffman"])
def test_a_trace_in_another_order_gets_the_sizes_of_its_own_tensors(
    trace: Trace, tmp_path: Path, codec: str
) -> None:
    """A wrapper shows the file's images turned round, under the file's name and hash."""
    order = {0: 2, 1: 1, 2: 0}
    turned = SimpleNamespace(
        facts=trace.facts, values=lambda edge, image: trace.values(edge, order[image])
    )
    block = chip(f"codec.name={codec}").codec
    stored = [p.stage.output for p in prepare(chip(), trace).plans]
    cache = SizeCache(tmp_path)
    alone = [measure_maps(turned, stored, i, block, SizeCache(tmp_path / f"{i}")) for i in order]
    for image in (0, 2):
        of_file = measure_maps(trace, stored, image, block, cache)
        of_turned = measure_maps(turned, stored, image, block, cache)
        again = measure_maps(trace, stored, image, block, cache)
        for m in stored:
            bits = of_turned[m].blocks.payload_bits
            np.testing.assert_array_equal(bits, alone[image][m].blocks.payload_bits)
            np.testing.assert_array_equal(
                again[m].blocks.payload_bits, of_file[m].blocks.payload_bits
            )
        first = stored[0]
        assert (
            of_turned[first].blocks.payload_bits.tolist()
            != of_file[first].blocks.payload_bits.tolist()
        )


def test_rates_of_a_lane_that_are_set_by_hand_are_its_rates(trace: Trace) -> None:
    """Huffman codes a value a cycle; a lane that decodes four takes a quarter of the cycles."""
    own = chip("codec.name=huffman", "codec.lanes=1")
    set_by_hand = chip(
        "codec.name=huffman", "codec.lanes=1",
        "codec.hardware.decode_values_per_cycle=4", "codec.hardware.encode_values_per_cycle=0.5",
    )  # fmt: skip
    plain, timed = (
        prepare(own, trace),
        prepare(set_by_hand, trace, mapping=prepare(own, trace).plans),
    )
    for before, after in zip(plain.program.rows.kind, timed.program.rows.kind, strict=True):
        assert before == after
    rows, work = plain.program.rows, plain.program.extents.work_cycles
    changed = timed.program.extents.work_cycles
    for row in range(len(rows.kind)):
        part = slice(rows.first_extent[row], rows.last_extent[row])
        if plain.program.is_write[row]:
            np.testing.assert_array_equal(changed[part], 2 * work[part])
        elif plain.program.is_read[row]:
            np.testing.assert_array_equal(changed[part], -(-work[part] // 4))
    assert work.any()


def test_the_area_of_a_codec_is_that_of_all_its_lanes(trace: Trace) -> None:
    lane = CODECS["huffman"].for_word(Word(8)).hardware.gates_kge
    result = simulate(chip("codec.lanes=3"), trace, codec="huffman")
    assert result.codec_area_kge == 3 * lane
    assert simulate(chip(), trace, codec="raw").codec_area_kge == 0


def test_results_say_that_weights_are_read_again_and_what_the_plan_saw(trace: Trace) -> None:
    def weight_bytes(n_images: int) -> int:
        by_tensor = simulate(chip(), trace, codec="raw", images=n_images).totals.dram.by_tensor
        return by_tensor["weight"].fetched_bytes

    assert weight_bytes(3) == 3 * weight_bytes(1)
    for codec, n_images in product(("raw", "zvc"), (1, 3)):
        notes = simulate(chip(), trace, codec=codec, images=n_images).notes
        again = [n for n in notes if "weights are read again for every image" in n]
        assert len(again) == (n_images > 1)
        plans = [n for n in notes if n.startswith("plan: based on the coded sizes of image 0")]
        assert len(plans) == (codec != "raw"), "raw sizes depend on no values"
        assert all(("used for all images" in n) == (n_images > 1) for n in plans)
    held = prepare(chip("codec.name=zvc"), trace).plans
    assert (
        "plan: taken from another run and held fixed"
        in simulate(chip(), trace, codec="zvc", mapping=held).notes
    )
