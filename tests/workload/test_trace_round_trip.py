"""What was written is what is read: integers, facts and graph."""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accelsim.errors import TraceError
from accelsim.workload.graph import Edge, Graph
from accelsim.workload.layer import Add, Conv, Window
from accelsim.workload.trace_file import read_trace
from accelsim.workload.trace_open import find_trace
from accelsim.workload.trace_writer import write_trace

Write = Callable[..., Any]


def test_stored_maps_come_back_in_their_smallest_dtype(write_small: Write) -> None:
    small = write_small()
    with read_trace(small.path) as trace:
        for image, maps in enumerate(small.images):
            for name, values in maps.items():
                read = trace.values(name, image)
                assert read.dtype == small.graph.edge[name].dtype
                np.testing.assert_array_equal(read, values)


def test_derived_maps_are_not_in_the_file_and_are_read_all_the_same(write_small: Write) -> None:
    small = write_small()
    with read_trace(small.path) as trace:
        joined = np.concatenate([small.images[0]["a"], small.images[0]["b/c"]])
        np.testing.assert_array_equal(trace.values("ab", 0), joined)
        pooled = joined.reshape(4, 3, 2, 3, 2).max((2, 4))
        np.testing.assert_array_equal(trace.values("max", 0), pooled)
        mean = np.floor(pooled.astype(float).sum((1, 2)) * 4 / 9 + 0.5)
        np.testing.assert_array_equal(trace.values("avg", 0).ravel(), mean)
        assert [n for n in small.graph.edge if trace.is_stored(n)] == ["in", "a", "b/c"]


def test_graph_facts_and_constants_come_back(write_small: Write) -> None:
    small = write_small(
        accuracy={"top1": 0.5},
        training={"method": "none"},
        codec_in_loop="projection",
    )
    with read_trace(small.path) as trace:
        assert trace.graph == small.graph
        assert trace.facts.name == "small" and trace.facts.n_images == 2
        assert trace.facts.accuracy == {"top1": 0.5}
        assert trace.facts.training == {"method": "none"}
        assert trace.facts.provenance == {"tool": "test"}
        assert trace.facts.codec_in_loop == "projection"
        written, read = small.arithmetic["a"], trace.arithmetic("a")
        assert read is not None and read.shift == written.shift
        np.testing.assert_array_equal(read.weights, written.weights)
        np.testing.assert_array_equal(read.bias, written.bias)
        np.testing.assert_array_equal(read.weight_scale, written.weight_scale)
        np.testing.assert_array_equal(read.multiplier, np.repeat(written.multiplier, 3))
        assert trace.weights("a").dtype == np.int8
        assert trace.weights("b/c") is None and trace.weights("max") is None


def test_maps_before_the_activation_are_kept(write_small: Write) -> None:
    edge = Edge("a", 3, 6, 6, bits=16, signed=True, scale=0.01)
    maps = [{"a": np.full((3, 6, 6), -30_000 + i, np.int16)} for i in range(2)]
    small = write_small(pre_activation_edges={"a": edge}, pre_activations=maps)
    with read_trace(small.path) as trace:
        assert trace.pre_activation_edge("a") == edge
        np.testing.assert_array_equal(trace.pre_activations("a", 1), maps[1]["a"])
        assert trace.pre_activations("b/c", 0) is None


def test_the_same_content_gives_the_same_bytes_and_another_value_another_hash(
    write_small: Write,
) -> None:
    small = write_small()
    first, first_hash = small.path.read_bytes(), read_trace(small.path).facts.sha256
    assert write_small().path.read_bytes() == first
    images = [{n: v.copy() for n, v in m.items()} for m in small.images]
    images[1]["a"][2, 5, 5] ^= 1
    assert read_trace(write_small(images=images).path).facts.sha256 != first_hash


def test_a_derivable_map_may_be_stored_and_then_counts(write_small: Write) -> None:
    small = write_small()
    images = [{**m, "ab": np.zeros((4, 6, 6), np.int16)} for m in small.images]
    trace = read_trace(write_small(images=images).path)
    assert trace.is_stored("ab") and not trace.values("max", 0).any()


def test_a_trace_travels_to_another_process_by_its_path(write_small: Write) -> None:
    trace = read_trace(write_small().path)
    again = pickle.loads(pickle.dumps(trace))
    np.testing.assert_array_equal(again.values("a", 1), trace.values("a", 1))


def test_a_trace_that_changed_meanwhile_does_not_travel(write_small: Write) -> None:
    pickled = pickle.dumps(read_trace(write_small().path))
    write_small(name="other")
    with pytest.raises(TraceError, match="changed while it was in use"):
        pickle.loads(pickled)


def test_a_closed_trace_says_so(write_small: Write) -> None:
    trace = read_trace(write_small().path)
    trace.close()
    with pytest.raises(TraceError, match="was closed"):
        trace.values("a", 0)


def test_wrong_names_and_images_are_one_sentence(write_small: Write) -> None:
    trace = read_trace(write_small().path)
    with pytest.raises(TraceError, match="no edge 'mx'\n  fix: did you mean: max"):
        trace.values("mx", 0)
    with pytest.raises(TraceError, match="numbered 0 to 1"):
        trace.values("a", 2)
    with pytest.raises(TraceError, match="numbered 0 to 1"):
        trace.values("a", -1)
    with pytest.raises(TraceError, match="no layer 'convolution'"):
        trace.weights("convolution")


def test_a_shipped_trace_is_found_by_name_and_a_file_of_that_name_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert find_trace("squeezenet1_1").name == "squeezenet1_1.h5"
    monkeypatch.chdir(tmp_path)
    (tmp_path / "squeezenet1_1").write_text("mine")
    assert find_trace("squeezenet1_1") == Path("squeezenet1_1")


def test_an_unknown_name_gives_the_nearest_shipped_one() -> None:
    with pytest.raises(TraceError, match="Did you mean 'squeezenet1_1'"):
        read_trace("squeezenet1.1")


words = st.tuples(st.integers(2, 16), st.booleans())
sizes = st.integers(1, 5)


@settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(words, sizes, sizes, sizes, st.integers(1, 3), st.data())
def test_any_map_of_any_word_survives(
    tmp_path: Path,
    word: tuple[int, bool],
    channels: int,
    rows: int,
    cols: int,
    n_images: int,
    data: st.DataObject,
) -> None:
    bits, signed = word
    source = Edge("x", channels, rows, cols, bits=bits, signed=signed)
    out = Edge("sum/of all", channels, rows, cols, bits=16, signed=signed)
    fc = Edge("fc", 7, 1, 1, bits=bits, signed=signed)
    graph = Graph(
        (
            Add("sum/of all", ("x", "x"), "sum/of all", "relu6"),
            Conv("fc", "x", "fc", channels, 7, Window((rows, cols)), fully_connected=True),
        ),
        (source, out, fc),
        ("x",),
        ("sum/of all", "fc"),
    )
    rng = np.random.default_rng(data.draw(st.integers(0, 1000)))
    # The ends of the word are where a wrong dtype or range would show.
    images = [
        {e.name: rng.choice([e.low, 0, e.high], e.shape).astype(np.int64) for e in graph.edges}
        for _ in range(n_images)
    ]
    path = tmp_path / "any.h5"
    write_trace(path, name="any", graph=graph, n_images=n_images, images=iter(images))
    with read_trace(path) as trace:
        assert trace.graph == graph
        for image, maps in enumerate(images):
            for name, values in maps.items():
                np.testing.assert_array_equal(trace.values(name, image), values)
