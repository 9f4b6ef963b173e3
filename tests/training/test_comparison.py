"""When the integers are another network, and how that is measured."""

import numpy as np
import pytest

pytest.importorskip("torch")

from accelsim.errors import UserError
from accelsim.training.float_maps import float_outputs
from accelsim.training.network_trace import quantised_network
from accelsim.workload.layer import Conv, Window
from accelsim.workload.quantising.comparison import (
    Checks,
    agreement,
    compared,
    demand_agreement,
    integer_outputs,
    ranked,
)
from tests.training.float_networks import float_network, images

CLASSIFIER = float_network(
    (
        Conv("a", "input", "a", 3, 8, Window((3, 3)), activation="relu"),
        Conv("fc", "a", "fc", 8, 4, Window((8, 8)), fully_connected=True),
    )
)


def test_of_equal_scores_the_lower_class_comes_first() -> None:
    scores = np.array([[1, 9, 3, 9, 0, 3], [5, 0, 0, 0, 0, 6]], np.uint16)
    assert ranked(scores).tolist() == [[1, 3, 2, 5, 0], [5, 0, 1, 2, 3]]
    assert agreement(ranked(scores), ranked(scores[:, ::-1])) == 0.0
    assert agreement(ranked(scores), ranked(scores)) == 1.0


def test_top1_and_agreement_are_shares_of_the_check_images() -> None:
    pixels = images(30)
    made = quantised_network(CLASSIFIER, pixels)
    real = float_outputs(CLASSIFIER, pixels)
    best = real.reshape(30, -1).argmax(1)
    right = best.copy()
    right[:12] = (right[:12] + 1) % 4  # wrong labels for the first twelve
    figures = compared(made, Checks(pixels, real, right))
    assert figures["float_top1"] == 18 / 30 and figures["n_images"] == 30
    same = integer_outputs(made, pixels).reshape(30, -1).argmax(1) == best
    assert figures["top1_agreement"] == same.mean() > 0.9
    assert "output_error" not in figures and "top5" not in figures


def test_features_are_compared_by_their_relative_error() -> None:
    pixels = images(5)
    made = quantised_network(CLASSIFIER, pixels)
    edge = made.graph.edge["fc"]
    integers = integer_outputs(made, pixels) * edge.scale
    figures = compared(made, Checks(pixels, (integers / 1.25).astype("f4")))
    assert figures == {"n_images": 5.0, "output_error": pytest.approx(0.25, rel=1e-5)}


def test_batches_change_no_output(monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = images(7)
    made = quantised_network(CLASSIFIER, pixels)
    together = integer_outputs(made, pixels)
    monkeypatch.setattr("accelsim.workload.quantising.batches._VALUES_AT_ONCE", 1)
    np.testing.assert_array_equal(integer_outputs(made, pixels), together)


@pytest.mark.parametrize(
    ("figures", "problem"),
    [
        ({"n_images": 20.0, "top1_agreement": 17 / 20}, "only 17 of 20 images, where 90% are"),
        ({"n_images": 20.0, "output_error": 0.51}, "miss the output map by 51%, where 50%"),
        ({"n_images": 20.0, "top1_agreement": 18 / 20}, None),
        ({"n_images": 20.0, "output_error": 0.5}, None),
        ({"n_images": 19.0, "top1_agreement": 0.0}, None),  # too few to say
    ],
)
def test_another_network_is_refused(figures: dict[str, float], problem: str | None) -> None:
    if problem is None:
        demand_agreement("net", figures)
        return
    with pytest.raises(UserError, match=problem):
        demand_agreement("net", figures)
