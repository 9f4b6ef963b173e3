"""Warnings about legal but unwise values: what an architect would question about a chip."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from typing import Final

from accelsim.hardware.chip import SRAM_NODES_NM, Chip
from accelsim.hardware.document import Document
from accelsim.hardware.problems import Problem
from accelsim.units import FS_PER_S

MIN_MACRO_ROWS: Final = 256


def advise(chip: Chip, document: Document) -> Iterator[Problem]:
    """Warnings, each with a remedy: first what makes figures doubtful, then what makes a machine
    slow or expensive, last values without a source."""
    yield from _imported_memory(chip, document)
    yield from _node_between_points(chip, document)
    yield from _slow_codec(chip, document)
    yield from _uneven_fifo(chip, document)
    yield from _tiny_macros(chip, document)
    yield from _missing_sources(chip, document)


def _tiny_macros(chip: Chip, document: Document) -> Iterator[Problem]:
    """A wide port on few rows makes an inefficient macro: at 45 nm, an access to 8 KiB costs 5.3 pJ
    for 64 bits and 23 pJ for 512 (CACTI, hp cells)."""
    buffers = chip.buffers
    sizes = {
        "ifmap": buffers.ifmap_bytes,
        "weight": buffers.weight_bytes,
        "ofmap": buffers.ofmap_bytes,
        "shared": buffers.shared_bytes,
    }
    for name, size_bytes in sizes.items():
        if not size_bytes:
            continue
        rows = size_bytes * 8 // buffers.port_bits
        if rows < MIN_MACRO_ROWS:
            yield Problem(
                document.place(["buffers", f"{name}_kib"]),
                f"a port of {buffers.port_bits} bits leaves {rows} rows, below {MIN_MACRO_ROWS}: "
                "such a macro wastes energy",
                "a narrower buffers.port_bits, or a larger buffer",
            )


def _slow_codec(chip: Chip, document: Document) -> Iterator[Problem]:
    """Decoded values must leave the codec at least as fast as raw ones would arrive."""
    codec = chip.codec
    if codec.name == "raw":
        return
    per_cycle = chip.dram.config.peak_gb_s * 1e9 * chip.core.period_fs / FS_PER_S
    for key, rate in (
        ("decode", codec.hardware.decode_values_per_cycle),
        ("encode", codec.hardware.encode_values_per_cycle),
    ):
        if codec.lanes * rate < per_cycle:
            needed = ceil(per_cycle / rate)
            yield Problem(
                document.place(["codec", "lanes"]),
                f"{codec.lanes} lanes {key} {codec.lanes * rate:g} values per cycle, DRAM moves "
                f"{per_cycle:.1f} bytes: the codec slows the machine down",
                f"codec.lanes of at least {needed}, times the compression ratio you expect",
            )


def _uneven_fifo(chip: Chip, document: Document) -> Iterator[Problem]:
    if chip.codec.fifo_blocks < chip.codec.lanes:
        yield Problem(
            document.place(["codec", "fifo_blocks"]),
            f"{chip.codec.fifo_blocks} blocks cannot feed {chip.codec.lanes} lanes",
            "at least one block per lane, better two",
        )


def _node_between_points(chip: Chip, document: Document) -> Iterator[Problem]:
    for warning in chip.energy.warnings:
        yield Problem(
            document.place(["energy", "node_nm"]),
            warning.removeprefix("energy.node_nm: "),
            f"one of {', '.join(map(str, SRAM_NODES_NM))}",
        )


def _imported_memory(chip: Chip, document: Document) -> Iterator[Problem]:
    """How DRAMsim3 silently interprets a file."""
    where = document.place(["dram", "standard"])
    for warning in chip.dram.config.warnings:
        yield Problem(where, warning, "correct the .ini file, or accept what DRAMsim3 does")


def _missing_sources(chip: Chip, document: Document) -> Iterator[Problem]:
    """One warning for all keys, so that it does not hide the other warnings."""
    keys = [key for key, source in chip.sources.items() if not source.strip()]
    if keys:
        yield Problem(
            document.where,
            f"without a source: {', '.join(keys)}",
            f"say under sources: where each comes from, or `{keys[0]}: 'assumption: why'`",
        )
