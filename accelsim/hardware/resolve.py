"""From checked values to a chip: names become parts, `auto` and defaults become values."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Final

from accelsim.codecs.base import BlockHardware, Word
from accelsim.codecs.named import codec_named
from accelsim.dram.config import DramConfig
from accelsim.dram.ini_files.read import parse_ini
from accelsim.dram.standard import STANDARDS
from accelsim.errors import ConfigError
from accelsim.hardware.chip import (
    Buffers,
    Chip,
    CodecBlock,
    DramPort,
    EnergyChoice,
    Layout,
    PeArray,
    VectorUnit,
)
from accelsim.hardware.document import Document, lane_codec
from accelsim.hardware.keys import leaves
from accelsim.hardware.problems import checked
from accelsim.hardware.schema import Codec, Dram, HardwareFile
from accelsim.units import KIB, Clock, ceil_div

NEEDS_NO_SOURCE: Final = frozenset({"name", "description", "sources", "dram.ini_text"})
NEVER_POWER_DOWN: Final = ("ramulator", "ideal")
"""Memories that know no power-down."""


def resolve(document: Document) -> Chip:
    """The chip that the document describes. Raises ``ConfigError`` for the first problem."""
    file = checked(document)
    lane_codec_name = str(lane_codec(document.values))
    coding = codec_named(lane_codec_name, Word(8), in_network=True)
    hardware = _lane(file.codec, coding.hardware)
    dram = _dram_config(file.dram, document)
    sources = _sources(document, file, lane_codec_name)
    return Chip(
        name=file.name,
        description=file.description,
        core=Clock.from_mhz(file.core.clock_mhz),
        array=PeArray(**file.array.model_dump()),
        buffers=Buffers(
            ifmap_bytes=file.buffers.ifmap_kib * KIB,
            weight_bytes=file.buffers.weight_kib * KIB,
            ofmap_bytes=file.buffers.ofmap_kib * KIB,
            port_bits=file.buffers.port_bits,
        ),
        vector=VectorUnit(file.vector.lanes),
        codec=CodecBlock(
            name=file.codec.name,
            weight_name=file.codec.weight_name,
            lanes=file.codec.lanes or _lanes_of_array(file.array.rows, hardware),
            block=file.codec.block or coding.preferred_block,
            scan=file.codec.scan,
            layout=layout_of(file.codec),
            fifo_blocks=file.codec.fifo_blocks,
            index_cache_entries=file.codec.index_cache_entries,
            hardware=hardware,
        ),
        dram=DramPort(
            config=dram,
            allocation=file.dram.allocation,
            policy=file.dram.policy,
            outstanding_reads=file.dram.outstanding_reads,
        ),
        objective=file.mapping.objective,
        energy=EnergyChoice(**file.energy.model_dump()),
        frame_rate_hz=file.frame_rate_hz,
        sources=sources,
        resolved=_plain(file, hardware, dram, sources),
    )


def layout_of(codec: Codec) -> Layout:
    """What `auto` means: raw maps are read in exact windows, coded ones by block."""
    if codec.layout == "auto":
        return "linear" if codec.name == "raw" else "slotted"
    return codec.layout


def _lanes_of_array(rows: int, lane: BlockHardware) -> int:
    """So that a codec of wide lanes is not charged for what no array can take."""
    slowest = min(lane.encode_values_per_cycle, lane.decode_values_per_cycle)
    return ceil_div(rows, slowest)


def _lane(codec: Codec, own: BlockHardware) -> BlockHardware:
    """One lane of the codec, and what the file sets instead."""
    given = {k: v for k, v in codec.hardware.model_dump().items() if v is not None}
    if given and "source" not in given:
        given["source"] = f"{own.source}; set by hand: {', '.join(given)}"
    return replace(own, **given)


def _dram_config(dram: Dram, document: Document) -> DramConfig:
    power_down = _power_down_cycles(dram)
    if dram.policy == "ideal" and dram.self_refresh_cycles:
        raise ConfigError(
            "dram.self_refresh_cycles",
            f"{dram.self_refresh_cycles} is not known to the memory 'ideal', which has no ranks",
            "leave it out, or take the policy dramsim3",
        )
    if dram.ini_text is None:
        return STANDARDS[dram.standard].config(
            dram.channels or 1,
            dram.address_map,
            dbi={"on": True, "off": False}.get(dram.dbi),
            self_refresh_cycles=dram.self_refresh_cycles,
            power_down_cycles=power_down,
        )
    config, _ = parse_ini(dram.ini_text, dram.standard)
    own = config.organisation, config.controller
    sleeps = dram.self_refresh_cycles
    return replace(
        config,
        organisation=replace(own[0], channels=dram.channels or own[0].channels),
        controller=replace(
            own[1],
            address_map=dram.address_map or own[1].address_map,
            self_refresh_cycles=own[1].self_refresh_cycles if sleeps is None else sleeps,
        ),
    )


def _power_down_cycles(dram: Dram) -> int | None:
    """What the standard is asked for: None is its own; 0 where nothing powers down."""
    why = ""
    if dram.ini_text is not None:
        why = "DRAMsim3, whose controller an .ini file implies"
    elif dram.policy in NEVER_POWER_DOWN:
        why = f"the memory {dram.policy!r}"
    if why and dram.power_down_cycles not in (None, 0, _customary(dram.standard)):
        raise ConfigError(
            "dram.power_down_cycles",
            f"{dram.power_down_cycles} is not known to {why}",
            "leave it out; a standard by name with the policy dramsim3 powers down",
        )
    return 0 if why else dram.power_down_cycles


def _customary(standard: str) -> int:
    """The default of a standard, which a resolved chip names even where it has no effect."""
    return STANDARDS[standard].controller.power_down_cycles if standard in STANDARDS else 0


def _sources(document: Document, file: HardwareFile, lane_codec_name: str) -> dict[str, str]:
    """The source of every leaf; empty where a value was written without one."""
    found: dict[str, str] = {}
    for facts in leaves(HardwareFile):
        key = facts.key
        if key in NEEDS_NO_SOURCE:
            continue
        if key in document.overridden:
            found[key] = document.overridden[key]
        elif key in file.sources:
            found[key] = file.sources[key]
        elif document.get(key) is not None:
            found[key] = ""
        elif key.startswith("codec.hardware."):
            found[key] = f"codec {lane_codec_name}, see codec.hardware.source"
        else:
            found[key] = f"default: {facts.default_reason}"
    return found


def _plain(
    file: HardwareFile, lane: BlockHardware, dram: DramConfig, sources: dict[str, str]
) -> dict[str, object]:
    plain = file.model_dump(mode="json")
    plain["codec"]["hardware"] = asdict(lane)
    plain["dram"]["channels"] = dram.organisation.channels
    plain["dram"]["address_map"] = dram.controller.address_map
    plain["dram"]["self_refresh_cycles"] = dram.controller.self_refresh_cycles
    plain["dram"]["power_down_cycles"] = dram.controller.power_down_cycles
    plain["sources"] = sources
    return plain
