"""Captured networks compute what their modules compute, and store the maps they should."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import Tensor, fx, nn  # noqa: E402
from torch.nn import functional  # noqa: E402
from torch.nn.utils import parametrizations  # noqa: E402
from torch.nn.utils.fusion import fuse_conv_bn_eval  # noqa: E402

from accelsim.errors import UserError  # noqa: E402
from accelsim.training.cat import quantised_network, watch_statistics  # noqa: E402
from accelsim.training.float_network import TrainedWord  # noqa: E402
from accelsim.training.resnet import SmallResNet  # noqa: E402
from accelsim.workload.layer import Add, Concat, Pool, Window  # noqa: E402
from accelsim.workload.trace_file import read_trace  # noqa: E402
from tests.training.captured import (  # noqa: E402
    Calls,
    captured,
    conv,
    randomised,
    same_as_module,
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
    network = same_as_module(
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
    network = same_as_module(SmallResNet(8), (1, 28, 28))
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

    same_as_module(SqueezeNet(), (3, 63, 63))


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
    network = same_as_module(nn.Sequential(Inception(3), Inception(12)), (3, 8, 10))
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
    network = same_as_module(module, (3, 12, 20))
    assert conv(network, "classifier/0").window == Window((3, 5))
    assert network.weights["classifier/0"].shape == (20, 16, 3, 5)
    assert summary(network)[-2:] == [
        ("classifier/0", "fc", "relu"),
        ("classifier/3", "fc", "none"),
    ]


RECTIFIERS = {
    "module": (lambda y: nn.ReLU()(y), "relu"),
    "in place": (lambda y: nn.ReLU(inplace=True)(y), "relu"),
    "function": (functional.relu, "relu"),
    "function in place": (functional.relu_, "relu"),
    "torch function": (torch.relu, "relu"),
    "method": (lambda y: y.relu(), "relu"),
    "method in place": (lambda y: y.relu_(), "relu"),
    "clamp below": (lambda y: y.clamp(min=0), "relu"),
    "clamp below in place": (lambda y: y.clamp_(min=0.0), "relu"),
    "clamp_min": (lambda y: torch.clamp_min(y, 0), "relu"),
    "relu6": (functional.relu6, "relu6"),
    "relu6 module": (lambda y: nn.ReLU6()(y), "relu6"),
    "hardtanh": (lambda y: functional.hardtanh(y, 0, 6), "relu6"),
    "hardtanh module": (lambda y: nn.Hardtanh(0.0, 6.0, inplace=True)(y), "relu6"),
    "clamp": (lambda y: torch.clamp(y, 0, 6), "relu6"),
    "clamp in place": (lambda y: y.clamp_(0.0, 6.0), "relu6"),
    "twice": (lambda y: y.relu().relu(), "relu"),
    "both": (lambda y: functional.relu6(y.relu()), "relu6"),
    "both again": (lambda y: functional.relu6(y).relu(), "relu6"),
}


@pytest.mark.parametrize("how", RECTIFIERS)
def test_a_relu_in_any_spelling_is_the_activation_of_its_layer(how: str) -> None:
    rectify, activation = RECTIFIERS[how]
    module = Calls(lambda self, x: rectify(self.c(x) * 6), c=nn.Conv2d(3, 4, 3))
    assert summary(same_as_module(module, IMAGE)) == [("c", "conv", activation)]


CONVOLUTIONS = {
    "same, even kernel": nn.Conv2d(3, 4, (2, 4), padding="same"),
    "same, dilated": nn.Conv2d(3, 4, 3, padding="same", dilation=2),
    "valid": nn.Conv2d(3, 4, 3, padding="valid", stride=(2, 1)),
    "uneven": nn.Conv2d(3, 6, (3, 5), stride=(2, 3), padding=(1, 2), dilation=(2, 1), groups=3),
    "no bias": nn.Conv2d(3, 4, 1, bias=False),
    "depthwise": nn.Conv2d(3, 3, 3, groups=3, padding=1),
    "stride over the end": nn.Conv2d(3, 4, 3, stride=4),
}


@pytest.mark.parametrize("how", CONVOLUTIONS)
def test_convolutions_of_all_shapes(how: str) -> None:
    same_as_module(nn.Sequential(CONVOLUTIONS[how]), (3, 13, 11))


POOLS = {
    "max": nn.MaxPool2d(3, 2, 1),
    "max, ceil": nn.MaxPool2d(3, 2, ceil_mode=True),
    "max, ceil and padding": nn.MaxPool2d((3, 2), 2, (1, 0), ceil_mode=True),
    "max, dilated": nn.MaxPool2d(2, 1, dilation=(2, 3)),
    "average": nn.AvgPool2d((2, 3)),
    "average, ceil": nn.AvgPool2d(3, 2, ceil_mode=True),
    "average, padding counts": nn.AvgPool2d(3, 2, 1),
    "average, padding does not count": nn.AvgPool2d(3, 2, 1, count_include_pad=False),
    "average, ceil, no padding counts": nn.AvgPool2d(
        2, 2, 1, ceil_mode=True, count_include_pad=False
    ),
    "average, own divisor": nn.AvgPool2d(3, 2, 1, divisor_override=5),
    "global": nn.AdaptiveAvgPool2d(1),
    "global maximum": nn.AdaptiveMaxPool2d(1),
    "to a half": nn.AdaptiveAvgPool2d((5, None)),
}


@pytest.mark.parametrize("how", POOLS)
def test_pools_of_all_kinds(how: str) -> None:
    same_as_module(nn.Sequential(nn.Conv2d(3, 4, 1), POOLS[how]), (3, 10, 14))


MEANS = {
    "rows and columns": lambda x: x.mean((2, 3)),
    "kept": lambda x: x.mean([-1, -2], keepdim=True),
    "one after the other": lambda x: x.mean(3).mean(2),
    "flattened": lambda x: x.flatten(2).mean(2),
    "maximum": lambda x: x.amax((2, 3)),
    "function": lambda x: functional.adaptive_avg_pool2d(x, (1, 1)).squeeze(-1).squeeze(-1),
    "whole window": lambda x: functional.avg_pool2d(x, x.shape[2:]),
}


@pytest.mark.parametrize("how", MEANS)
def test_global_means_of_all_kinds_feed_a_linear_layer(how: str) -> None:
    module = Calls(
        lambda self, x: self.fc(MEANS[how](self.c(x)).flatten(1)),
        c=nn.Conv2d(3, 4, 1),
        fc=nn.Linear(4, 5),
    )
    assert conv(same_as_module(module, (3, 6, 9)), "fc").window == Window((1, 1))


def test_tensorflows_padding_becomes_the_window_of_the_convolution_behind_it() -> None:
    module = nn.Sequential(
        nn.ZeroPad2d((0, 1, 0, 1)),
        nn.Conv2d(3, 4, 3, stride=2),
        nn.ReLU6(),
        nn.ConstantPad2d((1, 2, 0, 1), 0.0),
        nn.ZeroPad2d(1),
        nn.Conv2d(4, 4, 5, stride=2, padding=1, groups=4),
    )
    network = same_as_module(module, (3, 16, 16))
    assert [x.name for x in network.graph.layers] == ["1", "5"]
    assert conv(network, "1").window.padding == (0, 1, 0, 1)
    assert conv(network, "5").window.padding == (2, 3, 3, 4)


def test_zeros_around_a_rectified_map_never_win_in_a_maximum() -> None:
    module = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.ReLU(), nn.ZeroPad2d((0, 1, 0, 1)), nn.MaxPool2d(3, 2)
    )
    network = same_as_module(module, (3, 12, 12))
    pool = network.graph.producer["3"]
    assert isinstance(pool, Pool) and pool.window.padding == (0, 1, 0, 1)


def test_batch_normalisation_folds_as_torch_folds_it() -> None:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(3, 8, 3, groups=1), nn.BatchNorm2d(8), nn.ReLU())
    network = same_as_module(module, IMAGE)
    fused = fuse_conv_bn_eval(module[0], module[1])
    np.testing.assert_allclose(network.weights["0"], fused.weight.detach().numpy(), rtol=1e-5)
    np.testing.assert_allclose(network.biases["0"], fused.bias.detach().numpy(), rtol=1e-4)
    assert network.weights["0"].dtype == network.biases["0"].dtype == np.float32


def test_batch_normalisation_before_unpadded_convolutions_folds_into_them() -> None:
    module = Calls(
        lambda self, x: self.last(self.bn(self.grouped(self.first_bn(x)).relu()).flatten(1)),
        first_bn=nn.BatchNorm2d(4),
        grouped=nn.Conv2d(4, 6, 3, groups=2),
        bn=nn.BatchNorm2d(6, affine=False),
        last=nn.Linear(6 * 4 * 3, 5),
    )
    network = same_as_module(module, (4, 6, 5))
    assert summary(network) == [("grouped", "conv", "relu"), ("last", "fc", "none")]


def test_batch_normalisation_that_cannot_fold_is_a_layer_of_one_weight_by_channel() -> None:
    module = Calls(  # as in a densely connected network
        lambda self, x: self.d(self.bn(torch.cat([x, self.c(x)], 1)).relu()),
        c=nn.Conv2d(3, 5, 3, padding=1),
        bn=nn.BatchNorm2d(8),
        d=nn.Conv2d(8, 4, 3, padding=1),
    )
    network = same_as_module(module, IMAGE)
    assert summary(network) == [
        ("c", "conv", "none"),
        ("cat", "concat", ""),
        ("bn", "depthwise", "relu"),
        ("d", "conv", "none"),
    ]
    assert conv(network, "bn").macs_per_output == 1


def test_batch_normalisation_leaves_alone_what_others_read_and_what_is_padded() -> None:
    module = Calls(
        lambda self, x: self.padded(self.shifted((y := self.c(x)) + self.bn(y))),
        c=nn.Conv2d(3, 4, 1),
        bn=nn.BatchNorm2d(4),
        shifted=nn.BatchNorm2d(4),
        padded=nn.Conv2d(4, 5, 3, padding=1),  # sees zeros, not shifts, around the map
    )
    network = same_as_module(module, IMAGE)
    assert summary(network) == [
        ("c", "conv", "none"),
        ("bn", "depthwise", "none"),
        ("add", "add", "none"),
        ("shifted", "depthwise", "none"),
        ("padded", "conv", "none"),
    ]


def test_numbers_by_channel_fold_like_batch_normalisation() -> None:
    mean, std = torch.tensor([0.4, 0.5, 0.6])[:, None, None], torch.tensor(0.3)

    def forward(self: nn.Module, x: Tensor) -> Tensor:
        y = (3 * self.c((x - mean) / std) - 0.5).relu()  # type: ignore[operator]
        z: Tensor = self.fc(y.mean((2, 3)))  # type: ignore[operator]
        return torch.tensor(0.7) - (2 - z / 4)

    network = same_as_module(Calls(forward, c=nn.Conv2d(3, 4, 3), fc=nn.Linear(4, 5)), IMAGE)
    assert [x[:2] for x in summary(network)] == [("c", "conv"), ("mean", "pool"), ("fc", "fc")]


def test_a_value_read_before_its_relu_is_stored_as_it_is() -> None:
    module = Calls(  # a residual block with its activation in front
        lambda self, x: self.a(y := self.stem(x)) + self.b(self.relu(y)),
        stem=nn.Conv2d(3, 4, 1),
        relu=nn.ReLU(),
        a=nn.Conv2d(4, 4, 1),
        b=nn.Conv2d(4, 4, 3, padding=1),
    )
    network = same_as_module(module, IMAGE)
    assert ("stem", "conv", "none") in summary(network)
    assert ("relu", "depthwise", "relu") in summary(network)
    assert np.all(network.weights["relu"] == 1) and not network.biases["relu"].any()


def test_a_relu_commutes_with_maximum_pooling_and_moves_into_a_concatenation() -> None:
    module = Calls(
        lambda self, x: functional.relu6(self.pool(torch.cat([self.a(x), self.b(x)], 1)) * 1.0),
        a=nn.Conv2d(3, 4, 1),
        b=nn.Conv2d(3, 4, 3, padding=1),
        pool=nn.MaxPool2d(2),
    )
    module.called = lambda self, x: functional.relu6(
        self.pool(torch.cat([self.a(x), self.b(x)], 1))
    )
    network = same_as_module(module, IMAGE)
    assert summary(network) == [
        ("a", "conv", "relu6"),
        ("b", "conv", "relu6"),
        ("cat", "concat", ""),
        ("pool", "pool", ""),
    ]


@pytest.mark.parametrize(
    "where",
    [
        lambda self, x: self.a(x.relu()),
        lambda self, x: functional.avg_pool2d(self.a(x), 2).relu(),
        lambda self, x: (
            torch.cat([self.a(x).relu(), y := self.b(x)], 1).relu() + torch.cat([y, y], 1)
        ),
        lambda self, x: functional.relu6(y := (9 * self.a(x)).relu()) + y,
        lambda self, x: (y := self.a(x).relu()).relu() + y,
        lambda self, x: (y := self.a(x), y.relu()),
    ],
)
def test_relus_in_odd_places_are_exact(where: object) -> None:
    same_as_module(Calls(where, a=nn.Conv2d(3, 4, 1), b=nn.Conv2d(3, 4, 1)), IMAGE)


def test_operators_in_place_change_what_others_see() -> None:
    def forward(self: nn.Module, x: Tensor) -> Tensor:
        y = self.a(x)  # type: ignore[operator]
        z = y.view(1, -1)
        shown = self.b(y)  # type: ignore[operator]
        z.relu_()
        y += 1
        return y + shown

    network = same_as_module(Calls(forward, a=nn.Conv2d(3, 4, 1), b=nn.Conv2d(4, 4, 1)), IMAGE)
    assert network.graph.producer["b"].inputs == ("a",)


def test_a_change_of_a_part_in_place_is_not_overlooked() -> None:
    def forward(self: nn.Module, x: Tensor) -> Tensor:
        y: Tensor = self.a(x)  # type: ignore[operator]
        y[:, :2].relu_()
        return y

    with pytest.raises(UserError, match="calls slice, which no layer computes"):
        captured(Calls(forward, a=nn.Conv2d(3, 4, 1)), IMAGE)


def test_one_relu_and_one_convolution_may_be_used_twice() -> None:
    module = Calls(
        lambda self, x: self.relu(self.c(self.relu(self.c(x)))),
        c=nn.Conv2d(3, 3, 3),
        relu=nn.ReLU(),
    )
    network = same_as_module(module, IMAGE)
    assert summary(network) == [("c", "conv", "relu"), ("c_2", "conv", "relu")]
    np.testing.assert_array_equal(network.weights["c"], network.weights["c_2"])


def test_what_does_not_change_values_is_no_layer() -> None:
    module = Calls(
        lambda self, x: self.c(
            self.identity(x.clone().contiguous(memory_format=torch.channels_last))
            .to(torch.float32)
            .detach()
            .reshape(x.shape)
        ),
        identity=nn.Sequential(nn.Identity(), nn.Dropout(0.3), nn.Dropout2d(0.2)),
        c=nn.Conv2d(3, 4, 1),
    )
    assert summary(same_as_module(module, IMAGE)) == [("c", "conv", "none")]


def test_flattened_maps_are_added_stacked_and_normalised_too() -> None:
    module = Calls(
        lambda self, x: self.fc(
            self.bn(torch.cat([(a := self.a(x).flatten(1)) + a, self.b(x).flatten(1)], 1))
        ).relu(),
        a=nn.Conv2d(3, 4, 12),
        b=nn.Conv2d(3, 5, 12),
        bn=nn.BatchNorm1d(9),
        fc=nn.Linear(9, 6, bias=False),
    )
    network = same_as_module(module, IMAGE)
    assert summary(network)[-1] == ("fc", "fc", "relu")
    assert network.graph.producer["add"].inputs == ("a", "a")


def test_a_flattened_concatenation_of_whole_maps_keeps_their_order() -> None:
    module = Calls(
        lambda self, x: self.fc(torch.cat([self.a(x).flatten(1), self.b(x).flatten(1)], 1)),
        a=nn.Conv2d(3, 2, 10),
        b=nn.Conv2d(3, 3, 10),
        fc=nn.Linear(5 * 9, 6),
    )
    assert same_as_module(module, IMAGE).weights["fc"].shape == (6, 5, 3, 3)


def test_weights_that_are_computed_are_computed_once() -> None:
    module = nn.Sequential(parametrizations.weight_norm(nn.Conv2d(3, 4, 3)), nn.ReLU())
    assert summary(same_as_module(module, IMAGE)) == [("0", "conv", "relu")]


def test_several_outputs_are_several_outputs() -> None:
    module = Calls(
        lambda self, x: (y := self.a(x).relu(), self.b(y)),
        a=nn.Conv2d(3, 4, 1),
        b=nn.Conv2d(4, 2, 1),
    )
    assert same_as_module(module, IMAGE).graph.outputs == ("a", "b")


def test_layers_that_lead_nowhere_are_left_out() -> None:
    def forward(self: nn.Module, x: Tensor) -> Tensor:
        self.b(x).sigmoid()  # type: ignore[operator]
        return self.a(x)  # type: ignore[operator,no-any-return]

    module = Calls(forward, a=nn.Conv2d(3, 4, 1), b=nn.Conv2d(3, 4, 1))
    assert [x.name for x in same_as_module(module, IMAGE).graph.layers] == ["a"]


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
    trained = quantised_network(module, bits=5)
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

    network = same_as_module(Calls(lambda self, x: self.block(x), block=Block()), IMAGE)
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
    assert [x.name for x in same_as_module(module, IMAGE).graph.layers] == ["input_2"]
