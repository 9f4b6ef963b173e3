"""QuantizeLinear and DequantizeLinear: words of maps, and constants that came as integers."""

from __future__ import annotations

from typing import Final

import numpy as np

from accelsim.errors import shortened
from accelsim.workload.importers.onnx.lowering import Held, Lowering, Quantised, along
from accelsim.workload.importers.onnx.model_file import type_name
from accelsim.workload.importers.onnx.node import Node
from accelsim.workload.importers.onnx.values import WORDS
from accelsim.workload.quantising.float_network import Word
from accelsim.workload.quantising.steps import Stored

_DEFAULT_AXIS: Final = 1


def quantize(state: Lowering, node: Node) -> None:
    source = state.real(node)
    word = _word(state, node, state.values.types[node.outputs[0]].kind)
    made = state.rounded.get((source.map, word))
    if made is None:
        step = Stored(
            origin=node,
            inputs=[source.map],
            output=state.map_like(node, source),
            stored_as=word,
        )
        made = state.rounded[source.map, word] = state.net.add(step)
    state.maps[node.outputs[0]] = Held(made, source.order, word)


def dequantize(state: Lowering, node: Node) -> None:
    source = state.held(node)
    word = _word(state, node, state.values.types[node.inputs[0]].kind)
    if source.word is None and source.map == 0:
        state.net.words[0] = word  # the image itself comes in integers
    elif source.word != word:
        raise node.refused(
            f"reads {shortened(node.inputs[0])!r} in other steps than those it was written in",
            "give both ends of a map one scale and zero point",
        )
    state.maps[node.outputs[0]] = Held(source.map, source.order)


def fold_constant(state: Lowering, node: Node) -> bool:
    """Compute a DequantizeLinear of constants, and remember their integers."""
    known = state.values.constants
    if node.operator != "DequantizeLinear" or not all(n in known for n in node.inputs if n):
        return False
    if node.attribute("block_size", 0):
        return False
    integers = np.asarray(known[state.given(node, 0)]).astype(np.int64)
    scale = np.asarray(state.constant(node, 1), np.float64)
    zero = np.asarray(state.constant(node, 2, np.zeros(1, np.int64))).astype(np.int64)
    axis = int(node.attribute("axis", _DEFAULT_AXIS))
    if not (np.isfinite(scale).all() and (scale > 0).all()):
        raise node.refused("has a scale that is not positive", "export the model again")
    try:
        steps = integers - along(zero, axis, integers.ndim)
        real = steps * along(scale, axis, integers.ndim)
    except (ValueError, IndexError):
        raise node.refused(
            f"has scales of shape {list(scale.shape)} on axis {axis} of {list(integers.shape)}",
            "export the model again",
        ) from None
    (made,) = node.outputs
    kind = state.values.types[node.inputs[0]].kind
    bits = max(WORDS.get(kind, (32, True))[0], _signed_bits(steps))
    known[made] = real.astype(np.float32)
    place = axis % max(1, integers.ndim)
    state.quantised[made] = Quantised(steps, scale.reshape(-1), place, bits)
    return True


def _word(state: Lowering, node: Node, kind: int) -> Word:
    if kind not in WORDS:
        raise node.refused(
            f"stores a map as {type_name(kind)}",
            "maps have 4, 8 or 16 bits, with or without sign",
        )
    bits, signed = WORDS[kind]
    scale = np.asarray(state.constant(node, 1), np.float64).ravel()
    zero = np.asarray(state.constant(node, 2, 0)).ravel().astype(np.int64)
    if scale.size != 1 or zero.size != 1:
        raise node.refused(
            f"gives a map {scale.size} scales", "a map has one scale; quantise it per tensor"
        )
    if not (np.isfinite(scale[0]) and scale[0] > 0):
        raise node.refused(f"has the scale {scale[0]}", "a scale is positive")
    word = Word(bits, signed, float(scale[0]), int(zero[0]))
    if not word.low <= word.zero_point <= word.high:
        raise node.refused(f"has the zero point {word.zero_point}", "keep it inside the word")
    return word


def _signed_bits(steps: np.ndarray) -> int:
    """Width of the signed word that holds all values.

    >>> _signed_bits(np.array([-128, 127])), _signed_bits(np.array([200]))
    (8, 9)
    """
    low, high = int(steps.min(initial=0)), int(steps.max(initial=0))
    return max((-low - 1).bit_length(), high.bit_length()) + 1
