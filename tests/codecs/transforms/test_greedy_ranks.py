"""Greedy dimension reduction: against exhaustive search where it is optimal, and its limits."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accelsim.codecs.transforms.greedy_ranks import ReducibleLayer, greedy_ranks


def total_bits(layers: list[ReducibleLayer], ranks: list[int], bits: int) -> int:
    return sum(k * layer.n_vectors for k, layer in zip(ranks, layers, strict=True)) * bits


def total_distortion(layers: list[ReducibleLayer], ranks: list[int]) -> float:
    return sum(layer.distortion[k] for k, layer in zip(ranks, layers, strict=True))


def test_large_targets_drop_nothing() -> None:
    layers = [ReducibleLayer(10, [3.0, 2.0, 1.0, 0.0])]
    assert greedy_ranks(layers, bits=8, target_bits=240) == [3]


def test_each_layer_keeps_a_component_however_small_the_target() -> None:
    layers = [ReducibleLayer(10, [3.0, 2.0, 1.0, 0.0]), ReducibleLayer(5, [1.0, 0.0])]
    assert greedy_ranks(layers, bits=8, target_bits=0) == [1, 1]
    assert greedy_ranks(layers, bits=8, target_bits=0, step=2) == [1, 1]


def test_of_equal_losses_the_map_with_more_pixels_goes_first() -> None:
    losses = [4.0, 3.0, 2.0, 1.0, 0.0]
    layers = [ReducibleLayer(49, losses), ReducibleLayer(3136, losses)]
    assert greedy_ranks(layers, bits=8, target_bits=8 * 4 * (49 + 3136) - 1) == [4, 3]


@pytest.mark.parametrize("n_layers", [1, 2, 3])
def test_greedy_is_optimal_for_equal_maps_and_rising_losses(n_layers: int) -> None:
    """Components of falling variance in maps of equal size: a step costs more each time."""
    rng = np.random.default_rng(n_layers)
    layers = []
    for _ in range(n_layers):
        variances = np.sort(rng.exponential(1.0, 5))[::-1]
        dropped = np.append(np.cumsum(variances[::-1])[::-1], 0.0)
        layers.append(ReducibleLayer(7, dropped.tolist()))
    for n_dropped in range(4 * n_layers):
        target = 7 * 8 * (5 * n_layers - n_dropped)
        found = greedy_ranks(layers, bits=8, target_bits=target)
        best = min(
            total_distortion(layers, list(ranks))
            for ranks in product(range(1, 6), repeat=n_layers)
            if total_bits(layers, list(ranks), 8) <= target
        )
        assert total_bits(layers, found, 8) <= target
        assert total_distortion(layers, found) == pytest.approx(best)


@given(
    st.lists(
        st.tuples(st.integers(1, 50), st.lists(st.floats(0, 9), min_size=2, max_size=9)),
        min_size=1,
        max_size=4,
    ),
    st.integers(0, 4000),
    st.integers(1, 3),
)
def test_the_target_is_met_unless_no_layer_can_drop_more(
    described: list[tuple[int, list[float]]], target: int, step: int
) -> None:
    layers = [ReducibleLayer(n, sorted(losses, reverse=True)) for n, losses in described]
    ranks = greedy_ranks(layers, bits=4, target_bits=target, step=step)
    whole = [len(layer.distortion) - 1 for layer in layers]
    assert all(1 <= k <= n and (n - k) % step == 0 for k, n in zip(ranks, whole, strict=True))
    assert total_bits(layers, ranks, 4) <= target or all(k <= step for k in ranks)
