"""Statistics of coded maps, cached on disk, so that a second run never reads an activation.

One file holds all maps that were measured under one key, so a whole network needs a single
read. A file that is damaged, foreign or unreadable counts as absent; a folder that cannot
be written makes runs slower, but never wrong.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from accelsim.codecs.base import BlockStats, Codec, Word
from accelsim.codecs.beats import BeatTotals, Pins
from accelsim.codecs.blocks import BlockShape, Scan
from accelsim.codecs.identity import identity
from accelsim.codecs.measure import MapStats
from accelsim.kernel_cache import cache_root

DEFAULT_LIMIT_BYTES = 512 << 20
NO_PINS = (-1, -1, -1)
"""Written in place of counts if pins were not asked for."""
_COLUMNS = ("n_values", "payload_bits", "nonzeros", "encode_work", "decode_work")


def size_key(
    tensors: str, codec: Codec, block: BlockShape, scan: Scan, pins: Pins | None = None
) -> str:
    """The key under which the statistics of a set of tensors are cached.

    ``tensors`` identifies the values and the data that tables are fitted to. ``codec``
    is the codec before ``fit``; its ``identity`` holds every field and the sources.
    """
    described = [tensors, identity(codec), block, scan, str(pins)]
    return hashlib.sha256(json.dumps(described).encode()).hexdigest()


class SizeCache:
    """Maps by key and name, in one folder that is kept below ``limit_bytes``.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     SizeCache(Path(folder)).get_many("a key never stored")
    {}
    """

    def __init__(self, folder: Path | None = None, limit_bytes: int = DEFAULT_LIMIT_BYTES) -> None:
        self.folder = folder or cache_root() / "sizes"
        self.limit_bytes = limit_bytes

    def get_many(self, key: str) -> dict[str, MapStats]:
        """All maps cached under ``key``, by name; empty if there is no valid file."""
        path = self._path(key)
        try:
            with np.load(path, allow_pickle=False) as arrays:
                maps = _unpack(arrays, key)
            os.utime(path)
        # Damage shows as any of a dozen exceptions; the remedy is always to measure again.
        except Exception:
            return {}
        return maps

    def put_many(self, key: str, maps: Mapping[str, MapStats]) -> None:
        """Store ``maps`` under ``key``, replacing what was there; remove the oldest files."""
        with suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            self._write(self._path(key), _pack(key, maps))
            self._drop_oldest()

    def _path(self, key: str) -> Path:
        return self.folder / f"{hashlib.sha256(key.encode()).hexdigest()}.npz"

    def _write(self, path: Path, arrays: dict[str, NDArray[Any]]) -> None:
        handle, name = tempfile.mkstemp(suffix=".tmp", dir=self.folder)
        try:
            with os.fdopen(handle, "wb") as file:
                np.savez(file, allow_pickle=False, **arrays)
            os.replace(name, path)
        except BaseException:
            os.unlink(name)
            raise

    def _drop_oldest(self) -> None:
        files = [(f.stat(), f) for f in self.folder.iterdir() if f.suffix in (".npz", ".tmp")]
        total = sum(stat.st_size for stat, _ in files)
        for stat, file in sorted(files, key=lambda item: item[0].st_mtime_ns):
            if total <= self.limit_bytes:
                return
            file.unlink(missing_ok=True)
            total -= stat.st_size


def _pack(key: str, maps: Mapping[str, MapStats]) -> dict[str, NDArray[Any]]:
    """Few large arrays: reading one costs 0.1 ms, whatever its size."""
    columns = [
        np.concatenate([getattr(m.blocks, column) for m in maps.values()] or [np.zeros(0, int)])
        for column in _COLUMNS
    ]
    integers = [
        (
            m.blocks.n_blocks,
            m.word.bits,
            m.word.signed,
            m.huffman_bits,
            m.table_bits,
            m.beats.shape[1],
            len(m.error_energy),
            *(m.linear or NO_PINS),
        )
        for m in maps.values()
    ]
    floats = [(m.entropy_bits, m.energy) for m in maps.values()]
    return {
        "key": np.array(key),
        "names": np.array(list(maps), dtype=str),
        "blocks": np.array(columns, np.int64),
        "beats": np.concatenate([np.zeros((4, 0), int), *(m.beats for m in maps.values())], axis=1),
        "errors": np.concatenate([np.zeros(0), *(m.error_energy for m in maps.values())]),
        "integers": np.array(integers, np.int64).reshape(len(maps), 7 + len(NO_PINS)),
        "floats": np.array(floats, np.float64).reshape(len(maps), 2),
    }


def _unpack(arrays: Mapping[str, NDArray[Any]], key: str) -> dict[str, MapStats]:
    blocks, beats, integers = arrays["blocks"], arrays["beats"], arrays["integers"]
    errors, names, floats = arrays["errors"], arrays["names"].tolist(), arrays["floats"].tolist()
    if str(arrays["key"]) != key or blocks.dtype != np.int64 or integers.dtype != np.int64:
        raise ValueError("another key")
    maps = {}
    first = first_beat = first_error = 0
    for name, row, (entropy, energy) in zip(names, integers.tolist(), floats, strict=True):
        n_blocks, bits, signed, huffman_bits, table_bits, n_beats, n_errors, *linear = row
        part = blocks[:, first : first + n_blocks]
        if part.shape != (len(_COLUMNS), n_blocks):
            raise ValueError("blocks are missing")
        word = Word(bits, bool(signed))
        of_blocks = beats[:, first_beat : first_beat + n_beats]
        if of_blocks.shape != (4, n_beats):
            raise ValueError("beats are missing")
        of_errors = errors[first_error : first_error + n_errors]
        if of_errors.shape != (n_errors,):
            raise ValueError("errors are missing")
        maps[name] = MapStats(
            BlockStats(*part),
            word,
            entropy,
            huffman_bits,
            table_bits,
            energy,
            of_errors,
            of_blocks,
            BeatTotals(*linear) if tuple(linear) != NO_PINS else None,
        )
        first += n_blocks
        first_beat += n_beats
        first_error += n_errors
    return maps
