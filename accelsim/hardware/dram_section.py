"""The section ``dram`` of a hardware file: a memory, its controller, and the places in it."""

from __future__ import annotations

from typing import Literal

from pydantic import field_validator

from accelsim.dram.reach import MAX_OUTSTANDING_READS
from accelsim.dram.system import ADDRESS_FIELDS
from accelsim.hardware.keys import REQUIRED, Section, key


class DramSection(Section):
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
