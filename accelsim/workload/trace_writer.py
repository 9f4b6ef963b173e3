"""Writing trace files, completely or not at all.

The file is written next to its target and then moved into place, so a crash, a full disk or an
error in the tensors never leaves half a trace. The same tensors and facts give the same
bytes (for one version of HDF5 and zlib): no time stamp is stored.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import h5py
import numpy as np
from numpy.typing import NDArray

from accelsim.errors import TraceError
from accelsim.workload.arithmetic import LayerArithmetic
from accelsim.workload.derive import is_derivable
from accelsim.workload.graph import Edge, Graph
from accelsim.workload.layer import Add, Conv, Pool
from accelsim.workload.patient_file import PatientFile
from accelsim.workload.trace import Values
from accelsim.workload.trace_constants import arrays_of, has_constants
from accelsim.workload.trace_document import TraceDocument, to_json
from accelsim.workload.trace_tensors import (
    DOCUMENT,
    FORMAT,
    VERSION,
    check_range,
    layer_path,
    map_path,
    pre_activation_path,
    sha256,
)

_GZIP_LEVEL: Final = 9
# Version 1.10 of the format puts a checksum on all of HDF5's own structures.
_LIBVER: Final = ("v110", "v110")


def stored_edges(graph: Graph) -> tuple[str, ...]:
    """The edges that a trace must store, in the graph's order; the others are derived."""
    return tuple(e.name for e in graph.edges if not is_derivable(graph, e.name))


def write_trace(
    path: str | Path,
    *,
    name: str,
    graph: Graph,
    n_images: int,
    images: Iterable[Mapping[str, Values]],
    arithmetic: Mapping[str, LayerArithmetic] | None = None,
    pre_activation_edges: Mapping[str, Edge] | None = None,
    pre_activations: Iterable[Mapping[str, Values]] = (),
    accuracy: Mapping[str, float] | None = None,
    training: Mapping[str, str] | None = None,
    provenance: Mapping[str, str] | None = None,
    codec_in_loop: str | None = None,
    warnings: Sequence[str] = (),
) -> None:
    """Write a trace; the target appears when everything is written and checked.

    ``images`` gives for each image its maps by edge name, integer [channels, rows, cols]: all of
    ``stored_edges(graph)``, and optionally derivable ones; those that the first image contains are
    stored for all images, and then read rather than derived. It may be a generator: one image is
    in memory at a time. ``pre_activations`` likewise, by layer name. Raises ``TraceError``.
    """
    target = Path(path)
    if not target.name:
        raise TraceError(str(target), "is not a file name", "name the file to write")
    document = TraceDocument(
        name=name,
        n_images=n_images,
        graph=graph,
        pre_activations=dict(pre_activation_edges or {}),
        shifts={layer: p.shift for layer, p in (arithmetic or {}).items()},
        accuracy=dict(accuracy or {}),
        training=dict(training or {}),
        provenance=dict(provenance or {}),
        codec_in_loop=codec_in_loop,
        sha256={},
        warnings=tuple(warnings),
    )
    to_json(document, str(target))  # so that a wrong fact is found before the work is done
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        with PatientFile(partial) as disk:
            with h5py.File(disk, "w", libver=_LIBVER) as file:
                writer = _Writer(file, disk, str(target), graph, n_images)
                writer.maps(images)
                writer.pre_activations(document.pre_activations, pre_activations)
                for layer, parameters in (arithmetic or {}).items():
                    writer.constants(layer, parameters)
                writer.document(replace(document, sha256=writer.sha256))
            disk.check()
        os.replace(partial, target)
    except (OSError, RuntimeError) as error:
        raise TraceError(
            str(target),
            f"cannot be written ({_reason(error, target)})",
            "check the folder, its permissions and the free space",
        ) from None
    finally:
        with suppress(OSError):
            partial.unlink()


class _Writer:
    def __init__(
        self, file: h5py.File, disk: PatientFile, where: str, graph: Graph, n_images: int
    ) -> None:
        self._file, self._disk, self._where = file, disk, where
        self._graph, self._n_images = graph, n_images
        self.sha256: dict[str, tuple[str, ...]] = {}

    def document(self, document: TraceDocument) -> None:
        data = to_json(document, self._where)
        self._compressed(DOCUMENT, np.frombuffer(data, np.uint8))
        self._file.attrs["format"] = np.bytes_(FORMAT)
        self._file.attrs["version"] = np.int64(VERSION)

    def maps(self, images: Iterable[Mapping[str, Values]]) -> None:
        self._images(images, self._graph.edge, set(stored_edges(self._graph)), map_path)

    def pre_activations(
        self, edges: Mapping[str, Edge], images: Iterable[Mapping[str, Values]]
    ) -> None:
        if edges:
            self._images(images, edges, set(edges), pre_activation_path)

    def constants(self, name: str, parameters: LayerArithmetic) -> None:
        layer = next((x for x in self._graph.layers if x.name == name), None)
        if not isinstance(layer, Conv | Add | Pool) or not has_constants(layer):
            raise self._error(
                f"{name!r} has constants, but is not a convolution, sum or average of the graph"
            )
        for constant, values in arrays_of(layer, parameters, self._where).items():
            dataset = layer_path(name, constant)
            self._compressed(dataset, values)
            self.sha256[dataset] = (sha256(values),)

    def _images(
        self,
        images: Iterable[Mapping[str, Values]],
        edges: Mapping[str, Edge],
        required: set[str],
        dataset_path: Callable[[str], str],
    ) -> None:
        datasets: dict[str, h5py.Dataset] = {}
        digests: dict[str, list[str]] = {}
        seen = 0
        for image, maps in enumerate(images):
            if image == 0:
                datasets = {n: self._dataset(dataset_path(n), edges[n]) for n in edges if n in maps}
                digests = {n: [] for n in datasets}
            wanted = required | set(datasets)
            if set(maps) != wanted:
                odd = ", ".join(sorted(set(maps) ^ wanted))
                raise self._error(f"image {image} lacks, or has unexpectedly: {odd}")
            if image >= self._n_images:
                raise self._error(f"more than the announced {self._n_images} images came")
            for name, dataset in datasets.items():
                values = self._checked(maps[name], edges[name])
                dataset[image] = values
                self._disk.check()
                digests[name].append(sha256(values))
            seen += 1
        if seen != self._n_images:
            raise self._error(f"{seen} images came, {self._n_images} were announced")
        self.sha256 |= {dataset_path(n): tuple(found) for n, found in digests.items()}

    def _checked(self, values: Values, edge: Edge) -> Values:
        if values.shape != edge.shape:
            raise self._error(
                f"{edge.name!r} has shape {values.shape}, the graph says {edge.shape}"
            )
        if values.dtype.kind not in "iu":
            raise self._error(f"{edge.name!r} holds {values.dtype}; traces hold integers")
        check_range(values, edge, self._where)
        return values.astype(edge.dtype)

    def _dataset(self, path: str, edge: Edge) -> h5py.Dataset:
        return self._file.create_dataset(
            path,
            shape=(self._n_images, *edge.shape),
            dtype=edge.dtype,
            chunks=(1, *edge.shape),
            compression="gzip",
            compression_opts=_GZIP_LEVEL,
            shuffle=edge.dtype.itemsize > 1,
        )

    def _compressed(self, path: str, values: NDArray[Any]) -> None:
        self._file.create_dataset(
            path,
            data=values,
            chunks=values.shape,
            compression="gzip",
            compression_opts=_GZIP_LEVEL,
            shuffle=values.dtype.itemsize > 1,
        )

    def _error(self, problem: str) -> TraceError:
        return TraceError(self._where, problem, "nothing was written; give the graph's own tensors")


def _reason(error: Exception, target: Path) -> str:
    if not target.parent.is_dir():
        return f"no such folder: {target.parent}"
    if target.is_dir():
        return "is a folder"
    number = getattr(error, "errno", None)
    return os.strerror(number) if number else str(error).splitlines()[0]
