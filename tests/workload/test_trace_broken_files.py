"""A broken, foreign or lying file gives one sentence: no traceback, no hang, no wrong value."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accelsim.errors import TraceError
from accelsim.workload.trace_file import read_trace

Write = Callable[..., Any]
Document = dict[str, Any]


def everything(path: Path) -> list[bytes]:
    """All that a trace gives, read to the last value."""
    with read_trace(path) as trace:
        found = [trace.facts.sha256.encode()]
        for image in range(trace.facts.n_images):
            found += [trace.values(edge, image).tobytes() for edge in trace.graph.edge]
        constants = trace.arithmetic("a")
        assert constants is not None
        return [*found, constants.weights.tobytes(), constants.bias.tobytes()]


def rewrite(path: Path, change: Callable[[Document], None]) -> None:
    """Change the document as a foreign writer might."""
    with h5py.File(path, "r+", libver="v110") as file:
        document = json.loads(bytes(file["document"][...]))
        change(document)
        del file["document"]
        file["document"] = np.frombuffer(json.dumps(document).encode(), np.uint8)


def replace(path: Path, dataset: str, values: Any, **options: Any) -> None:
    """Put other values under a name, with the hash that belongs to them."""

    def rehash(document: Document) -> None:
        document["sha256"][dataset] = [hashlib.sha256(v.tobytes()).hexdigest() for v in values]

    with h5py.File(path, "r+", libver="v110") as file:
        del file[dataset]
        file.create_dataset(dataset, data=values, **options)
    rewrite(path, rehash)


def test_a_missing_an_empty_and_a_text_file(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match="no such file"):
        read_trace(tmp_path / "none.h5")
    for content in (b"", b"hello, this is no trace at all"):
        (tmp_path / "t.h5").write_bytes(content)
        with pytest.raises(TraceError, match="no HDF5 signature"):
            read_trace(tmp_path / "t.h5")
    with pytest.raises(TraceError, match="is not a file"):
        read_trace(tmp_path)


def test_a_foreign_hdf5_file(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "t.h5", "w") as file:
        file["x"] = np.arange(3)
    with pytest.raises(TraceError, match="not a trace of accelsim"):
        read_trace(tmp_path / "t.h5")


def test_a_newer_version_asks_for_an_update(write_small: Write) -> None:
    small = write_small()
    with h5py.File(small.path, "r+") as file:
        file.attrs["version"] = np.int64(2)
    with pytest.raises(TraceError, match="version 2, this accelsim reads up to 1\n  fix: update"):
        read_trace(small.path)


def test_every_truncation_is_noticed(write_small: Write) -> None:
    small = write_small()
    content = small.path.read_bytes()
    for length in range(0, len(content), 97):
        small.path.write_bytes(content[:length])
        with pytest.raises(TraceError):
            everything(small.path)


@settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_flipped_bytes_are_noticed_or_change_nothing(
    write_small: Write, data: st.DataObject
) -> None:
    small = write_small()
    content = bytearray(small.path.read_bytes())
    good = everything(small.path)
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    small.path.write_bytes(content)
    try:
        found = everything(small.path)
    except TraceError:
        return
    assert found == good


@pytest.mark.parametrize("gone", ["maps", "maps/a", "maps/b|c", "document"])
def test_missing_parts_are_named(write_small: Write, gone: str) -> None:
    small = write_small()
    with h5py.File(small.path, "r+", libver="v110") as file:
        del file[gone]
    with pytest.raises(TraceError, match="missing"):
        read_trace(small.path)


def test_missing_weights_are_named_when_they_are_read(write_small: Write) -> None:
    small = write_small()
    with h5py.File(small.path, "r+", libver="v110") as file:
        del file["layers/a/weights"]
    with pytest.raises(TraceError, match="layers/a/weights is missing"):
        read_trace(small.path).weights("a")


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        (np.zeros((2, 3, 6, 7), np.int16), r"has shape \(2, 3, 6, 7\)"),
        (np.zeros((1, 3, 6, 6), np.int16), r"has shape \(1, 3, 6, 6\)"),
        (np.zeros((2, 3, 6, 6), np.float32), "holds float32"),
        (np.full((2, 3, 6, 6), np.nan), "holds float64"),
        (np.zeros((2, 3, 6, 6), np.int8), "holds int8"),
        (np.zeros((2, 3, 6, 6), ">i2"), "holds >i2"),
    ],
)
def test_tensors_at_odds_with_the_graph(write_small: Write, values: Any, problem: str) -> None:
    small = write_small()
    replace(small.path, "maps/a", values)
    with pytest.raises(TraceError, match=problem):
        read_trace(small.path)


def test_values_outside_the_declared_word(write_small: Write) -> None:
    small = write_small()
    replace(small.path, "maps/a", np.full((2, 3, 6, 6), 2048, np.int16))
    with pytest.raises(TraceError, match=r"2048 to 2048, outside its 12-bit signed word"):
        read_trace(small.path).values("a", 0)


def test_values_that_were_changed_after_hashing(write_small: Write) -> None:
    small = write_small()
    with h5py.File(small.path, "r+", libver="v110") as file:
        file["maps/a"][1, 0, 0, 0] ^= 1
    trace = read_trace(small.path)
    trace.values("a", 0)
    with pytest.raises(TraceError, match="does not match its SHA-256"):
        trace.values("a", 1)


def test_links_virtual_and_external_data_are_refused(write_small: Write, tmp_path: Path) -> None:
    secret = tmp_path / "secret.h5"
    with h5py.File(secret, "w") as file:
        file["x"] = np.zeros((2, 3, 6, 6), np.int16)

    def link(file: h5py.File) -> None:
        file["maps/a"] = h5py.ExternalLink(secret, "x")

    def virtual(file: h5py.File) -> None:
        layout = h5py.VirtualLayout((2, 3, 6, 6), np.int16)
        layout[...] = h5py.VirtualSource(secret, "x", (2, 3, 6, 6))
        file.create_virtual_dataset("maps/a", layout)

    def external(file: h5py.File) -> None:
        where = [(str(tmp_path / "raw.bin"), 0, 432)]
        file.create_dataset("maps/a", (2, 3, 6, 6), np.int16, external=where)

    for put in (link, virtual, external):
        small = write_small()
        with h5py.File(small.path, "r+", libver="v110") as file:
            del file["maps/a"]
            put(file)
        with pytest.raises(TraceError, match=r"is a link|in other files"):
            read_trace(small.path)


def test_python_objects_are_never_read(write_small: Write) -> None:
    small = write_small()
    with h5py.File(small.path, "r+", libver="v110") as file:
        del file["document"]
        file["document"] = np.array([b"x" * 9], dtype=h5py.string_dtype())
    with pytest.raises(TraceError, match="holds object"):
        read_trace(small.path)


def set_at(*path_and_value: Any) -> Callable[[Document], None]:
    *path, key, value = path_and_value

    def change(document: Document) -> None:
        node: Any = document
        for part in path:
            node = node[part]
        node[key] = value

    return change


EDGE, LAYER = ("graph", "edges", 1), ("graph", "layers", 0)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (set_at(*LAYER, "op", "transformer"), "'transformer'"),
        (set_at(*LAYER, "activation", "gelu"), "activation"),
        (set_at(*LAYER, "groups", 0), "groups"),
        (set_at(*LAYER, "window", "stride", [0, 1]), "stride"),
        (set_at(*LAYER, "input", "nothing"), "before any layer makes it"),
        (set_at(*LAYER, "in_channels", 5), "wants 5 channels"),
        (set_at(*LAYER, "surprise", 1), "surprise"),
        (set_at(*EDGE, "bits", 17), "bits"),
        (set_at(*EDGE, "bits", "8"), "bits"),
        (set_at(*EDGE, "rows", 7), "computes"),
        (set_at(*EDGE, "rows", -1), "rows"),
        (set_at(*EDGE, "scale", 0.0), "scale"),
        (set_at(*EDGE, "scale", float("nan")), "scale"),
        (set_at(*EDGE, "zero_point", 1 << 20), "zero point"),
        (set_at(*EDGE, "name", "in"), "two edges are called 'in'"),
        (set_at("graph", "layers", 1, "name", "a"), "two layers are called 'a'"),
        (set_at("graph", "outputs", ["none"]), "is not an edge"),
        (set_at("n_images", 3), "has shape"),
        (set_at("n_images", 0), "n_images"),
        (set_at("shifts", {"max": 3}), "has no convolution, sum or average 'max'"),
        (set_at("shifts", "a", 63), r"shifts\.a"),
        (set_at("sha256", "maps/a", ["0" * 64]), "has no SHA-256"),
        (set_at("sha256", "maps/a", ["x"]), "sha256"),
        (set_at("pre_activations", {"a": {}}), "pre_activations"),
        (set_at("training", "x", 3), "training"),
    ],
)
def test_documents_at_odds_with_the_grammar(
    write_small: Write, change: Callable[[Document], None], problem: str
) -> None:
    small = write_small()
    rewrite(small.path, change)
    with pytest.raises(TraceError, match=problem) as caught:
        read_trace(small.path)
    assert len(str(caught.value).splitlines()) == 2


def test_absurd_sizes_are_refused_before_memory_is_taken(write_small: Write) -> None:
    def absurd(document: Document) -> None:
        document["graph"]["edges"][0].update(channels=1 << 20, rows=1 << 20)

    small = write_small()
    rewrite(small.path, absurd)
    with pytest.raises(TraceError, match=r"values in one image, more than"):
        read_trace(small.path)


def test_data_that_was_promised_but_never_stored_is_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "t.h5", "w", libver="v110") as file:
        file.attrs["format"] = np.bytes_("accelsim-trace")
        file.attrs["version"] = np.int64(1)
        file.create_dataset("document", (1 << 26,), np.uint8)
    with pytest.raises(TraceError, match="bytes that were never stored"):
        read_trace(tmp_path / "t.h5")


def test_a_document_larger_than_its_bound_is_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "t.h5", "w", libver="v110") as file:
        file.attrs["format"] = np.bytes_("accelsim-trace")
        file.attrs["version"] = np.int64(1)
        file.create_dataset("document", ((1 << 26) + 1,), np.uint8)
    with pytest.raises(TraceError, match="larger than 67108864 bytes"):
        read_trace(tmp_path / "t.h5")


def test_images_mixed_in_one_chunk_and_unknown_filters_are_refused(write_small: Write) -> None:
    values = np.zeros((2, 3, 6, 6), np.int16)
    small = write_small()
    replace(small.path, "maps/a", values, chunks=(2, 3, 6, 6))
    with pytest.raises(TraceError, match="mixes images"):
        read_trace(small.path)
    small = write_small()
    replace(small.path, "maps/a", values, chunks=(1, 3, 6, 6), scaleoffset=4)
    with pytest.raises(TraceError, match="unknown filters"):
        read_trace(small.path)


def test_plain_contiguous_data_of_a_foreign_writer_is_welcome(write_small: Write) -> None:
    small = write_small()
    values = np.arange(216, dtype=np.int16).reshape(2, 3, 6, 6)
    replace(small.path, "maps/a", values)
    np.testing.assert_array_equal(read_trace(small.path).values("a", 1), values[1])


def test_text_of_variable_length_is_never_read(write_small: Write) -> None:
    # HDF5 can loop forever in a damaged heap, where such text lies.
    small = write_small()
    with h5py.File(small.path, "r+", libver="v110") as file:
        file.attrs["format"] = "accelsim-trace"
    with pytest.raises(TraceError, match="not a trace of accelsim"):
        read_trace(small.path)
    small = write_small()
    with h5py.File(small.path, "r+", libver="v110") as file:
        file.attrs["version"] = "1"
    with pytest.raises(TraceError, match="has no valid format version, but None"):
        read_trace(small.path)
