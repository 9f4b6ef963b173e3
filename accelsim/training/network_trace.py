"""Quantising and exporting with torch: it interprets the float network for calibration.

>>> import numpy as np
>>> from torch import nn, zeros
>>> from accelsim.training.capture import capture
>>> network = capture(nn.Conv2d(1, 2, 3), zeros(1, 1, 5, 5), name="small", source="random",
...     input_mean=(0.0,), input_std=(255.0,))
>>> quantised_network(network, np.zeros((1, 1, 5, 5), np.uint8)).graph.edge["input"].bits
8
"""

from __future__ import annotations

from functools import partial
from typing import Final

from accelsim.training.float_maps import map_ranges
from accelsim.workload.quantising import export

__all__ = ["export_network", "quantised_network"]

_PACKAGES: Final = ("torch", "numpy", "pillow")
quantised_network = partial(export.quantised_network, map_ranges=map_ranges)
export_network = partial(export.export_network, map_ranges=map_ranges, packages=_PACKAGES)
