"""The data behind `hw list`, `hw show` and `hw check`, and the JSON Schema for editors."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from accelsim.errors import AccelsimError, ConfigError
from accelsim.hardware.advice import advise
from accelsim.hardware.chip import Chip
from accelsim.hardware.keys import leaves
from accelsim.hardware.problems import Problem, find
from accelsim.hardware.read import read_document, read_hardware, shipped_files, with_ini_text
from accelsim.hardware.resolve import resolve
from accelsim.hardware.schema import HardwareFile
from accelsim.units import FS_PER_S, in_kib


@dataclass(frozen=True)
class ChipSummary:
    """One line of `hw list`."""

    name: str
    description: str
    pes: int
    peak_gmac_s: float
    ifmap_kib: float
    weight_kib: float
    ofmap_kib: float
    shared_kib: float
    dram: str
    """Channels and standard: `2 x hbm2_2000`."""
    peak_gb_s: float
    macs_per_byte: float
    """Peak MACs per byte of peak DRAM bandwidth: a layer with less reuse waits for DRAM."""


@dataclass(frozen=True)
class ShownKey:
    """One line of `hw show`."""

    key: str
    value: object
    unit: str
    meaning: str
    source: str
    """Where the value comes from, or `default: reason`; empty if no source is given."""


@dataclass(frozen=True)
class CheckReport:
    """Everything that `hw check` found."""

    errors: tuple[Problem, ...]
    """Problems for which a chip is refused."""
    warnings: tuple[Problem, ...]
    """Values that are legal, but unwise or without a source."""


def list_hardware() -> list[ChipSummary]:
    """The shipped chips, by name."""
    return [summary(read_hardware(path)) for path in shipped_files()]


def summary(chip: Chip) -> ChipSummary:
    """Size and balance of a chip.

    >>> edge = summary(read_hardware("edge_npu"))
    >>> edge.pes, edge.peak_gmac_s, edge.peak_gb_s, round(edge.macs_per_byte)
    (256, 256.0, 4.8, 53)
    """
    pes = chip.array.rows * chip.array.cols
    macs_per_s = pes * FS_PER_S / chip.core.period_fs
    config = chip.dram.config
    return ChipSummary(
        name=chip.name,
        description=chip.description,
        pes=pes,
        peak_gmac_s=round(macs_per_s / 1e9, 1),
        ifmap_kib=in_kib(chip.buffers.ifmap_bytes),
        weight_kib=in_kib(chip.buffers.weight_bytes),
        ofmap_kib=in_kib(chip.buffers.ofmap_bytes),
        shared_kib=in_kib(chip.buffers.shared_bytes),
        dram=f"{config.organisation.channels} x {config.name}",
        peak_gb_s=round(config.peak_gb_s, 6),
        macs_per_byte=macs_per_s / (config.peak_gb_s * 1e9),
    )


def show_hardware(chip: Chip) -> list[ShownKey]:
    """Every key of the resolved configuration, in the order of the schema."""
    values = {origin.key: origin for origin in chip.origins}
    return [
        ShownKey(
            facts.key, values[facts.key].value, facts.unit, facts.meaning, values[facts.key].source
        )
        for facts in leaves(HardwareFile)
        if facts.key in values
    ]


def check_hardware(name_or_path: str | Path) -> CheckReport:
    """Everything wrong or unwise in a file, at once. No content of a file makes it raise."""
    try:
        document = with_ini_text(read_document(name_or_path))
    except ConfigError as error:
        return CheckReport((Problem(error.where, error.problem, error.fix),), ())
    if problems := find(document):
        return CheckReport(tuple(problems), ())
    try:
        chip = resolve(document)
    except ConfigError as error:
        return CheckReport((Problem(error.where, error.problem, error.fix),), ())
    except AccelsimError as error:
        return CheckReport((Problem(document.where, str(error), ""),), ())
    return CheckReport((), tuple(advise(chip, document)))


def json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of hardware files: keys, bounds, units, meanings."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **HardwareFile.model_json_schema(),
    }
