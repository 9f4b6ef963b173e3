"""Distances between a network and its quantised copy, against sums by hand."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the [train] extra")

from accelsim.training import agreement as module  # noqa: E402
from accelsim.training.cat import with_quantisers  # noqa: E402
from accelsim.training.networks import TrainedNetwork  # noqa: E402
from accelsim.training.photographs import Photograph  # noqa: E402


class Pixels(torch.nn.Module):
    """Two classes: the ReLU of the first pixel of red, and of green times ``gain``."""

    def __init__(self, gain: float) -> None:
        super().__init__()
        self.gain = gain

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.relu()[:, :2, 0, 0] * torch.tensor([1.0, self.gain])


@dataclass(frozen=True)
class Stub(TrainedNetwork):
    def load(self) -> torch.nn.Module:
        return Pixels(1.0)


ENTRY = Stub("stub", "", 1, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), 2, "none")


def quantised(gain: float) -> object:
    """Levels are 0 to 3, of 1 each."""
    network = with_quantisers(Pixels(gain), 2, weight_bits=None)
    network.clips()[0].data.fill_(3.0)
    network.quantise()
    return network.eval()


def test_divergence_and_agreement_are_those_of_the_definition() -> None:
    pixels = np.array([[3, 0, 0], [0, 3, 0]], np.uint8)[:, :, None, None]
    found = module.agreement(quantised(0.0), ENTRY, pixels)
    # The first image is classed alike. For the second, the classes' logits are (0, 3) in the
    # float network and (0, 0) in the other: KL is log 2 minus the entropy of sigmoid(3).
    p = 1 / (1 + math.exp(-3))
    entropy = -(p * math.log(p) + (1 - p) * math.log(1 - p))
    assert found["divergence"] == pytest.approx((math.log(2) - entropy) / 2, rel=1e-5)
    assert found["agreement"] == 0.5  # of equal logits the first class is the best
    # Of six stored values four are 0 and two are 3.
    assert found["zeros"] == pytest.approx(2 / 3)
    assert found["entropy_bits"] == pytest.approx(
        -(2 / 3 * math.log2(2 / 3) + 1 / 3 * math.log2(1 / 3))
    )
    assert found["huffman_bits"] == 1.0


def test_labelled_photographs_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    def labelled(size: int) -> list[Photograph]:
        red, green = (np.array(p, np.uint8).reshape(3, 1, 1) for p in ([3, 0, 0], [0, 3, 0]))
        return [Photograph("a", red, 0), Photograph("b", green, 1), Photograph("c", green, 0)]

    monkeypatch.setattr(module, "labelled_photographs", labelled)
    monkeypatch.setattr(module, "_RANKS", (1, 2))
    found = module.labelled_figures(quantised(0.0), ENTRY)
    assert found["float_top1"] == pytest.approx(2 / 3)
    assert found["top1"] == pytest.approx(2 / 3)  # the green ones tie: class 0 is first
    assert found["top2"] == found["float_top2"] == 1.0
