"""Synthetic maps have the density and the entropy that were asked for."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from accelsim.errors import UserError
from accelsim.workload.graph import Edge, Graph
from accelsim.workload.layer import Conv, Pool, Window
from accelsim.workload.synth import entropy, probabilities, synthesise
from accelsim.workload.trace_file import read_trace


def graph() -> Graph:
    edges = (Edge("x", 4, 64, 64), Edge("y", 8, 64, 64), Edge("z", 8, 32, 32))
    layers = (
        Conv("conv", "x", "y", 4, 8, Window((1, 1)), activation="relu"),
        Pool("pool", "y", "z", Window((2, 2), (2, 2))),
    )
    return Graph(layers, edges, ("x",), ("z",))


@settings(deadline=None, max_examples=60)
@given(st.floats(0, 1), st.floats(0, 1), st.integers(2, 12))
def test_every_reachable_pair_is_reached(density: float, share: float, bits: int) -> None:
    lowest = -sum(p * np.log2(p) for p in (density, 1 - density) if p > 0)
    highest = lowest + density * np.log2(2**bits - 1)
    wanted = lowest + share * (highest - lowest)
    p = probabilities(density, wanted, bits)
    assert p.sum() == pytest.approx(1.0)
    assert p[0] == pytest.approx(1 - density)
    positive = p[p > 0]
    assert -(positive * np.log2(positive)).sum() == pytest.approx(wanted, abs=1e-6)
    assert (np.diff(p[1:]) <= 1e-12).all()  # geometric: small values are likelier


@settings(deadline=None, max_examples=30)
@given(st.floats(0.01, 0.99), st.floats(0, 9))
def test_an_impossible_pair_names_the_reachable_range(density: float, wanted: float) -> None:
    lowest = -(density * np.log2(density) + (1 - density) * np.log2(1 - density))
    highest = lowest + density * np.log2(255)
    assume(not lowest - 1e-6 <= wanted <= highest + 1e-6)
    with pytest.raises(UserError, match=f"choose between {lowest:.4f} and {highest:.4f} bits"):
        probabilities(density, wanted, 8)


def test_drawn_values_have_the_density_and_entropy(tmp_path: Path) -> None:
    synthesise(tmp_path / "s.h5", graph(), 0.4, 2.5, seed=7, n_images=2)
    trace = read_trace(tmp_path / "s.h5")
    values = np.concatenate([trace.values("y", i).ravel() for i in range(2)])
    # Five standard deviations of a share of 65536 independent values.
    assert np.mean(values != 0) == pytest.approx(0.4, abs=5 * np.sqrt(0.4 * 0.6 / values.size))
    # The plug-in entropy is off by about (symbols - 1) / (2 n ln 2) < 0.003, and its spread
    # is of order 1 / sqrt(n) = 0.004.
    assert entropy(np.bincount(values)) == pytest.approx(2.5, abs=0.03)


def test_the_same_seed_gives_the_same_file_and_another_seed_another(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        synthesise(tmp_path / name, graph(), 0.5, 3.0, seed=seed)
    a, b, c = ((tmp_path / n).read_bytes() for n in "abc")
    assert a == b != c


def test_images_and_maps_are_independent(tmp_path: Path) -> None:
    synthesise(tmp_path / "s.h5", graph(), 0.5, 3.0, seed=1, n_images=2)
    trace = read_trace(tmp_path / "s.h5")
    assert (trace.values("x", 0) != trace.values("x", 1)).mean() > 0.3
    assert (trace.values("x", 0) != trace.values("y", 0)[:4]).mean() > 0.3


def test_words_of_any_width_and_all_zero_maps(tmp_path: Path) -> None:
    synthesise(tmp_path / "s.h5", graph(), 1.0, 11.9, seed=0, bits=12)
    values = read_trace(tmp_path / "s.h5").values("y", 0)
    assert values.dtype == np.uint16 and values.min() >= 1 and 3000 < values.max() < 4096
    synthesise(tmp_path / "s.h5", graph(), 0.0, 0.0, seed=0)
    assert not read_trace(tmp_path / "s.h5").values("y", 0).any()


@pytest.mark.parametrize("density", [-0.1, 1.1, float("nan")])
def test_a_density_outside_its_range_is_refused(density: float) -> None:
    with pytest.raises(UserError, match="share of non-zeros"):
        probabilities(density, 1.0, 8)


def test_a_word_width_outside_its_range_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="2 to 16 bits"):
        synthesise(tmp_path / "s.h5", graph(), 0.5, 2.0, seed=0, bits=17)


def test_maps_are_drawn_slice_by_slice_as_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synthesise(tmp_path / "whole.h5", graph(), 0.4, 2.5, seed=7)
    monkeypatch.setattr("accelsim.workload.synth._SLICE_VALUES", 1000)
    synthesise(tmp_path / "sliced.h5", graph(), 0.4, 2.5, seed=7)
    assert (tmp_path / "whole.h5").read_bytes() == (tmp_path / "sliced.h5").read_bytes()


@pytest.mark.parametrize(("n_images", "side"), [(1, 1 << 15), (1 << 20, 64)])
def test_absurd_sizes_are_refused_before_anything_is_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, n_images: int, side: int
) -> None:
    monkeypatch.setattr(np.random, "default_rng", None)  # a draw would fail with TypeError
    edges = (Edge("x", 4, side, side), Edge("y", 8, side, side))
    large = Graph((Conv("conv", "x", "y", 4, 8, Window((1, 1))),), edges, ("x",), ("y",))
    with pytest.raises(UserError, match=r"a trace holds maps of up to|at most 4294967296"):
        synthesise(tmp_path / "s.h5", large, 0.4, 2.5, seed=7, n_images=n_images)
    assert not list(tmp_path.iterdir())
