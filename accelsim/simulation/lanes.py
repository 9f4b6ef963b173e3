"""The codec lanes of a chip: those of a codec, for words of some width, at rates set by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from accelsim.codecs.lane_costs import cycles_at
from accelsim.codecs.measure import MapStats
from accelsim.codecs.named import codec_of_any_width
from accelsim.hardware.chip import Chip
from accelsim.hardware.read import chip_from_resolved
from accelsim.mapping.stages.stage import StoredMap


def with_codec(chip: Chip, codec: str | Mapping[str, str] | None) -> Chip:
    """The chip with another codec, and with the lane figures and layout of that codec."""
    if codec is None:
        return chip
    chosen = {"ofmap": codec} if isinstance(codec, str) else codec
    keys = {"ofmap": "codec.name", "weight": "codec.weight_name"}
    for name in chosen.values():
        codec_of_any_width(name)  # an unknown name says so itself, with the nearest
    overrides = {keys[tensor]: name for tensor, name in chosen.items()}
    return chip_from_resolved(chip.resolved, overrides)


_LANE_WIDTH: Final = "codec.word_bits"


def with_lanes_for(coded: Sequence[StoredMap], chip: Chip) -> Chip:
    """The chip with lanes for the widest coded word, unless it sets their width itself."""
    origins = {origin.key: origin for origin in chip.origins}
    widest = max((stored.bits for stored in coded), default=chip.codec.word_bits)
    if widest == chip.codec.word_bits or not origins[_LANE_WIDTH].derived:
        return chip
    wide = chip_from_resolved(chip.resolved, {_LANE_WIDTH: widest})
    why = f"the widest of the coded maps has {widest} bits"
    found = (
        replace(o, source=why, derived=True) if o.key == _LANE_WIDTH else o for o in wide.origins
    )
    return replace(wide, origins=tuple(found))


def at_rates_of(chip: Chip, measured: MapStats) -> MapStats:
    """The statistics with cycles scaled to the lane rates that the chip sets by hand."""
    own = codec_of_any_width(chip.codec.name, wanted_bits=chip.codec.word_bits).hardware
    lane, blocks = chip.codec.hardware, measured.blocks
    encode = lane.encode_values_per_cycle / own.encode_values_per_cycle
    decode = lane.decode_values_per_cycle / own.decode_values_per_cycle
    if encode == decode == 1:
        return measured
    encode_work = cycles_at(blocks.encode_work, encode)
    decode_work = cycles_at(blocks.decode_work, decode)
    timed = replace(blocks, encode_work=encode_work, decode_work=decode_work)
    return replace(measured, blocks=timed)
