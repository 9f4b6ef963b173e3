"""The soft entropy: golden values, the O(n) form against the formula, gradients."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from accelsim.training.entropy import soft_entropy, soft_entropy_reference  # noqa: E402

GOLDEN = [
    # Computed from the published formula at T = -10, independently of this code.
    (2, [0, 1, 2, 3], 2.000000),
    (2, [0, 0, 0, 3], 0.811999),
    (2, [0, 0.5, 1.5, 3], 1.905657),
    (3, [0, 0.1, 0.2, 0.5, 1, 2.5, 6.9, 7], 1.975696),
]


@pytest.mark.parametrize(("bits", "levels", "expected"), GOLDEN)
def test_the_formula_gives_the_golden_values(bits, levels, expected):
    found = soft_entropy_reference(torch.tensor(levels, dtype=torch.float64), 1 << bits)
    assert found.item() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(("bits", "levels", "expected"), GOLDEN)
def test_two_levels_give_the_golden_values_within_the_votes_left_out(bits, levels, expected):
    found = soft_entropy(torch.tensor(levels), 1 << bits)
    assert found.item() == pytest.approx(expected, abs=1e-3)


def _levels(seed, bits, n):
    rng = np.random.default_rng(seed)
    top = (1 << bits) - 1
    spread = rng.gamma(0.7, top / 4, n).clip(0, top)
    spread[: n // 4] = rng.integers(0, top + 1, n // 4)  # on the levels, where both forms differ
    return torch.tensor(spread, dtype=torch.float64)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000), st.integers(2, 6), st.integers(8, 600))
def test_shares_of_both_forms_differ_by_less_than_the_bound(seed, bits, n):
    """A level's share moves by at most 2 exp(T); -p log2 p is steepest near zero, so the
    entropies of n_levels shares differ by at most n_levels * h(delta), h(p) = -p log2 p."""
    levels = _levels(seed, bits, n)
    delta = 2 * math.exp(-10)
    bound = (1 << bits) * -delta * math.log2(delta)
    difference = soft_entropy(levels, 1 << bits) - soft_entropy_reference(levels, 1 << bits)
    assert abs(difference.item()) <= bound


@pytest.mark.parametrize("bits", [2, 4, 5])
def test_gradients_of_both_forms_agree(bits):
    levels = _levels(3, bits, 4096)
    gradients = []
    for form in (soft_entropy, soft_entropy_reference):
        z = levels.clone().requires_grad_(True)
        form(z, 1 << bits).backward()
        gradients.append(z.grad)
    scale = gradients[1].abs().max()
    assert (gradients[0] - gradients[1]).abs().max() / scale < 1e-3


def test_the_gradient_is_the_slope_of_the_value():
    levels = torch.tensor([0.1, 0.45, 0.55, 1.3, 2.6, 2.9], dtype=torch.float64)
    z = levels.clone().requires_grad_(True)
    soft_entropy(z, 4).backward()
    step = 1e-3
    for i in range(len(levels)):
        up, down = levels.clone(), levels.clone()
        up[i] += step
        down[i] -= step
        slope = (soft_entropy_reference(up, 4) - soft_entropy_reference(down, 4)) / (2 * step)
        assert z.grad[i].item() == pytest.approx(slope.item(), abs=2e-3)


def test_a_cold_softmax_is_the_hard_entropy():
    levels = torch.tensor([0.0, 0.2, 0.9, 3.0])  # rounds to 0, 0, 1, 3: 1.5 bits
    assert soft_entropy(levels, 4, temperature=-1000.0).item() == pytest.approx(1.5, abs=1e-5)


def test_minimising_the_entropy_empties_levels():
    z = torch.linspace(0, 7, 400, requires_grad=True)
    optimiser = torch.optim.Adam([z], lr=0.05)
    before = soft_entropy(z, 8).item()
    for _ in range(60):
        optimiser.zero_grad()
        soft_entropy(z.clamp(0, 7), 8).backward()
        optimiser.step()
    hard = np.bincount(z.detach().clamp(0, 7).round().long().numpy(), minlength=8) / 400
    hard = hard[hard > 0]
    assert -(hard * np.log2(hard)).sum() < before


def test_the_entropy_of_what_is_no_number_is_none():
    """A diverging run must reach the check of its loss, not fail on the way."""
    levels = torch.tensor([0.0, math.nan, 2.0], requires_grad=True)
    found = soft_entropy(levels, 4)
    assert math.isnan(found.item())
    found.backward()
    assert math.isnan(soft_entropy(torch.full((3,), math.nan), 2).item())
