"""Reading trace files: one map at a time, checked against hashes, nothing trusted.

The format is described in ``docs/trace_format.md``; ``trace_writer`` writes it. A damaged,
truncated or foreign file gives one ``TraceError``. Nothing is ever unpickled, and memory
is bounded by the document (64 MiB) and the largest map that a caller asks for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path
from types import TracebackType
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from accelsim.errors import TraceError
from accelsim.workload.arithmetic import LayerArithmetic
from accelsim.workload.derive import derive, is_derivable
from accelsim.workload.graph import Edge, Graph
from accelsim.workload.layer import Add, Conv, Pool
from accelsim.workload.trace import TraceFacts, Values
from accelsim.workload.trace_constants import (
    arithmetic_of,
    has_constants,
    weight_shape,
    weight_word,
)
from accelsim.workload.trace_document import TraceDocument, from_json
from accelsim.workload.trace_open import find_trace, open_trace, read_document
from accelsim.workload.trace_tensors import (
    AGAIN,
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

    Raises ``TraceError`` if there is no such file, or if this version cannot read it as a trace;
    for unknown names it suggests the nearest shipped one.

    >>> read_trace("squeezenet1_1").graph.layers[0].name
    'conv1'
    """
    return TraceFile(find_trace(name_or_path))


class TraceFile:
    """An open trace file. Satisfies ``Trace``; close it, or use it in a ``with``.

    It can be pickled (by its path, and is reopened when unpickled) as long as the file exists.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path).absolute()
        self._where = str(path)
        self._file = open_trace(self.path, self._where)
        try:
            data = read_document(self._file, self._where)
            self._document = from_json(data, self._where)
            self.facts = _facts(self._document, data)
            self._maps = self._check_maps()
            self._pre_activations = self._check_pre_activations()
            self._layers_with_constants = self._check_layers_with_constants()
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
        found = self._with_constants(layer)
        return self._weights(found) if isinstance(found, Conv) else None

    def has_weights(self, layer: str) -> bool:
        """True when the file holds the weights of this layer."""
        return any(x.name == layer and isinstance(x, Conv) for x in self._layers_with_constants)

    def arithmetic(self, layer: str) -> LayerArithmetic | None:
        """The constants of a convolution or a sum of maps, or None where the file has none."""
        found = self._with_constants(layer)
        return None if found is None else self._arithmetic(found)

    def constants(self) -> dict[str, LayerArithmetic]:
        """The constants of all layers that have them, as needed by ``replay``.

        >>> from accelsim.workload.replay import replay
        >>> with read_trace("squeezenet1_1") as trace:
        ...     maps = replay(trace.graph, trace.constants(), {"input": trace.values("input", 0)})
        >>> maps[trace.graph.outputs[0]].shape
        (1000, 1, 1)
        """
        return {x.name: self._arithmetic(x) for x in self._layers_with_constants}

    def is_stored(self, edge: str) -> bool:
        """True when the file holds the map itself; False when it is derived."""
        return edge in self._maps

    def stored_bytes(self, edge: str) -> int:
        """Bytes that the maps of this edge take in the file, all images; 0 when derived."""
        dataset = self._maps.get(edge)
        return 0 if dataset is None else int(dataset.id.get_storage_size())

    def pre_activation_edge(self, layer: str) -> Edge | None:
        """Word and scale of a layer's values before its activation, if stored."""
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

    def __reduce__(self) -> tuple[Callable[[Path, str], TraceFile], tuple[Path, str]]:
        return _reopened, (self.path, self.facts.sha256)

    def _stored(self, edge: str, image: int) -> Values | None:
        dataset = self._maps.get(edge)
        return None if dataset is None else self._image(dataset, self.graph.edge[edge], image)

    def _image(self, dataset: h5py.Dataset, edge: Edge, image: int) -> Values:
        self._check_open()
        digests = self._document.sha256[dataset.name.lstrip("/")]
        values = read_checked(dataset, image, digests[image], self._where)
        check_range(values, edge, self._where)
        return values

    def _arithmetic(self, layer: Conv | Add | Pool) -> LayerArithmetic:
        def read(constant: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
            return self._whole(layer_path(layer.name, constant), shape, dtype)

        return arithmetic_of(layer, self._document.shifts[layer.name], read, self._where)

    def _weights(self, conv: Conv) -> Values:
        word = weight_word(conv)
        values = self._whole(layer_path(conv.name, "weights"), weight_shape(conv), word.dtype)
        check_range(values, word, self._where)
        return values

    def _whole(self, path: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
        self._check_open()
        dataset = self._dataset(path, shape, dtype, 1)
        return read_checked(dataset, ..., self._document.sha256[path][0], self._where)

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

    def _check_layers_with_constants(self) -> list[Conv | Add | Pool]:
        shifts = self._document.shifts
        computing = [
            x for x in self.graph.layers if isinstance(x, Conv | Add | Pool) and has_constants(x)
        ]
        for layer in sorted(shifts.keys() - {x.name for x in computing}):
            raise self._unknown("convolution, sum or average", layer, [x.name for x in computing])
        return [x for x in computing if x.name in shifts]

    def _with_constants(self, layer: str) -> Conv | Add | Pool | None:
        for found in self._layers_with_constants:
            if found.name == layer:
                return found
        names = [x.name for x in self.graph.layers]
        if layer not in names:
            raise self._unknown("layer", layer, names)
        return None

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


def _reopened(path: Path, sha256: str) -> TraceFile:
    trace = TraceFile(path)
    if trace.facts.sha256 != sha256:
        raise TraceError(str(path), "changed while it was in use", "start the run again")
    return trace


def _facts(document: TraceDocument, data: bytes) -> TraceFacts:
    return TraceFacts(
        name=document.name,
        n_images=document.n_images,
        sha256=hashlib.sha256(data).hexdigest(),
        accuracy=document.accuracy,
        training=document.training,
        provenance=document.provenance,
        codec_in_loop=document.codec_in_loop,
        warnings=document.warnings,
    )
