"""A network with quantisers that do not quantise yet computes what it did before."""

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402

from accelsim.errors import UserError  # noqa: E402
from accelsim.training.cat import with_quantisers  # noqa: E402


def both(forward, *parts, n=6):
    """Outputs of a network before and after, in training and inference, and its ceilings."""
    torch.manual_seed(1)

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.parts = nn.ModuleList(parts or [nn.Conv2d(2, 2, 1), nn.ReLU(inplace=True)])

        def forward(self, x):
            return forward(self.parts, x)

    module = Network()
    network = with_quantisers(module, 5, weight_bits=None)
    x = torch.randn(n, 2, 3, 3)
    for mode in (True, False):
        assert torch.equal(network.train(mode)(x.clone()), module.train(mode)(x.clone()))
    return [q.ceiling for q in network.quantisers.values()]


def test_later_readers_of_what_a_relu_changed_see_the_change():
    """Of a block of its own shape: the sum is of two rectified maps."""

    def block(parts, x):
        out = torch.relu_(x)
        out = parts[0](out)
        return out + x

    assert both(block) == [None]
    x = torch.tensor([[[[-3.0, 2.0]], [[1.0, -1.0]]]])
    network = with_quantisers(nn.Sequential(nn.ReLU(inplace=True)), 5)
    assert network(x).flatten().tolist() == [0.0, 2.0, 1.0, 0.0]


@pytest.mark.parametrize(
    "relu",
    [
        lambda parts, x: parts[1](x),
        lambda parts, x: x.relu_(),
        lambda parts, x: torch.relu_(x),
        lambda parts, x: F.relu(x, True),
        lambda parts, x: F.relu(x, inplace=True),
        lambda parts, x: F.relu6(x, inplace=True),
        lambda parts, x: F.hardtanh(x, 0.0, 2.0, True),
        lambda parts, x: F.hardtanh_(x, 0.0, 2.0),
        lambda parts, x: x.clamp_(0),
        lambda parts, x: x.clamp_(min=0, max=6),
        lambda parts, x: torch.clamp_(x, 0.0),
        lambda parts, x: x.clamp_min_(0),
        lambda parts, x: torch.clamp_min_(x, 0),
        lambda parts, x: torch.clip_(x, min=0),
    ],
)
@pytest.mark.parametrize("use", ["result", "source", "both", "identity"])
def test_every_relu_in_place(relu, use):
    def forward(parts, x):
        x = parts[0](x)
        same = parts[2](x)
        y = relu(parts, x)
        return {"result": y, "source": x * 2, "both": x - 3 * y, "identity": same + 1}[use]

    parts = nn.Conv2d(2, 2, 1), nn.ReLU(inplace=True), nn.Identity()
    assert len(both(forward, *parts)) == 1


@pytest.mark.parametrize(
    ("relu", "ceiling"),
    [
        (lambda x: x.clamp(min=0), None),
        (lambda x: x.clamp(0, 6), 6.0),
        (lambda x: torch.clamp(input=x, min=0), None),
        (lambda x: torch.clamp(x, 0.0, max=3.0), 3.0),
        (lambda x: torch.clip(x, 0), None),
        (lambda x: x.clip(min=0, max=float("inf")), None),
        (lambda x: torch.clamp_min(x, 0), None),
        (lambda x: x.clamp_min(min=0), None),
        (lambda x: F.relu(input=x), None),
        (lambda x: torch.relu(input=x), None),
        (lambda x: F.hardtanh(input=x, min_val=0, max_val=1), 1.0),
    ],
)
def test_every_way_to_write_a_relu(relu, ceiling):
    assert both(lambda parts, x: relu(parts[0](x))) == [ceiling]


@pytest.mark.parametrize(
    "no_relu",
    [
        lambda x: x.clamp(-1, 1),
        lambda x: x.clamp(max=2),
        lambda x: torch.clamp(x, 0.5),
        lambda x: x.clamp(min=torch.zeros(1)),
        lambda x: torch.clamp_min(x, -1),
    ],
)
def test_what_clips_elsewhere_is_no_relu(no_relu):
    assert len(both(lambda parts, x: no_relu(parts[0](x)).relu())) == 1


def test_a_relu_that_nobody_reads_is_no_map():
    def forward(parts, x):
        x = parts[0](x)
        F.relu(x)  # makes a tensor that is dropped
        parts[0](F.relu(x + 1))  # leads nowhere
        return x + parts[0](x).relu()

    assert len(both(forward)) == 1


def test_a_relu_whose_result_has_no_name_is_kept():
    def forward(parts, x):
        x = parts[0](x)
        parts[1](x)
        F.relu(x.mul_(-1), inplace=True)
        return x

    assert len(both(forward)) == 2


def test_augmented_assignments_are_seen_by_every_name():
    def forward(parts, x):
        y = parts[0](x)
        first = y
        y += x
        y *= 2
        return F.relu(y) + first

    assert len(both(forward)) == 1


def test_a_relu_of_a_sum_in_place_changes_the_addend():
    def forward(parts, x):
        out = parts[0](x)
        seen = out
        out += x
        out.relu_()
        return seen * 2 + out

    assert len(both(forward)) == 1


def test_shapes_and_copies_share_no_memory():
    def forward(parts, x):
        x = parts[0](x)
        copy, size, pooled = x.clone(), x.shape, F.max_pool2d(x, 2)
        x.relu_()
        pooled.relu_()
        return x.view(size[0], -1).sum() + copy.sum() + pooled.sum()

    assert len(both(forward)) == 2


@pytest.mark.parametrize(
    ("forward", "seen_as"),
    [
        (lambda parts, x: (x[:, :1], x.relu_())[0], "getitem"),
        (lambda parts, x: (x.view(x.size(0), -1), F.relu_(x))[0], "view"),
        (lambda parts, x: (x.reshape(-1), parts[1](x))[0], "reshape"),
        (lambda parts, x: (x.contiguous(), x.clamp_(0))[0], "contiguous"),
        (lambda parts, x: (x, F.relu_(x[:, :1]))[0], "x"),
        (lambda parts, x: (x, x.T.relu_())[0], "x"),
        (lambda parts, x: (x, F.dropout(x, 0.5, False).relu_())[0], "x"),
        (
            lambda parts, x: (lambda halves: (halves[1], halves[0].relu_())[0])(x.chunk(2, 1)),
            "getitem",
        ),
        (lambda parts, x: x + parts[0].bias.relu_().sum(), "bias"),
    ],
)
def test_what_is_seen_under_another_name_is_refused(forward, seen_as):
    with pytest.raises(UserError, match=f"in place.*{seen_as}.*\n.*inplace=False"):
        both(forward)


def test_another_path_in_training_is_refused_by_name():
    def forward(parts, x):
        return F.dropout(x.relu(), training=parts.training)

    with pytest.raises(UserError, match=r"Network: computes something else in training.*dropout"):
        both(forward)


def test_modes_of_modules_stay_as_they_were():
    module = nn.Sequential(nn.Conv2d(1, 1, 1), nn.BatchNorm2d(1), nn.ReLU()).train()
    module[1].eval()
    network = with_quantisers(module, 5)
    assert network.network.get_submodule("1").training is False
    assert network.network.get_submodule("0").training is True


def test_a_network_that_fails_while_it_is_traced_is_refused_by_name():
    class Failing(nn.Module):
        def forward(self, x):
            return {}[x]

    with pytest.raises(UserError, match="Failing: its ReLUs cannot be found"):
        with_quantisers(Failing(), 5)
