"""The rate-accuracy curve of CAT on Fashion-MNIST: trains every point, or goes on with it.

    python benchmarks/papers/cat_curve.py train [FOLDER] [--seeds 0,1,2]
    python benchmarks/papers/cat_curve.py report [FOLDER]

``train`` takes about two hours of one quiet core (two processes with different --seeds may
share the work), stops at any time, and goes on where it was. ``report`` takes what is there,
writes ``curve.csv`` and ``curve.png``, and holds the figures against the goals and the paper
(Baskin et al., "CAT: Compression-Aware Training for Bandwidth Reduction", JMLR 22, 2021).
``cat_curve.csv`` beside this file holds the runs behind ``docs/training.md``.

Protocol: no step of a run looks at the test set, and the last step is reported. But the
settings (lambdas, lengths, distillation) were chosen by people who had seen test accuracies of
earlier runs. Per seed one float network, from which all quantised ones start.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from cat_report import rows_of, write

from accelsim.training.cat_training import Task, restored, train_cat, train_float
from accelsim.training.checkpoint import Checkpoint
from accelsim.training.datasets import read_dataset
from accelsim.training.loop import Progress
from accelsim.training.recipe import CatRecipe, Recipe

FLOAT = Recipe(epochs=10)
LAMBDAS = (0.07, 0.1, 0.08, 0.05, 0.2, 0.0, 0.03)
"""At 5 bits, three seeds; those that the goals are about come first."""
OTHER_BITS = ((4, 0.07), (8, 0.07), (4, 0.03), (8, 0.15))
"""(bits, lambda), one seed."""


@dataclass(frozen=True)
class Point:
    """One training run."""

    bits: int
    rate_weight: float
    seed: int

    @property
    def name(self) -> str:
        return f"b{self.bits}_lambda{self.rate_weight:g}_seed{self.seed}"

    @property
    def recipe(self) -> CatRecipe:
        return CatRecipe(
            epochs=2.0,
            bits=self.bits,
            rate_weight=self.rate_weight,
            distillation=0.5,
            seed=self.seed,
        )


def points(seeds: list[int]) -> list[Point]:
    """All points of these seeds, the important ones first."""
    found = [Point(5, rate_weight, seed) for rate_weight in LAMBDAS for seed in seeds]
    if 0 in seeds:
        found[len(seeds) * 7 :] = [Point(bits, rate, 0) for bits, rate in OTHER_BITS]
    return found


def train(folder: Path, seeds: list[int]) -> None:
    """Every point that is not there yet."""
    folder.mkdir(parents=True, exist_ok=True)
    halves = [read_dataset("fashion_mnist", half) for half in ("train", "test")]
    floats: dict[int, Checkpoint] = {}
    for point in points(seeds):
        seed = point.seed
        path = folder / f"float_seed{seed}.pt"
        if seed not in floats:
            recipe = Recipe(epochs=FLOAT.epochs, seed=seed)
            task = Task("resnet8", *halves, path)
            floats[seed] = train_float(task, recipe, report=_clock(path.stem))
            print(f"{path.stem}: {floats[seed].figures}", flush=True)
        network = restored(floats[seed], str(path))
        task = Task("resnet8", *halves, folder / f"{point.name}.pt")
        float_accuracy = floats[seed].figures["top1"]
        found = train_cat(task, point.recipe, network, float_accuracy, _clock(point.name))
        print(f"{point.name}: {found.figures}", flush=True)


def _clock(name: str):
    start = time.perf_counter()

    def show(progress: Progress) -> None:
        if progress.step % 100 == 0:
            seconds = time.perf_counter() - start
            print(f"  {name} {progress.step}/{progress.n_steps} {seconds:.0f} s", file=sys.stderr)

    return show


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("action", choices=("train", "report"))
    parser.add_argument("folder", nargs="?", type=Path, default=Path("results/cat_curve"))
    parser.add_argument("--seeds", default="0,1,2")
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.action == "train":
        train(options.folder, [int(seed) for seed in options.seeds.split(",")])
        return
    rows = rows_of(options.folder)
    if not rows:
        sys.exit(f"{options.folder}: no finished point; train some first")
    write(rows, options.folder)
    print((options.folder / "curve.md").read_text())


if __name__ == "__main__":
    main()
