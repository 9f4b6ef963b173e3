"""Captured networks compute what their modules compute, and store the maps they should."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import Tensor, fx, nn  # noqa: E402
from torch.nn import functional  # noqa: E402

from accelsim.training.cat import watch_statistics, with_quantisers  # noqa: E402
from accelsim.training.resnet import SmallResNet  # noqa: E402
from accelsim.workload.layer import Add, Concat, Window  # noqa: E402
from accelsim.workload.quantising.float_network import TrainedWord  # noqa: E402
from accelsim.workload.trace_file import read_trace  # noqa: E402
from tests.training.captured import (  # noqa: E402
    Calls,
    assert_same_as_module,
    captured,
    conv,
    randomised,
    summary,
)

IMAGE = (3, 12, 12)


class InvertedResidual(nn.Module):
    """Expand, filter by channel, project without activation; a shortcut where shapes agree."""

    def __init__(self, in_channels: int, channels: int, stride: int) -> None:
        super().__init__()
        wide = 4 * in_channels
        self.expand = nn.Sequential(
            nn.Conv2d(in_channels, wide, 1, bias=False), nn.BatchNorm2d(wide), nn.ReLU6(True)
        )
        self.filter = nn.Sequential(
            nn.Conv2d(wide, wide, 3, stride, 1, groups=wide, bias=False),
            nn.BatchNorm2d(wide),
            nn.ReLU6(True),
        )
        self.project = nn.Conv2d(wide, channels, 1, bias=False)
        self.bn = nn.BatchNorm2d(channels)
        self.adds = stride == 1 and in_channels == channels

    def forward(self, x: Tensor) -> Tensor:
        y = self.bn(self.project(self.filter(self.expand(x))))
        return x + y if self.adds else y


def test_an_inverted_residual_stores_its_bottlenecks_and_sums_but_nothing_before_a_relu() -> None:
    network = assert_same_as_module(
        nn.Sequential(InvertedResidual(3, 6, 2), InvertedResidual(6, 6, 1)), IMAGE
    )
    assert summary(network) == [
        ("0/expand/0", "conv", "relu6"),
        ("0/filter/0", "depthwise", "relu6"),
        ("0/project", "conv", "none"),
        ("1/expand/0", "conv", "relu6"),
        ("1/filter/0", "depthwise", "relu6"),
        ("1/project", "conv", "none"),
        ("1/add", "add", "none"),
    ]
    assert [e.name for e in network.graph.edges] == ["input", *(x[0] for x in summary(network))]
    assert network.graph.producer["1/add"].inputs == ("0/project", "1/project")


def test_a_residual_network_has_the_names_of_its_modules() -> None:
    network = assert_same_as_module(SmallResNet(8), (1, 28, 28))
    assert summary(network) == [
        ("stem/0", "conv", "relu"),
        ("blocks/0/conv1", "conv", "relu"),
        ("blocks/0/conv2", "conv", "none"),
        ("blocks/0/add", "add", "relu"),
        ("blocks/1/conv1", "conv", "relu"),
        ("blocks/1/conv2", "conv", "none"),
        ("blocks/1/shortcut/0", "conv", "none"),
        ("blocks/1/add", "add", "relu"),
        ("blocks/2/conv1", "conv", "relu"),
        ("blocks/2/conv2", "conv", "none"),
        ("blocks/2/shortcut/0", "conv", "none"),
        ("blocks/2/add", "add", "relu"),
        ("pool", "pool", ""),
        ("classifier", "fc", "none"),
    ]
    assert network.graph.outputs == ("classifier",)


def test_tracing_and_wrapping_a_network_change_no_name() -> None:
    module = randomised(SmallResNet(8))
    traced = fx.symbolic_trace(module)
    wrapped = Calls(lambda self, x: self.network(x), network=traced).eval()
    expected = captured(module, (1, 28, 28))
    for other in (traced, wrapped):
        network = captured(other, (1, 28, 28))
        assert network.graph == expected.graph
        for name, weights in expected.weights.items():
            np.testing.assert_array_equal(network.weights[name], weights)


def test_squeezenet_is_captured_as_its_shipped_trace_says() -> None:
    from accelsim.training.networks.squeezenet import SqueezeNet

    shipped = read_trace("squeezenet1_1").graph  # first written by hand from the paper
    module = randomised(SqueezeNet())
    for network in (module, fx.symbolic_trace(module)):
        graph = captured(network, (3, 227, 227)).graph
        assert graph.layers == shipped.layers
        assert [e.shape for e in graph.edges] == [e.shape for e in shipped.edges]


def test_squeezenet_computes_the_same() -> None:
    from accelsim.training.networks.squeezenet import SqueezeNet

    assert_same_as_module(SqueezeNet(), (3, 63, 63))


class Inception(nn.Module):
    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.one = nn.Conv2d(in_channels, 4, 1)
        self.three = nn.Sequential(nn.Conv2d(in_channels, 4, 1), nn.ReLU())
        self.three_a = nn.Conv2d(4, 3, (1, 3), padding=(0, 1))
        self.three_b = nn.Conv2d(4, 3, (3, 1), padding=(1, 0))
        self.pool = nn.AvgPool2d(3, stride=1, padding=1)
        self.pooled = nn.Conv2d(in_channels, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        three = self.three(x)
        three = torch.cat([self.three_a(three).relu(), self.three_b(three).relu()], 1)
        branches = [functional.relu(self.one(x)), three, self.pooled(self.pool(x)).relu()]
        return torch.cat(branches, dim=-3)


def test_branches_and_nested_concatenations() -> None:
    network = assert_same_as_module(nn.Sequential(Inception(3), Inception(12)), (3, 8, 10))
    assert isinstance(network.graph.producer["1/cat_2"], Concat)
    assert network.graph.producer["1/cat_2"].inputs == ("1/one", "1/cat", "1/pooled")
    # torch's default counts the padding in the average; a layer's average does not.
    assert network.graph.producer["0/pool"].kind == "depthwise"


def test_a_vgg_like_network_ends_in_layers_that_cover_its_last_map() -> None:
    blocks: list[nn.Module] = []
    channels = 3
    for width in (8, 16):
        blocks += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU(inplace=True)]
        blocks += [nn.Conv2d(width, width, 3, padding="same"), nn.ReLU(inplace=True)]
        blocks += [nn.MaxPool2d(2)]
        channels = width
    head = nn.Sequential(nn.Linear(16 * 3 * 5, 20), nn.ReLU(True), nn.Dropout(), nn.Linear(20, 7))
    module = Calls(
        lambda self, x: self.classifier(torch.flatten(self.avgpool(self.features(x)), 1)),
        features=nn.Sequential(*blocks),
        avgpool=nn.AdaptiveAvgPool2d((3, 5)),
        classifier=head,
    )
    network = assert_same_as_module(module, (3, 12, 20))
    assert conv(network, "classifier/0").window == Window((3, 5))
    assert network.weights["classifier/0"].shape == (20, 16, 3, 5)
    assert summary(network)[-2:] == [
        ("classifier/0", "fc", "relu"),
        ("classifier/3", "fc", "none"),
    ]


def test_several_outputs_are_several_outputs() -> None:
    module = Calls(
        lambda self, x: (y := self.a(x).relu(), self.b(y)),
        a=nn.Conv2d(3, 4, 1),
        b=nn.Conv2d(4, 2, 1),
    )
    assert assert_same_as_module(module, IMAGE).graph.outputs == ("a", "b")


def test_layers_that_lead_nowhere_are_left_out() -> None:
    def forward(self: nn.Module, x: Tensor) -> Tensor:
        self.b(x).sigmoid()  # type: ignore[operator]
        return self.a(x)  # type: ignore[operator,no-any-return]

    module = Calls(forward, a=nn.Conv2d(3, 4, 1), b=nn.Conv2d(3, 4, 1))
    assert [x.name for x in assert_same_as_module(module, IMAGE).graph.layers] == ["a"]


def test_trained_words_follow_their_relu_to_the_map_that_is_stored() -> None:
    module = Calls(
        lambda self, x: self.c(self.two(self.pool(self.one(self.a(x))) + self.b(x))),
        a=nn.Conv2d(3, 4, 1),
        one=nn.ReLU(),
        pool=nn.MaxPool2d(1),
        b=nn.Conv2d(3, 4, 1),
        two=nn.Sequential(nn.ReLU()),
        c=nn.Conv2d(4, 4, 1),
    ).eval()
    words = {"one": TrainedWord(5, 0.1), "two.0": TrainedWord(4, 0.2)}
    network = captured(module, IMAGE, trained_words=words)
    assert network.trained_words == {"a": words["one"], "add": words["two.0"]}
    network = captured(module, IMAGE, trained_words={"two": TrainedWord(3, 1.0)})
    assert network.trained_words == {"add": TrainedWord(3, 1.0)}


def test_a_network_trained_for_compression_keeps_its_names_and_words() -> None:
    module = randomised(SmallResNet(8))
    trained = with_quantisers(module, bits=5)
    watch_statistics(trained, [torch.randn(4, 1, 28, 28)])
    trained.set_clips()
    trained.quantise()
    plain, learned = trained.deployed()
    words = {path: TrainedWord(bits, scale) for path, (bits, scale) in learned.items()}
    network = captured(plain, (1, 28, 28), trained_words=words)
    expected = captured(module, (1, 28, 28))
    assert network.graph == expected.graph
    rectified = [x.name for x in expected.graph.layers if getattr(x, "activation", "") == "relu"]
    assert list(network.trained_words) == rectified
    assert list(network.trained_words.values()) == list(words.values())


def test_a_trained_word_of_a_concatenation_is_that_of_its_parts() -> None:
    module = Calls(
        lambda self, x: self.relu(self.pool(torch.cat([self.a(x), self.b(x)], 1))),
        a=nn.Conv2d(3, 4, 1),
        b=nn.Conv2d(3, 4, 1),
        pool=nn.MaxPool2d(2),
        relu=nn.ReLU(),
    ).eval()
    word = TrainedWord(5, 0.1)
    network = captured(module, IMAGE, trained_words={"relu": word})
    assert network.trained_words == {"a": word, "b": word}


def test_two_trained_words_on_one_value_are_two_maps() -> None:
    module = nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU(), nn.ReLU6()).eval()
    words = {"1": TrainedWord(5, 0.1), "2": TrainedWord(4, 0.2)}
    network = captured(module, IMAGE, trained_words=words)
    assert network.trained_words == {"0": words["1"], "2": words["2"]}


def test_the_module_is_left_as_it_was_and_captured_the_same_again() -> None:
    module = randomised(SmallResNet(8)).train()
    module.stem.eval()
    before = {name: m.training for name, m in module.named_modules()}
    state = {name: t.clone() for name, t in module.state_dict().items()}
    first, second = (captured(module, (1, 28, 28)) for _ in range(2))
    assert {name: m.training for name, m in module.named_modules()} == before
    for name, tensor in module.state_dict().items():
        assert torch.equal(tensor, state[name])
    assert first.graph == second.graph
    for name in first.weights:
        np.testing.assert_array_equal(first.weights[name], second.weights[name])


def test_a_module_that_makes_one_layer_gives_it_its_name() -> None:
    class Concatenate(nn.Module):
        def forward(self, *parts: Tensor) -> Tensor:
            return torch.cat(parts, 1)

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Conv2d(3, 3, 1), nn.Conv2d(3, 3, 1)
            self.join = Concatenate()

        def forward(self, x: Tensor) -> Tensor:
            joined: Tensor = self.join(self.a(x), self.b(x) + x)
            return functional.max_pool2d(functional.max_pool2d(joined, 2), 2)

    network = assert_same_as_module(Calls(lambda self, x: self.block(x), block=Block()), IMAGE)
    assert [x.name for x in network.graph.layers] == [
        "block/a",
        "block/b",
        "block/add",
        "block/join",
        "block/max_pool2d",
        "block/max_pool2d_2",
    ]
    assert isinstance(network.graph.producer["block/add"], Add)


def test_no_layer_is_called_as_the_input() -> None:
    module = Calls(lambda self, x: self.input(x), input=nn.Conv2d(3, 4, 1))
    assert [x.name for x in assert_same_as_module(module, IMAGE).graph.layers] == ["input_2"]
