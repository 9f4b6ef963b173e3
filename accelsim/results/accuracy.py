"""What a trace says about the accuracy of its network, in a few words."""

from __future__ import annotations

from collections.abc import Mapping

from accelsim.results.number_text import percent


def accuracy_line(accuracy: Mapping[str, float]) -> str | None:
    """The accuracy that a trace states, as a line of text; None if it states none.

    >>> accuracy_line({"top1": 0.925, "float_top1": 0.9286, "n_images": 10000.0})
    'accuracy: top-1 92.5 % of 10,000 images, in float 92.9 %'
    """
    if "top1" not in accuracy:
        return None
    text = f"accuracy: top-1 {percent(accuracy['top1'])} %"
    if "n_images" in accuracy:
        text += f" of {accuracy['n_images']:,.0f} images"
    if "float_top1" in accuracy:
        text += f", in float {percent(accuracy['float_top1'])} %"
    return text


def top1(accuracy: Mapping[str, float]) -> str:
    """Percent, for a table's cell."""
    return percent(accuracy["top1"]) if "top1" in accuracy else "-"
