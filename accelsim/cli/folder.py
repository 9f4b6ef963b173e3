"""What ``--out DIR`` holds: each file is complete or absent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

from accelsim.codecs.measure_file import ArrayMeasure
from accelsim.energy.dram_character import Character
from accelsim.results.codec_tables import arrays_table, measured_table
from accelsim.results.comparison import Comparison
from accelsim.results.dram_tables import loads_table, patterns_table
from accelsim.results.files import replacing, writable_folder
from accelsim.results.flat import flat_layers, flat_totals, in_a_cell, write_csv
from accelsim.results.io_tables import ByMemory, io_table
from accelsim.results.json_form import dumps, totals_dict, write_result
from accelsim.results.ranking import Ranking, traces_of, warnings_of
from accelsim.results.result import Result
from accelsim.results.table import Table
from accelsim.version import __version__

RUN_FILES: Final = ("result.json", "table.txt", "layers.csv", "plot.png")


def write_run(result: Result, folder: Path) -> None:
    """``RUN_FILES``."""
    from accelsim.report.run_plot import plot_run

    writable_folder(folder)
    write_result(result, folder / "result.json")
    _write_tables(result.tables(), folder / "table.txt", result.warnings)
    write_csv(flat_layers(result), folder / "layers.csv")
    plot_run(result, folder / "plot.png")


def write_comparison(results: Comparison, folder: Path, by: Ranking) -> None:
    """result.json, table.txt, compare.csv, plot.png, pareto.png, and runs/CODEC.json per run."""
    from accelsim.report.compare_plot import plot_comparison
    from accelsim.report.pareto_plot import Mark, plot_pareto

    writable_folder(folder / "runs")
    for name, result in results.items():
        write_result(result, folder / "runs" / _file_name(name))
    with replacing(folder / "result.json") as unfinished:
        unfinished.write_text(comparison_json(results, results.mapping), encoding="utf-8")
    _write_tables([results.table(by)], folder / "table.txt", warnings_of(results))
    write_csv(results.rows(), folder / "compare.csv")
    plot_comparison(results, folder / "plot.png", results.mapping, by)
    marks = {"": [Mark(name, name, result) for name, result in results.items()]}
    first = next(iter(results.values()))
    title = f"Energy against speed and area: {', '.join(traces_of(results))} on {first.hardware}"
    plot_pareto(marks, folder / "pareto.png", title)


def write_io(by_memory: ByMemory, folder: Path) -> None:
    """result.json, table.txt, io.csv with a row for each memory and codec, and plot.png."""
    from accelsim.report.io_plot import plot_io

    writable_folder(folder)
    with replacing(folder / "result.json") as unfinished:
        unfinished.write_text(io_json(by_memory), encoding="utf-8")
    warnings = [text for results in by_memory.values() for text in warnings_of(results)]
    _write_tables([io_table(by_memory)], folder / "table.txt", warnings)
    rows = [
        {
            "memory": memory,
            "codec": codec,
            "codec_area_kge": result.codec_area_kge,
            **flat_totals(result.totals),
            "warnings": in_a_cell(result.warnings),
        }
        for memory, results in by_memory.items()
        for codec, result in results.items()
    ]
    write_csv(rows, folder / "io.csv")
    plot_io(by_memory, folder / "plot.png")


def io_json(by_memory: ByMemory) -> str:
    """``{"memories": {NAME: ...}}``, each what ``accelsim compare --json`` gives."""
    compared = {memory: _comparison(found, "replan") for memory, found in by_memory.items()}
    return dumps({"memories": compared})


def write_measures(
    file: str, measures: Mapping[str, Mapping[str, ArrayMeasure]], folder: Path
) -> None:
    """measures.csv with a row for each codec and array, table.txt and plot.png."""
    from accelsim.report.measure_plot import plot_measures

    writable_folder(folder)
    rows = [
        {"codec": codec, "array": array, **asdict(measure)}
        for codec, found in measures.items()
        for array, measure in found.items()
    ]
    write_csv(rows, folder / "measures.csv")
    tables = [arrays_table(file, codec, found) for codec, found in measures.items()]
    _write_tables([measured_table(file, measures), *tables], folder / "table.txt")
    source = f"Source: accelsim {__version__}, {file}; tables fitted on each array itself."
    plot_measures(measures, folder / "plot.png", source)


def write_character(character: Character, folder: Path, source: str) -> None:
    """character.json, table.txt and plot.png of a memory."""
    from accelsim.report.dram_plot import plot_character

    writable_folder(folder)
    with replacing(folder / "character.json") as unfinished:
        unfinished.write_text(dumps(asdict(character)), encoding="utf-8")
    _write_tables([patterns_table(character), loads_table(character)], folder / "table.txt")
    plot_character(character, folder / "plot.png", source)


def comparison_json(results: Mapping[str, Result], mapping: str) -> str:
    """``{"codecs": {NAME: T}}`` and what was compared; for several traces a list of these."""
    parts = [
        {result.codec: result for result in results.values() if result.trace == trace}
        for trace in traces_of(results)
    ]
    if len(parts) == 1:
        return dumps(_comparison(results, mapping))
    return dumps({"traces": [_comparison(part, mapping) for part in parts]})


def _comparison(results: Mapping[str, Result], mapping: str) -> dict[str, object]:
    first = next(iter(results.values()))
    return {
        "hardware": first.hardware,
        "trace": first.trace,
        "accuracy": first.accuracy,
        "images": first.images,
        "mapping": mapping,
        "codecs": {name: totals_dict(result.totals) for name, result in results.items()},
        "closed_loop": {name: result.closed_loop for name, result in results.items()},
        "reconstruction": {name: result.reconstruction for name, result in results.items()},
        "codec_error": {name: result.codec_error for name, result in results.items()},
        "codec_area_kge": {name: result.codec_area_kge for name, result in results.items()},
        "warnings": {name: list(result.warnings) for name, result in results.items()},
        "versions": first.versions,
        "inputs": first.inputs,
    }


def _file_name(run: str) -> str:
    return f"{run.replace(' ', '_').replace(':', '_')}.json"


def _write_tables(tables: Sequence[Table], path: Path, warnings: Sequence[str] = ()) -> None:
    blocks = [table.plain() for table in tables]
    if warnings:
        blocks.append("".join(f"warning: {text}\n" for text in dict.fromkeys(warnings)))
    with replacing(path) as unfinished:
        unfinished.write_text("\n".join(blocks), encoding="utf-8")
