"""Quantisers in the places of ReLUs, in any network."""

import copy

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402

from accelsim.errors import UserError  # noqa: E402
from accelsim.training.cat import watch_statistics, with_quantisers  # noqa: E402
from accelsim.training.quantiser import ActivationQuantiser  # noqa: E402
from accelsim.training.resnet import SmallResNet  # noqa: E402


class Mixed(nn.Module):
    """One ReLU module used twice, functions, methods, a ReLU6 and a Hardtanh."""

    def __init__(self):
        super().__init__()
        self.a = nn.Conv2d(1, 4, 3)
        self.b = nn.Conv2d(4, 4, 1)
        self.relu = nn.ReLU(inplace=True)
        self.relu6 = nn.ReLU6()

    def forward(self, x):
        x = self.relu(self.a(x))
        x = self.relu(self.b(x))
        x = functional.relu(x + 0.1)
        x = functional.relu6(x * 2)
        x = functional.hardtanh(x, 0.0, 4.0)
        x = functional.hardtanh(x)  # clips at -1: no ReLU
        return self.relu6(x.relu()).mean((2, 3))


def test_every_use_of_a_relu_gets_a_quantiser_of_its_own():
    network = with_quantisers(Mixed(), 5)
    ceilings = [q.ceiling for q in network.quantisers.values()]
    assert ceilings == [None, None, None, 6.0, 4.0, None, 6.0]


def test_before_quantising_the_network_computes_as_before():
    torch.manual_seed(0)
    plain = Mixed().eval()
    network = with_quantisers(plain, 5, weight_bits=None).eval()
    x = torch.randn(2, 1, 6, 6)
    torch.testing.assert_close(network(x), plain(x))


def test_the_original_network_is_left_alone():
    plain = SmallResNet(8)
    before = {n: t.clone() for n, t in plain.state_dict().items()}
    network = with_quantisers(plain, 5)
    watch_statistics(network, [torch.rand(4, 1, 28, 28)])
    network.set_clips()
    network.quantise()
    network.train()
    network(torch.rand(4, 1, 28, 28)).sum().backward()
    assert all(torch.equal(t, before[n]) for n, t in plain.state_dict().items())
    assert all(p.grad is None for p in plain.parameters())


def test_a_resnet8_has_seven_coded_maps_of_56448_values():
    network = with_quantisers(SmallResNet(8), 5)
    network(torch.rand(1, 1, 28, 28))
    volumes = [q.n_values for q in network.quantisers.values()]
    assert volumes == [12544] * 3 + [6272] * 2 + [3136] * 2
    assert sum(volumes) == 56448


def test_keeping_the_last_relu_in_float():
    assert len(with_quantisers(SmallResNet(8), 5, keep_last=True).quantisers) == 6


def test_the_rate_weighs_maps_by_their_volume():
    network = with_quantisers(SmallResNet(8), 5)
    for i, quantiser in enumerate(network.quantisers.values()):
        quantiser.mode = "quantise"
        quantiser.n_values = i + 1
        quantiser.rate_bits = torch.tensor(float(i))
    by_hand = sum((i + 1) * i for i in range(7)) / sum(i + 1 for i in range(7))
    assert network.rate().item() == pytest.approx(by_hand)
    flat = network.rate(weight_of=lambda name, quantiser: 1.0)
    assert flat.item() == pytest.approx(3.0)


def test_the_norm_regulariser_is_l1_over_l2():
    network = with_quantisers(nn.Sequential(nn.Conv2d(1, 1, 1), nn.ReLU()), 8)
    quantiser = next(iter(network.quantisers.values()))
    quantiser.clip.data.fill_(10.0)
    network.quantise()
    network.train()
    x = torch.rand(3, 1, 4, 4)
    network(x)
    y = network.network.get_submodule("0")(x).relu()
    assert network.rate("norm").item() == pytest.approx(
        (y.abs().sum() / y.square().sum().sqrt()).item(), rel=1e-5
    )


def test_gradual_mode_quantises_the_first_maps():
    network = with_quantisers(SmallResNet(8), 5)
    watch_statistics(network, [torch.rand(4, 1, 28, 28)])
    network.set_clips()
    network.quantise(first=2)
    assert [q.mode for q in network.quantisers.values()] == ["quantise"] * 2 + ["float"] * 5
    network.train()
    network(torch.rand(4, 1, 28, 28))
    assert sum(q.rate_bits is not None for q in network.quantisers.values()) == 2


def test_the_deployed_copy_has_ordinary_weights_and_the_trained_words():
    network = with_quantisers(SmallResNet(8), 5).eval()
    for i, quantiser in enumerate(network.quantisers.values()):
        quantiser.clip.data.fill_(-31.0 * (i + 1))
    network.quantise(first=6)
    plain, words = network.deployed()
    assert list(words.values()) == [(5, float(i + 1)) for i in range(6)]
    assert all(path in dict(plain.named_modules()) for path in words)
    assert not any("parametrizations" in name for name in plain.state_dict())
    computing = [m for m in plain.modules() if isinstance(m, ActivationQuantiser)]
    assert [m.mode for m in computing] == ["float"] * 7
    assert computing[0](torch.tensor([[-1.0, 1e6]])).tolist() == [[0.0, 1e6]]
    # The network itself goes on.
    assert [q.mode for q in network.quantisers.values()][:6] == ["quantise"] * 6
    x = torch.rand(1, 1, 28, 28)
    before = network(x)
    network.deployed()
    assert torch.equal(network(x), before)


def test_a_network_whose_path_depends_on_data_is_named():
    class Branching(nn.Module):
        def forward(self, x):
            return x.relu() if x.sum() > 0 else x

    with pytest.raises(UserError, match="Branching: its ReLUs cannot be found"):
        with_quantisers(Branching(), 5)


def test_a_network_without_relu_is_named():
    with pytest.raises(UserError, match="no ReLU"):
        with_quantisers(nn.Sequential(nn.Conv2d(1, 1, 1), nn.Sigmoid()), 5)


def test_a_network_can_be_copied_and_deployed_after_a_step():
    """What the last batch left behind belongs to that batch, not to the network."""
    network = with_quantisers(SmallResNet(8), 5)
    x = torch.rand(4, 1, 28, 28)
    watch_statistics(network, [x])
    network.set_clips()
    network.quantise()
    network.train()
    (network(x).sum() + network.rate()).backward()
    twin = copy.deepcopy(network).eval()
    plain, words = network.deployed()
    network.eval()
    assert torch.equal(twin(x), network(x)) and len(words) == 7
    assert network.rate().requires_grad  # the original still has its batch
    assert all(twin.quantisers[n] is not q for n, q in network.quantisers.items())
    assert all(m is twin.network.get_submodule(n) for n, m in twin.quantisers.items())
    for parameter in twin.parameters():
        parameter.data.fill_(0.0)
    assert network(x).abs().sum() > 0
    # The plain copy computes ReLUs where the network rounds.
    assert not any(m.mode == "quantise" for m in plain.modules() if hasattr(m, "mode"))
