"""The quantising ReLU: CAT's learned clip, and a uniform step below it.

    y = min(relu(x), |c|),   q = round(y * (2**b - 1) / range),   out = q * range / (2**b - 1)

with one learned clip ``c`` for each ReLU and straight-through gradients of the rounding
(Baskin et al., "CAT", section 3). The range is max(y) over the batch in the authors' code
(``step="dynamic"``). A machine needs one step for all images: ``step="static"``, the
default, takes |c| (the same whenever one value of the batch reaches the clip).
"""

from __future__ import annotations

from typing import Any, Final, Literal

import torch
from torch import Tensor, nn

from accelsim.training.entropy import TEMPERATURE, soft_entropy
from accelsim.training.straight_through import clip_and_round

Mode = Literal["float", "statistics", "quantise"]
Step = Literal["static", "dynamic"]
_MOMENTUM: Final = 0.9
_SMALLEST_CLIP: Final = 1e-6


class ActivationQuantiser(nn.Module):
    """Replaces one ReLU. Float [n, ...] in and out; ``bits`` is 2 to 8.

    In mode ``statistics`` it is a ReLU that records mean and standard deviation; ``set_clip`` then
    sets the clip to mean + ``deviations`` standard deviations. While training in mode ``quantise``,
    each forward pass leaves the soft entropy of its first ``entropy_images`` images in
    ``rate_bits``. ``ceiling`` is the six of a ReLU6.

    >>> relu = ActivationQuantiser(bits=2)
    >>> _ = relu.clip.data.fill_(3.0)
    >>> relu.mode = "quantise"
    >>> relu(torch.tensor([-1.0, 0.4, 1.6, 9.0])).tolist()
    [0.0, 0.0, 2.0, 3.0]
    """

    clip: nn.Parameter
    mean: Tensor
    deviation: Tensor
    n_watched: Tensor

    def __init__(
        self,
        bits: int,
        *,
        step: Step = "static",
        ceiling: float | None = None,
        entropy_images: int = 8,
        entropy_stride: int = 1,
        temperature: float = TEMPERATURE,
    ) -> None:
        super().__init__()
        if not 2 <= bits <= 8:
            raise ValueError(f"bits are 2 to 8, not {bits}")
        self.bits = bits
        self.step: Step = step
        self.ceiling = ceiling
        self.entropy_images = entropy_images
        self.entropy_stride = entropy_stride
        self.temperature = temperature
        self.mode: Mode = "float"
        self.rate_bits: Tensor | None = None
        self.norm_ratio: Tensor | None = None
        self.n_values = 0
        """Number of values of one image, known after the first forward pass."""
        self.watch_rate = True
        self.clip = nn.Parameter(torch.ones(()))
        self.register_buffer("mean", torch.zeros(()))
        self.register_buffer("deviation", torch.zeros(()))
        self.register_buffer("n_watched", torch.zeros((), dtype=torch.long))

    def __getstate__(self) -> dict[str, Any]:
        """State without the rates of the last batch, which torch cannot copy."""
        return self.__dict__ | {"rate_bits": None, "norm_ratio": None}

    @property
    def top(self) -> int:
        """The highest level, ``2**bits - 1``."""
        return (1 << self.bits) - 1

    @property
    def scale(self) -> float:
        """The real value of one level of the deployed (static) quantiser."""
        return abs(float(self.clip.detach())) / self.top

    def forward(self, x: Tensor) -> Tensor:
        self.n_values = x[0].numel()
        if self.mode == "float":
            return self._rectified(x)
        if self.mode == "statistics":
            y = self._rectified(x)
            self._watch(y.detach().float())
            return y
        reach = self._range(x)
        watching = self.training and self.watch_rate
        out, head = clip_and_round(x, reach, self.top, self.entropy_images if watching else 0)
        if watching:
            self._rate(head, reach)
        return out.to(x.dtype)

    def levels(self, x: Tensor) -> Tensor:
        """The integers that a machine stores for pre-activations ``x``: uint8, same shape."""
        with torch.no_grad():
            scaled = x.float().clamp(0, None) * (self.top / self._range(x))
            return scaled.clamp(0, self.top).round().to(torch.uint8)

    def set_clip(self, deviations: float) -> None:
        """Set the clip to mean + ``deviations`` standard deviations of the recorded values."""
        reach = float(self.mean + deviations * self.deviation)
        reach = min(reach, self.ceiling) if self.ceiling is not None else reach
        self.clip.data.fill_(max(reach, _SMALLEST_CLIP))

    def _rectified(self, x: Tensor) -> Tensor:
        return x.relu() if self.ceiling is None else x.clamp(0, self.ceiling)

    def _range(self, x: Tensor) -> Tensor:
        clip = self.clip.abs().clamp_min(_SMALLEST_CLIP)
        if self.step == "static":
            return clip
        return torch.minimum(x.float().amax().clamp_min(_SMALLEST_CLIP), clip)

    def _rate(self, head: Tensor, reach: Tensor) -> None:
        if self.entropy_stride > 1:
            head = head.flatten(2)[..., :: self.entropy_stride]
        y = torch.minimum(head.relu(), reach)
        self.rate_bits = soft_entropy(y * (self.top / reach), self.top + 1, self.temperature)
        self.norm_ratio = y.sum() / y.square().sum().sqrt().clamp_min(_SMALLEST_CLIP)

    def _watch(self, y: Tensor) -> None:
        keep = _MOMENTUM if self.n_watched else 0.0
        self.mean.mul_(keep).add_(y.mean(), alpha=1 - keep)
        self.deviation.mul_(keep).add_(y.std(), alpha=1 - keep)
        self.n_watched += 1

    def extra_repr(self) -> str:
        return f"bits={self.bits}, step={self.step!r}, mode={self.mode!r}"
