"""The shipped traces of real networks hold what traces/README.md says."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from accelsim.codecs.rates import entropy_bits
from accelsim.workload.layer import Conv
from accelsim.workload.trace import Trace
from accelsim.workload.trace_file import read_trace

INSTALLED = all(importlib.util.find_spec(p) for p in ("torch", "PIL", "skimage"))


def bits_per_value(trace: Trace) -> float:
    """Zeroth-order entropy over the convolutions' maps of the first image, by volume."""
    names = [x.output for x in trace.graph.layers if isinstance(x, Conv) and x.activation != "none"]
    maps = [trace.values(name, 0).ravel() for name in names]
    total = sum(entropy_bits(np.bincount(m)) for m in maps)
    return float(total / sum(m.size for m in maps))


def test_cat_made_five_bit_maps_of_lower_entropy() -> None:
    plain, cat = read_trace("squeezenet1_1"), read_trace("squeezenet1_1_cat")
    assert [x.name for x in plain.graph.layers] == [x.name for x in cat.graph.layers]
    for layer in cat.graph.layers:
        if isinstance(layer, Conv):
            word = cat.graph.edge[layer.output]
            assert (word.bits, word.signed, word.zero_point) == (5, False, 0)
    np.testing.assert_array_equal(cat.values("input", 0), plain.values("input", 0))
    assert bits_per_value(cat) < bits_per_value(plain) - 1


def test_efficientnet_has_signed_bottlenecks_sums_and_depthwise_layers() -> None:
    trace = read_trace("efficientnet_lite0_q8")
    convs = [x for x in trace.graph.layers if isinstance(x, Conv)]
    # Stem, head, classifier; 15 blocks of three convolutions, and one without expansion.
    assert len(convs) == 3 + 15 * 3 + 2
    assert sum(x.kind == "depthwise" for x in convs) == 16
    # Repeats within a stage: 0 + 1 + 1 + 2 + 2 + 3 + 0.
    assert sum(x.kind == "add" for x in trace.graph.layers) == 9
    words = {x.name: trace.graph.edge[x.output] for x in convs}
    assert all(words[n].signed == n.endswith(("project", "classifier")) for n in words)
    assert all(words[n].bits == 8 for n in words if n != "classifier")


@pytest.mark.skipif(not INSTALLED, reason="needs `make models`")
@pytest.mark.parametrize(
    ("name", "size"), [("squeezenet1_1_cat", 227), ("efficientnet_lite0_q8", 224)]
)
def test_their_images_are_free_photographs(name: str, size: int) -> None:
    from accelsim.training.photographs import FREE, photograph

    trace = read_trace(name)
    free = [photograph(f, size).pixels for f in FREE]
    for image in range(trace.facts.n_images):
        assert any(np.array_equal(trace.values("input", image), pixels) for pixels in free)
