"""Words that a network came with are assigned to their maps, exactly.

* Rounding a padded map is padding the rounded map: zero has an integer in every word.
* A map that only its rounding reads is stored in that word from the start.
* The inputs of a concatenation or a maximum pooling are stored in the word of its result. If
  a map has another word, a layer with one weight per channel is inserted, because the network
  itself rounds a second time.
"""

from __future__ import annotations

import numpy as np

from accelsim.workload.layer import Window
from accelsim.workload.quantising.float_network import Word
from accelsim.workload.quantising.steps import (
    Pad,
    Pooling,
    Rounding,
    Stack,
    Step,
    Steps,
    Stored,
)


def pads_after_words(net: Steps) -> None:
    """Let padding stand right before its readers, behind the rounding of its map."""
    for pad in [s for s in net.steps if isinstance(s, Pad)]:
        readers = net.consumers(pad.output)
        reader = readers[0] if readers else None
        if pad.value != 0 or not isinstance(reader, Stored):
            continue
        if net.is_private(pad.output, reader):
            source = pad.inputs[0]
            rounded = net.new_map(net.shapes[source])
            net.steps.remove(pad)
            net.steps.insert(net.steps.index(reader) + 1, pad)
            pad.inputs, pad.output, reader.inputs, reader.output = (
                [rounded],
                reader.output,
                [source],
                rounded,
            )


def words_to_maps(net: Steps) -> None:
    """Give each map its word; no ``Stored`` is left."""
    stored = [s for s in net.steps if isinstance(s, Stored)]
    for step in stored:
        source = step.inputs[0]
        if source not in net.words and net.is_private(source, step):
            net.words[source] = step.stored_as
        if net.words.get(source) == step.stored_as:
            net.remove(step)
        else:
            net.words[step.output] = step.stored_as
            net.replace(step, _rounding(net, step))
    for mover in list(net.steps):
        if isinstance(mover, Stack) or (isinstance(mover, Pooling) and mover.op == "max"):
            _join(net, mover)


def _join(net: Steps, step: Step) -> None:
    known = [net.words[n] for n in (step.output, *step.inputs) if n in net.words]
    if not known:
        return
    word = net.words.setdefault(step.output, known[0])
    rounded: dict[int, int] = {}
    for n in dict.fromkeys(step.inputs):
        if net.words.setdefault(n, word) != word:
            rounded[n] = _rounded(net, step, n, word)
    step.inputs = [rounded.get(n, n) for n in step.inputs]


def _rounded(net: Steps, reader: Step, source: int, word: Word) -> int:
    made = net.new_map(net.shapes[source])
    net.words[made] = word
    stored = Stored(origin=reader.origin, inputs=[source], output=made, stored_as=word)
    net.insert_before(reader, _rounding(net, stored))
    return made


def _rounding(net: Steps, step: Stored) -> Step:
    n = net.shapes[step.inputs[0]][0]
    return Rounding(
        origin=step.origin,
        inputs=step.inputs,
        output=step.output,
        weights=np.ones((n, 1, 1, 1)),
        bias=np.zeros(n),
        window=Window((1, 1)),
        groups=n,
        weight_scale=np.ones(n),
    )
