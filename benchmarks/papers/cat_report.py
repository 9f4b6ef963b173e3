"""From trained points to rates, a table and the picture of the rate-accuracy curve.

All rates are bits per value over the seven maps that CAT codes, weighted by volume:

* entropy, huffman: of one histogram per map over all 10,000 test images, tables not counted;
* ans: words really written by constriction's AnsCoder (Bamler, arXiv:2201.01741), one static
  model per map fitted on training images, final state counted, for each test image;
* stream: accelsim's own Huffman blocks, each with its raw fallback, tables counted once for
  each image;
* fetched: the same blocks in whole DRAM bursts of the edge NPU, with the table of lengths.

The last three are means over 64 test images, whose own entropy is beside them.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import constriction
import numpy as np
import torch
from matplotlib.figure import Figure

from accelsim import read_hardware
from accelsim.codecs.base import CODECS, Codec, Word
from accelsim.codecs.measure import measure_map
from accelsim.codecs.rates import entropy_bits
from accelsim.mapping.placing.blocked import BlockedMap
from accelsim.mapping.stages.stage import StoredMap
from accelsim.report.style import LINE_COLOURS, MARKERS, save, styled
from accelsim.training.cat import CatNetwork
from accelsim.training.cat_training import restored
from accelsim.training.checkpoint import load_checkpoint
from accelsim.training.datasets import read_dataset
from accelsim.units import ceil_div

Row = dict[str, Any]
N_CALIBRATION, N_MEASURED = 256, 64
ANS_BITS = 24  # precision of constriction's models

# (entropy, Huffman) of ResNet-18 at 5 bits, read off figure 3a of the paper.
PAPER_HUFFMAN = [
    (0.975, 1.30), (1.04, 1.40), (1.11, 1.43), (1.28, 1.50), (1.36, 1.60), (1.41, 1.64),
    (1.52, 1.70), (1.75, 1.80),
]  # fmt: skip
# (bits per value, points of top-1 below the float network): table 1 and figures 2a and 3a.
PAPER_ACCURACY = {
    "ResNet-18, 5 bits": [(0.975, 2.0), (1.04, 1.9), (1.11, 1.5), (1.28, 0.8), (1.41, 0.6), (1.50, 0.5), (1.75, 0.2)],  # noqa: E501
    "ResNet-18, 4 bits": [(1.51, 1.62)],
    "ResNet-34, 4, 5, 8 bits": [(1.79, 0.2), (2.00, 0.1), (2.75, 0.1)],
}  # fmt: skip
GOALS = ((1.75, 0.5), (1.5, 0.5), (1.45, 0.9))
"""(bits per value of entropy, points below float), at 5 bits, medians over the seeds."""


def rows_of(folder: Path) -> list[Row]:
    """One row for each finished point in ``folder``, measured."""
    train, test = (read_dataset("fashion_mnist", half) for half in ("train", "test"))
    rows = []
    for path in sorted(folder.glob("b*_lambda*_seed*.pt")):
        checkpoint = load_checkpoint(path)
        if not checkpoint.finished:
            continue
        network = restored(checkpoint, str(path))
        calibration = _levels(network, train.images[:N_CALIBRATION])
        measured = _levels(network, test.images[:N_MEASURED])
        figures = checkpoint.figures
        rows.append(
            {
                "bits": checkpoint.recipe["bits"],
                "lambda": checkpoint.recipe["rate_weight"],
                "seed": checkpoint.recipe["seed"],
                "float_top1": figures["float_top1"],
                "top1": figures["top1"],
                "entropy": figures["entropy_bits"],
                "huffman": figures["huffman_bits"],
                **_rates(calibration, measured, checkpoint.recipe["bits"]),
                "zeros": figures["zeros"],
            }
        )
        print(f"measured {path.stem}", flush=True)
    return rows


def _levels(network: torch.nn.Module, images: np.ndarray) -> list[np.ndarray]:
    """The stored integers of each coded map: uint8 [n, channels, rows, cols]."""
    assert isinstance(network, CatNetwork)
    found: list[np.ndarray] = []
    hooks = [
        q.register_forward_pre_hook(lambda m, x: found.append(m.levels(x[0]).numpy()))
        for q in network.quantisers.values()
    ]
    with torch.no_grad():
        network(torch.tensor(images).float() / 255)
    for hook in hooks:
        hook.remove()
    return found


def _rates(calibration: list[np.ndarray], measured: list[np.ndarray], bits: int) -> Row:
    chip = read_hardware("edge_npu", ["codec.name=huffman"])
    line_bytes = chip.dram.config.line_bytes
    word = Word(bits)
    ans = stream = fetched = n_values = 0
    entropy = 0.0
    for known, maps in zip(calibration, measured, strict=True):
        counts = np.bincount(known.ravel(), minlength=1 << bits)
        model = constriction.stream.model.Categorical(
            ((counts + 0.5) / (counts + 0.5).sum()).astype(np.float32), perfect=False
        )
        codec: Codec = CODECS["huffman"].for_network(word).fit(known, every_symbol=True)
        entropy += entropy_bits(np.bincount(maps.ravel()))
        for values in maps:
            coder = constriction.stream.stack.AnsCoder()
            coder.encode_reverse(values.ravel().astype(np.int32), model)
            ans += coder.num_bits()
            stats = measure_map(values, codec, chip.codec.block, chip.codec.scan)
            stream += int(stats.as_stored(line_bytes).bits.sum()) + stats.table_bits
            stored = StoredMap("map", 0, *values.shape, bits, False)
            placed = BlockedMap(stored, chip.codec.block, stats.blocks, 0, line_bytes, None)
            code_table_lines = ceil_div(stats.table_bits, 8 * line_bytes)
            n_lines = int(placed.n_lines.sum()) + placed.table_lines + code_table_lines
            fetched += 8 * line_bytes * n_lines
            n_values += values.size
    return {
        "entropy_measured": entropy / n_values,
        "ans": ans / n_values,
        "stream": stream / n_values,
        "fetched": fetched / n_values,
    }


def medians(rows: list[Row]) -> list[Row]:
    """One row for each (bits, lambda): medians over the seeds, and their number."""
    found: dict[tuple[int, float], list[Row]] = {}
    for row in rows:
        found.setdefault((row["bits"], row["lambda"]), []).append(row)
    made = []
    for (bits, rate), group in sorted(found.items()):
        points = {
            key: float(np.median([row[key] for row in group]))
            for key in group[0]
            if key not in ("bits", "lambda", "seed")
        }
        drops = [100 * (row["float_top1"] - row["top1"]) for row in group]
        made.append(
            {"bits": bits, "lambda": rate, "seeds": len(group), **points}
            | {"drop": float(np.median(drops)), "drop_min": min(drops), "drop_max": max(drops)}
        )
    return made


def write(rows: list[Row], folder: Path) -> None:
    """``curve.csv`` with every run, ``curve.md`` with the medians, ``curve.png``."""
    with (folder / "curve.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    points = medians(rows)
    (folder / "curve.md").write_text(table(points) + "\n" + verdicts(points))
    with styled():
        save(_picture(points, rows), folder / "curve.png")


def table(points: list[Row]) -> str:
    """Medians as Markdown."""
    columns = (
        "top-1 %",
        "below float",
        "entropy",
        "Huffman",
        "ANS",
        "stream",
        "fetched",
        "zeros %",
    )
    lines = ["| bits | lambda | seeds | " + " | ".join(columns) + " |", "|---" * 11 + "|"]
    for p in points:
        rates = " | ".join(
            f"{p[k]:.3f}" for k in ("entropy", "huffman", "ans", "stream", "fetched")
        )
        lines.append(
            f"| {p['bits']} | {p['lambda']:g} | {p['seeds']} | {100 * p['top1']:.2f} | "
            f"{p['drop']:.2f} ({p['drop_min']:.2f} to {p['drop_max']:.2f}) | {rates} | "
            f"{100 * p['zeros']:.1f} |"
        )
    return "\n".join(lines) + "\n"


def verdicts(points: list[Row]) -> str:
    """Each goal, and the best point that reaches it."""
    lines = []
    for bits, drop in GOALS:
        near = [p for p in points if p["bits"] == 5 and p["seeds"] >= 3 and p["entropy"] <= bits]
        best = min(near, key=lambda p: p["drop"], default=None)
        text = "no point yet"
        if best is not None:
            met = "met" if best["drop"] <= drop else "NOT met"
            text = (
                f"{met}: {best['entropy']:.2f} bits, {best['drop']:.2f} points below "
                f"(lambda {best['lambda']:g})"
            )
        lines.append(f"- at most {bits} bits/value within {drop} point of float: {text}")
    return "\n".join(lines) + "\n"


def _picture(points: list[Row], rows: list[Row]) -> Figure:
    figure = Figure(figsize=(11, 4.6), layout="constrained")
    accuracy, rates = figure.subplots(1, 2)
    for bits, colour, marker in zip((5, 4, 8), LINE_COLOURS, MARKERS, strict=False):
        chosen = sorted((p for p in points if p["bits"] == bits), key=lambda p: p["entropy"])
        if not chosen:
            continue
        x, y = [p["entropy"] for p in chosen], [-p["drop"] for p in chosen]
        spread = [
            [p["drop_max"] - p["drop"] for p in chosen],
            [p["drop"] - p["drop_min"] for p in chosen],
        ]
        accuracy.errorbar(x, y, spread, color=colour, marker=marker, capsize=2, lw=1.4,
                          label=f"ours, {bits} bits")  # fmt: skip
        if bits == 5:
            for p in chosen:
                accuracy.annotate(f"{p['lambda']:g}", (p["entropy"], -p["drop"]), xytext=(3, -11),
                                  textcoords="offset points", fontsize=7, color=colour)  # fmt: skip
    for (name, known), marker in zip(PAPER_ACCURACY.items(), ("o", "s", "^"), strict=True):
        accuracy.plot(*zip(*((b, -d) for b, d in known), strict=True), marker, color="#999999",
                      mfc="none", label=f"paper, {name} (ImageNet)")  # fmt: skip
    accuracy.axhline(0, color="#444444", lw=0.8, ls="--")
    accuracy.set_title("Accuracy against entropy (labels: lambda)")
    accuracy.set_xlabel("entropy, bits per value")
    accuracy.set_ylabel("top-1, points above the float network")
    accuracy.legend(loc="lower right")

    five = sorted((p for p in points if p["bits"] == 5), key=lambda p: p["entropy"])
    for key, colour, marker in zip(
        ("fetched", "stream", "huffman", "ans"), LINE_COLOURS[1:], MARKERS[1:], strict=False
    ):
        names = {"huffman": "Huffman", "ans": "ANS, static model"}
        base = "entropy" if key == "huffman" else "entropy_measured"
        over = [p[key] - p[base] for p in five]
        rates.plot([p["entropy"] for p in five], over, color=colour, marker=marker,
                   label=names.get(key, key))  # fmt: skip
    rates.plot(*zip(*((e, h - e) for e, h in PAPER_HUFFMAN), strict=True), "D", color="#999999",
               mfc="none", label="paper, Huffman, ResNet-18")  # fmt: skip
    rates.axhline(0, color="#444444", lw=0.8, ls="--")
    rates.set_title("What coders and memory add, 5 bits")
    rates.set_xlabel("entropy, bits per value")
    rates.set_ylabel("bits per value above entropy")
    rates.legend(loc="upper right")
    seeds = len({row["seed"] for row in rows})
    figure.suptitle("CAT on Fashion-MNIST, ResNet-8", x=0.01, ha="left", fontweight="bold")
    figure.supxlabel(
        f"Source: benchmarks/papers/cat_curve.py, {len(rows)} runs; medians over up to {seeds} "
        "seeds, bars: all seeds. Paper: Baskin et al., JMLR 22 (2021), read off its figures.",
        x=0.01, ha="left", fontsize=7.5, color="#666666",
    )  # fmt: skip
    return figure
