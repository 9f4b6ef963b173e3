"""Models that are broken or meant to do harm: one message, code 2, and bounded memory."""

import os
import random
import resource
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnxruntime", reason="needs the [onnx] extra")

from onnx import ModelProto, TensorProto, helper
from onnx.external_data_helper import set_external_data

from accelsim.cli.app import main
from accelsim.errors import UserError
from accelsim.workload.importers.onnx.import_network import import_onnx
from accelsim.workload.importers.onnx.model_file import read_model
from accelsim.workload.trace_file import read_trace
from tests.workload.onnx.graphs import image, model, node, saved, taken, weights
from tests.workload.onnx.mutations import damaged, twisted
from tests.workload.onnx.test_operators import CONSTANTS, FORMS
from tests.workload.onnx.test_quantised import q_operators, residual

W = weights(4, 3, 3, 3)
CONV = node("Conv", "x w", "c")


def plain(nodes: tuple[object, ...] = (), **options: object) -> ModelProto:
    return model([CONV, *nodes, node("Relu", "c", "y")], {"w": W}, **options)  # type: ignore[arg-type]


def refused(path: Path) -> str:
    with pytest.raises(UserError) as caught:
        read_model(path)
    message = str(caught.value)
    assert message.count("\n") == 1
    return message


FILES: dict[str, bytes] = {
    "is empty": b"",
    "is not an ONNX model": b"\x12\x02me",  # a producer, and no version
    "is damaged, truncated, or not an ONNX model": b"\x89PNG\r\n\x1a\n" + bytes(90),
    "holds no graph": helper.make_model(
        helper.make_graph([], "g", [], []), ir_version=8
    ).SerializeToString()[:2],
    "has operators of version 8 (opset)": plain(opset=8).SerializeToString(),
    "has operators of version 99 (opset)": plain(opset=99).SerializeToString(),
}


@pytest.mark.parametrize("problem", FILES)
def test_files_that_are_no_model(problem: str, tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(FILES[problem])
    if problem == "holds no graph":
        path.write_bytes(FILES[problem] + b"B\x04\n\x00\x10\x11")  # and operators of version 17
    assert problem in refused(path)


def test_every_truncation_is_noticed(tmp_path: Path) -> None:
    data = plain().SerializeToString()
    path = tmp_path / "m.onnx"
    for n in range(0, len(data), 7):
        path.write_bytes(data[:n])
        refused(path)


def tensor(**fields: object) -> ModelProto:
    made = plain()
    del made.graph.initializer[:]
    made.graph.initializer.append(TensorProto(name="w", **fields))  # type: ignore[arg-type]
    return made


TENSORS = {
    "has the absurd shape [100000, 100000]": tensor(data_type=1, dims=[100000, 100000]),
    "has the absurd shape [-4, 3]": tensor(data_type=1, dims=[-4, 3]),
    "has shape [20000, 10000], for which 800000000 bytes": tensor(
        data_type=1, dims=[20000, 10000], raw_data=b"few"
    ),
    "has shape [2, 2], for which 4 values are needed, but 3": tensor(
        data_type=1, dims=[2, 2], float_data=[1, 2, 3]
    ),
    "has the unknown type 77": tensor(data_type=77, dims=[1], raw_data=b"aaaa"),
    "is damaged": tensor(data_type=3, dims=[4], int32_data=[1]),
}


@pytest.mark.parametrize("problem", TENSORS)
def test_tensors_that_do_not_hold_what_they_promise(problem: str, tmp_path: Path) -> None:
    path = saved(TENSORS[problem], tmp_path / "m.onnx")
    with pytest.raises(UserError) as caught:
        taken(read_model(path))
    assert problem in str(caught.value) and "tensor 'w'" in str(caught.value)


def outside(location: str, **place: int) -> ModelProto:
    made = plain()
    stored = made.graph.initializer[0]
    set_external_data(stored, location, **place)
    stored.ClearField("raw_data")
    return made


def test_external_data_beside_the_model_are_read(tmp_path: Path) -> None:
    (tmp_path / "w.bin").write_bytes(bytes(16) + W.tobytes())
    path = saved(outside("w.bin", offset=16, length=W.nbytes), tmp_path / "m.onnx")
    np.testing.assert_array_equal(taken(read_model(path)).network.weights["c"], W)


@pytest.mark.parametrize(
    ("location", "problem"),
    [
        ("../secret", "is outside the model's own folder"),
        ("/etc/passwd", "is outside the model's own folder"),
        ("link", "is outside the model's own folder"),
        ("", "is outside the model's own folder"),
        ("a\x00b", "is outside the model's own folder"),
        ("absent.bin", "is not there"),
        ("folder", "is not there"),
        ("small.bin", "wants 432 bytes from 0 of 'small.bin', which has 5"),
    ],
)
def test_external_data_elsewhere_are_never_read(
    location: str, problem: str, tmp_path: Path
) -> None:
    here = tmp_path / "here"
    (here / "folder").mkdir(parents=True)
    (tmp_path / "secret").write_bytes(W.tobytes())
    (here / "link").symlink_to(tmp_path / "secret")
    (here / "small.bin").write_bytes(b"small")
    assert problem in refused(saved(outside(location), here / "m.onnx"))


def test_one_file_claimed_by_many_tensors_is_not_read_again_and_again(tmp_path: Path) -> None:
    made = outside("w.bin")
    (tmp_path / "w.bin").write_bytes(W.tobytes())
    for i in range(3):
        made.graph.initializer.append(made.graph.initializer[0])
        made.graph.initializer[-1].name = f"w{i}"
    path = saved(made, tmp_path / "m.onnx")
    assert "claims more external data than its files hold" in refused(path)


def function(name: str, *calls: str) -> object:
    nodes = [helper.make_node(c, ["a"], ["b"], domain="own" if c[0] == "F" else "") for c in calls]
    opsets = [helper.make_opsetid("own", 1), helper.make_opsetid("", 17)]
    return helper.make_function("own", name, ["a"], ["b"], nodes, opsets)


def with_functions(*functions: object) -> ModelProto:
    made = model([helper.make_node("F0", ["x"], ["y"], domain="own")])
    made.opset_import.append(helper.make_opsetid("own", 1))
    made.functions.extend(functions)  # type: ignore[arg-type]
    return made


def test_functions_are_put_in_place(tmp_path: Path) -> None:
    made = with_functions(function("F0", "Relu"))
    made.graph.node.insert(0, node("Conv", "x w", "c"))
    made.graph.node[1].input[0] = "c"
    made.graph.initializer.extend(plain().graph.initializer)
    network = taken(read_model(saved(made, tmp_path / "m.onnx"))).network
    assert [(x.kind, x.activation) for x in network.graph.layers] == [("conv", "relu")]


def test_functions_that_call_themselves_or_double_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    circle = with_functions(function("F0", "F1"), function("F1", "F0"))
    assert "calls itself" in refused(saved(circle, path))
    doubling = [function(f"F{i}", f"F{i + 1}", f"F{i + 1}") for i in range(60)]
    made = with_functions(*doubling, function("F60", "Relu"))
    assert "has more than 100000 operators" in refused(saved(made, path))


GIANTS: dict[str, list[object]] = {
    "ConstantOfShape": [node("ConstantOfShape", "huge", "k"), node("Mul", "c k", "y")],
    "Expand": [node("Expand", "one", "k"), node("Mul", "c k", "y")],
    "Tile": [node("Tile", "c many", "d"), node("Relu", "d", "y")],
    "Pad": [node("Pad", "c pads", "d"), node("Conv", "d w", "y")],
    "MaxPool": [node("MaxPool", "c", "y", kernel_shape=[1, 1], pads=[60000] * 4)],
    "Range": [node("Range", "zero most one", "k"), node("Mul", "c k", "y")],
    "OneHot": [node("OneHot", "index depth values", "k"), node("Mul", "c k", "y")],
}


@pytest.mark.parametrize("operator", GIANTS)
def test_operators_that_make_giants_are_refused_before_they_do(operator: str) -> None:
    constants = {
        "w": W,
        "huge": np.array([1 << 20, 1 << 20]),
        "one": np.array(1),
        "zero": np.array(0),
        "most": np.array(1 << 40),
        "many": np.array([1, 1, 1 << 15, 1 << 15]),
        "pads": np.array([0, 0, 0, 0, 0, 0, 1 << 20, 1 << 20]),
        "index": np.arange(1 << 12),
        "depth": np.array(1 << 40),
        "values": np.array([0.0, 1.0], "f4"),
    }
    nodes = GIANTS[operator]
    if operator == "Expand":
        nodes = [node("Expand", "one huge", "k"), nodes[1]]
    used = {n for each in [CONV, *nodes] for n in each.input}  # type: ignore[attr-defined]
    given = {n: v for n, v in constants.items() if n in used}
    with pytest.raises(UserError, match=rf"\({operator}\)"):
        taken(model([CONV, *nodes], given))  # type: ignore[list-item]


def test_many_large_constants_are_refused_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accelsim.workload.importers.onnx.values._MOST_FOLDED_VALUES", 1 << 12)
    nodes = [node("ConstantOfShape", "large", f"k{i}") for i in range(9)]
    sums = [node("Add", f"{'c' if not i else f's{i - 1}'} k{i}", f"s{i}") for i in range(9)]
    made = model([CONV, *nodes, *sums], {"w": W, "large": np.array([1 << 10])}, output="s8")
    with pytest.raises(UserError, match=r"makes 1024 constant values"):
        taken(made)


def test_cycles_and_missing_tensors_are_named() -> None:
    made = model([node("Add", "x b", "a"), node("Relu", "a", "b"), node("Relu", "b", "y")])
    with pytest.raises(UserError, match=r"node 'a' \(Add\): reads 'b', which nothing before it"):
        taken(made)


@pytest.mark.parametrize("shape", [None, ("n", "c", "h", "w")])
def test_images_of_open_size_take_the_size_that_is_given(shape: object, tmp_path: Path) -> None:
    made = plain(shape=shape)
    if shape is None:
        made.graph.input[0].type.tensor_type.ClearField("shape")
    np.save(tmp_path / "x.npy", image(1, 3, 9, 8))
    path = saved(made, tmp_path / "m.onnx")
    command = ["trace", "import", str(path), "--inputs", str(tmp_path / "x.npy")]
    assert main([*command, "--out", str(tmp_path / "t.h5")]) == (2 if shape is None else 0)
    if shape:
        with read_trace(tmp_path / "t.h5") as trace:
            assert trace.graph.edge["c"].shape == (4, 7, 6)


def test_names_with_control_characters_stay_on_one_line(tmp_path: Path) -> None:
    made = model([node("Sigmoid", "x", "y")])
    made.graph.node[0].name = "a\nb\x1b[31m" + "c" * 999
    made.graph.node[0].op_type = "Ev\nil"
    with pytest.raises(UserError) as caught:
        taken(made)
    assert str(caught.value).count("\n") == 1 and len(str(caught.value)) < 700


def bases() -> list[ModelProto]:
    found = [residual(), q_operators()]
    for form in FORMS.values():
        nodes = [CONV, *form]
        used = {n for each in nodes for n in each.input}
        found.append(model(nodes, {n: v for n, v in CONSTANTS.items() if n in used}))
    return found


@pytest.mark.parametrize("change", ["bytes", "fields"])
def test_damaged_models_are_refused_or_imported_right(change: str, tmp_path: Path) -> None:
    """What is imported all the same computes what ONNX Runtime does: the import checks that."""
    models, path = bases(), tmp_path / "m.onnx"
    n_imported = 0
    for seed in range(150):
        chance = random.Random(f"{change} {seed}")
        made = chance.choice(models)
        dims = made.graph.input[0].type.tensor_type.shape.dim
        np.save(tmp_path / "x.npy", image(*(d.dim_value for d in dims)))
        data = made.SerializeToString()
        other = twisted(made, chance).SerializeToString() if change == "fields" else None
        path.write_bytes(other or damaged(data, chance))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", RuntimeWarning)
                import_onnx(path, tmp_path / "x.npy", tmp_path / "t.h5")
            n_imported += 1
        except UserError as error:
            message = str(error)
            assert message.count("\n") == 1 and len(message) < 1200, seed
            assert "layers miss" not in message, seed
    assert 5 < n_imported < 75


LIMITED = """
import sys
from accelsim.cli.app import main
sys.exit(main(sys.argv[1:]))
"""


def test_memory_stays_bounded(tmp_path: Path) -> None:
    """In a process of its own, which may take 3 GiB of addresses: half a giant's 8 GiB."""
    nodes = [node("ConstantOfShape", "huge", "k"), node("Mul", "c k", "y")]
    made = model([CONV, *nodes], {"w": W, "huge": np.array([1 << 31])})
    np.save(tmp_path / "x.npy", image(1, 3, 8, 8))
    path = saved(made, tmp_path / "m.onnx")
    limit: Callable[[], None] = lambda: resource.setrlimit(  # noqa: E731
        resource.RLIMIT_AS, (3 << 30, 3 << 30)
    )
    command = ["trace", "import", str(path), "--inputs", str(tmp_path / "x.npy")]
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, *command, "--out", str(tmp_path / "t.h5")],
        capture_output=True,
        text=True,
        preexec_fn=limit,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
    )
    assert done.returncode == 2 and "(ConstantOfShape)" in done.stderr, done.stderr
