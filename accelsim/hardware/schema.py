"""The hardware file as it is written: every key with its unit, bounds, default and meaning.

Every file is checked here first: what passes is of the right type and within sensible bounds.
Whether names are registered and parts fit together is decided in
``accelsim.hardware.resolve``. ``hw show``, ``hw check`` and the JSON Schema for editors read
units, meanings and reasons of defaults from here and nowhere else.
"""

from __future__ import annotations

from typing import Literal

from pydantic import field_validator

from accelsim.hardware.codec_section import CodecSection
from accelsim.hardware.dram_section import DramSection
from accelsim.hardware.keys import REQUIRED, Section, key, part
from accelsim.units import KIB

IN_SHARED = "lies in the shared buffer"


class CoreSection(Section):
    clock_mhz: float = key(REQUIRED, "MHz", "clock of array, buffers and codec", ge=1, le=10_000)


class ArraySection(Section):
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
    zeros: Literal["none", "gate", "skip"] = key(
        "none",
        "",
        "products of zeros: computed like others; not computed, which saves energy; or passed "
        "over, which saves time as well",
        "a plain systolic array",
    )
    zeros_of: Literal["ifmap", "weight", "both"] = key(
        "ifmap",
        "",
        "whose zeros array.zeros means: those of the ifmap, of the weights, or of either",
        "many values are zero after a ReLU; weights rarely are, unless they were pruned",
    )


class BuffersSection(Section):
    ifmap_kib: float = key(0, "KiB", "ifmap buffer, both halves", IN_SHARED, ge=0, le=1 << 20)
    weight_kib: float = key(0, "KiB", "weight buffer, both halves", IN_SHARED, ge=0, le=1 << 20)
    ofmap_kib: float = key(
        0, "KiB", "ofmap and psum buffer, both halves", IN_SHARED, ge=0, le=1 << 20
    )
    shared_kib: float = key(
        0,
        "KiB",
        "one global buffer in place of the ifmap and the ofmap buffer, and of the weight buffer "
        "where that has 0 KiB; maps can stay in it",
        "three buffers of their own",
        ge=0,
        le=1 << 20,
    )
    port_bits: int = key(
        128,
        "bits",
        "width of one SRAM access; affects its energy, not the time",
        "one word of 16 values for a row of 16 PEs",
        ge=64,
        le=512,
    )

    @field_validator("ifmap_kib", "weight_kib", "ofmap_kib", "shared_kib")
    @classmethod
    def _is_whole_bytes(cls, kib: float) -> float:
        if not (kib * KIB).is_integer():
            raise ValueError("must be a whole number of bytes, a multiple of 1/1024 KiB")
        return kib


class VectorSection(Section):
    lanes: int = key(
        16,
        "values/cycle",
        "throughput of the vector unit, which does pooling, sums and scales that are not fused",
        "one lane for each column of a 16 x 16 array",
        ge=1,
        le=65536,
    )


class EnergySection(Section):
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


class MappingSection(Section):
    objective: Literal["latency", "traffic"] = key(
        "latency",
        "",
        "what the planner minimises first: modelled time or modelled DRAM bytes",
        "minimising bytes can slow a compute-bound array down by more than it saves",
    )
    on_chip: bool = key(
        True,
        "",
        "whether feature maps may stay in buffers.shared_kib, where the planner finds it cheaper",
        "a compiler would; without a shared buffer none can",
    )


class HardwareFile(Section):
    """A whole hardware file."""

    name: str = key("unnamed", "", "name in tables and results", "none was given", min_length=1)
    description: str = key("", "", "one sentence about the machine", "none was given")
    core: CoreSection = part()
    array: ArraySection = part()
    buffers: BuffersSection = part()
    vector: VectorSection = part(VectorSection)
    codec: CodecSection = part(CodecSection)
    dram: DramSection = part()
    mapping: MappingSection = part(MappingSection)
    energy: EnergySection = part(EnergySection)
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
