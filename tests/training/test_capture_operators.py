"""Every operator that capture knows, alone: it computes what torch computes."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import Tensor, nn  # noqa: E402
from torch.nn import functional  # noqa: E402
from torch.nn.utils import parametrizations  # noqa: E402
from torch.nn.utils.fusion import fuse_conv_bn_eval  # noqa: E402

from accelsim.errors import UserError  # noqa: E402
from accelsim.workload.layer import Pool, Window  # noqa: E402
from tests.training.captured import (  # noqa: E402
    Calls,
    assert_same_as_module,
    captured,
    conv,
    summary,
)

IMAGE = (3, 12, 12)


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
    assert summary(assert_same_as_module(module, IMAGE)) == [("c", "conv", activation)]


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
    assert_same_as_module(nn.Sequential(CONVOLUTIONS[how]), (3, 13, 11))


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
    assert_same_as_module(nn.Sequential(nn.Conv2d(3, 4, 1), POOLS[how]), (3, 10, 14))


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
    assert conv(assert_same_as_module(module, (3, 6, 9)), "fc").window == Window((1, 1))


def test_tensorflows_padding_becomes_the_window_of_the_convolution_behind_it() -> None:
    module = nn.Sequential(
        nn.ZeroPad2d((0, 1, 0, 1)),
        nn.Conv2d(3, 4, 3, stride=2),
        nn.ReLU6(),
        nn.ConstantPad2d((1, 2, 0, 1), 0.0),
        nn.ZeroPad2d(1),
        nn.Conv2d(4, 4, 5, stride=2, padding=1, groups=4),
    )
    network = assert_same_as_module(module, (3, 16, 16))
    assert [x.name for x in network.graph.layers] == ["1", "5"]
    assert conv(network, "1").window.padding == (0, 1, 0, 1)
    assert conv(network, "5").window.padding == (2, 3, 3, 4)


def test_zeros_around_a_rectified_map_never_win_in_a_maximum() -> None:
    module = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.ReLU(), nn.ZeroPad2d((0, 1, 0, 1)), nn.MaxPool2d(3, 2)
    )
    network = assert_same_as_module(module, (3, 12, 12))
    pool = network.graph.producer["3"]
    assert isinstance(pool, Pool) and pool.window.padding == (0, 1, 0, 1)


def test_batch_normalisation_folds_as_torch_folds_it() -> None:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(3, 8, 3, groups=1), nn.BatchNorm2d(8), nn.ReLU())
    network = assert_same_as_module(module, IMAGE)
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
    network = assert_same_as_module(module, (4, 6, 5))
    assert summary(network) == [("grouped", "conv", "relu"), ("last", "fc", "none")]


def test_batch_normalisation_that_cannot_fold_is_a_layer_of_one_weight_by_channel() -> None:
    module = Calls(  # as in a densely connected network
        lambda self, x: self.d(self.bn(torch.cat([x, self.c(x)], 1)).relu()),
        c=nn.Conv2d(3, 5, 3, padding=1),
        bn=nn.BatchNorm2d(8),
        d=nn.Conv2d(8, 4, 3, padding=1),
    )
    network = assert_same_as_module(module, IMAGE)
    assert summary(network) == [
        ("c", "conv", "none"),
        ("cat", "concat", ""),
        ("bn", "scale", "relu"),
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
    network = assert_same_as_module(module, IMAGE)
    assert summary(network) == [
        ("c", "conv", "none"),
        ("bn", "scale", "none"),
        ("add", "add", "none"),
        ("shifted", "scale", "none"),
        ("padded", "conv", "none"),
    ]


def test_numbers_by_channel_fold_like_batch_normalisation() -> None:
    mean, std = torch.tensor([0.4, 0.5, 0.6])[:, None, None], torch.tensor(0.3)

    def forward(self: nn.Module, x: Tensor) -> Tensor:
        y = (3 * self.c((x - mean) / std) - 0.5).relu()  # type: ignore[operator]
        z: Tensor = self.fc(y.mean((2, 3)))  # type: ignore[operator]
        return torch.tensor(0.7) - (2 - z / 4)

    network = assert_same_as_module(Calls(forward, c=nn.Conv2d(3, 4, 3), fc=nn.Linear(4, 5)), IMAGE)
    assert [x[:2] for x in summary(network)] == [("c", "conv"), ("mean", "pool"), ("fc", "fc")]


def test_a_value_read_before_its_relu_is_stored_as_it_is() -> None:
    module = Calls(  # a residual block with its activation in front
        lambda self, x: self.a(y := self.stem(x)) + self.b(self.relu(y)),
        stem=nn.Conv2d(3, 4, 1),
        relu=nn.ReLU(),
        a=nn.Conv2d(4, 4, 1),
        b=nn.Conv2d(4, 4, 3, padding=1),
    )
    network = assert_same_as_module(module, IMAGE)
    assert ("stem", "conv", "none") in summary(network)
    assert ("relu", "scale", "relu") in summary(network)
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
    network = assert_same_as_module(module, IMAGE)
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
    assert_same_as_module(Calls(where, a=nn.Conv2d(3, 4, 1), b=nn.Conv2d(3, 4, 1)), IMAGE)


def test_operators_in_place_change_what_others_see() -> None:
    def forward(self: nn.Module, x: Tensor) -> Tensor:
        y = self.a(x)  # type: ignore[operator]
        z = y.view(1, -1)
        shown = self.b(y)  # type: ignore[operator]
        z.relu_()
        y += 1
        return y + shown

    network = assert_same_as_module(
        Calls(forward, a=nn.Conv2d(3, 4, 1), b=nn.Conv2d(4, 4, 1)), IMAGE
    )
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
    network = assert_same_as_module(module, IMAGE)
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
    assert summary(assert_same_as_module(module, IMAGE)) == [("c", "conv", "none")]


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
    network = assert_same_as_module(module, IMAGE)
    assert summary(network)[-1] == ("fc", "fc", "relu")
    assert network.graph.producer["add"].inputs == ("a", "a")


def test_a_flattened_concatenation_of_whole_maps_keeps_their_order() -> None:
    module = Calls(
        lambda self, x: self.fc(torch.cat([self.a(x).flatten(1), self.b(x).flatten(1)], 1)),
        a=nn.Conv2d(3, 2, 10),
        b=nn.Conv2d(3, 3, 10),
        fc=nn.Linear(5 * 9, 6),
    )
    assert assert_same_as_module(module, IMAGE).weights["fc"].shape == (6, 5, 3, 3)


def test_weights_that_are_computed_are_computed_once() -> None:
    module = nn.Sequential(parametrizations.weight_norm(nn.Conv2d(3, 4, 3)), nn.ReLU())
    assert summary(assert_same_as_module(module, IMAGE)) == [("0", "conv", "relu")]
