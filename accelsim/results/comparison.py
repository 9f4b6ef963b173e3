"""Several runs on one machine: a mapping of results that prints as a ranked table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from accelsim.results.flat import Cell, flat_totals, flatten, in_a_cell
from accelsim.results.ranking import (
    Ranking,
    baseline_of,
    compare_table,
    energy_per_image_uj,
    speed,
    traces_of,
)
from accelsim.results.result import Result
from accelsim.results.table import Table

MappingRule = Literal["replan", "fixed"]


@dataclass(frozen=True, repr=False)
class Comparison(Mapping[str, Result]):
    """Results by name, in the order in which they were asked for.

    ``print`` shows the ranked table, and so does a notebook.
    """

    results: Mapping[str, Result]
    mapping: MappingRule
    """Each run with its own best tiling, or one tiling for all."""

    def __getitem__(self, name: str) -> Result:
        return self.results[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.results)

    def __len__(self) -> int:
        return len(self.results)

    def __repr__(self) -> str:
        if not self.results:
            return "<Comparison of nothing>"
        hardware = next(iter(self.results.values())).hardware
        names = ", ".join(self.results)
        return f"<Comparison of {names}: {', '.join(traces_of(self.results))} on {hardware}>"

    def __str__(self) -> str:
        return self.table().plain()

    def _repr_html_(self) -> str:
        return self.table().html()

    def table(self, by: Ranking = "energy") -> Table:
        """One row per run, best first, with gains over the baseline."""
        return compare_table(self.results, self.mapping, by)

    def rows(self) -> list[dict[str, Cell]]:
        """One row of plain values per run, in the order given: what ``compare.csv`` holds.

        ``gain.*`` is the factor by which a run is better than ``baseline``.
        """
        base_name = baseline_of(self.results)
        base = self.results[base_name]
        return [
            {
                "trace": result.trace,
                "codec": result.codec,
                "baseline": base_name,
                "energy_per_image_uj": energy_per_image_uj(result),
                "gain.energy": _gain(energy_per_image_uj(base), energy_per_image_uj(result)),
                "gain.speed": _gain(speed(result.totals), speed(base.totals)),
                "gain.dram": _gain(
                    base.totals.dram.fetched_bytes, result.totals.dram.fetched_bytes
                ),
                "codec_area_kge": result.codec_area_kge,
                "closed_loop": result.closed_loop,
                "codec_error": result.codec_error,
                "reconstruction": result.reconstruction,
                **flatten({"accuracy": result.accuracy}),
                **flat_totals(result.totals),
                "warnings": in_a_cell(result.warnings),
            }
            for result in self.results.values()
        ]


def _gain(numerator: float, denominator: float) -> float | None:
    return numerator / denominator if denominator else None
