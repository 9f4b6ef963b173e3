"""The points of a study: every chip resolved and checked before the first one runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from accelsim.errors import ConfigError, UserError
from accelsim.hardware.chip import Chip
from accelsim.hardware.read import chip_from_document, read_document
from accelsim.results.json_form import config_sha256
from accelsim.sweeps.study import Overrides, Study


@dataclass(frozen=True)
class Point:
    """One design point. ``key`` identifies its result: equal keys mean equal results."""

    index: int
    overrides: Overrides
    chip: Chip
    images: int
    key: str


def make_points(
    study: Study, trace_sha256: str, versions: Callable[[Mapping[str, Any]], Mapping[str, str]]
) -> list[Point]:
    """The points of ``study`` in the order of its grid.

    The key is a hash of the resolved configuration, the trace, the number of images and the
    versions of everything that affects numbers, so a newer program, or a newer package of an
    outside codec, runs old points again. ``versions`` returns the versions for a resolved
    configuration. Raises ``ConfigError`` that names the first point without a valid chip.
    """
    document = read_document(study.find(study.hardware))
    points = []
    for index, overrides in enumerate(study.grid()):
        try:
            chip = chip_from_document(document, overrides)
        except UserError as error:
            place = ", ".join(f"{key}={value}" for key, value in overrides.items())
            raise ConfigError(
                f"study {study.name}, point {index} ({place}): {error.where}",
                error.problem,
                error.fix,
            ) from None
        what = {
            "config": chip.resolved,
            "trace": trace_sha256,
            "images": study.images,
            "versions": dict(versions(chip.resolved)),
        }
        points.append(Point(index, overrides, chip, study.images, config_sha256(what)))
    return points
