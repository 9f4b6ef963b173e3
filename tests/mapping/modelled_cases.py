"""Small networks around one layer, planned and lowered: what was modelled, what is moved."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from math import prod
from typing import Final, NamedTuple

import numpy as np

from accelsim import read_hardware
from accelsim.codecs.base import BlockStats, Word
from accelsim.codecs.blocks import block_sizes
from accelsim.codecs.measure import MapStats
from accelsim.hardware.chip import Chip
from accelsim.mapping.lowering.lower import lower
from accelsim.mapping.measuring.measured import planned_sizes
from accelsim.mapping.placing.blocked import block_grid
from accelsim.mapping.stages.form import stages, stored_maps
from accelsim.mapping.stages.stage import StagePlan, StoredMap
from accelsim.mapping.tiling.plan import plan
from accelsim.mapping.tiling.search import StageSearch
from accelsim.mapping.tiling.sizes import Sizes
from accelsim.program.table import Program
from accelsim.workload.graph import Edge, Graph, output_shape
from accelsim.workload.layer import Add, Concat, Conv, Layer, Pool, Window

HARDWARE: Final = ("edge_npu", "eyeriss_like", "tpu_like")
CODECS: Final = ("raw", "zvc", "jpeg_act")
"""The one without blocks, and one for each shape of block that codecs choose for themselves."""
SHAPES: Final = (
    "depthwise", "depthwise_stride", "pointwise", "conv", "stride", "narrow", "widen", "grouped",
    "concat", "pooled", "residual", "pool", "add", "large", "patches", "connected", "dense",
    "scale",
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """One layer called ``layer`` of one of ``SHAPES`` on a map of ``side`` x ``side``."""

    shape: str
    channels: int
    side: int
    codec: str
    hardware: str
    bits: int = 8
    kib: int | None = None
    """Of every buffer; None leaves the hardware's."""
    layout: str = "slotted"
    """Of compressed maps."""
    block: tuple[int, int, int] | None = None
    ends_coded: bool = True
    seed: int = 0


class Lowered(NamedTuple):
    program: Program
    plans: tuple[StagePlan, ...]
    sizes: Sizes


def chip_of(case: Case) -> Chip:
    """The case's chip, on an ideal memory."""
    settings = [f"codec.name={case.codec}", "dram.policy=ideal"]
    if case.codec != "raw":
        settings.append(f"codec.layout={case.layout}")
    if case.block is not None:
        settings.append(f"codec.block={list(case.block)}")
    if case.kib is not None:
        settings += [f"buffers.{name}_kib={case.kib}" for name in ("ifmap", "weight", "ofmap")]
    return _chip(case.hardware, tuple(settings))


_chip = lru_cache(read_hardware)


def graph_of(case: Case) -> Graph:
    """The layer, and what feeds it where it reads more than the network's input."""
    c, same = case.channels, Window((3, 3), padding=(1, 1, 1, 1))
    half = replace(same, stride=(2, 2))
    one = Window((1, 1))
    layers: list[Layer]
    match case.shape:
        case "depthwise":
            layers = [Conv("layer", "x", "y", c, c, same, groups=c)]
        case "depthwise_stride":
            layers = [Conv("layer", "x", "y", c, c, half, groups=c)]
        case "pointwise":
            layers = [Conv("layer", "x", "y", c, c, one)]
        case "conv":
            layers = [Conv("layer", "x", "y", c, c, same)]
        case "stride":
            layers = [Conv("layer", "x", "y", c, c, half)]
        case "narrow":
            layers = [Conv("layer", "x", "y", c, max(1, c // 6), one)]
        case "widen":
            layers = [Conv("layer", "x", "y", c, 6 * c, one)]
        case "grouped":
            width = next(w for w in (8, 5, 4, 3, 2, 1) if c % w == 0)
            layers = [Conv("layer", "x", "y", c, c, same, groups=c // width)]
        case "concat":
            layers = [
                Conv("a", "x", "a", c, 12, one),
                Conv("b", "x", "b", c, c, one),
                Concat("both", ("a", "b"), "ab"),
                Conv("layer", "ab", "y", 12 + c, 24, same),
            ]
        case "pooled":
            layers = [
                Conv("layer", "x", "before", c, c, one),
                Pool("pool", "before", "y", Window((3, 3), (2, 2), (1, 1, 1, 1))),
            ]
        case "residual":
            layers = [
                Conv("first", "x", "a", c, c, one),
                Conv("layer", "a", "b", c, c, same),
                Add("sum", ("a", "b"), "y"),
            ]
        case "large":
            wide = Window((9, 9), padding=(4, 4, 4, 4))
            layers = [Conv("layer", "x", "y", c, 40, wide)]
        case "patches":
            apart = Window((8, 8), (9, 10), (5, 5, 5, 5))
            layers = [Conv("layer", "x", "y", c, 40, apart)]
        case "connected":
            all_of_it = Window((case.side, case.side))
            layers = [Conv("layer", "x", "y", c, 40, all_of_it, fully_connected=True)]
        case "dense":
            layers = [
                Conv("a", "x", "a", c, 12, same),
                Concat("both", ("x", "a"), "xa"),
                Conv("norm", "xa", "n", c + 12, c + 12, one, groups=c + 12),
                Conv("layer", "n", "y", c + 12, 24, one),
            ]
        case "scale":
            layers = [Conv("layer", "x", "y", c, c, one, groups=c)]
        case "pool":
            layers = [Pool("layer", "x", "y", Window((3, 3), (2, 2), (1, 1, 1, 1)))]
        case "add":
            layers = [Add("layer", ("x", "z"), "y")]
        case _:
            raise ValueError(case.shape)
    inputs = [Edge(n, c, case.side, case.side, case.bits) for n in ("x", "z")]
    inputs = inputs if case.shape == "add" else inputs[:1]
    edges = {e.name: e for e in inputs}
    for layer in layers:
        shape = output_shape(layer, [edges[n] for n in layer.inputs])
        edges[layer.output] = Edge(layer.output, *shape, bits=case.bits)
    return Graph(tuple(layers), tuple(edges.values()), tuple(e.name for e in inputs), ("y",))


def lowered(case: Case, chip: Chip | None = None) -> Lowered:
    """Plan and program; compressed blocks have random sizes, up to more than raw."""
    chip = chip or chip_of(case)
    work, rng = stages(graph_of(case)), np.random.default_rng(case.seed)
    maps = {m: made_up_stats(m, chip, rng) for m in stored_maps(work)}
    coded = {} if chip.codec.layout == "linear" or not case.ends_coded else maps
    sizes = planned_sizes(maps, coded.keys(), chip)
    plans = plan(work, chip, sizes, chip.mapping.objective)
    return Lowered(lower(plans, [coded], chip), plans, sizes)


def made_up_stats(stored: StoredMap, chip: Chip, rng: np.random.Generator) -> MapStats:
    sizes = block_sizes((stored.channels, stored.rows, stored.cols), chip.codec.block)
    bits = (rng.random(len(sizes)) * 1.2 * stored.bits * sizes).astype(np.int64)
    blocks = BlockStats(sizes, bits, sizes, encode_work=sizes, decode_work=sizes)
    return MapStats(blocks, Word(stored.bits), 0.0, 0, 300)


class StageBytes(NamedTuple):
    """One stage of one image."""

    name: str
    modelled: int
    moved: int
    known_entries_bytes: int
    """Block tables that an earlier stage read, too: the chip may still hold them."""


def stage_bytes(case: Case) -> list[StageBytes]:
    """What was modelled and what is moved, for every stage."""
    chip = chip_of(case)
    program, plans, _ = lowered(case, chip)
    read: set[StoredMap] = set()
    found = []
    for planned, work in zip(plans, program.stages, strict=True):
        again = read.intersection(planned.stage.reads)
        tables = 0 if chip.codec.layout == "linear" else sum(_table_bytes(m, chip) for m in again)
        moved = sum(counts.fetched_bytes for counts in work.bytes_by_tensor.values())
        name, modelled = planned.stage.name, planned.tiling.traffic_bytes
        found.append(StageBytes(name, modelled, moved, tables))
        read |= {*planned.stage.reads}
    return found


def bytes_by_tensor(case: Case) -> list[tuple[str, float, int]]:
    """(tensor, modelled, moved) of the last stage, without tables of codecs."""
    chip = chip_of(case)
    program, plans, sizes = lowered(case, chip)
    (stage, tiling), counts = (
        (plans[-1].stage, plans[-1].tiling),
        program.stages[-1].bytes_by_tensor,
    )
    search = StageSearch(stage, chip, sizes)
    (variant,) = (
        v for v in search.variants
        if (v.order, v.ifmap_resident, v.weights_resident)
        == (tiling.order, tiling.ifmap_resident, tiling.weights_resident)
    )  # fmt: skip
    where = (
        search.cuts.channels.pairs().index(
            (tiling.out_channels, tiling.in_channels, tiling.kernel)
        ),
        search.cuts.row_extents.index(tiling.out_rows),
        search.cuts.col_extents.index(tiling.out_cols),
    )
    written = search.traffic.ofmap_bits
    modelled = {
        "ifmap": variant.ifmap_bits + variant.drain_bits - written,
        "weight": variant.weight_bits,
        "ofmap": written,
    }
    return [
        (
            kind,
            float(np.broadcast_to(bits, search.cuts.shape)[where]) / 8,
            counts[kind].fetched_bytes - counts[kind].table_bytes,
        )
        for kind, bits in modelled.items()
    ]


def _table_bytes(stored: StoredMap, chip: Chip) -> int:
    n_entries = prod(block_grid(stored, chip.codec.block))
    return n_entries * 6 + chip.dram.config.line_bytes  # at most 48 bits each
