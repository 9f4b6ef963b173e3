"""A replay in pieces: cutting a trace changes nothing, and memory does not grow with it."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accelsim.dram import chunked_replay
from accelsim.dram.chunked_replay import ChunkedReplay, ReplayCounts
from accelsim.dram.command import Log
from accelsim.dram.config import DramConfig
from accelsim.dram.parameters import ControllerName
from accelsim.dram.replay import replay
from accelsim.dram.standard import STANDARDS
from accelsim.dram.traces.requests import Requests
from tests.dram import golden
from tests.dram.uncompiled import use_plain_python

DDR4 = golden.config("DDR4_8Gb_x8_3200")
MEMORIES = {
    "ddr4": DDR4,
    "two channels": replace(DDR4, organisation=replace(DDR4.organisation, channels=2)),
    "hbm2": golden.config("HBM2_8Gb_x128_1ch"),
    "powers down": STANDARDS["ddr4_3200_x64"].config(power_down_cycles=20),
    "sleeps": STANDARDS["ddr4_3200_x64"].config(self_refresh_cycles=300),
}


def cut(requests: Requests, cuts: Sequence[int]) -> list[Requests]:
    edges = [0, *sorted(cuts), len(requests)]
    return [
        Requests(*(array[a:b] for array in vars(requests).values())) for a, b in pairwise(edges)
    ]


def in_pieces(
    config: DramConfig, pieces: Sequence[Requests], controller: ControllerName = "dramsim3"
) -> tuple[ReplayCounts, np.ndarray]:
    logs = [np.zeros((0, len(Log)), np.int64)]
    run = ChunkedReplay(config, controller, logs.append)
    for piece in pieces:
        run.feed(piece)
    return run.finish(), np.concatenate(logs)


def assert_cutting_changes_nothing(
    config: DramConfig, requests: Requests, cuts: Sequence[int], controller: ControllerName
) -> None:
    whole = replay(config, requests, record_commands=True, controller=controller)
    counts, commands = in_pieces(config, cut(requests, cuts), controller)
    assert vars(counts).items() <= vars(whole).items()
    np.testing.assert_array_equal(commands, whole.commands)
    latency = (whole.done_cycle - whole.accepted_cycle - (controller == "dramsim3"))[
        requests.is_write == 0
    ]
    assert counts.average_read_latency_cycles == (latency.mean() if len(latency) else 0)


@st.composite
def traffic(draw: st.DrawFn) -> tuple[Requests, list[int]]:
    """Requests of few lines, so that reads merge and wait for each other; and where to cut."""
    n = draw(st.integers(0, 120))
    rng = np.random.default_rng(draw(st.integers(0, 1 << 30)))
    hot = draw(st.sampled_from([2, 40, 1 << 14]))
    gap = draw(st.sampled_from([0, 3, 900]))
    requests = Requests(
        rng.integers(0, hot, n) * 64 * draw(st.sampled_from([1, 128])),
        (rng.random(n) < draw(st.sampled_from([0.0, 0.4, 1.0]))).astype(np.int64),
        np.cumsum(rng.integers(0, gap + 1, n)),
    )
    return requests, draw(st.lists(st.integers(0, n), max_size=20))


@settings(deadline=None)  # the first example loads the kernels
@given(st.sampled_from(sorted(MEMORIES)), st.sampled_from(["dramsim3", "ramulator"]), traffic())
def test_cutting_a_trace_changes_nothing(
    name: str, controller: ControllerName, trace: tuple[Requests, list[int]]
) -> None:
    if (name, controller) != ("sleeps", "ramulator"):  # which it refuses
        assert_cutting_changes_nothing(MEMORIES[name], *trace, controller)


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
@pytest.mark.parametrize("pattern", ["z_hot256", "f_rndmix", "h_idle20us"])
def test_the_golden_traces_may_be_cut_anywhere(pattern: str, size: int) -> None:
    requests = golden.requests(pattern, DDR4)
    requests = Requests(*(array[:1500] for array in vars(requests).values()))
    assert_cutting_changes_nothing(DDR4, requests, range(size, len(requests), size), "dramsim3")


def test_a_full_log_in_the_middle_of_a_piece_changes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    requests = golden.requests("z_poisson", DDR4)
    expected = replay(DDR4, requests, record_commands=True).commands
    monkeypatch.setattr(chunked_replay, "LOG_ROWS", 50)
    _, commands = in_pieces(DDR4, cut(requests, range(400, len(requests), 400)))
    np.testing.assert_array_equal(commands, expected)


@settings(max_examples=5, deadline=None)
@given(traffic())
def test_compiled_and_plain_python_agree_in_pieces(trace: tuple[Requests, list[int]]) -> None:
    compiled = in_pieces(DDR4, cut(*trace))
    with pytest.MonkeyPatch.context() as monkeypatch:
        use_plain_python(monkeypatch)
        plain = in_pieces(DDR4, cut(*trace))
    assert compiled[0] == plain[0]
    np.testing.assert_array_equal(compiled[1], plain[1])


def test_what_is_kept_is_the_piece_and_what_is_in_flight() -> None:
    n, size = 20_000, 50
    lines = np.random.default_rng(1).integers(0, 1 << 20, n)
    requests = Requests(lines * 64, np.zeros(n, np.int64), np.zeros(n, np.int64))
    run, most = ChunkedReplay(DDR4), 0
    for piece in cut(requests, range(size, n, size)):
        run.feed(piece)
        most = max(most, len(run.done_cycle))
    in_queues = DDR4.controller.transaction_queue_size + (
        DDR4.n_ranks * DDR4.organisation.banks * DDR4.controller.command_queue_size
    )
    in_bus = DDR4.timing.read_latency + DDR4.timing.burst_cycles
    assert most <= size + in_queues + in_bus
    assert vars(run.finish()).items() <= vars(replay(DDR4, requests)).items()
