"""Several runs on one machine, ranked, with the baseline of their ratios.

The runs differ in the codec, and possibly in the trace: the same network trained in other ways.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from accelsim.results.accuracy import accuracy_line, top1
from accelsim.results.figures import Totals
from accelsim.results.number_text import column, number, percent, ratio
from accelsim.results.result import Result
from accelsim.results.run_tables import on_pins, rates
from accelsim.results.table import Column, Table

Ranking: TypeAlias = Literal["energy", "throughput", "dram", "area"]


def rank(results: Mapping[str, Result], by: Ranking = "energy") -> list[str]:
    """Names of the results, best first; ties are sorted by name."""
    return sorted(results, key=lambda name: (_cost(results[name], by), name))


def _cost(result: Result, by: Ranking) -> float:
    totals = result.totals
    match by:
        case "area":
            return result.codec_area_kge
        case "energy":
            return totals.energy_pj["total"]
        case "throughput":
            return -speed(totals)
        case "dram":
            return totals.dram.fetched_bytes


def run_name(trace: str, codec: str, n_traces: int) -> str:
    """The name of a run: its codec, preceded by its trace if there are several."""
    return codec if n_traces == 1 else f"{trace} {codec}"


def baseline_of(results: Mapping[str, Result]) -> str:
    """The result that ratios refer to: the first ``raw`` one, otherwise the first."""
    raw = (name for name in results if name == "raw" or name.endswith(" raw"))
    return next(raw, next(iter(results)))


def traces_of(results: Mapping[str, Result]) -> list[str]:
    """The traces of the runs, in the order given."""
    return list(dict.fromkeys(result.trace for result in results.values()))


def warnings_of(results: Mapping[str, Result]) -> tuple[str, ...]:
    """Each warning once, with the runs that it concerns unless it concerns all."""
    concerned: dict[str, list[str]] = {}
    for name, result in results.items():
        for text in result.warnings:
            concerned.setdefault(text, []).append(name)
    return tuple(
        text if len(names) == len(results) else f"{text} ({', '.join(names)})"
        for text, names in concerned.items()
    )


def speed(totals: Totals) -> float:
    """Images per second: steady state, or cold when there is one image only."""
    return totals.images_per_second or totals.images_per_second_cold


def energy_per_image_uj(result: Result) -> float:
    """Energy of one image, in microjoules."""
    return result.totals.energy_pj["total"] / result.images / 1e6


def compare_table(results: Mapping[str, Result], mapping: str, by: Ranking = "energy") -> Table:
    """One row per run, best first. Ratios above 1 are gains over the baseline."""
    base_name = baseline_of(results)
    base = results[base_name].totals
    first = results[base_name]
    names = rank(results, by)
    each = [results[name].totals for name in names]
    images = [results[name].images for name in names]
    shown = [f"{name}*" if results[name].reconstruction else name for name in names]
    columns = (
        shown,
        column([t.energy_pj["total"] / 1e6 / n for t, n in zip(each, images, strict=True)]),
        [ratio(base.energy_pj["total"], t.energy_pj["total"]) for t in each],
        column([speed(t) for t in each]),
        [ratio(speed(t), speed(base)) for t in each],
        column([t.dram.fetched_bytes / 1e6 / n for t, n in zip(each, images, strict=True)]),
        [ratio(base.dram.fetched_bytes, t.dram.fetched_bytes) for t in each],
        column([results[name].codec_area_kge for name in names]),
        [number(t.bandwidth_gb_s) for t in each],
        [percent(t.utilization) for t in each],
        *zip(*(on_pins(t) for t in each), strict=True),
        *zip(*(rates(t.bits_per_value) for t in each), strict=True),
    )
    traces = traces_of(results)
    if len(traces) > 1:
        columns = (shown, [top1(results[name].accuracy) for name in names], *columns[1:])
        accuracies: tuple[str, ...] = ()
    else:
        line = accuracy_line(first.accuracy)
        accuracies = (line,) if line else ()
    plans = "each codec with its own best tiling" if mapping == "replan" else "one tiling for all"
    rebuilt = any(result.reconstruction for result in results.values())
    lossy = [name for name, result in results.items() if not result.closed_loop]
    return Table(
        title=f"{', '.join(traces)} on {first.hardware}, best {by} first",
        columns=(
            Column("codec" if len(traces) == 1 else "trace and codec", is_text=True),
            *((Column("top-1", "%"),) if len(traces) > 1 else ()),
            Column("energy", "uJ/img"),
            Column("gain", "x"),
            Column("speed", "img/s"),
            Column("gain", "x"),
            Column("DRAM", "MB/img"),
            Column("gain", "x"),
            Column("codec", "kGE"),
            Column("rate", "GB/s"),
            Column("use", "%"),
            Column("costly", "%"),
            Column("toggle", "%"),
            Column("entropy", "b/value"),
            Column("huffman", "b/value"),
            Column("stream", "b/value"),
            Column("fetched", "b/value"),
        ),
        rows=tuple(zip(*columns, strict=True)),
        footer=(
            f"gain = factor by which it is better than {base_name}; mapping: {plans}; "
            f"{first.images} image{'s' * (first.images != 1)}, "
            + ("steady state" if base.images_per_second else "cold start"),
            *accuracies,
            "costly, toggle = bits at the level that draws current on the memory's pins, and "
            "changes of level, per 100 bits moved",
            *(
                f"{name}: lossy, changes its maps by {percent(results[name].codec_error)} % (rms); "
                "the effect on later maps and on accuracy is not shown"
                for name in lossy
            ),
            *(("* reconstruction: only an abstract was available",) if rebuilt else ()),
        ),
    )
