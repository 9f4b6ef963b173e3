"""What compression-aware training starts from: a float checkpoint, and its accuracy here."""

from __future__ import annotations

import torch
from torch import nn

from accelsim.errors import UserError
from accelsim.training.cat_training import restored
from accelsim.training.checkpoint import Checkpoint
from accelsim.training.datasets import LabelledImages
from accelsim.training.digests import data_digest
from accelsim.training.evaluate import evaluate


def start_from(
    trained: Checkpoint, where: str, train: LabelledImages, test: LabelledImages
) -> tuple[nn.Module, float]:
    """The float network of a checkpoint, and its accuracy on these test images.

    Raises ``UserError`` when it is not a trained float network for such images.
    """
    mend = "start from a trained float network for this data set"
    if trained.kind != "float":
        raise UserError(where, f"is a {trained.kind} checkpoint", mend)
    if not trained.finished:
        raise UserError(
            where, f"its training stopped at step {trained.step} of {trained.n_steps}", mend
        )
    wanted = list(train.images.shape[1:]), train.n_classes
    if (trained.input_shape, trained.n_classes) != wanted:
        raise UserError(
            where,
            f"is for images of {trained.input_shape} in {trained.n_classes} classes, and these are "
            f"{wanted[0]} in {wanted[1]}",
            mend,
        )
    network = restored(trained, where)
    if trained.inputs.get("test images") == data_digest(test):
        return network, trained.figures["top1"]
    return network, evaluate(network, test, torch.device("cpu")).accuracy
