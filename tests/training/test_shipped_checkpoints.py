"""The shipped checkpoints, and the traces made of them."""

import json

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from accelsim.codecs.rates import entropy_bits  # noqa: E402
from accelsim.data_files import shipped  # noqa: E402
from accelsim.training.cat_training import restored  # noqa: E402
from accelsim.training.checkpoint import load_checkpoint  # noqa: E402
from accelsim.training.datasets import read_dataset  # noqa: E402
from accelsim.training.evaluate import evaluate, predict  # noqa: E402
from accelsim.workload.layer import Add, Conv  # noqa: E402
from accelsim.workload.trace_file import read_trace  # noqa: E402
from tests.training.small_images import SMALL_FASHION_MNIST  # noqa: E402

CAT = ("low", "mid", "high")
CPU = torch.device("cpu")


def _checkpoint(name):
    path = shipped("traces") / "checkpoints" / f"fmnist_resnet8_{name}.pt"
    return load_checkpoint(path)


@pytest.fixture(scope="module")
def images():
    return read_dataset("fashion_mnist", "test", SMALL_FASHION_MNIST)


def _levels(network, images):
    """What each quantiser stores: by its place, uint8 [n, channels, rows, cols]."""
    found = []
    for quantiser in network.quantisers.values():
        quantiser.register_forward_pre_hook(lambda m, x: found.append(m.levels(x[0]).numpy()))
    predict(network, images, CPU)
    return found


def _rectified_edges(trace):
    return [
        x.output for x in trace.graph.layers if isinstance(x, Conv | Add) and x.activation == "relu"
    ]


@pytest.mark.parametrize("name", ["float", *(f"cat_{level}" for level in CAT)])
def test_checkpoints_classify_images_that_no_one_trained_on(name, images):
    checkpoint = _checkpoint(name)
    found = evaluate(restored(checkpoint, name), images, CPU)
    # 256 of the 10 000 images: three standard deviations of a share near 0.92 are 0.05.
    assert abs(found.accuracy - checkpoint.figures["top1"]) < 0.05
    if name != "float":
        assert found.entropy == pytest.approx(checkpoint.figures["entropy_bits"], rel=0.05)


def test_checkpoints_know_the_images_that_they_were_trained_with():
    inputs = [_checkpoint(name).inputs for name in ("float", *(f"cat_{level}" for level in CAT))]
    assert inputs[0].keys() == {"training images", "test images"}
    assert all(each == inputs[0] for each in inputs)


def test_a_larger_lambda_buys_a_lower_rate():
    rates = [_checkpoint(f"cat_{level}").figures["entropy_bits"] for level in CAT]
    lambdas = [_checkpoint(f"cat_{level}").recipe["rate_weight"] for level in CAT]
    assert lambdas == sorted(lambdas) and rates == sorted(rates, reverse=True)


@pytest.mark.parametrize("level", CAT)
def test_the_first_map_of_the_trace_is_what_the_network_was_trained_with(level, images):
    """Only the exporter's rounding of weights, by channel, stands between the two.

    It moves the sum of nine pixels by far less than a level, so a level differs by one at
    most, where a sum lies near a border. (Later maps inherit such differences, and differ
    more; the classes hardly: see the agreement below.)
    """
    trace = read_trace(f"fmnist_resnet8_cat_{level}")
    trained = _levels(restored(_checkpoint(f"cat_{level}"), level), images.images[:16])
    edges = _rectified_edges(trace)
    assert len(edges) == len(trained) == 7
    assert all(trace.graph.edge[edge].bits == 5 for edge in edges)
    stored = np.stack([trace.values(edges[0], i) for i in range(16)]).astype(int)
    assert np.abs(stored - trained[0]).max() <= 1
    assert (stored == trained[0]).mean() > 0.98


@pytest.mark.parametrize("name", ["q8", *(f"cat_{level}" for level in CAT)])
def test_traces_say_how_accurate_their_network_is(name):
    facts = read_trace(f"fmnist_resnet8_{name}").facts
    assert facts.accuracy["n_images"] == 10_000
    assert facts.accuracy["top1_agreement"] > 0.98
    assert 0.91 < facts.accuracy["top1"] < facts.accuracy["float_top1"] == 0.9286
    json.loads(facts.training["recipe"])


def test_cat_maps_have_less_entropy_than_those_of_the_twin():
    def rate(name):
        trace = read_trace(f"fmnist_resnet8_{name}")
        maps = [trace.values(edge, 0).ravel() for edge in _rectified_edges(trace)]
        return sum(entropy_bits(np.bincount(m)) for m in maps) / sum(m.size for m in maps)

    rates = [rate("q8"), *(rate(f"cat_{level}") for level in CAT)]
    assert rates == sorted(rates, reverse=True)
    assert rates[2] < rates[0] / 2
