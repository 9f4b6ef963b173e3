"""Rounded weights and their entropy."""

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from accelsim.training.weights import (  # noqa: E402
    RoundedWeights,
    freeze_rounding,
    real_weights,
    round_weights,
    weight_rate,
)


def test_weights_lie_on_levels_between_their_extremes():
    weights = torch.tensor([-1.0, -0.2, 0.55, 0.9, 2.0])  # 2 bits: a step of one
    assert RoundedWeights(2)(weights).tolist() == [-1.0, 0.0, 1.0, 1.0, 2.0]


def test_a_convolution_computes_with_rounded_weights_and_trains_the_real_ones():
    torch.manual_seed(0)
    conv = nn.Conv2d(2, 3, 3)
    real = conv.weight.detach().clone()
    net = nn.Sequential(conv)
    round_weights(net, 4)
    assert len(conv.weight.unique()) <= 16
    conv(torch.rand(1, 2, 5, 5)).sum().backward()
    assert real_weights(conv).grad.abs().min() > 0  # straight through, every weight
    rounded = conv.weight.detach().clone()
    freeze_rounding(net)
    assert torch.equal(net[0].weight, rounded) and not torch.equal(rounded, real)
    assert isinstance(net[0].weight, nn.Parameter)


def test_constant_weights_are_kept():
    assert torch.equal(RoundedWeights(8)(torch.full((4,), 0.3)), torch.full((4,), 0.3))


def test_the_rate_of_weights_on_few_levels_is_small():
    def rate(values):
        net = nn.Sequential(nn.Conv2d(16, 64, 3, bias=False))
        net[0].weight.data = values
        return weight_rate(net, torch.Generator().manual_seed(0)).item()

    shape = (64, 16, 3, 3)
    torch.manual_seed(0)
    two = torch.randint(0, 2, shape).float()
    assert rate(two) == pytest.approx(1.0, abs=0.02)
    assert rate(torch.rand(shape)) > 6


def test_the_rate_of_a_network_weighs_tensors_by_size():
    net = nn.Sequential(nn.Conv2d(8, 60, 1, bias=False), nn.Conv2d(60, 80, 1, bias=False))
    torch.manual_seed(0)
    net[0].weight.data = torch.randint(0, 2, (60, 8, 1, 1)).float()  # one bit each
    net[1].weight.data.zero_()  # no information
    expected = 480 / (480 + 4800)
    assert weight_rate(net, torch.Generator().manual_seed(0)).item() == pytest.approx(
        expected, abs=0.02
    )


def test_descending_the_rate_of_weights_lowers_it():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(16, 64, 3, bias=False))
    net[0].weight.data = torch.randn(64, 16, 3, 3).round() + 0.2 * torch.randn(64, 16, 3, 3)
    drawn = torch.Generator().manual_seed(0)
    optimiser = torch.optim.Adam(net.parameters(), lr=3e-3)
    rates = []
    for _ in range(150):
        rate = weight_rate(net, drawn, bits=4)
        rates.append(rate.item())
        optimiser.zero_grad()
        rate.backward()
        optimiser.step()
    assert sum(rates[-20:]) / 20 < sum(rates[:20]) / 20 - 0.1
