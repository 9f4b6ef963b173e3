"""The form of a network that is exported as it is."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the [train] extra")

from torch import nn  # noqa: E402

from accelsim.training.capture import capture  # noqa: E402
from accelsim.training.cat import with_quantisers  # noqa: E402
from accelsim.training.deployable import round_by_channel, share_clips  # noqa: E402
from accelsim.training.network_trace import quantised_network  # noqa: E402
from accelsim.workload.quantising.comparison import integer_outputs  # noqa: E402
from accelsim.workload.quantising.float_network import TrainedWord  # noqa: E402


class Stacked(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3)
        self.left = nn.Conv2d(4, 5, 1)
        self.right = nn.Conv2d(4, 6, 1)
        self.last = nn.Conv2d(11, 7, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.first(x).relu()
        x = torch.cat([self.left(x).relu(), self.right(x).relu()], 1)
        return self.last(x).mean((2, 3))


@pytest.fixture
def module() -> Stacked:
    torch.manual_seed(0)
    return Stacked().eval()


def test_stacked_maps_learn_one_clip_the_largest(module: Stacked) -> None:
    network = with_quantisers(module, 5, weight_bits=None)
    for clip, value in zip(network.clips(), (1.0, 2.0, 3.0), strict=True):
        clip.data.fill_(value)
    share_clips(network)
    assert [float(c.detach()) for c in network.clips()] == [1.0, 3.0, 3.0]
    assert network.clips()[1] is network.clips()[2]
    assert len(list(network.parameters())) == 8 + 2


def test_weights_take_255_levels_by_channel_and_stay(module: Stacked) -> None:
    before = module.last.weight.detach().clone()
    round_by_channel(module)
    once = module.last.weight.detach().clone()
    step = before.abs().amax((1, 2, 3), keepdim=True) / 127
    # A scale of 12 bits is up to 2**-11 wider than the exact one: 127 steps by 0.06 of one.
    assert ((once - before).abs() <= 0.57 * step).all()
    for channel in once:
        scaled = channel / (channel.abs().max() / 127)
        assert torch.allclose(scaled, scaled.round(), atol=1e-3)
    round_by_channel(module)
    assert torch.equal(module.last.weight, once)


def test_the_integer_machine_then_computes_what_was_trained(module: Stacked) -> None:
    """Every stored integer, but for what rounds the other way in the last place."""
    network = with_quantisers(module, 5, weight_bits=None)
    for clip, value in zip(network.clips(), (1.0, 0.6, 0.9), strict=True):
        clip.data.fill_(value)
    share_clips(network)
    round_by_channel(network)
    network.quantise()
    network.eval()
    images = np.random.default_rng(0).integers(0, 256, (8, 3, 12, 12), dtype=np.uint8)
    with torch.no_grad():
        wanted = network((torch.from_numpy(images).float() - 100) / 50).numpy()
    plain, words = network.deployed()
    captured = capture(
        plain,
        torch.zeros(1, 3, 12, 12),
        name="stacked",
        source="made up",
        input_mean=(100.0,) * 3,
        input_std=(50.0,) * 3,
        trained_words={path: TrainedWord(*word) for path, word in words.items()},
    )
    quantised = quantised_network(captured, images)
    edge = quantised.graph.edge[quantised.graph.outputs[0]]
    found = (integer_outputs(quantised, images).reshape(8, 7) - edge.zero_point) * edge.scale
    assert np.abs(found - wanted).max() < 0.01 * np.abs(wanted).max()
