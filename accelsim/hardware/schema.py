"""The hardware file as it is written: every key with its unit, bounds, default and meaning.

This is the border. Whatever passes here is of the right type and within sensible bounds;
whether names are registered and parts fit together is decided in
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
    """Keys are closed, numbers are finite, and nothing is converted silently."""

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
        True, "", "load the next fold while the present one streams", "real arrays do"
    )
    psum_bits: int = key(
        32, "bits", "width of a partial sum", "holds 2^16 products of 8 x 8 bits", ge=8, le=64
    )


class Buffers(Section):
    ifmap_kib: float = key(REQUIRED, "KiB", "ifmap buffer, both halves", gt=0, le=1 << 20)
    weight_kib: float = key(REQUIRED, "KiB", "weight buffer, both halves", gt=0, le=1 << 20)
    ofmap_kib: float = key(REQUIRED, "KiB", "ofmap and psum buffer, both halves", gt=0, le=1 << 20)
    port_bits: int = key(
        128,
        "bits",
        "width of one SRAM access; decides its energy, not the time",
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
        "pooling, sums and scales that are not fused",
        "one lane for each column of a 16 x 16 array",
        ge=1,
        le=65536,
    )


class LaneOverrides(Section):
    """Figures of one codec lane; what is left out comes from the codec itself."""

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
    estimate: bool | None = key(None, "", "true where they are estimates")
    node_nm: int | None = key(None, "nm", "process node of these energies", ge=2, le=250)


class Codec(Section):
    name: str = key("raw", "", "codec of feature maps; raw is none", "the baseline")
    weight_name: Literal["raw"] = key(
        "raw", "", "codec of weights: compressed weights are not modelled", "all there is"
    )
    word_bits: int | None = key(
        None,
        "bits",
        "widest word that the lanes take; null: of the maps that the codec codes",
        "8 bits, until a trace says what is coded",
        ge=2,
        le=16,
    )
    lanes: int | None = key(
        None,
        "lanes",
        "blocks in work at once, each way; null: what the array needs",
        "lanes that code a value a cycle for each row of the array",
        ge=1,
        le=4096,
    )
    block: Annotated[tuple[Extent, Extent, Extent] | None, Strict(False)] = key(
        None,
        "channels, rows, cols",
        "values that are coded together; null: what suits the codec",
        "[16, 1, 64] for most, [16, 8, 8] for transforms of 8 x 8 pixels",
    )
    scan: Literal["chw", "hwc"] = key(
        "chw",
        "",
        "order of values in a block, outermost first",
        "one channel after the other, which differences and runs like best",
    )
    layout: Literal["auto", "linear", "slotted", "packed"] = key(
        "auto",
        "",
        "where blocks lie in DRAM; auto: linear (no blocks) for raw, slotted for a codec",
        "raw is read in exact windows, coded maps by block",
    )
    fifo_blocks: int = key(
        32,
        "blocks",
        "blocks on their way to the decoder or in its input FIFO",
        "two for each of 16 lanes: one in work, one on its way",
        ge=1,
        le=65536,
    )
    index_cache_entries: int = key(
        256,
        "entries",
        "lengths or offsets of blocks kept on chip, LRU",
        "about those of one tile",
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
                f"must hold at most {MAX_BLOCK_VALUES} values: a block is staged whole"
            )
        return block


class Dram(Section):
    standard: str = key(REQUIRED, "", "a DRAM standard by name, or a DRAMsim3 .ini file")
    channels: int | None = key(
        None, "channels", "independent channels", "those of the .ini file, else one", ge=1, le=64
    )
    address_map: str | None = key(
        None,
        "",
        "fields of an address from the highest bits to the lowest",
        "that of the .ini file, else of the standard: channels and bank groups interleave",
    )
    allocation: Literal["staggered", "packed"] = key(
        "staggered",
        "",
        "tensors row-aligned with staggered banks, or back to back",
        "streams that are read together do not meet in one bank",
    )
    policy: str = key(
        "dramsim3", "", "the memory controller: a registered policy", "cycle-level, validated"
    )
    dbi: Literal["default", "on", "off"] = key(
        "default",
        "",
        "data bus inversion: a byte with more than four costly bits is sent inverted",
        "as is customary for the standard",
    )
    outstanding_reads: int | None = key(
        None,
        "lines",
        "read bursts in flight for each DMA engine",
        "bandwidth x latency, at least the read queues: as many as all channels can use",
        ge=1,
        le=MAX_OUTSTANDING_READS,
    )
    self_refresh_cycles: int | None = key(
        None,
        "DRAM cycles",
        "a rank whose banks were closed so long falls asleep (self-refresh); 0: never",
        "that of the .ini file, else never",
        ge=0,
        le=10**9,
    )
    power_down_cycles: int | None = key(
        None,
        "DRAM cycles",
        "a rank without work so long is powered down, and wakes tXP late; 0: never",
        "that of the standard: 128; never with an .ini file",
        ge=0,
        le=10**9,
    )
    ini_text: str | None = key(
        None, "", "contents of the .ini file named by dram.standard, kept by result files"
    )
    changes: dict[str, int | float | str | bool] | None = key(
        None,
        "",
        "values that differ from the standard's, by dotted name, as timing.tRP: 20",
        "none",
    )

    @field_validator("channels")
    @classmethod
    def _is_a_power_of_two(cls, channels: int | None) -> int | None:
        if channels is not None and channels & (channels - 1):
            raise ValueError("must be a power of two, for address bits choose the channel")
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
        22, "nm", "process of SRAM, logic and codec", "newest node of the SRAM table", ge=22, le=65
    )
    sram_cell: Literal["hp", "lop", "lstp"] = key(
        "lop",
        "",
        "SRAM transistors: high performance, low operating power, low standby power",
        "what accelerator buffers use: hp leaks more, lstp costs more per access",
    )
    mode: Literal["max", "typical"] = key(
        "typical",
        "",
        "DRAM currents: data sheet maxima, or the measured typical fraction",
        "maxima would overstate what compression saves",
    )
    dram_data: Literal["pins", "vampire_a", "vampire_b", "vampire_c"] = key(
        "pins",
        "",
        "what data cost in DRAM: levels on its pins, or ones as measured on DDR3L of a vendor",
        "every standard has pins; the measurements are of DDR3L",
    )


class Mapping(Section):
    objective: Literal["latency", "traffic"] = key(
        "latency",
        "",
        "what the planner minimises first: modelled time, or modelled DRAM bytes",
        "fewest bytes can cost an array that is compute bound more than they save",
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
        "fixed rate of images; the machine idles in between",
        "images follow one another",
        ge=0.001,
        le=10**6,
    )
    derived: list[str] = key(
        [],
        "",
        "keys whose values followed from others, and follow them when those are overridden",
        "written into results",
    )
    sources: dict[str, str] = key(
        {}, "", "dotted key to the source of its value; `assumption: why` is one"
    )
