"""Random networks of blocks in and out of place: the same outputs with quantisers, or refused."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402

from accelsim.errors import UserError  # noqa: E402
from accelsim.training.cat import with_quantisers  # noqa: E402

RELUS = (
    lambda x: F.relu(x),
    lambda x: F.relu(x, inplace=True),
    lambda x: torch.relu_(x),
    lambda x: x.relu_(),
    lambda x: x.clamp(min=0),
    lambda x: x.clamp_(0, 6),
    lambda x: F.relu6(x, True),
    lambda x: F.hardtanh_(x, 0.0, 1.0),
)
VIEWS = (
    lambda x: x[:, :2],
    lambda x: x.view(x.shape),
    lambda x: x.transpose(2, 3),
    lambda x: x.contiguous(),
    lambda x: F.dropout(x, 0.5, False),
)


class Random(nn.Module):
    """A program of 4 to 12 statements over a handful of names, drawn from a seed."""

    def __init__(self, seed):
        super().__init__()
        random = np.random.default_rng(seed)
        self.steps = [
            (random.choice(KINDS, p=SHARES), *random.integers(0, 1 << 16, 4))
            for _ in range(random.integers(4, 13))
        ]
        self.convs = nn.ModuleList(nn.Conv2d(3, 3, 3, padding=1) for _ in range(3))
        self.norm = nn.BatchNorm2d(3)
        self.relu = nn.ReLU(inplace=bool(random.integers(2)))
        self.same = nn.Identity()

    def forward(self, x):
        names, views = [x, self.convs[0](x)], []
        for kind, a, b, c, d in self.steps:
            x, y = names[a % len(names)], names[b % len(names)]
            if kind == "layer":
                names.append(self.norm(self.convs[c % 3](x)))
            elif kind == "relu":
                made = (*RELUS, self.relu)[c % (len(RELUS) + 1)](x)
                if d % 3:  # else the result has no name
                    names.append(made)
            elif kind == "add":
                names.append(x + y)
            elif kind == "augment":
                x += y
            elif kind == "same":
                names.append(self.same(x))
            elif kind == "copy":
                names.append(F.max_pool2d(x, 3, 1, 1) if d % 2 else x.clone())
            else:
                views.append(VIEWS[c % len(VIEWS)](x))
                if d % 4 == 0:
                    views[-1].relu_()
        return sum(t.mean((1, 2, 3)) * (i + 1) for i, t in enumerate((*names, *views)))


KINDS = ("layer", "relu", "add", "augment", "same", "copy", "view")
SHARES = (0.25, 0.35, 0.1, 0.1, 0.06, 0.07, 0.07)


def test_outputs_are_equal_before_and_after_or_the_network_is_refused():
    equal = refused = 0
    for seed in range(200):
        torch.manual_seed(seed)
        module = Random(seed).eval()
        x = torch.randn(2, 3, 4, 4)
        with torch.no_grad():
            wanted = module(x.clone())
        try:
            network = with_quantisers(module, 5, weight_bits=None)
        except UserError as error:
            assert "in place" in str(error) or "no ReLU" in str(error), seed
            refused += "in place" in str(error)
            continue
        with torch.no_grad():
            assert torch.equal(network(x.clone()), wanted), seed
        equal += 1
    # Most are taken, and a fair share are networks with views that must be refused.
    assert equal > 125 and refused > 20, (equal, refused)
