"""A stage: one piece of work of the machine, and the maps that it reads and writes.

A stage is a convolution with the addition and the pooling that its drain path performs, or
a pooling or addition on the vector unit. Concatenations need no work: a concatenated map is a list
of the stacked maps, each stored where its producer put it.
"""

from __future__ import annotations

from dataclasses import dataclass

from accelsim.workload.layer import Add, Conv, Pool, Scale


@dataclass(frozen=True)
class StoredMap:
    """A feature map as it is stored in DRAM: a channel range of one edge of the graph.

    Most are whole edges. When a pooling is fused below a concatenation, each part of the
    pooled edge is stored by its own producer.
    """

    edge: str
    channel_start: int
    channel_stop: int
    rows: int
    cols: int
    bits: int
    signed: bool

    @property
    def name(self) -> str:
        return f"{self.edge}[{self.channel_start}:{self.channel_stop}]"

    @property
    def channels(self) -> int:
        return self.channel_stop - self.channel_start

    @property
    def n_values(self) -> int:
        return self.channels * self.rows * self.cols


@dataclass(frozen=True)
class Stage:
    """One piece of work. ``inputs[i]`` are the parts of the layer's input i, in channel order.

    The read path scales values from memory. The drain path first adds the shortcut, then
    scales, then pools.
    """

    layer: Conv | Pool | Add | Scale
    fused_pool: Pool | None
    inputs: tuple[tuple[StoredMap, ...], ...]
    conv_size: tuple[int, int]
    """Rows and columns that the layer computes, before the fused pooling."""
    output: StoredMap
    fused_add: Add | None = None
    shortcut: tuple[StoredMap, ...] = ()
    """Parts of the map that ``fused_add`` adds to what the layer computes."""
    fused_scale: Scale | None = None
    read_scale: Scale | None = None
    scaled_bits: int = 0
    """Width of the values that ``read_scale`` produces."""

    @property
    def name(self) -> str:
        return self.layer.name

    @property
    def value_bits(self) -> int:
        """Width of the values that the layer works on: scaled values, or the widest part read."""
        return self.scaled_bits or max(part.bits for parts in self.inputs for part in parts)

    @property
    def weight_bits(self) -> int:
        """Width of the weights; 0 if there are none."""
        return self.layer.weight_bits if isinstance(self.layer, Conv) else 0

    @property
    def reads(self) -> tuple[StoredMap, ...]:
        """Every map that the stage reads, once per operand."""
        return (*(part for parts in self.inputs for part in parts), *self.shortcut)

    @property
    def fusions(self) -> tuple[str, ...]:
        """Names of the layers in its read and drain path, in the order in which values pass."""
        passed = (self.read_scale, self.fused_add, self.fused_scale, self.fused_pool)
        return tuple(x.name for x in passed if x is not None)


@dataclass(frozen=True)
class Tiling:
    """How a stage is cut. Output extents are those of the stored map (after pooling).

    Loops: ``order == "weights_outer"`` runs output channels, then rows and columns;
    ``"ifmap_outer"`` the other way round; passes over input channels and kernel positions are
    always innermost, so partial sums stay on chip. An operand whose tile did not change is not
    read again; rows that the next tile shares with the current one stay in the buffer.
    ``*_resident`` operands are read once and stay for the whole stage.
    """

    out_channels: int
    out_rows: int
    out_cols: int
    in_channels: int
    """Input channels of one group in one pass."""
    order: str
    ifmap_resident: bool
    weights_resident: bool

    ifmap_tile_bytes: int
    """Bytes that the largest input window, the new part of the next one, and two shortcut tiles
    occupy."""
    weight_tile_bytes: int
    ofmap_tile_bytes: int
    """Psums or output staging of one tile."""
    traffic_bytes: int
    """Modelled DRAM bytes of the stage, the objective of the search."""
    line_buffer_bytes: int = 0
    """Rows that overlapping fused pooling keeps from tile to tile, in the ofmap buffer."""
    ofmap_space_bytes: int = 0
    """All that the stage needs of the ofmap buffer: two tiles, or one of a map that stays on the
    chip, and the line buffer."""
    kernel: tuple[int, int] | None = None
    """Kernel rows and columns of one pass; None: all of them."""


@dataclass(frozen=True)
class StagePlan:
    """A stage and its tiling. Stages of the vector unit are tiled alike, without weights."""

    stage: Stage
    tiling: Tiling
    on_chip: frozenset[StoredMap] = frozenset()
    """Those of the maps that it reads and makes which stay on the chip."""
