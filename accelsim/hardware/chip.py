"""A chip: every part as a frozen, complete, checked object. No file is read here.

A part that no hardware file could describe cannot be created: each is checked by its section of
``accelsim.hardware.schema``. The configuration of a chip is a function of its parts, so
``dataclasses.replace`` changes what is simulated, reported and hashed consistently.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal, TypeAlias

from accelsim.codecs.lane_hardware import LaneHardware
from accelsim.hardware.document import Document, flat
from accelsim.hardware.dram_port import DramPort as DramPort
from accelsim.hardware.problems import check_part, checked
from accelsim.html_table import html_table
from accelsim.units import Clock, in_kib, in_mhz

Layout: TypeAlias = Literal["linear", "slotted", "packed"]
SectionValues: TypeAlias = dict[str, Any]
"""Plain values, as a section of a hardware file holds them."""
SRAM_NODES_NM: Final = (22, 32, 45, 65)
"""Process nodes of the SRAM table."""
NEEDS_NO_SOURCE: Final = frozenset({"name", "description", "dram.ini_text", "dram.changes"})
SET_IN_PYTHON: Final = "set in Python"


@dataclass(frozen=True)
class PeArray:
    """A systolic array of ``rows`` x ``cols`` processing elements, one MAC per cycle each.

    >>> PeArray(-3, 16, "output_stationary", fold_overlap=True, psum_bits=32)
    Traceback (most recent call last):
    accelsim.errors.ConfigError: array.rows: must be a whole number from 1 to 4096 (PEs), got -3
      fix: array.rows means: rows of the PE array
    """

    rows: int
    cols: int
    dataflow: str
    """A registered dataflow: output_stationary, weight_stationary, input_stationary."""
    fold_overlap: bool
    """Load the next fold while the current one streams (real arrays), or serially (SCALE-Sim)."""
    psum_bits: int
    zeros: Literal["none", "gate", "skip"] = "none"
    """What becomes of products with an operand that is zero (docs/dataflows.md)."""
    zeros_of: Literal["ifmap", "weight", "both"] = "ifmap"
    """The operands whose zeros that means."""

    def __post_init__(self) -> None:
        check_part("array", self.section())

    def section(self) -> SectionValues:
        return asdict(self)


@dataclass(frozen=True)
class Buffers:
    """On-chip SRAM, in bytes. Each is double buffered: a tile may fill half of it.

    With ``shared_bytes`` one global buffer holds ifmaps and ofmaps, and weights where they
    have no buffer of their own.

    >>> unified = Buffers(0, 0, 0, 128, shared_bytes=1 << 18)
    >>> unified.memories, unified.of("weight")
    ((262144,), 262144)
    """

    ifmap_bytes: int
    weight_bytes: int
    ofmap_bytes: int
    port_bits: int
    """Width of one SRAM access, for energy."""
    shared_bytes: int = 0

    def __post_init__(self) -> None:
        check_part("buffers", self.section())

    @property
    def memories(self) -> tuple[int, ...]:
        """Bytes of each buffer that there is."""
        every = (self.ifmap_bytes, self.weight_bytes, self.ofmap_bytes, self.shared_bytes)
        return tuple(n_bytes for n_bytes in every if n_bytes)

    def of(self, tensor: Literal["ifmap", "weight", "ofmap"]) -> int:
        """Bytes of the buffer that holds this kind of tensor."""
        own = {"ifmap": self.ifmap_bytes, "weight": self.weight_bytes, "ofmap": self.ofmap_bytes}
        return own[tensor] or self.shared_bytes

    @property
    def total_kib(self) -> float:
        return in_kib(sum(self.memories))

    def section(self) -> SectionValues:
        return {
            "ifmap_kib": in_kib(self.ifmap_bytes),
            "weight_kib": in_kib(self.weight_bytes),
            "ofmap_kib": in_kib(self.ofmap_bytes),
            "shared_kib": in_kib(self.shared_bytes),
            "port_bits": self.port_bits,
        }


@dataclass(frozen=True)
class VectorUnit:
    """Pooling, sums and scales that are not fused: ``lanes`` values per core cycle."""

    lanes: int

    def __post_init__(self) -> None:
        check_part("vector", self.section())

    def section(self) -> SectionValues:
        return asdict(self)


@dataclass(frozen=True)
class CodecBlock:
    """Encoder and decoder between DRAM and buffers.

    ``lanes`` lanes work on whole blocks in parallel; ``hardware`` describes one lane.
    """

    name: str
    """Codec of the feature maps; ``raw`` means none."""
    weight_name: str
    lanes: int
    block: tuple[int, int, int]
    """(channels, rows, cols) of one compressed block."""
    scan: Literal["chw", "hwc"]
    """Order of values inside a block, outermost first."""
    layout: Layout
    """How maps are laid out in DRAM; ``raw`` with ``linear`` has no blocks."""
    fifo_blocks: int
    """Largest number of blocks on their way to the decoder or in its input FIFO."""
    index_cache_entries: int
    hardware: LaneHardware
    word_bits: int = 8
    """Widest word that the lanes can code; determines their tables, shifters and registers."""

    def __post_init__(self) -> None:
        check_part("codec", self.section())

    def section(self) -> SectionValues:
        return {**asdict(self), "block": list(self.block)}


@dataclass(frozen=True)
class EnergyChoice:
    """Which energy tables price the counts."""

    node_nm: int
    sram_cell: Literal["hp", "lop", "lstp"]
    mode: Literal["max", "typical"]
    """DRAM currents: data sheet maxima, or the fraction of them that was measured."""
    dram_data: Literal["pins", "vampire_a", "vampire_b", "vampire_c"] = "pins"
    """Cost of data in DRAM: levels on the pins, or ones, as VAMPIRE measured on modules."""

    def __post_init__(self) -> None:
        check_part("energy", self.section())

    def section(self) -> SectionValues:
        return asdict(self)

    @property
    def warnings(self) -> tuple[str, ...]:
        """A warning if the leakage is interpolated between two nodes of the SRAM table."""
        if self.node_nm in SRAM_NODES_NM:
            return ()
        return (
            f"energy.node_nm: {self.node_nm} nm lies between points of the SRAM table; leakage "
            "there can be wrong by a factor of two",
        )


@dataclass(frozen=True)
class MappingChoice:
    """What the planner may do, and what it minimises first."""

    objective: Literal["latency", "traffic"] = "latency"
    on_chip: bool = True
    """Whether maps may stay in a shared buffer."""

    def __post_init__(self) -> None:
        check_part("mapping", self.section())

    def section(self) -> SectionValues:
        return asdict(self)


@dataclass(frozen=True)
class KeyOrigin:
    """Where the value of one key comes from; valid for that value only."""

    key: str
    value: object
    source: str
    """The words of the file, `default: reason`, or `--set key=value`; empty if not given."""
    derived: bool = False
    """The value was derived from other keys, and is derived again when they are overridden."""


@dataclass(frozen=True, repr=False)
class Chip:
    """A whole machine.

    >>> from dataclasses import replace
    >>> from accelsim import read_hardware
    >>> chip = read_hardware("edge_npu")
    >>> larger = replace(chip, array=replace(chip.array, rows=32))
    >>> larger.resolved["array"]["rows"], larger.sources["array.rows"]
    (32, 'set in Python')
    """

    name: str
    description: str
    core: Clock
    array: PeArray
    buffers: Buffers
    vector: VectorUnit
    codec: CodecBlock
    dram: DramPort
    mapping: MappingChoice
    energy: EnergyChoice
    frame_rate_hz: float | None
    origins: tuple[KeyOrigin, ...] = ()
    """The origins of all keys; that of a key whose value has changed is replaced."""

    def __post_init__(self) -> None:
        if isinstance(self.frame_rate_hz, int):
            object.__setattr__(self, "frame_rate_hz", float(self.frame_rate_hz))
        values = self._values()
        checked(Document("chip", values))
        object.__setattr__(self, "origins", tuple(self._origins(values)))

    def __repr__(self) -> str:
        array, memory = self.array, self.dram.config
        return (
            f"<Chip {self.name}: {array.rows} x {array.cols} PEs at {in_mhz(self.core):g} MHz, "
            f"{self.buffers.total_kib:g} KiB, {memory.organisation.channels} x {memory.name}, "
            f"codec {self.codec.name}>"
        )

    def _repr_html_(self) -> str:
        rows = [(o.key, "-" if o.value is None else str(o.value), o.source) for o in self.origins]
        title = f"{self.name}: {self.description}"
        return html_table(title, ("key", "value", "source"), rows, is_text=(True, True, True))

    @property
    def resolved(self) -> dict[str, Any]:
        """The configuration as nested plain values, as stored in a result file."""
        derived = [origin.key for origin in self.origins if origin.derived]
        return {**self._values(), "derived": derived, "sources": self.sources}

    @property
    def sources(self) -> dict[str, str]:
        """Dotted key to the source of its value."""
        return {origin.key: origin.source for origin in self.origins}

    @property
    def warnings(self) -> tuple[str, ...]:
        """What makes figures of this chip doubtful, in its memory and in its energy tables."""
        return (*self.dram.warnings, *self.energy.warnings)

    def _values(self) -> SectionValues:
        return {
            "name": self.name,
            "description": self.description,
            "core": {"clock_mhz": in_mhz(self.core)},
            "array": self.array.section(),
            "buffers": self.buffers.section(),
            "vector": self.vector.section(),
            "codec": self.codec.section(),
            "dram": self.dram.section(),
            "mapping": self.mapping.section(),
            "energy": self.energy.section(),
            "frame_rate_hz": self.frame_rate_hz,
        }

    def _origins(self, values: SectionValues) -> Iterator[KeyOrigin]:
        known = {origin.key: origin for origin in self.origins}
        for key, value in flat(values).items():
            if key in NEEDS_NO_SOURCE:
                continue
            origin = known.get(key)
            vouched = origin is not None and origin.value == value
            yield origin if origin and vouched else KeyOrigin(key, value, SET_IN_PYTHON)
