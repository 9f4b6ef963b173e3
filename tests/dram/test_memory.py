"""What every memory promises to the simulator, by hand and as properties."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accelsim.dram import controlled
from accelsim.dram.address_map import address_map
from accelsim.dram.command import COMMANDS
from accelsim.dram.config import DramConfig
from accelsim.dram.controlled import ControlledMemory
from accelsim.dram.kernel import ideal, replay, serve, submit
from accelsim.dram.memory import POLICIES, Decoder, Memory
from accelsim.dram.policies import ideal as ideal_policy
from accelsim.dram.standard import STANDARDS
from accelsim.dram.traces.traffic import write_traffic
from tests.dram.driving import Job, drive, transfer
from tests.dram.judging import assert_legal
from tests.dram.states import all_states, with_open_banks
from tests.dram.uncompiled import use_plain_python

DDR4 = STANDARDS["ddr4_2400_x16"].config()
PERIOD = DDR4.clock.period_fs
each_policy = pytest.mark.parametrize("policy", list(POLICIES))


def open_memory(
    policy: str = "dramsim3",
    config: DramConfig = DDR4,
    n_requesters: int = 1,
    decoder: Decoder | None = None,
    **options: int | bool,
) -> Memory:
    decoders = {0: decoder} if decoder else {}
    make: Callable[..., Memory] = POLICIES[policy]
    return make(config, n_requesters, 2, decoders, **options)


def recording(
    policy: str,
    config: DramConfig = DDR4,
    n_requesters: int = 1,
    decoder: Decoder | None = None,
) -> Memory:
    """With a record of commands, where there are commands."""
    if policy != "ideal":
        return open_memory(policy, config, n_requesters, decoder, record_commands=True)
    return open_memory(policy, config, n_requesters, decoder)


def test_the_first_read_takes_activate_column_and_burst() -> None:
    t = DDR4.timing
    (done,) = drive(open_memory(), [[Job(transfer(0, [5], [1]), 0)]])
    # Offered in cycle 0, moved to its bank's queue in 1, activated in 2.
    assert done.arrived_fs == (2 + t.tRCDRD + t.CL + t.burst_cycles) * PERIOD
    assert done.first_fs == PERIOD


def test_a_write_is_posted_at_the_end_of_the_clock_that_accepts_it() -> None:
    (done,) = drive(open_memory(), [[Job(transfer(0, [5], [3], is_write=True), 0)]])
    assert (done.first_fs, done.arrived_fs) == (PERIOD, 3 * PERIOD)


def test_finish_writes_out_what_waits() -> None:
    memory = open_memory()
    drive(memory, [[Job(transfer(0, [0], [5], is_write=True, label=1), 0)]])
    end = memory.finish(10 * PERIOD)
    counts = memory.counts()
    assert counts.drain_writes == 5
    assert [each.writes for each in counts.by_label] == [0, 5]
    t = DDR4.timing
    # The five lines lie in both bank groups; the last WR starts the last burst.
    assert end >= (10 + t.tRCDWR + t.CWL + t.burst_cycles) * PERIOD
    assert counts.cycles * PERIOD == end


def test_no_more_reads_are_in_flight_than_allowed() -> None:
    """With one read in flight, reads of one open row follow each other at the full latency."""
    t = DDR4.timing
    memory = open_memory(outstanding_reads=1)
    (done,) = drive(memory, [[Job(transfer(0, [0], [2]), 0)]])
    first = 2 + t.tRCDRD + t.CL + t.burst_cycles
    # Line 1 lies in the other bank group: it needs its own ACT, 2 clocks after it is offered.
    assert done.arrived_fs == (2 * first) * PERIOD


@each_policy
def test_a_block_is_not_sent_before_it_is_ready(policy: str) -> None:
    ready = [0, 100 * PERIOD]
    job = Job(transfer(0, [0, 8], [1, 1], is_write=True, ready_fs=ready), 0)
    (done,) = drive(open_memory(policy), [[job]])
    assert done.arrived_fs == 101 * PERIOD


@each_policy
def test_empty_transfers_and_blocks_complete(policy: str) -> None:
    jobs = [
        Job(transfer(0, [], []), 0),
        Job(transfer(0, [0, 0, 3, 3], [0, 2, 0, 0]), 0),
        Job(transfer(0, [7], [0], is_write=True), 0),
    ]
    memory = open_memory(policy)
    assert len(drive(memory, [jobs])) == 3
    assert sum(each.reads for each in memory.counts().by_label) == 2


@each_policy
def test_requesters_share_the_front_end_fairly(policy: str) -> None:
    """Two equal streams to the same rows end within a few lines of each other."""
    jobs = [[Job(transfer(r, [r * 4096], [512]), 0)] for r in range(2)]
    first, second = drive(open_memory(policy, n_requesters=2), jobs)
    lines = 8 * DDR4.timing.burst_cycles * PERIOD
    assert abs(first.done_fs - second.done_fs) < 8 * lines


def test_a_writer_that_never_pauses_does_not_lock_out_reads() -> None:
    """DRAMsim3's own rule would drain writes for ever; native standards give reads a turn."""
    writes = [[Job(transfer(1, [1 << 20], [8000], is_write=True), 0)]]
    reads = [[Job(transfer(0, [0], [1000]), 0)]]
    done = drive(open_memory(n_requesters=2), reads + writes)
    assert done[0].done_fs < done[1].done_fs / 2


@each_policy
def test_two_channels_are_twice_as_fast(policy: str) -> None:
    ends = []
    for channels in (1, 2):
        config = STANDARDS["ddr4_2400_x16"].config(channels, "rorabgbacoch")
        memory = open_memory(policy, config, outstanding_reads=64)
        ends.append(drive(memory, [[Job(transfer(0, [0], [4096]), 0)]])[0].done_fs)
    assert ends[0] / ends[1] == pytest.approx(2, rel=0.1)


def test_ideal_memory_is_latency_and_bandwidth() -> None:
    t = DDR4.timing
    memory = open_memory("ideal", outstanding_reads=1000)
    (done,) = drive(memory, [[Job(transfer(0, [0], [500]), 0)]])
    latency = 1 + t.tRCDRD + t.CL
    assert done.arrived_fs == (500 * t.burst_cycles + latency) * PERIOD
    seconds = 500 * t.burst_cycles * PERIOD * 1e-15
    assert 500 * DDR4.line_bytes / seconds / 1e9 == pytest.approx(DDR4.peak_gb_s, rel=1e-6)


def arrivals_fs(memory: ControlledMemory, blocks: list[tuple[int, int]]) -> list[int]:
    """When the last beat of each block arrived, read off the RD commands."""
    t, mapping = DDR4.timing, address_map(DDR4)
    log = memory.commands()
    reads = log[log[:, 1] == COMMANDS.index("read")].tolist()
    arrival = {tuple(row[2:]): row[0] + t.CL + t.burst_cycles for row in reads}
    keys = ("ch", "ra", "bg", "ba", "ro", "co")
    return [
        PERIOD
        * max(arrival[tuple(mapping.decode(line)[k] for k in keys)] for line in range(a, a + n))
        for a, n in blocks
    ]


@each_policy
@pytest.mark.parametrize(("lanes", "fifo"), [(1, 1), (1, 3), (3, 2), (2, 8)])
def test_decoding_follows_the_recurrence_of_its_lanes(policy: str, lanes: int, fifo: int) -> None:
    """Lanes played by hand on the true arrivals; transfers are reported in order."""
    rng = np.random.default_rng(lanes * 10 + fifo)
    decode = [int(d) for d in rng.integers(0, 80 * PERIOD, 40)]
    fill, clock = 7 * PERIOD, 1_000_003
    memory = recording(policy, decoder=Decoder(lanes, fill, fifo, clock))
    blocks = [(100 * i, int(n)) for i, n in enumerate(rng.integers(1, 9, 40))]
    jobs = [
        Job(transfer(0, [a], [n], decode_fs=[d]), 0)
        for (a, n), d in zip(blocks, decode, strict=True)
    ]
    done = drive(memory, [jobs], window=len(jobs))
    arrived = [completion.arrived_fs for completion in done]
    if isinstance(memory, ControlledMemory):
        true = arrivals_fs(memory, blocks)
        assert arrived == [max(true[: i + 1]) for i in range(len(true))]
        arrived = true
    free, start = [0] * lanes, []
    for i, completion in enumerate(done):
        begin = -(-max(arrived[i], free[i % lanes]) // clock) * clock
        start.append(begin)
        free[i % lanes] = begin + decode[i]
        assert completion.done_fs == max(completion.arrived_fs, free[i % lanes] + fill)
        if i >= fifo:
            # Nobody may ask for a block while `fifo` earlier ones wait for a lane.
            assert completion.first_fs > start[i - fifo]


def test_time_lost_to_a_full_decoder_fifo_is_reported() -> None:
    slow = Decoder(lanes=1, fill_fs=0, fifo_blocks=1, period_fs=PERIOD)
    job = Job(transfer(0, [0, 8, 16], [1, 1, 1], decode_fs=[500 * PERIOD] * 3), 0)
    (done,) = drive(open_memory("ideal", decoder=slow), [[job]])
    t = DDR4.timing
    arrival = 1 + t.tRCDRD + t.CL + t.burst_cycles
    # Block 1 waits from cycle 1 until block 0 starts; block 2 until block 1 does.
    assert done.held_fs == (arrival - 1 + 500 - 1) * PERIOD
    assert open_memory().counts().cycles == 0


@each_policy
def test_background_counts_every_rank_in_every_cycle(policy: str) -> None:
    memory = open_memory(policy)
    drive(memory, [[Job(transfer(0, [0], [64]), 0), Job(transfer(0, [999], [64]), 10**10)]])
    end = memory.finish(2 * 10**10)
    at_end = memory.background_at(end)
    cycles = -(-end // PERIOD)
    assert all_states(at_end) == cycles * DDR4.n_ranks
    assert at_end == memory.counts().background
    assert at_end.refreshes == (cycles - 1) // DDR4.timing.tREFI


def test_every_open_bank_is_counted_up_to_any_moment() -> None:
    """Two lines of one row, then of a second bank: open from their ACT to the refresh."""
    memory = recording("dramsim3")
    assert isinstance(memory, ControlledMemory)
    drive(memory, [[Job(transfer(0, [0, 1], [1, 1]), 0)]])
    opened = [int(c[0]) for c in memory.commands() if COMMANDS[c[1]] == "activate"]
    assert len(opened) == 2
    for cycle in (200, 300):
        seen = memory.background_at(cycle * PERIOD)
        assert seen.open_bank_cycles == 2 * cycle - sum(opened)
        assert with_open_banks(seen) == cycle - opened[0]


def test_an_ideal_memory_has_all_banks_open() -> None:
    seen = open_memory("ideal").background_at(100 * PERIOD)
    assert seen.open_bank_cycles == 100 * DDR4.organisation.banks


@each_policy
def test_recorded_traffic_is_what_was_asked_for(policy: str, tmp_path) -> None:  # type: ignore[no-untyped-def]
    memory = open_memory(policy, record_traffic=True)
    jobs = [Job(transfer(0, [4, 100], [2, 1]), 0), Job(transfer(0, [50], [1], is_write=True), 0)]
    drive(memory, [jobs])
    path = tmp_path / "traffic.trc"
    write_traffic(path, memory)
    words = [line.split() for line in path.read_text().splitlines()]
    assert [(int(a, 16) // 16, kind) for a, kind, _ in words] == [
        (4, "READ"),
        (5, "READ"),
        (100, "READ"),
        (50, "WRITE"),
    ]
    assert [p.name for p in tmp_path.iterdir()] == ["traffic.trc"]


@st.composite
def scripts(draw: st.DrawFn) -> tuple[DramConfig, list[list[Job]], Decoder, list[int], int]:
    """Requesters as a chip has them: reads behind a decoder, plain reads, an encoder's writes."""
    name = draw(st.sampled_from(["ddr4_2400_x16", "hbm2_2000", "lpddr4_3200_x16"]))
    channels = draw(st.sampled_from([1, 2]))
    config = STANDARDS[name].config(channels, draw(st.sampled_from([None, "rorabgbacoch"])))
    if draw(st.booleans()):
        config = replace(config, compat="dramsim3")
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    period = config.clock.period_fs
    jobs: list[list[Job]] = []
    for r in range(draw(st.integers(1, 4))):
        todo = []
        for _ in range(int(rng.integers(0, 6))):
            n = int(rng.integers(0, 12))
            first = rng.integers(0, 400, n) * int(rng.choice([1, 64]))
            is_write = bool(rng.random() < (0.8 if r == 2 else 0.1))
            ready = np.sort(rng.integers(0, 900, n)) * period if is_write else None
            decode = rng.integers(0, 60, n) * period if r == 0 else None
            todo.append(
                Job(
                    transfer(
                        r,
                        first.tolist(),
                        rng.integers(0, 14, n).tolist(),
                        is_write,
                        label=r % 2,
                        ready_fs=None if ready is None else ready.tolist(),
                        decode_fs=None if decode is None else decode.tolist(),
                    )._replace(due=int(rng.integers(0, 3))),
                    int(rng.choice([0, 1, 37, 10**4])) * int(rng.integers(1, period)),
                )
            )
        jobs.append(todo)
    decoder = Decoder(
        int(rng.integers(1, 4)), int(rng.integers(0, 9)) * 777, int(rng.integers(1, 5)), 1_250_000
    )
    wakes = rng.integers(0, 3000 * period, draw(st.sampled_from([1, 30, 300]))).tolist()
    wakes += (np.arange(100) * period).tolist()
    return config, jobs, decoder, wakes, draw(st.integers(1, 3))


@each_policy
@settings(max_examples=60, deadline=None)
@given(script=scripts())
def test_waking_the_memory_for_no_reason_changes_nothing(
    policy: str,
    script: tuple[DramConfig, list[list[Job]], Decoder, list[int], int],
) -> None:
    config, jobs, decoder, wakes, window = script
    seen = []
    for extra in ([], wakes):
        memory = recording(policy, config, len(jobs), decoder)
        done = drive(memory, jobs, extra, window)
        end = memory.finish(10**12)
        seen.append((done, end, memory.counts(), memory))
    (done_a, end_a, counts_a, memory_a), (done_b, end_b, counts_b, memory_b) = seen
    assert done_a == done_b and end_a == end_b and counts_a == counts_b
    if isinstance(memory_a, ControlledMemory) and isinstance(memory_b, ControlledMemory):
        np.testing.assert_array_equal(memory_a.commands(), memory_b.commands())
        assert_legal(config, memory_a.commands(), policy)


@each_policy
def test_a_memory_that_waits_is_not_called(policy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does it miss what is submitted meanwhile, or what its own refreshes are."""
    memory, calls = open_memory(policy), 0
    module, kernel = (ideal_policy, "serve_ideal") if policy == "ideal" else (controlled, "serve")
    original = getattr(module, kernel)

    def counting(*arguments: object) -> object:
        nonlocal calls
        calls += 1
        return original(*arguments)

    monkeypatch.setattr(module, kernel, counting)
    for until in range(0, 1000 * PERIOD, PERIOD):
        assert memory.advance(until) == []
    assert calls <= 2
    memory.submit(1000 * PERIOD, transfer(0, [5], [1]))
    (done,) = memory.advance(None)
    assert done.first_fs == 1001 * PERIOD
    later = 10 * DDR4.timing.tREFI * PERIOD
    assert memory.advance(later) == []
    assert memory.background_at(later).refreshes in (9, 10)


@each_policy
def test_rings_grow_and_keep_their_order(policy: str) -> None:
    rng = np.random.default_rng(1)
    jobs = [
        Job(transfer(0, rng.integers(0, 999, n).tolist(), [1] * n, decode_fs=[9] * n), 0)
        for n in (1, 700, 3, 64, 65, 2000, 1, 1)
    ]
    fast = Decoder(lanes=2, fill_fs=0, fifo_blocks=9, period_fs=PERIOD)
    one_by_one = drive(open_memory(policy, decoder=fast), [jobs], window=1)
    together = drive(open_memory(policy, decoder=fast), [jobs], window=len(jobs))
    assert [c.transfer for c in together] == [c.transfer for c in one_by_one]
    assert [c.arrived_fs for c in together] == sorted(c.arrived_fs for c in together)
    assert together[-1].done_fs <= one_by_one[-1].done_fs


@each_policy
def test_compiled_and_plain_python_agree(policy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(2)
    jobs = [
        [
            Job(
                transfer(
                    r,
                    rng.integers(0, 500, 4).tolist(),
                    rng.integers(0, 6, 4).tolist(),
                    is_write=r == 1,
                    decode_fs=[10 * PERIOD] * 4 if r == 0 else None,
                )._replace(due=(r * k) % 3),
                0,
            )
            for k in range(5)
        ]
        for r in range(3)
    ]
    config = STANDARDS["hbm2_2000"].config(2)
    decoder = Decoder(lanes=2, fill_fs=5, fifo_blocks=2, period_fs=PERIOD)
    answers = []
    for plain in (False, True):
        if plain:
            use_plain_python(monkeypatch)
        memory = open_memory(policy, config, 3, decoder)
        done = drive(memory, jobs, window=2)
        answers.append((done, memory.finish(10**9), memory.counts()))
    assert answers[0] == answers[1]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=12), st.data())
def test_on_ideal_memory_fewer_lines_are_never_slower(
    lines: list[int], data: st.DataObject
) -> None:
    fewer = [data.draw(st.integers(0, n)) for n in lines]
    ends = []
    for sizes in (lines, fewer):
        blocks = [100 * i for i in range(len(sizes))]
        memory = open_memory("ideal", n_requesters=2, decoder=Decoder(2, 0, 3, PERIOD))
        decode = [5 * PERIOD] * len(sizes)
        reader = [Job(transfer(0, blocks, sizes, decode_fs=decode), 0)]
        writer = [Job(transfer(1, blocks, sizes, is_write=True), 0)]
        ends.append(max(c.done_fs for c in drive(memory, [reader, writer])))
    assert ends[1] <= ends[0]


def test_a_memory_with_open_transfers_cannot_be_finished() -> None:
    memory = open_memory()
    memory.submit(0, transfer(0, [0], [1]))
    with pytest.raises(RuntimeError, match="last completion"):
        memory.finish(PERIOD)


def test_production_compiles_nothing_that_warming_up_has_not() -> None:
    for module in (replay, serve, ideal, submit):
        module.warm_up()
    kernels = (serve.serve, ideal.serve_ideal, submit.submit)
    compiled = [list(kernel.signatures) for kernel in kernels]
    for policy in POLICIES:
        reader, writer = transfer(0, [0], [4]), transfer(1, [9], [4], is_write=True)
        memory = open_memory(policy, n_requesters=2)
        drive(memory, [[Job(reader, 0)], [Job(writer, 0)]])
    assert [list(kernel.signatures) for kernel in kernels] == compiled
