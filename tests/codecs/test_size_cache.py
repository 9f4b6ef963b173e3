"""The size cache gives back what was put, or nothing; never anything else."""

import os
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from accelsim.codecs.base import Blocks, BlockStats, Word
from accelsim.codecs.beats import BeatTotals, Pins
from accelsim.codecs.formats.eyeriss_rlc import EyerissRlc
from accelsim.codecs.formats.huffman import Huffman
from accelsim.codecs.formats.zvc import Zvc
from accelsim.codecs.identity import identity
from accelsim.codecs.measure import MapStats
from accelsim.codecs.size_cache import SizeCache, size_key
from accelsim.errors import CodecError


def map_stats(n_blocks: int, seed: int) -> MapStats:
    rng = np.random.default_rng(seed)
    columns = [rng.integers(0, 1 << 40, n_blocks) for _ in range(5)]
    beats = rng.integers(0, 1 << 40, (4, n_blocks if seed % 2 else 0))
    linear = BeatTotals(*rng.integers(0, 1 << 40, 3).tolist()) if seed % 2 else None
    return MapStats(
        BlockStats(*columns), Word(7, signed=True), rng.random() * 1e6, seed, 3, 7.5,
        rng.random(n_blocks if seed % 3 else 0), beats, linear,
    )  # fmt: skip


MAPS = {"conv1": map_stats(5, 1), "fire2/out": map_stats(0, 2), "größe": map_stats(300, 3)}


def assert_same(found: dict[str, MapStats], expected: dict[str, MapStats]) -> None:
    assert list(found) == list(expected)
    for name, stats in expected.items():
        assert replace(found[name], blocks=stats.blocks) == stats
        np.testing.assert_array_equal(found[name].beats, stats.beats)
        np.testing.assert_array_equal(found[name].error_energy, stats.error_energy)
        for column, values in vars(stats.blocks).items():
            np.testing.assert_array_equal(getattr(found[name].blocks, column), values)


def test_maps_come_back_as_they_were_put(tmp_path: Path) -> None:
    cache = SizeCache(tmp_path)
    cache.put_many("a", MAPS)
    cache.put_many("b", {})
    assert_same(cache.get_many("a"), MAPS)
    assert cache.get_many("b") == {} and cache.get_many("c") == {}
    assert not list(tmp_path.glob("*.tmp"))


@pytest.mark.parametrize("seed", range(40))
def test_a_damaged_file_is_never_trusted(tmp_path: Path, seed: int) -> None:
    cache = SizeCache(tmp_path)
    cache.put_many("a", MAPS)
    (file,) = tmp_path.iterdir()
    rng = np.random.default_rng(seed)
    data = bytearray(file.read_bytes())
    if seed % 2:
        data[int(rng.integers(len(data)))] ^= int(rng.integers(1, 256))
    else:
        data = data[: rng.integers(len(data))]
    file.write_bytes(data)
    found = cache.get_many("a")
    # A flipped bit may also hit a byte that nothing depends on, such as a time stamp.
    if found:
        assert_same(found, MAPS)


def test_a_file_of_another_key_is_not_taken(tmp_path: Path) -> None:
    cache = SizeCache(tmp_path)
    cache.put_many("a", MAPS)
    cache._path("a").rename(cache._path("b"))
    assert cache.get_many("b") == {}


def test_pickles_are_not_loaded(tmp_path: Path) -> None:
    cache = SizeCache(tmp_path)
    np.savez(cache._path("a"), key=np.array(["a", None], object))
    assert cache.get_many("a") == {}


def test_a_folder_that_cannot_be_made_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    cache = SizeCache(tmp_path / "file" / "sizes")
    cache.put_many("a", MAPS)
    assert cache.get_many("a") == {}


def test_the_oldest_files_go_when_the_folder_is_full(tmp_path: Path) -> None:
    cache = SizeCache(tmp_path)
    for age, key in ((30, "used again"), (20, "old"), (10, "new")):
        cache.put_many(key, MAPS)
        os.utime(cache._path(key), (time.time() - age, time.time() - age))
    size = cache._path("old").stat().st_size
    cache.get_many("used again")
    SizeCache(tmp_path, limit_bytes=3 * size + 100).put_many("newest", MAPS)
    kept = {key for key in ("used again", "old", "new", "newest") if cache.get_many(key)}
    assert kept == {"used again", "new", "newest"}


def test_a_key_tells_everything_apart_that_decides_a_size() -> None:
    zvc, rlc = Zvc.for_word(Word(8)), EyerissRlc.for_word(Word(8))
    keys = [
        size_key("trace", zvc, (8, 8, 8), "chw"),
        size_key("other", zvc, (8, 8, 8), "chw"),
        size_key("trace", rlc, (8, 8, 8), "chw"),
        size_key("trace", EyerissRlc.for_network(Word(8)), (8, 8, 8), "chw"),
        size_key("trace", Huffman.for_word(Word(8)), (8, 8, 8), "chw"),
        size_key("trace", Zvc.for_word(Word(7)), (8, 8, 8), "chw"),
        size_key("trace", zvc, (8, 8, 4), "chw"),
        size_key("trace", zvc, (8, 8, 8), "hwc"),
        size_key("trace", zvc, (8, 8, 8), "chw", Pins(16, 16, 0, False)),
        size_key("trace", zvc, (8, 8, 8), "chw", Pins(16, 16, 0, True)),
        size_key("trace", zvc, (8, 8, 8), "chw", Pins(16, 16, 1, False)),
        size_key("trace", zvc, (8, 8, 8), "chw", Pins(16, 32, 0, False)),
    ]
    assert len(set(keys)) == len(keys)
    assert size_key("trace", zvc, (8, 8, 8), "chw") == keys[0]


@dataclass(frozen=True)
class Generous(Zvc):
    """As much longer as a field says that ``parameters`` does not know."""

    extra: int = 0

    def payload_bits(self, blocks: Blocks) -> NDArray[np.int64]:
        return super().payload_bits(blocks) + self.extra


def test_a_field_that_no_author_listed_decides_the_key() -> None:
    few, many = Generous(Word(8)), Generous(Word(8), extra=3000)
    assert few.parameters == many.parameters
    assert size_key("trace", few, (8, 8, 8), "chw") != size_key("trace", many, (8, 8, 8), "chw")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 1.0), (1, True), ("1", 1), ((1, 2), [1, 2]), ((1, (2,)), ((1, 2),)), (None, "None"),
        (np.arange(4), np.arange(4, dtype=np.int32)), (np.arange(4), np.arange(4).reshape(2, 2)),
        ({1: 2}, {1: 3}), (frozenset({1}), frozenset({2})), (b"a", "a"), (Word(8), Word(7)),
        (0.1, 0.1 + 2**-55), (test_maps_come_back_as_they_were_put, map_stats),
    ],
)  # fmt: skip
def test_values_of_any_kind_are_told_apart(one: Any, other: Any) -> None:
    assert identity(Generous(Word(8), extra=one)) == identity(Generous(Word(8), extra=one))
    assert identity(Generous(Word(8), extra=one)) != identity(Generous(Word(8), extra=other))


def test_what_cannot_be_told_apart_from_its_like_is_refused() -> None:
    endless: list[Any] = []
    endless.append(endless)
    for held in (object(), iter("ab"), np.array([None]), endless):
        with pytest.raises(CodecError, match=r"zvc\.extra"):
            identity(Generous(Word(8), extra=held))  # type: ignore[arg-type]


def test_thirty_maps_are_found_in_far_less_than_thirty_milliseconds(tmp_path: Path) -> None:
    cache = SizeCache(tmp_path)
    cache.put_many("network", {f"map{i}": map_stats(2000, i) for i in range(30)})
    cache.get_many("network")
    start = time.perf_counter()
    assert len(cache.get_many("network")) == 30
    assert time.perf_counter() - start < 0.030
