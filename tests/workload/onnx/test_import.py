"""The command: a trace that holds what the runtime computes, or one message and code 2."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnxruntime", reason="needs the [onnx] extra")

from onnx import ModelProto, TensorProto

from accelsim.cli.app import main
from accelsim.workload.importers.onnx import import_network
from accelsim.workload.replay import replay
from accelsim.workload.trace_file import read_trace
from tests.workload.onnx.graphs import (
    image,
    model,
    node,
    runtime,
    saved,
    vector,
    weights,
)


def classifier(shape: tuple[Any, ...] = ("n", 3, 8, 8), **options: Any) -> ModelProto:
    nodes = [
        node("Conv", "x w b", "c", pads=[1, 1, 1, 1]),
        node("Relu", "c", "r"),
        node("GlobalAveragePool", "r", "g"),
        node("Flatten", "g", "f"),
        node("Gemm", "f m", "y"),
    ]
    constants = {"w": weights(6, 3, 3, 3), "b": vector(6), "m": weights(6, 4)}
    return model(nodes, constants, shape, **options)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    saved(classifier(), tmp_path / "net.onnx")
    np.save(tmp_path / "x.npy", image(6, 3, 8, 8))
    return tmp_path


def call(folder: Path, *options: str, net: str = "net.onnx", inputs: str = "x.npy") -> int:
    command = ["trace", "import", str(folder / net), "--inputs", str(folder / inputs)]
    return main([*command, "--out", str(folder / "t.h5"), *options])


def test_maps_follow_the_runtimes_to_within_their_steps(folder: Path) -> None:
    assert call(folder) == 0
    made, x = classifier(), np.load(folder / "x.npy")
    made.ParseFromString((folder / "net.onnx").read_bytes())
    with read_trace(folder / "t.h5") as trace:
        assert trace.facts.n_images == 4
        assert trace.facts.accuracy["output_error"] < 0.02
        assert trace.facts.provenance["images"] == "the first 4 of x.npy"
        edge = trace.graph.edge["c"]
        for i in range(4):
            (expected,) = runtime(made, x[i : i + 1], "r")
            real = trace.values("c", i) * edge.scale
            # The largest error: half a step of the map, and that of the image and the weights.
            assert np.abs(real - expected[0]).max() < 4 * edge.scale
        found = replay(trace.graph, trace.constants(), {"input": trace.values("input", 2)})
        np.testing.assert_array_equal(found["y"], trace.values("y", 2))


def test_labels_give_accuracy_and_pre_activations_are_stored(folder: Path) -> None:
    x = np.load(folder / "x.npy")
    made = ModelProto.FromString((folder / "net.onnx").read_bytes())
    right = np.array([runtime(made, each[None])[0].argmax() for each in x])
    np.save(folder / "labels.npy", right)
    labels = ("--labels", str(folder / "labels.npy"))
    assert call(folder, *labels, "--images", "2", "--pre-activations") == 0
    with read_trace(folder / "t.h5") as trace:
        assert trace.facts.n_images == 2 and trace.facts.accuracy["float_top1"] == 1
        assert trace.facts.accuracy["n_images"] == 6
        assert trace.pre_activations("c", 0).min() < 0


def test_pixels_are_stored_as_pixels(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pixels = np.random.default_rng(2).integers(0, 256, (3, 3, 8, 8)).astype(np.uint8)
    np.save(folder / "p.npy", pixels)
    assert call(folder, inputs="p.npy") == 2
    assert "give --mean and --std" in capsys.readouterr().err
    assert call(folder, "--mean", "128", "--std", "64", inputs="p.npy") == 0
    with read_trace(folder / "t.h5") as trace:
        np.testing.assert_array_equal(trace.values("input", 1), pixels[1])
        assert trace.graph.edge["input"].zero_point == 128


def test_whole_numbers_of_a_float_array_are_pixels(folder: Path) -> None:
    pixels = np.random.default_rng(2).integers(0, 256, (3, 3, 8, 8))
    np.save(folder / "p.npy", pixels.astype("f4"))
    assert call(folder, inputs="p.npy") == 0
    with read_trace(folder / "t.h5") as trace:
        np.testing.assert_array_equal(trace.values("input", 2), pixels[2])


def test_a_folder_of_pictures_is_cut_to_size(folder: Path) -> None:
    pillow = pytest.importorskip("PIL.Image")
    (folder / "pictures").mkdir()
    for i in range(2):
        pixels = np.random.default_rng(i).integers(0, 256, (20, 30, 3)).astype(np.uint8)
        pillow.fromarray(pixels).save(folder / "pictures" / f"{i}.png")
    saved(classifier((1, 3, "h", "w")), folder / "open.onnx")
    scales = ("--mean", "120,110,100", "--std", "60")
    assert call(folder, *scales, net="open.onnx", inputs="pictures") == 2  # of which size?
    assert call(folder, *scales, "--size", "8x10", net="open.onnx", inputs="pictures") == 0
    with read_trace(folder / "t.h5") as trace:
        assert trace.graph.edge["input"].shape == (3, 8, 10) and trace.facts.n_images == 2


def test_a_single_array_without_an_axis_of_images_is_one_image(folder: Path) -> None:
    np.save(folder / "one.npy", image(3, 8, 8))
    assert call(folder, inputs="one.npy") == 0
    with read_trace(folder / "t.h5") as trace:
        assert trace.facts.n_images == 1


def test_a_network_may_end_at_any_tensor(folder: Path) -> None:
    assert call(folder, "--output", "g") == 0
    with read_trace(folder / "t.h5") as trace:
        assert [x.name for x in trace.graph.layers] == ["c", "g"]


def test_layers_that_compute_something_else_than_the_file_are_noticed(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    taken = import_network.onnx_network

    def wrong(*given: Any, **options: Any) -> Any:
        found = taken(*given, **options)
        found.network.weights["c"][0] *= 1.5
        return found

    monkeypatch.setattr(import_network, "onnx_network", wrong)
    assert call(folder) == 2
    assert "its layers miss what the network itself computes for 'y' by" in capsys.readouterr().err
    assert not (folder / "t.h5").exists()


PROBLEMS: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "no such file": ({"net": "absent.onnx"}, ()),
    "no such file or folder": ({"inputs": "absent.npy"}, ()),
    "holds no .npy and no image file": ({"inputs": "empty"}, ()),
    "ends in .onnx": ({"inputs": "net.onnx"}, ()),
    "has shape [6, 3, 8, 7], but an image of the network has [3, 8, 8]": (
        {"inputs": "narrow.npy"},
        (),
    ),
    "not finite numbers": ({"inputs": "nan.npy"}, ()),
    "is not a readable array": ({"inputs": "text.npy"}, ()),
    "holds float32 [3, 8, 8], but a.npy float64": ({"inputs": "mixed"}, ()),
    "has 2 numbers for 3 channels": ({}, ("--mean", "1,2")),
    "cannot be '1;2'": ({}, ("--mean", "1;2")),
    "is not positive": ({}, ("--std", "0")),
    "cannot be '8'": ({}, ("--size", "8")),
    "cannot be 0": ({}, ("--images", "0")),
    "for 6 images": ({}, ("--labels", "x.npy")),
    "reads float16": ({"net": "half.onnx"}, ()),
    "reads int64": ({"net": "int64.onnx"}, ()),
    "has shape [4, 3, 8, 8]": ({"net": "four.onnx"}, ()),
    "no operator makes 'q'": ({}, ("--output", "q")),
}


@pytest.mark.parametrize("problem", PROBLEMS)
def test_what_is_wrong_is_one_message(
    problem: str, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    (folder / "empty").mkdir()
    (folder / "mixed").mkdir()
    np.save(folder / "narrow.npy", image(6, 3, 8, 7))
    np.save(folder / "nan.npy", np.full((1, 3, 8, 8), np.nan))
    (folder / "text.npy").write_text("no array")
    np.save(folder / "mixed" / "a.npy", image(1, 3, 8, 8).astype("f8"))
    np.save(folder / "mixed" / "b.npy", image(2, 3, 8, 8))
    saved(classifier(kind=TensorProto.FLOAT16), folder / "half.onnx")
    saved(classifier(kind=TensorProto.INT64), folder / "int64.onnx")
    saved(classifier((4, 3, 8, 8)), folder / "four.onnx")
    names, options = PROBLEMS[problem]
    assert call(folder, *options, **names) == 2
    said = capsys.readouterr().err
    assert problem in said and said.count("\n") == 2 and "\n  fix: " in said
    assert not (folder / "t.h5").exists()


def test_the_extra_is_named_when_it_is_missing(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("accelsim.workload.importers.onnx.extra.find_spec", lambda name: None)
    assert call(folder) == 2
    assert 'onnx is not installed\n  fix: pip install "accelsim[onnx]"' in capsys.readouterr().err
