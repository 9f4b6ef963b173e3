"""A trace is written whole or not at all, and says why not."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from accelsim.errors import TraceError
from accelsim.workload.trace_writer import write_trace

Write = Callable[..., Any]


def images_with(small: Any, name: str, values: Any) -> list[dict[str, Any]]:
    return [{**maps, name: values} for maps in small.images]


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        (np.zeros((3, 6, 5), np.int16), r"shape \(3, 6, 5\), the graph says \(3, 6, 6\)"),
        (np.zeros((3, 6, 6), np.float32), "holds float32; traces hold integers"),
        (np.full((3, 6, 6), np.nan), "holds float64; traces hold integers"),
        (np.full((3, 6, 6), 2048, np.int16), "2048 to 2048, outside its 12-bit signed word"),
        (np.full((3, 6, 6), -2049, np.int16), "outside its 12-bit signed word"),
    ],
)
def test_a_wrong_map_is_refused_and_nothing_is_left(
    write_small: Write, tmp_path: Path, values: Any, problem: str
) -> None:
    small = write_small()
    small.path.unlink()
    with pytest.raises(TraceError, match=problem):
        write_small(images=images_with(small, "a", values))
    assert list(tmp_path.iterdir()) == []


def test_an_older_trace_survives_a_failed_write(write_small: Write) -> None:
    small = write_small()
    before = small.path.read_bytes()
    with pytest.raises(TraceError):
        write_small(images=images_with(small, "a", np.zeros((1, 1, 1), np.int16)))
    assert small.path.read_bytes() == before


def test_missing_and_unexpected_maps_are_named(write_small: Write) -> None:
    small = write_small()
    without = [{"in": m["in"], "a": m["a"]} for m in small.images]
    with pytest.raises(TraceError, match="image 0 lacks, or has unexpectedly: b/c"):
        write_small(images=without)
    with pytest.raises(TraceError, match="unexpectedly: what"):
        write_small(images=images_with(small, "what", small.images[0]["a"]))


def test_too_few_and_too_many_images_are_counted(write_small: Write) -> None:
    small = write_small()
    with pytest.raises(TraceError, match="1 images came, 2 were announced"):
        write_small(images=small.images[:1])
    with pytest.raises(TraceError, match="more than the announced 1 images"):
        write_small(n_images=1)


def test_constants_must_fit_their_layer(write_small: Write) -> None:
    small = write_small()
    with pytest.raises(TraceError, match="is not a convolution, sum or average"):
        write_small(arithmetic={"max": small.arithmetic["a"]})
    with pytest.raises(TraceError, match=r"the weights of 'b/c' are \(3, 2, 3, 3\)"):
        write_small(arithmetic={"b/c": small.arithmetic["a"]})


def test_a_fact_that_is_no_number_is_refused(write_small: Write) -> None:
    with pytest.raises(TraceError, match="facts cannot be stored"):
        write_small(accuracy={"top1": float("nan")})
    with pytest.raises(TraceError, match=r"provenance\.tool"):
        write_small(provenance={"tool": 3})


@pytest.mark.parametrize("target", ["missing/t.h5", "folder", ""])
def test_an_unwritable_target_is_one_message(
    write_small: Write, tmp_path: Path, target: str
) -> None:
    small = write_small()
    (tmp_path / "folder").mkdir()
    with pytest.raises(TraceError, match=r"no such folder|is a folder|cannot be written"):
        write_trace(tmp_path / target, name="t", graph=small.graph, n_images=2, images=small.images)


def test_a_full_disk_is_one_message_and_leaves_nothing(write_small: Write, tmp_path: Path) -> None:
    # A limit on the file size fails a write as a full disk does, without filling one.
    code = f"""
import resource, signal
import numpy as np
from accelsim.errors import TraceError
from accelsim.workload.graph import Edge, Graph
from accelsim.workload.trace_writer import write_trace
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
noise = np.random.default_rng(0).integers(0, 256, (3, 500, 500)).astype(np.uint8)
graph = Graph((), (Edge("x", 3, 500, 500),), ("x",), ("x",))
try:
    path = {str(tmp_path / "t.h5")!r}
    write_trace(path, name="t", graph=graph, n_images=1, images=[{{"x": noise}}])
except TraceError as error:
    assert "cannot be written (File too large)" in str(error), error
    raise SystemExit(7)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (7, "")
    assert list(tmp_path.iterdir()) == []
