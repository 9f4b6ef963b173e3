"""Folding padding, batch normalisation and ReLUs into the layers around them, exactly.

* Padding becomes the padding of the convolutions (and maximum poolings) that read it.
* Batch normalisation scales the weights of the convolution before it, or of the unpadded
  convolutions behind it (Jacob et al., CVPR 2018, section 3.2).
* A ReLU becomes the activation of the layer before it. It commutes with maximum pooling,
  and one after a concatenation moves to its parts.

* A word that the network came with becomes that of the map: see ``given``.

What is left (such as a ReLU on a map with other readers, or batch normalisation of a
concatenation) becomes a 1 x 1 depthwise convolution.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from accelsim.workload.quantising.given import pads_after_words, words_to_maps
from accelsim.workload.quantising.steps import (
    Affine,
    Convolution,
    Pad,
    Pooling,
    Rectify,
    Stack,
    Step,
    Steps,
    Sum,
    per_channel,
)


def fold(net: Steps) -> None:
    """Leave only steps that are layers. Raises ``UserError`` for padding that cannot move."""
    pads_after_words(net)
    for step in list(net.steps):
        if isinstance(step, Pad):
            _fold_pad(net, step)
    for step in list(net.steps):
        if isinstance(step, Affine):
            _fold_affine(net, step)
    for step in list(net.steps):
        if isinstance(step, Rectify):
            _fold_rectify(net, step)
    words_to_maps(net)


def _fold_pad(net: Steps, pad: Pad) -> None:
    if pad.output in net.outputs:
        raise pad.origin.refused("pads the network's output")
    for reader in net.consumers(pad.output):
        if isinstance(reader, Pad) and reader.value == pad.value:
            reader.padding = _sum(pad.padding, reader.padding)
        elif isinstance(reader, Convolution | Pooling) and _may_pad(net, pad, reader):
            reader.window = replace(reader.window, padding=_sum(pad.padding, reader.window.padding))
        else:
            raise pad.origin.refused(
                f"pads a map with {pad.value:g} for {reader.origin.operator}, "
                "which cannot take the padding over",
                "pad with zeros, and right before a convolution",
            )
    net.remove(pad)


def _may_pad(net: Steps, pad: Pad, reader: Convolution | Pooling) -> bool:
    if isinstance(reader, Convolution):
        return pad.value == 0 and not reader.fully_connected
    if reader.op == "avg":
        return False
    if any(reader.window.padding):
        return pad.value == -np.inf
    # Padding of a maximum pooling is never the maximum; nor are zeros if no value is below zero
    # and every window sees a value.
    (rows, cols), (top, bottom, left, right) = reader.window.extent, pad.padding
    sees_a_value = max(top, bottom) < rows and max(left, right) < cols
    return pad.value == -np.inf or (
        pad.value == 0 and sees_a_value and _never_negative(net, pad.inputs[0])
    )


def _never_negative(net: Steps, made: int) -> bool:
    step = net.producer(made)
    if isinstance(step, Pooling | Stack | Sum):
        return all(_never_negative(net, n) for n in step.inputs)
    return isinstance(step, Rectify)


def _fold_affine(net: Steps, affine: Affine) -> None:
    source = affine.inputs[0]
    before, readers = net.producer(source), net.consumers(affine.output)
    if (
        isinstance(before, Convolution)
        and before.activation == "none"
        and net.is_private(source, affine)
    ):
        before.weights = before.weights * affine.scale.reshape(-1, 1, 1, 1)
        before.bias = before.bias * affine.scale + affine.shift
        if before.weight_scale is not None:
            is_plain = (affine.scale > 0).all()
            before.weight_scale = before.weight_scale * affine.scale if is_plain else None
        net.remove(affine)
    elif isinstance(after := _only_reader(net, affine), Affine):
        after.shift = affine.shift * after.scale + after.shift
        after.scale = affine.scale * after.scale
        net.remove(affine)
    elif affine.output not in net.outputs and all(_may_scale_input(r, affine) for r in readers):
        for reader in readers:
            assert isinstance(reader, Convolution)
            _scale_input(reader, affine)
        net.remove(affine)
    else:
        net.replace(affine, per_channel(affine, affine.scale, affine.shift))


def _only_reader(net: Steps, step: Step) -> Step | None:
    readers = net.consumers(step.output)
    return readers[0] if readers and net.is_private(step.output, readers[0]) else None


def _may_scale_input(reader: Step, affine: Affine) -> bool:
    return isinstance(reader, Convolution) and (
        not any(reader.window.padding) or not affine.shift.any()
    )


def _scale_input(reader: Convolution, affine: Affine) -> None:
    n_out, n_in, _, _ = reader.weights.shape
    # The input channels that each output channel sees: [out_channels, in_channels / groups].
    seen = np.repeat(np.arange(reader.groups), n_out // reader.groups)[:, None] * n_in
    seen = seen + np.arange(n_in)
    reader.bias = reader.bias + np.einsum("oirc,oi->o", reader.weights, affine.shift[seen])
    reader.weights = reader.weights * affine.scale[seen][:, :, None, None]
    reader.weight_scale = None


def _fold_rectify(net: Steps, rectify: Rectify) -> None:
    source = rectify.inputs[0]
    before = net.producer(source)
    if _may_rectify(net, source, rectify, rectify):
        _rectify(net, source, rectify)
        net.remove(rectify)
    elif (
        isinstance(before, Convolution | Sum)
        and before.activation in (rectify.activation, "relu6")
        and rectify.word is None
    ):
        net.remove(rectify)  # a second ReLU changes nothing
    else:
        n = net.shapes[source][0]
        net.replace(rectify, per_channel(rectify, np.ones(n), np.zeros(n), rectify.activation))


def _may_rectify(net: Steps, made: int, reader: Step, rectify: Rectify) -> bool:
    if not net.is_private(made, reader):
        return False
    step = net.producer(made)
    if isinstance(step, Convolution | Sum):
        return step.word is None or rectify.word is None
    if isinstance(step, Stack) or (isinstance(step, Pooling) and step.op == "max"):
        return all(_may_rectify(net, n, step, rectify) for n in step.inputs)
    return False


def _rectify(net: Steps, made: int, rectify: Rectify) -> None:
    step = net.producer(made)
    if isinstance(step, Convolution | Sum):
        step.activation = "relu6" if step.activation == "relu6" else rectify.activation
        step.word = rectify.word or step.word
    elif step is not None:
        for part in set(step.inputs):
            _rectify(net, part, rectify)


def _sum(a: tuple[int, int, int, int], b: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    return a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3]
