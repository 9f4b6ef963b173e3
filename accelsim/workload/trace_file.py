"""Reading trace files: one map at a time, checked against hashes, nothing trusted.

The format is described in ``docs/trace_format.md``; ``trace_writer`` writes it. A damaged,
truncated or foreign file gives one ``TraceError``. Nothing is ever unpickled, and memory
is bounded by the document (64 MiB) and the largest map that a caller asks for.
"""

from __future__ import annotations

import hashlib
from difflib import get_close_matches
from pathlib import Path
from types import TracebackType
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from accelsim.data_files import shipped
from accelsim.errors import TraceError, nearest
from accelsim.workload.arithmetic import LayerArithmetic
from accelsim.workload.derive import derive, is_derivable
from accelsim.workload.graph import Edge, Graph
from accelsim.workload.layer import Conv
from accelsim.workload.trace import TraceFacts, Values
from accelsim.workload.trace_document import MAX_DOCUMENT_BYTES, TraceDocument, from_json
from accelsim.workload.trace_tensors import (
    AGAIN,
    DOCUMENT,
    FORMAT,
    VERSION,
    broken_file_as_trace_error,
    check_range,
    checked_dataset,
    layer_path,
    map_path,
    pre_activation_path,
    read_checked,
)


def read_trace(name_or_path: str | Path) -> TraceFile:
    """Open a trace: a file, or the name of a shipped one.

    Raises ``TraceError`` when there is no such file or it is no trace that this version
    can read; unknown names give the nearest shipped one.

    >>> read_trace("squeezenet1_1").graph.layers[0].name
    'conv1'
    """
    return TraceFile(find_trace(name_or_path))


def find_trace(name_or_path: str | Path) -> Path:
    """The path of a trace: as given, else among the shipped ones."""
    given = Path(name_or_path)
    try:
        if given.is_file():
            return given
        if given.exists():
            raise TraceError(str(given), "is not a file", "name a trace file")
    except OSError as error:
        raise TraceError(str(given), error.strerror or "unreadable", "check the path") from None
    folder = shipped("traces")
    if (found := folder / f"{given}.h5").is_file():
        return found
    names = sorted(p.stem for p in folder.glob("*.h5"))
    problem = f"no such file, and no shipped trace has this name.{nearest(str(given), names)}"
    raise TraceError(str(given), problem, f"give a path, or one of: {', '.join(names) or '(none)'}")


class TraceFile:
    """An open trace file. Satisfies ``Trace``; close it, or use it in a ``with``.

    It can be pickled (by its path, reopened on the other side) as long as the file stays.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path).absolute()
        self._where = str(path)
        self._file = _open(self.path, self._where)
        try:
            data = _read_document(self._file, self._where)
            self._document = from_json(data, self._where)
            self.facts = _facts(self._document, data)
            self._maps = self._check_maps()
            self._pre_activations = self._check_pre_activations()
            self._constants = self._check_constants()
        except BaseException:
            self._file.close()
            raise

    @property
    def graph(self) -> Graph:
        """The network."""
        return self._document.graph

    def values(self, edge: str, image: int) -> Values:
        """The integers of one map of one image, [channels, rows, cols], in the smallest dtype.

        Derivable maps that are not stored are computed (``accelsim.workload.derive``).
        Raises ``TraceError`` for an unknown edge or image, or a broken tensor.
        """
        if edge not in self.graph.edge:
            raise self._unknown("edge", edge, list(self.graph.edge))
        self._check_image(image)
        return derive(self.graph, edge, lambda name: self._stored(name, image))

    def weights(self, layer: str) -> Values | None:
        """Integer weights [out_channels, in_channels / groups, rows, cols], or None."""
        parameters = self.arithmetic(layer)
        return None if parameters is None else parameters.weights

    def arithmetic(self, layer: str) -> LayerArithmetic | None:
        """All constants of a convolution, or None where the file has none."""
        if layer not in {x.name for x in self.graph.layers}:
            raise self._unknown("layer", layer, [x.name for x in self.graph.layers])
        if layer not in self._constants:
            return None
        found = {
            constant: self._whole(dataset) for constant, dataset in self._constants[layer].items()
        }
        scale, multiplier = found["weight_scale"], found["multiplier"]
        if not (np.isfinite(scale).all() and (scale > 0).all() and (multiplier >= 0).all()):
            raise TraceError(self._where, f"the scales of {layer!r} are not positive", AGAIN)
        conv = next(x for x in self.graph.layers if x.name == layer)
        assert isinstance(conv, Conv)
        check_range(found["weights"], _weight_word(conv), self._where)
        return LayerArithmetic(**found, shift=self._document.shifts[layer])

    def is_stored(self, edge: str) -> bool:
        """True when the file holds the map itself; False when it is derived."""
        return edge in self._maps

    def stored_bytes(self, edge: str) -> int:
        """Bytes that the maps of this edge take in the file, all images; 0 when derived."""
        dataset = self._maps.get(edge)
        return 0 if dataset is None else int(dataset.id.get_storage_size())

    def pre_activation_edge(self, layer: str) -> Edge | None:
        """Word and scale of a layer's values before its activation, where stored."""
        return self._document.pre_activations.get(layer)

    def pre_activations(self, layer: str, image: int) -> Values | None:
        """A layer's values before its activation, [channels, rows, cols], or None."""
        self._check_image(image)
        dataset = self._pre_activations.get(layer)
        if dataset is None:
            return None
        return self._image(dataset, self._document.pre_activations[layer], image)

    def close(self) -> None:
        """Close the file; facts and graph stay usable."""
        self._file.close()

    def __enter__(self) -> TraceFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __reduce__(self) -> tuple[type[TraceFile], tuple[Path]]:
        return TraceFile, (self.path,)

    def _stored(self, edge: str, image: int) -> Values | None:
        dataset = self._maps.get(edge)
        return None if dataset is None else self._image(dataset, self.graph.edge[edge], image)

    def _image(self, dataset: h5py.Dataset, edge: Edge, image: int) -> Values:
        self._check_open()
        digests = self._document.sha256[dataset.name.lstrip("/")]
        values = read_checked(dataset, image, digests[image], self._where)
        check_range(values, edge, self._where)
        return values

    def _whole(self, dataset: h5py.Dataset) -> NDArray[Any]:
        self._check_open()
        digests = self._document.sha256[dataset.name.lstrip("/")]
        return read_checked(dataset, ..., digests[0], self._where)

    def _check_open(self) -> None:
        if not self._file:
            raise TraceError(self._where, "was closed before this map was read", "read it earlier")

    def _check_image(self, image: int) -> None:
        if not 0 <= image < self.facts.n_images:
            raise TraceError(
                self._where,
                f"has no image {image}",
                f"images are numbered 0 to {self.facts.n_images - 1}",
            )

    def _check_maps(self) -> dict[str, h5py.Dataset]:
        hashed = self._document.sha256
        return {
            edge.name: self._dataset_of_images(map_path(edge.name), edge)
            for edge in self.graph.edges
            if map_path(edge.name) in hashed or not is_derivable(self.graph, edge.name)
        }

    def _check_pre_activations(self) -> dict[str, h5py.Dataset]:
        return {
            layer: self._dataset_of_images(pre_activation_path(layer), edge)
            for layer, edge in self._document.pre_activations.items()
        }

    def _check_constants(self) -> dict[str, dict[str, h5py.Dataset]]:
        convs = {x.name: x for x in self.graph.layers if isinstance(x, Conv)}
        found: dict[str, dict[str, h5py.Dataset]] = {}
        for layer in self._document.shifts:
            if layer not in convs:
                raise self._unknown("layer with weights", layer, list(convs))
            conv = convs[layer]
            word = _weight_word(conv)
            full = (conv.out_channels, conv.in_channels // conv.groups, *conv.window.kernel)
            wanted = {
                "weights": (full, word.dtype),
                "bias": ((conv.out_channels,), np.dtype("<i4")),
                "multiplier": ((conv.out_channels,), np.dtype("<i4")),
                "weight_scale": ((conv.out_channels,), np.dtype("<f8")),
            }
            found[layer] = {
                constant: self._dataset(layer_path(layer, constant), shape, dtype, 1)
                for constant, (shape, dtype) in wanted.items()
            }
        return found

    def _dataset_of_images(self, path: str, edge: Edge) -> h5py.Dataset:
        n = self.facts.n_images
        dataset = self._dataset(path, (n, *edge.shape), edge.dtype, n)
        if dataset.chunks is not None and dataset.chunks[0] != 1:
            raise TraceError(
                self._where, f"{path} mixes images in one chunk", "store one image a chunk"
            )
        return dataset

    def _dataset(
        self, path: str, shape: tuple[int, ...], dtype: np.dtype[Any], n_digests: int
    ) -> h5py.Dataset:
        with broken_file_as_trace_error(self._where):
            dataset = checked_dataset(self._file, path, shape, dtype, self._where)
        if len(self._document.sha256.get(path, ())) != n_digests:
            raise TraceError(self._where, f"{path} has no SHA-256 in the document", AGAIN)
        return dataset

    def _unknown(self, kind: str, name: str, known: list[str]) -> TraceError:
        close = ", ".join(get_close_matches(name, known, n=3)) or ", ".join(known[:8])
        return TraceError(self._where, f"has no {kind} {name!r}", f"did you mean: {close}")


def _weight_word(conv: Conv) -> Edge:
    return Edge(f"weights of {conv.name}", 1, 1, 1, bits=conv.weight_bits, signed=True)


def _facts(document: TraceDocument, data: bytes) -> TraceFacts:
    return TraceFacts(
        name=document.name,
        n_images=document.n_images,
        sha256=hashlib.sha256(data).hexdigest(),
        accuracy=document.accuracy,
        training=document.training,
        provenance=document.provenance,
        codec_in_loop=document.codec_in_loop,
    )


def _open(path: Path, where: str) -> h5py.File:
    try:
        with path.open("rb") as raw:
            is_empty = not raw.read(1)
    except FileNotFoundError:
        raise TraceError(where, "no such file", "check the path") from None
    except OSError as error:
        raise TraceError(where, error.strerror or "unreadable", "check the path") from None
    if is_empty or not h5py.is_hdf5(path):
        raise TraceError(
            where, "is not a trace: no HDF5 signature", "export one with `accelsim trace export`"
        )
    with broken_file_as_trace_error(where):
        # Traces are read-only data; locks fail on many network file systems.
        return h5py.File(path, "r", locking=False)


def _read_document(file: h5py.File, where: str) -> bytes:
    with broken_file_as_trace_error(where):
        found = file.attrs.get("format")
        if found != FORMAT:
            raise TraceError(
                where,
                "is an HDF5 file, but not a trace of accelsim",
                "export one with `accelsim trace export`",
            )
        version = file.attrs.get("version")
        if not isinstance(version, np.integer) or version < 1:
            raise TraceError(where, f"has no valid format version, but {version!r}", AGAIN)
        if version > VERSION:
            raise TraceError(
                where,
                f"has format version {version}, this accelsim reads up to {VERSION}",
                "update accelsim",
            )
        size = getattr(file.get(DOCUMENT), "shape", (0,))
        if len(size) != 1 or not 0 < size[0] <= MAX_DOCUMENT_BYTES:
            raise TraceError(
                where, f"its document is missing or larger than {MAX_DOCUMENT_BYTES} bytes", AGAIN
            )
        dataset = checked_dataset(file, DOCUMENT, size, np.dtype("u1"), where)
        return bytes(np.asarray(dataset[...]))
