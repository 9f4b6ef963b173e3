"""What the passes of a stage cost on an array that leaves products of zeros out, for one image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, fields
from typing import Any, cast

import numpy as np

from accelsim.array.dataflow import DATAFLOWS, ConvPass, PassCost, ZeroDataflow
from accelsim.array.nonzeros import Ints, Nonzeros
from accelsim.codecs.weight_tiles import WeightTile
from accelsim.hardware.chip import PeArray
from accelsim.mapping.measuring.operands import ConvOperands
from accelsim.mapping.tiling.passes import Passes
from accelsim.workload.layer import Conv


def costs_of(
    layer: Conv,
    passes: Passes,
    tiles: Sequence[WeightTile],
    operands: ConvOperands,
    array: PeArray,
) -> PassCost[Ints]:
    """[n_passes] each. ``tiles`` are the weights of each of ``passes.parts``.

    Passes that see the same windows follow one another here, so that only those of one are
    written out at a time.
    """
    dataflow = cast(ZeroDataflow, DATAFLOWS[array.dataflow])
    work, parts, skip = passes.of(layer), passes.parts, array.zeros == "skip"
    costs = np.empty((len(fields(PassCost)), passes.n_passes), np.int64)
    weights = [
        operands.of_weights(tile, groups)
        for tile, groups in zip(tiles, parts.groups.tolist(), strict=True)
    ]
    seen = np.column_stack([parts.reads[passes.part], passes.computed[:, 2:]])
    _, window_of = np.unique(seen, axis=0, return_inverse=True)
    order = np.argsort(window_of, kind="stable")
    for same in np.split(order, np.cumsum(np.bincount(window_of))[:-1]):
        part = int(passes.part[same[0]])
        r0, r1, q0, q1 = passes.computed[same[0], 2:].tolist()
        c0, c1 = parts.in_channels[part].tolist()
        ifmap = operands.of_ifmap(
            (c0, c1), int(parts.groups[part]), (r0, r1), (q0, q1), tiles[part]
        )
        for at in same.tolist():
            nonzeros = Nonzeros(ifmap, weights[passes.part[at]])
            costs[:, at] = astuple(dataflow.cost_of(_one(work, at), nonzeros, array, skip))
    return PassCost(*costs)


def _one(work: ConvPass[Ints], at: int) -> ConvPass[int]:
    """One of many passes."""
    sizes = {name: int(getattr(work, name)[at]) for name in ConvPass._fields[:8]}
    one: dict[str, Any] = {**work._asdict(), **sizes}
    return ConvPass(**one)
