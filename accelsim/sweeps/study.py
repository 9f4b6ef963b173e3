"""Study files: which keys of a chip to vary, checked completely before anything runs.

::

    hardware: edge_npu
    trace: squeezenet1_1
    images: 1
    set: {energy.mode: typical}
    vary:
      codec.name: [raw, zvc]
    linked:
      - buffers.ifmap_kib: [32, 64]
        buffers.weight_kib: [32, 64]

``vary`` is a grid: every value of each key is combined with every value of the others. The keys
of one entry of ``linked`` move together: they are one axis of the grid.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from accelsim.data_files import shipped
from accelsim.errors import ConfigError, nearest, shortened
from accelsim.hardware.yaml_file import parse_mapping, read_text

MAX_POINTS = 100_000

Overrides = dict[str, object]


@dataclass(frozen=True)
class StudyAxis:
    """One axis of the grid: keys that move together, and their values at each step."""

    keys: tuple[str, ...]
    steps: tuple[tuple[object, ...], ...]


@dataclass(frozen=True)
class Study:
    """A checked study file. Names and paths are as written, relative to ``folder``."""

    name: str
    folder: Path
    hardware: str
    trace: str
    images: int
    fixed: Overrides
    axes: tuple[StudyAxis, ...]

    @property
    def n_points(self) -> int:
        n = 1
        for axis in self.axes:
            n *= len(axis.steps)
        return n

    def grid(self) -> list[Overrides]:
        """The overrides of every point; the last axis varies fastest."""
        return [
            {
                **self.fixed,
                **{
                    key: value
                    for axis, step in zip(self.axes, steps, strict=True)
                    for key, value in zip(axis.keys, step, strict=True)
                },
            }
            for steps in product(*(axis.steps for axis in self.axes))
        ]

    def find(self, name: str) -> str:
        """A file named in the study, relative to the study file if it exists there."""
        beside = self.folder / name
        return str(beside) if beside.is_file() else name


def find_study(name_or_path: str | Path) -> Path:
    """A study file, or a shipped one by name. Raises ``ConfigError``.

    >>> find_study("buffers").name
    'buffers.yaml'
    """
    path = Path(name_or_path)
    known = {file.stem: file for file in (shipped("hw_configs") / "studies").glob("*.yaml")}
    if path.is_file():
        return path
    if str(name_or_path) in known:
        return known[str(name_or_path)]
    raise ConfigError(
        str(path),
        f"no such study.{nearest(str(path), known)}",
        f"name a YAML file, or one of {', '.join(sorted(known))}",
    )


def read_study(path: Path) -> Study:
    """Read and check a study file; whether its keys exist is checked with its points.

    Raises ``ConfigError`` for the first problem, with its place and what is allowed.
    """
    from pydantic import ValidationError

    from accelsim.sweeps.study_schema import StudyFile

    where = str(path)
    values = parse_mapping(read_text(path), where)
    try:
        checked = StudyFile.model_validate(values)
    except ValidationError as error:
        raise _first_problem(where, error.errors()[0], list(StudyFile.model_fields)) from None
    axes = [StudyAxis((key,), tuple((v,) for v in steps)) for key, steps in checked.vary.items()]
    for entry in checked.linked:
        lengths = {key: len(steps) for key, steps in entry.items()}
        if len(set(lengths.values())) != 1:
            said = ", ".join(f"{key} has {n}" for key, n in lengths.items())
            raise ConfigError(
                f"{where}: linked", f"lists of unequal length: {said}", "give each as many values"
            )
        axes.append(StudyAxis(tuple(entry), tuple(zip(*entry.values(), strict=True))))
    study = Study(
        name=path.stem,
        folder=path.parent,
        hardware=checked.hardware,
        trace=checked.trace,
        images=checked.images,
        fixed=checked.set,
        axes=tuple(axes),
    )
    _check_keys(where, study)
    return study


def _check_keys(where: str, study: Study) -> None:
    keys = [key for axis in study.axes for key in axis.keys] + list(study.fixed)
    for key, times in Counter(keys).items():
        if times > 1:
            raise ConfigError(where, f"{shortened(key)} is given twice", "name each key once")
    if study.n_points > MAX_POINTS:
        raise ConfigError(
            where, f"has {study.n_points:,} points", f"a study has at most {MAX_POINTS:,}"
        )


def _first_problem(where: str, error: Any, known: list[str]) -> ConfigError:
    key = ".".join(shortened(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        return ConfigError(
            where,
            f"unknown key {key!r}.{nearest(key, known)}",
            f"keys of a study: {', '.join(known)}",
        )
    if error["type"] == "missing":
        return ConfigError(where, f"has no {key!r}", f"keys of a study: {', '.join(known)}")
    return ConfigError(f"{where}: {key}", error["msg"].lower(), "see docs/sweeps.md")
