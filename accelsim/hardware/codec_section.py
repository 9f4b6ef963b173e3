"""The section ``codec`` of a hardware file: the codec, its lanes, and the blocks that it codes."""

from __future__ import annotations

from math import prod
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import Field, Strict, field_validator

from accelsim.hardware.keys import Section, key, part

MAX_BLOCK_VALUES: Final = 1 << 20
Extent: TypeAlias = Annotated[int, Strict(), Field(ge=1, le=65536)]


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


class CodecSection(Section):
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
