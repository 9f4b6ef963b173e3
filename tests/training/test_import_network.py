"""``accelsim trace import`` of torch networks: programs, scripts and state dicts."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the [train] extra")

from torch import nn  # noqa: E402

from accelsim.cli.app import main  # noqa: E402
from accelsim.training.networks import NETWORKS  # noqa: E402
from accelsim.workload.replay import replay  # noqa: E402
from accelsim.workload.trace_file import read_trace  # noqa: E402
from tests.training.captured import randomised  # noqa: E402

SCRIPT = """
import torch
from torch import nn

import beside


class Net(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv = nn.Conv2d(3, channels, 3, padding=1)
        self.head = nn.Linear(channels, 4)

    def forward(self, x):
        return self.head(self.conv(x).relu().mean((2, 3)))


def build():
    torch.manual_seed(1)
    return Net(beside.CHANNELS)


def gated():
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.Sigmoid())


def broken():
    return Net("many")


def number():
    return 7


def raising():
    class Late(nn.Module):
        def forward(self, x):
            raise ValueError("two\\nlines")

    return Late()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "net.py").write_text(SCRIPT)
    (tmp_path / "beside.py").write_text("CHANNELS = 6\n")
    generator = np.random.default_rng(4)
    np.save(tmp_path / "x.npy", generator.normal(size=(5, 3, 8, 8)).astype("f4"))
    np.save(tmp_path / "pixels.npy", generator.integers(0, 256, (5, 3, 8, 8)).astype(np.uint8))
    return tmp_path


def call(folder: Path, model: str, *options: str, inputs: str = "x.npy") -> int:
    command = ["trace", "import", str(folder / model), "--inputs", str(folder / inputs)]
    return main([*command, "--out", str(folder / "t.h5"), *options])


def module() -> nn.Module:
    made = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(144, 5)
    )
    return randomised(made)


def test_a_function_of_a_script_builds_the_network(folder: Path) -> None:
    assert call(folder, "net.py:build") == 0
    with read_trace(folder / "t.h5") as trace:
        assert [x.name for x in trace.graph.layers] == ["conv", "mean", "head"]
        assert trace.facts.name == "net" and trace.facts.n_images == 4
        assert trace.facts.accuracy["output_error"] < 0.02
        assert trace.graph.edge["input"].signed
        made = replay(trace.graph, trace.constants(), {"input": trace.values("input", 1)})
        np.testing.assert_array_equal(made["head"], trace.values("head", 1))


@pytest.mark.parametrize("n_images", [1, None])
def test_a_program_of_torch_export(folder: Path, n_images: int | None) -> None:
    made = module()
    example = torch.zeros(n_images or 2, 3, 8, 8)
    open_batch = None if n_images else ({0: torch.export.Dim("n")},)
    program = torch.export.export(made, (example,), dynamic_shapes=open_batch)
    torch.export.save(program, folder / "net.pt2")
    assert call(folder, "net.pt2", "--mean", "128", "--std", "64", inputs="pixels.npy") == 0
    with read_trace(folder / "t.h5") as trace:
        assert [(x.name, x.kind) for x in trace.graph.layers] == [("0", "conv"), ("4", "fc")]
        pixels = np.load(folder / "pixels.npy")
        np.testing.assert_array_equal(trace.values("input", 3), pixels[3])
        with torch.no_grad():
            scores = made((torch.from_numpy(pixels[3:4]).float() - 128) / 64).numpy()[0]
        edge = trace.graph.edge["4"]
        found = trace.values("4", 3).ravel() * edge.scale
        assert np.abs(found - scores).max() < 0.02 * np.abs(scores).max()


def test_a_state_dict_of_a_known_network(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from accelsim.training import networks
    from accelsim.training.networks import squeezenet

    small = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())
    monkeypatch.setattr(
        squeezenet, "build", lambda name: nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())
    )
    entry = NETWORKS["squeezenet1_1"]
    monkeypatch.setitem(
        networks.NETWORKS, "squeezenet1_1", type(entry)(**{**vars(entry), "size": 8})
    )
    state = {f"module.{key}": values for key, values in small.state_dict().items()}
    torch.save({"state_dict": state, "epoch": 3}, folder / "w.pth")
    options = ("--network", "squeezenet1_1")
    assert call(folder, "w.pth", *options, inputs="pixels.npy") == 0
    with read_trace(folder / "t.h5") as trace:
        assert trace.facts.training["weights"] == "w.pth, a state dict of squeezenet1_1"
    torch.save({"1.weight": torch.zeros(3)}, folder / "w.pth")
    assert call(folder, "w.pth", *options, inputs="pixels.npy") == 2
    said = capsys.readouterr().err
    assert "0.weight, 0.bias, 1.weight are missing, left over, or of other shapes" in said


def test_names_of_a_networks_authors_are_known() -> None:
    entry = NETWORKS["mobilenet_v2_features"]
    from accelsim.training.networks import mobilenet_v2

    ours = mobilenet_v2.build("").state_dict()
    theirs = {key: values for key, values in ours.items() if not key.startswith("stem.")}
    theirs["features.0.0.weight"] = ours["stem.weight"] + 1
    filled = entry.filled(theirs, "w.pth").state_dict()
    assert torch.equal(filled["stem.weight"], ours["stem.weight"] + 1)


PROBLEMS = {
    "calls sigmoid, which no layer computes": ("net.py:gated", ()),
    "returns int": ("net.py:number", ()),
    "fails with TypeError at net.py:": ("net.py:broken", ()),
    "torch cannot export the network (two)": ("net.py:raising", ()),
    "the script has no such function": ("net.py:absent", ()),
    "names no function": ("net.py", ()),
    "fails with SyntaxError": ("bad.py:build", ()),
    "no such file": ("absent.py:build", ()),
    "is not a program that torch loads": ("text.pt2", ()),
    "its checksums do not fit": ("damaged.pt2", ()),
    "is a TorchScript model, not a state dict": ("script.pt", ()),
    "was exported for 3 images at once": ("three.pt2", ()),
    "but an image of the network has [3, 9, 9]": ("nine.pt2", ()),
    "statistics of the batch": ("trained.pt2", ()),
    "give --network NAME": ("w.pth", ()),
    "unknown model 'squeeze'": ("w.pth", ("--network", "squeeze")),
    "is not a state dict": ("list.pth", ("--network", "squeezenet1_1")),
    "is a file of another kind": ("text.bin", ()),
    "--output: belongs to an ONNX file": ("net.py:build", ("--output", "x")),
}


@pytest.mark.parametrize("problem", PROBLEMS)
def test_what_is_wrong_is_one_message(
    problem: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model, options = PROBLEMS[problem]
    (folder / "bad.py").write_text("def build(:\n")
    for name in ("text.pt2", "text.bin"):
        (folder / name).write_text("nothing of the kind")
    if model in ("three.pt2", "nine.pt2"):
        example = torch.zeros(3, 3, 8, 8) if model == "three.pt2" else torch.zeros(1, 3, 9, 9)
        conv = nn.Sequential(nn.Conv2d(3, 4, 3))
        torch.export.save(torch.export.export(conv, (example,)), folder / model)
    if model == "damaged.pt2":
        program = torch.export.export(module(), (torch.zeros(1, 3, 8, 8),))
        torch.export.save(program, folder / model)
        data = (folder / model).read_bytes()
        weights = module()[0].weight.detach().numpy().tobytes()
        (folder / model).write_bytes(data.replace(weights, weights[::-1]))
    if model == "script.pt":
        torch.jit.script(nn.ReLU()).save(folder / model)
    if model == "trained.pt2":
        program = torch.export.export(module().train(), (torch.zeros(1, 3, 8, 8),))
        torch.export.save(program, folder / model)
    torch.save(module().state_dict(), folder / "w.pth")
    torch.save([1, 2], folder / "list.pth")
    capsys.readouterr()
    assert call(folder, model, *options) == 2
    said = capsys.readouterr()
    assert problem in said.err and said.err.count("\n") <= 2 and not said.out
    assert not (folder / "t.h5").exists()


def test_the_help_says_that_code_is_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trace", "import", "--help"]) == 0
    text = " ".join(word for word in capsys.readouterr().out.split() if word != "│")
    assert "A script is run" in text and "give only files that you trust" in text


class Branches(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.BatchNorm2d(8), nn.ReLU6())
        self.deep = nn.Conv2d(8, 8, 3, padding=1, groups=8)
        self.wide = nn.Conv2d(8, 4, 1)
        self.pool = nn.MaxPool2d(3, 2, 1)
        self.head = nn.Linear(12, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.stem(x)
        x = self.pool((self.deep(x) + x).relu())
        return self.head(torch.cat([x, self.wide(x).relu()], 1).mean((2, 3)))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_one_network_by_both_ways_is_one_trace(folder: Path) -> None:
    """torch's own export to ONNX folds and reshapes; what is stored of it is the same."""
    pytest.importorskip("onnxruntime", reason="needs the [onnx] extra")
    made = randomised(Branches())
    example = torch.zeros(1, 3, 8, 8)
    torch.export.save(torch.export.export(made, (example,)), folder / "b.pt2")
    torch.onnx.export(made, (example,), str(folder / "b.onnx"), dynamo=False)
    traces = []
    for name in ("b.pt2", "b.onnx"):
        options = ("--mean", "120,110,100", "--std", "60")
        assert call(folder, name, *options, inputs="pixels.npy") == 0
        (folder / "t.h5").rename(folder / f"{name}.h5")
        traces.append(read_trace(folder / f"{name}.h5"))
    with traces[0] as one, traces[1] as other:
        for a, b in zip(one.graph.layers, other.graph.layers, strict=True):
            assert (a.kind, getattr(a, "activation", "")) == (b.kind, getattr(b, "activation", ""))
            left, right = one.graph.edge[a.output], other.graph.edge[b.output]
            assert (left.shape, left.bits, left.signed) == (right.shape, right.bits, right.signed)
            assert left.scale == pytest.approx(right.scale, rel=1e-3)
            off = one.values(a.output, 0).astype(int) - other.values(b.output, 0)
            # Batch normalisation is folded in other digits: a weight may round the other way.
            assert np.abs(off * left.scale).max() <= 0.02 * left.scale * left.high
