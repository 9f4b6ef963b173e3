"""From checked values to a chip: names become parts, `auto` and defaults become values."""

from __future__ import annotations

from dataclasses import replace
from math import ceil
from typing import Final

from accelsim.codecs.lane_hardware import LaneHardware
from accelsim.codecs.named import codec_of_any_width
from accelsim.dram.config import DramConfig
from accelsim.dram.reach import enough_outstanding_reads
from accelsim.errors import ConfigError
from accelsim.hardware.chip import (
    Buffers,
    Chip,
    CodecBlock,
    DramPort,
    EnergyChoice,
    KeyOrigin,
    Layout,
    MappingChoice,
    PeArray,
    VectorUnit,
)
from accelsim.hardware.codec_section import CodecSection
from accelsim.hardware.document import Document, flat, lane_codec
from accelsim.hardware.dram_section import DramSection
from accelsim.hardware.keys import leaves
from accelsim.hardware.memory import memory_of
from accelsim.hardware.problems import OPEN, checked
from accelsim.hardware.schema import HardwareFile
from accelsim.units import KIB, Clock

DEFAULT_WORD_BITS: Final = 8
"""Word width of the lanes until a trace is read."""


def resolve(document: Document) -> Chip:
    """The chip that the document describes. Raises ``ConfigError`` for the first problem."""
    file = checked(document)
    memory = _memory(file.dram, document)
    chip = Chip(
        name=file.name,
        description=file.description,
        core=Clock.from_mhz(file.core.clock_mhz),
        array=PeArray(**file.array.model_dump()),
        buffers=Buffers(
            ifmap_bytes=round(file.buffers.ifmap_kib * KIB),
            weight_bytes=round(file.buffers.weight_kib * KIB),
            ofmap_bytes=round(file.buffers.ofmap_kib * KIB),
            port_bits=file.buffers.port_bits,
            shared_bytes=round(file.buffers.shared_kib * KIB),
        ),
        vector=VectorUnit(file.vector.lanes),
        codec=_codec(file, str(lane_codec(document.values))),
        dram=DramPort(
            config=memory,
            allocation=file.dram.allocation,
            policy=file.dram.policy,
            outstanding_reads=file.dram.outstanding_reads or enough_outstanding_reads(memory),
            standard=file.dram.standard,
            ini_text=file.dram.ini_text,
        ),
        mapping=MappingChoice(**file.mapping.model_dump()),
        energy=EnergyChoice(**file.energy.model_dump()),
        frame_rate_hz=file.frame_rate_hz,
    )
    return replace(chip, origins=_origins(chip, document, file))


def layout_of(codec: CodecSection) -> Layout:
    """The meaning of `auto`: raw maps are read in exact windows, coded maps block by block."""
    if codec.layout == "auto":
        return "linear" if codec.name == "raw" else "slotted"
    return codec.layout


def _codec(file: HardwareFile, lane_codec_name: str) -> CodecBlock:
    coding = codec_of_any_width(
        lane_codec_name, wanted_bits=file.codec.word_bits or DEFAULT_WORD_BITS
    )
    lane = _lane(file.codec, coding.hardware)
    return CodecBlock(
        name=file.codec.name,
        weight_name=file.codec.weight_name,
        lanes=file.codec.lanes or _lanes_of_array(file.array.rows, lane),
        block=file.codec.block or coding.preferred_block,
        scan=file.codec.scan,
        layout=layout_of(file.codec),
        fifo_blocks=file.codec.fifo_blocks,
        index_cache_entries=file.codec.index_cache_entries,
        word_bits=coding.word.bits,
        hardware=lane,
    )


def _memory(dram: DramSection, document: Document) -> DramConfig:
    """The memory; errors in it are reported with their place in the file."""
    try:
        return memory_of(dram)
    except ConfigError as error:
        is_key = error.where.startswith("dram.")
        place = document.place(error.where.split(".") if is_key else ["dram"])
        where = place if is_key else f"{place}: {error.where}"
        raise ConfigError(where, error.problem, error.fix) from None


def _lanes_of_array(rows: int, lane: LaneHardware) -> int:
    """Lanes for the array, so that wide lanes are not charged for a rate that it cannot use."""
    slowest = min(lane.encode_values_per_cycle, lane.decode_values_per_cycle)
    return ceil(rows / slowest - 1e-9)  # 16 / 1.6 is 10


def _lane(codec: CodecSection, own: LaneHardware) -> LaneHardware:
    """One lane of the codec, with the figures that the file overrides."""
    given = {k: v for k, v in codec.hardware.model_dump().items() if v is not None}
    if given and "source" not in given:
        given["source"] = f"{own.source}; set by hand: {', '.join(given)}"
    return replace(own, **given)


def _origins(chip: Chip, document: Document, file: HardwareFile) -> tuple[KeyOrigin, ...]:
    """The source of every key; empty if a value was written without one.

    A key that the file leaves open, or that had been derived before, is marked as derived.
    """
    written = flat(file.model_dump(mode="json"))
    lane_codec_name = str(lane_codec(document.values))
    reasons = {facts.key: facts.default_reason for facts in leaves(HardwareFile)}
    found = []
    for origin in chip.origins:
        key = origin.key
        left_open = written[key] in OPEN and origin.value is not None
        derived = left_open or key in file.derived
        if key in document.overridden:
            source = document.overridden[key]
        elif key in file.sources:
            source = file.sources[key]
        elif document.get(key) is not None:
            source = ""
        elif key.startswith("codec.hardware."):
            source = f"codec {lane_codec_name}, see codec.hardware.source"
        else:
            source = f"default: {reasons[key]}"
        found.append(KeyOrigin(key, origin.value, source, derived))
    return tuple(found)
