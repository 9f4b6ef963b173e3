"""Constants of sums in trace files: written, read, replayed, and refused when wrong."""

from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from accelsim.errors import TraceError
from accelsim.workload.arithmetic import AddArithmetic, ConvArithmetic, PoolArithmetic
from accelsim.workload.graph import Edge, Graph
from accelsim.workload.layer import Add, Conv, Pool, Window
from accelsim.workload.replay import replay
from accelsim.workload.trace_file import read_trace
from accelsim.workload.trace_writer import write_trace

GRAPH = Graph(
    (
        Conv("c", "x", "c", 1, 1, Window((1, 1))),
        Add("block/sum", ("x", "c"), "block/sum", "relu"),
    ),
    (
        Edge("x", 1, 2, 2, scale=0.5),
        Edge("c", 1, 2, 2, signed=True, scale=0.25),
        Edge("block/sum", 1, 2, 2, bits=5, scale=1.0),
    ),
    ("x",),
    ("block/sum",),
)
CONV = ConvArithmetic(
    np.full((1, 1, 1, 1), -3, np.int8),
    np.array([0.5]),
    np.array([1], np.int32),
    np.array([1], np.int32),
    1,
)
SUM = AddArithmetic(np.array([2, 1], np.int32), 2)
X = np.array([[[0, 1], [9, 60]]], np.uint8)


def write(path: Path, **arithmetic: object) -> Path:
    constants = {"c": CONV, "block/sum": SUM, **arithmetic}
    maps = replay(GRAPH, {"c": CONV, "block/sum": SUM}, {"x": X})
    write_trace(
        path,
        name="sum",
        graph=GRAPH,
        n_images=1,
        images=[maps],
        arithmetic=constants,  # type: ignore[arg-type]
    )
    return path


def test_a_trace_with_a_sum_can_be_replayed_from_itself(tmp_path: Path) -> None:
    with read_trace(write(tmp_path / "t.h5")) as trace:
        read = trace.arithmetic("block/sum")
        assert isinstance(read, AddArithmetic)
        assert (read.multiplier.tolist(), read.shift) == ([2, 1], 2)
        assert trace.weights("block/sum") is None and not trace.has_weights("block/sum")
        maps = replay(trace.graph, trace.constants(), {"x": trace.values("x", 0)})
        for edge in trace.graph.edge:
            np.testing.assert_array_equal(maps[edge], trace.values(edge, 0))
        # c = (1 - 3 x + 1) >> 1, and the sum is (2 x + c + 2) >> 2 in 5 bits from zero.
        assert maps["c"].ravel().tolist() == [1, -1, -13, -89]
        assert maps["block/sum"].ravel().tolist() == [0, 0, 1, 8]


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ({"block/sum": CONV}, "is a sum of maps: it has no weights"),
        ({"c": SUM}, "is a convolution: it needs weights"),
        ({"block/sum": replace(SUM, multiplier=np.ones(3, np.int32))}, r"not int32 \[2\]"),
        ({"block/sum": replace(SUM, multiplier=np.ones(2, np.int64))}, r"not int32 \[2\]"),
        (
            {"block/sum": replace(SUM, multiplier=np.array([1, -1], np.int32))},
            "multiplier of 'block/sum' is negative",
        ),
        ({"block/sum": replace(SUM, shift=63)}, "shift"),
        ({"c": replace(CONV, multiplier=np.array([-1], np.int32))}, "multiplier of 'c'"),
        ({"c": replace(CONV, weight_scale=np.array([np.inf]))}, "weight scales of 'c'"),
        ({"c": replace(CONV, weights=np.full((1, 1, 1, 1), 200, np.int16))}, "holds values"),
    ],
)
def test_constants_that_break_their_bounds_are_not_written(
    tmp_path: Path, wrong: dict[str, object], problem: str
) -> None:
    with pytest.raises(TraceError, match=problem):
        write(tmp_path / "t.h5", **wrong)
    assert list(tmp_path.iterdir()) == []


def test_missing_multipliers_of_a_sum_are_named(tmp_path: Path) -> None:
    path = write(tmp_path / "t.h5")
    with h5py.File(path, "r+") as file:
        del file["layers/block|sum/multiplier"]
    with read_trace(path) as trace, pytest.raises(TraceError, match="multiplier is missing"):
        trace.constants()


def test_multipliers_changed_after_hashing_are_noticed(tmp_path: Path) -> None:
    path = write(tmp_path / "t.h5")
    with h5py.File(path, "r+") as file:
        file["layers/block|sum/multiplier"][...] = [-2, 1]
    with read_trace(path) as trace, pytest.raises(TraceError, match="does not match its SHA-256"):
        trace.arithmetic("block/sum")


AVERAGE = Graph(
    (Pool("mean", "x", "mean", Window((2, 2)), "avg"),),
    (Edge("x", 1, 2, 2, scale=0.5), Edge("mean", 1, 1, 1, scale=0.125, zero_point=2)),
    ("x",),
    ("mean",),
)


def averaged(path: Path, constants: object) -> Path:
    write_trace(
        path,
        name="mean",
        graph=AVERAGE,
        n_images=1,
        images=[{"x": X, "mean": np.array([[[72]]], np.uint8)}],
        arithmetic={"mean": constants},  # type: ignore[dict-item]
    )
    return path


def test_an_average_with_a_word_of_its_own_is_stored_and_replayed(tmp_path: Path) -> None:
    # The mean of 0, 1, 9, 60 is 17.5 steps of a half: 70 of an eighth, and the zero point.
    path = averaged(tmp_path / "t.h5", PoolArithmetic(np.array([8], np.int32), 1))
    with read_trace(path) as trace:
        assert trace.is_stored("mean")
        assert replay(trace.graph, trace.constants(), {"x": X})["mean"].item() == 72


@pytest.mark.parametrize(
    ("constants", "problem"),
    [
        (SUM, "is an average: it has no weights"),
        (PoolArithmetic(np.array([-1], np.int32), 1), "is negative"),
        (PoolArithmetic(np.array([1, 2], np.int32), 1), r"not int32 \[1\]"),
    ],
)
def test_constants_of_an_average_are_checked(
    tmp_path: Path, constants: object, problem: str
) -> None:
    with pytest.raises(TraceError, match=problem):
        averaged(tmp_path / "t.h5", constants)


def test_a_multiplier_that_could_overflow_is_refused(tmp_path: Path) -> None:
    wide = Graph(
        (Pool("mean", "x", "mean", Window((256, 256)), "avg"),),
        (Edge("x", 1, 256, 256), Edge("mean", 1, 1, 1, scale=0.3)),
        ("x",),
        ("mean",),
    )
    maps = {"x": np.zeros((1, 256, 256), np.uint8), "mean": np.zeros((1, 1, 1), np.uint8)}
    constants = {"mean": PoolArithmetic(np.array([1 << 29], np.int32), 30)}
    with pytest.raises(TraceError, match="is too large"):
        write_trace(
            tmp_path / "t.h5", name="n", graph=wide, n_images=1, images=[maps], arithmetic=constants
        )
