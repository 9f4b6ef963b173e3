"""The hardware file as it is written: every key with its unit, bounds, default and meaning.

Every file is checked here first: what passes is of the right type and within sensible bounds.
Whether names are registered and parts fit together is decided in
``accelsim.hardware.resolve``. ``hw show``, ``hw check`` and the JSON Schema for editors read
units, meanings and reasons of defaults from here and nowhere else.
"""

from __future__ import annotations

from math import prod
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, Strict, field_validator

from accelsim.dram.reach import MAX_OUTSTANDING_READS
from accelsim.dram.system import ADDRESS_FIELDS
from accelsim.hardware.keys import REQUIRED, key, part
from accelsim.units import KIB

MAX_BLOCK_VALUES = 1 << 20
Extent: TypeAlias = Annotated[int, Strict(), Field(ge=1, le=65536)]


class Section(BaseModel):
    """Unknown keys are errors, numbers are finite, and nothing is converted silently."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, allow_inf_nan=False, validate_default=False
    )


class Core(Section):
    clock_mhz: float = key(REQUIRED, "MHz", "clock of array, buffers and codec", ge=1, le=10_000)


class Array(Section):
    rows: int = key(REQUIRED, "PEs", "rows of the PE array", ge=1, le=4096)
    cols: int = key(REQUIRED, "PEs", "columns of the PE array", ge=1, le=4096)
    dataflow: str = key(
        "output_stationary",
        "",
        "what stays in the PEs: a registered dataflow",
        "the dataflow with the fewest psum accesses",
    )
    fold_overlap: bool = key(
        True, "", "load the next fold while the current one streams", "real arrays do"
    )
    psum_bits: int = key(
        32,
        "bits",
        "width of a partial sum",
        "holds a sum of 2^16 products of 8 x 8 bits",
        ge=8,
        le=64,
    )


class Buffers(Section):
    ifmap_kib: float = key(REQUIRED, "KiB", "ifmap buffer, both halves", gt=0, le=1 << 20)
    weight_kib: float = key(REQUIRED, "KiB", "weight buffer, both halves", gt=0, le=1 << 20)
    ofmap_kib: float = key(REQUIRED, "KiB", "ofmap and psum buffer, both halves", gt=0, le=1 << 20)
    port_bits: int = key(
        128,
        "bits",
        "width of one SRAM access; affects its energy, not the time",
        "one word of 16 values for a row of 16 PEs",
        ge=64,
        le=512,
    )

    @field_validator("ifmap_kib", "weight_kib", "ofmap_kib")
    @classmethod
    def _is_whole_bytes(cls, kib: float) -> float:
        if not (kib * KIB).is_integer():
            raise ValueError("must be a whole number of bytes, a multiple of 1/1024 KiB")
        return kib


class Vector(Section):
    lanes: int = key(
        16,
        "values/cycle",
        "throughput of the vector unit, which does pooling, sums and scales that are not fused",
        "one lane for each column of a 16 x 16 array",
        ge=1,
        le=65536,
    )


class LaneOverrides(Section):
    """Figures of one codec lane; those that are left out come from the codec itself."""

    encode_values_per_cycle: float | None = key(
        None, "values/cycle", "peak rate of one encoder lane", ge=0.001, le=65536
    )
    decode_values_per_cycle: float | None = key(
        None, "values/cycle", "peak rate of one decoder lane", ge=0.001, le=65536
    )
    encode_fill_cycles: int | None = key(None, "cycles", "latency of the encoder", ge=0, le=10**6)
    decode_fill_cycles: int | None = key(None, "cycles", "latency of the decoder", ge=0, le=10**6)
    encode_pj_per_value: float | None = key(
        None, "pJ/value", "energy of encoding, at codec.hardware.node_nm", ge=0, le=10**6
    )
    decode_pj_per_value: float | None = key(
        None, "pJ/value", "energy of decoding, at codec.hardware.node_nm", ge=0, le=10**6
    )
    gates_kge: float | None = key(
        None, "kGE", "encoder and decoder of one lane, in gate equivalents", ge=0, le=10**6
    )
    encode_buffer_bits: int | None = key(
        None, "bits", "tables and staging of one encoder lane", ge=0, le=1 << 30
    )
    decode_buffer_bits: int | None = key(
        None, "bits", "tables and staging of one decoder lane", ge=0, le=1 << 30
    )
    source: str | None = key(None, "", "where these figures come from")
    estimate: bool | None = key(None, "", "true if these figures are estimates")
    node_nm: int | None = key(None, "nm", "process node of these energies", ge=2, le=250)


class Codec(Section):
    name: str = key("raw", "", "codec of the feature maps; raw means none", "the baseline")
    weight_name: Literal["raw"] = key(
        "raw", "", "codec of the weights; compressed weights are not modelled", "the only choice"
    )
    word_bits: int | None = key(
        None,
        "bits",
        "widest word that the lanes can code; null: that of the maps to be coded",
        "8 bits until a trace is read, then its widest coded map",
        ge=2,
        le=16,
    )
    lanes: int | None = key(
        None,
        "lanes",
        "lanes, of the encoder and of the decoder each; null: what the array needs",
        "enough lanes for one value per cycle and array row",
        ge=1,
        le=4096,
    )
    block: Annotated[tuple[Extent, Extent, Extent] | None, Strict(False)] = key(
        None,
        "channels, rows, cols",
        "extent of a block, the values that are coded together; null: what suits the codec",
        "[16, 1, 64] for most, [16, 8, 8] for transforms of 8 x 8 pixels",
    )
    scan: Literal["chw", "hwc"] = key(
        "chw",
        "",
        "order of values in a block, outermost first",
        "one channel after the other: best for codecs of differences and runs",
    )
    layout: Literal["auto", "linear", "slotted", "packed"] = key(
        "auto",
        "",
        "how maps are laid out in DRAM; auto: linear (no blocks) for raw, slotted for a codec",
        "raw maps are read in exact windows, coded maps block by block",
    )
    fifo_blocks: int = key(
        32,
        "blocks",
        "blocks on their way to the decoder or in its input FIFO, at most",
        "two for each of 16 lanes: one being decoded, one on its way",
        ge=1,
        le=65536,
    )
    index_cache_entries: int = key(
        256,
        "entries",
        "block table entries (lengths or offsets) that are kept on chip, LRU",
        "about the blocks of one tile",
        ge=1,
        le=1 << 20,
    )
    hardware: LaneOverrides = part(LaneOverrides)

    @field_validator("block")
    @classmethod
    def _is_small_enough_to_stage(
        cls, block: tuple[int, int, int] | None
    ) -> tuple[int, int, int] | None:
        if block is not None and prod(block) > MAX_BLOCK_VALUES:
            raise ValueError(
                f"must hold at most {MAX_BLOCK_VALUES} values, because blocks are staged on chip"
            )
        return block


class Dram(Section):
    standard: str = key(REQUIRED, "", "a DRAM standard by name, or a DRAMsim3 .ini file")
    channels: int | None = key(
        None, "channels", "independent channels", "as in the .ini file, otherwise one", ge=1, le=64
    )
    address_map: str | None = key(
        None,
        "",
        "fields of an address, from the highest bits to the lowest",
        "as in the .ini file, otherwise as in the standard: channels and bank groups interleave",
    )
    allocation: Literal["staggered", "packed"] = key(
        "staggered",
        "",
        "where tensors start: at row boundaries in staggered banks, or back to back",
        "streams that are read together start in different banks",
    )
    policy: str = key(
        "dramsim3", "", "the memory controller: a registered policy", "cycle-level, validated"
    )
    dbi: Literal["default", "on", "off"] = key(
        "default",
        "",
        "data bus inversion: a byte with more than four costly bits is sent inverted",
        "as usual for the standard",
    )
    outstanding_reads: int | None = key(
        None,
        "lines",
        "read bursts in flight per DMA engine, at most",
        "what all channels can use: bandwidth x latency, at least the size of their read queues",
        ge=1,
        le=MAX_OUTSTANDING_READS,
    )
    self_refresh_cycles: int | None = key(
        None,
        "DRAM cycles",
        "a rank enters self-refresh after its banks were closed for this long; 0: never",
        "that of the .ini file, otherwise never",
        ge=0,
        le=10**9,
    )
    power_down_cycles: int | None = key(
        None,
        "DRAM cycles",
        "a rank is powered down after this long without work, and takes tXP to wake; 0: never",
        "that of the standard (128); never with an .ini file",
        ge=0,
        le=10**9,
    )
    ini_text: str | None = key(
        None, "", "contents of the .ini file named by dram.standard, kept by result files"
    )
    changes: dict[str, int | float | str | bool] | None = key(
        None,
        "",
        "values that replace those of the standard, by dotted name, such as timing.tRP: 20",
        "none",
    )

    @field_validator("channels")
    @classmethod
    def _is_a_power_of_two(cls, channels: int | None) -> int | None:
        if channels is not None and channels & (channels - 1):
            raise ValueError("must be a power of two, because address bits select the channel")
        return channels

    @field_validator("address_map")
    @classmethod
    def _names_each_field_once(cls, text: str | None) -> str | None:
        fields = [text[i : i + 2] for i in range(0, len(text), 2)] if text is not None else []
        if text is not None and sorted(fields) != sorted(ADDRESS_FIELDS):
            raise ValueError(
                f"must name each of {', '.join(ADDRESS_FIELDS)} once, highest bits first, "
                "like rochracobabg"
            )
        return text


class Energy(Section):
    node_nm: int = key(
        22,
        "nm",
        "process node of SRAM, logic and codec",
        "the newest node of the SRAM table",
        ge=22,
        le=65,
    )
    sram_cell: Literal["hp", "lop", "lstp"] = key(
        "lop",
        "",
        "SRAM transistors: high performance, low operating power or low standby power",
        "usual for accelerator buffers: hp leaks more, lstp costs more per access",
    )
    mode: Literal["max", "typical"] = key(
        "typical",
        "",
        "DRAM currents: data sheet maxima, or the fraction of them that was measured",
        "maxima would overstate what compression saves",
    )
    dram_data: Literal["pins", "vampire_a", "vampire_b", "vampire_c"] = key(
        "pins",
        "",
        "cost of data in DRAM: levels on the pins, or ones, as measured on one vendor's DDR3L",
        "works for every standard; the measurements are for DDR3L only",
    )


class Mapping(Section):
    objective: Literal["latency", "traffic"] = key(
        "latency",
        "",
        "what the planner minimises first: modelled time or modelled DRAM bytes",
        "minimising bytes can slow a compute-bound array down by more than it saves",
    )


class HardwareFile(Section):
    """A whole hardware file."""

    name: str = key("unnamed", "", "name in tables and results", "none was given", min_length=1)
    description: str = key("", "", "one sentence about the machine", "none was given")
    core: Core = part()
    array: Array = part()
    buffers: Buffers = part()
    vector: Vector = part(Vector)
    codec: Codec = part(Codec)
    dram: Dram = part()
    mapping: Mapping = part(Mapping)
    energy: Energy = part(Energy)
    frame_rate_hz: float | None = key(
        None,
        "Hz",
        "fixed frame rate; the machine idles between images",
        "images follow one another",
        ge=0.001,
        le=10**6,
    )
    derived: list[str] = key(
        [],
        "",
        "keys with values derived from others, derived again when those are overridden",
        "filled in by result files",
    )
    sources: dict[str, str] = key(
        {}, "", "maps a dotted key to the source of its value; `assumption: why` is allowed"
    )
