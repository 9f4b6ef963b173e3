"""Networks that came in integers: words, weights and every map are those of the file."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnxruntime", reason="needs the [onnx] extra")

from onnx import ModelProto, TensorProto, helper

from accelsim.errors import UserError
from accelsim.workload.importers.onnx.import_network import import_onnx
from accelsim.workload.replay import replay
from accelsim.workload.trace_file import TraceFile, read_trace
from tests.workload.onnx.graphs import image, model, node, runtime, saved, taken

RNG = np.random.default_rng(11)
U8, I8 = np.uint8, np.int8


def integers(*shape: int, low: int = -127, high: int = 128) -> np.ndarray:
    return RNG.integers(low, high, shape).astype(I8)


def scale(x: float) -> np.ndarray:
    return np.array(x, "f4")


def between(name: str, word: str, out: str) -> list[Any]:
    """QuantizeLinear and DequantizeLinear with the scale and zero point of ``word``."""
    constants = f"{word}.s {word}.z"
    return [
        node("QuantizeLinear", f"{name} {constants}", f"{out}.q"),
        node("DequantizeLinear", f"{out}.q {constants}", out),
    ]


def words(kind: type, **scales: float) -> dict[str, np.ndarray]:
    """Scales and zero points; names that end in _z have one in the middle of the word."""
    found: dict[str, np.ndarray] = {}
    for name, value in scales.items():
        middle = -128 if kind is I8 else 0
        found |= {f"{name}.s": scale(value), f"{name}.z": np.array(middle, kind)}
    return found


def residual(kind: type = U8) -> ModelProto:
    """Convolutions by channel, a ReLU, a sum, a padded maximum, stacked maps, an average."""
    per_channel = np.abs(RNG.normal(size=6)).astype("f4") * 0.01 + 0.002
    nodes = [
        *between("x", "in", "i"),
        node("DequantizeLinear", "w1 w1s w1z", "w1r", axis=0),
        node("DequantizeLinear", "b1 b1s", "b1r", axis=0),
        node("Conv", "i w1r b1r", "c1", pads=[1, 1, 1, 1]),
        node("Relu", "c1", "r1"),
        *between("r1", "a", "m1"),
        node("DequantizeLinear", "w2 w2s", "w2r"),
        node("Conv", "m1 w2r", "c2", pads=[1, 1, 1, 1], group=2),
        *between("c2", "b", "m2"),
        node("Add", "m1 m2", "s"),
        node("Relu", "s", "sr"),
        *between("sr", "c", "m3"),
        node("MaxPool", "m3", "p", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]),
        *between("p", "c", "m4"),
        node("DequantizeLinear", "w3 w3s", "w3r"),
        node("Conv", "m4 w3r", "c3"),
        *between("c3", "d", "m5"),
        node("Concat", "m4 m5", "cat", axis=1),
        *between("cat", "d", "m6"),
        node("GlobalAveragePool", "m6", "g"),
        *between("g", "e", "m7"),
        node("Flatten", "m7", "f"),
        node("DequantizeLinear", "w4 w4s", "w4r"),
        node("Gemm", "f w4r", "o", transB=1),
        *between("o", "out", "y"),
    ]
    constants = {
        **words(kind, a=0.0317, b=0.0523, c=0.0411, d=0.0629, e=0.0113, out=0.0207),
        "in.s": scale(0.021),
        "in.z": np.array(kind(7)),
        "w1": integers(6, 3, 3, 3),
        "w1s": per_channel,
        "w1z": np.zeros(6, I8),
        "b1": RNG.integers(-5000, 5000, 6).astype(np.int32),
        "b1s": (per_channel.astype("f8") * np.float64(scale(0.021))).astype("f4"),
        "w2": integers(6, 3, 3, 3),
        "w2s": scale(0.004),
        "w3": integers(4, 6, 1, 1),
        "w3s": scale(0.01),
        "w4": integers(5, 10),
        "w4s": scale(0.006),
    }
    for name in ("b", "d", "out"):  # maps with both signs
        constants[f"{name}.z"] = np.array(120 if kind is U8 else 3, kind)
    return model(nodes, constants, (1, 3, 9, 8))


def imported(made: ModelProto, tmp_path: Path, x: np.ndarray) -> tuple[TraceFile, dict[str, float]]:
    np.save(tmp_path / "x.npy", x)
    path = saved(made, tmp_path / "net.onnx")
    figures = import_onnx(path, tmp_path / "x.npy", tmp_path / "t.h5", images=len(x))
    return read_trace(tmp_path / "t.h5"), figures


@pytest.mark.parametrize("kind", [U8, I8])
def test_every_map_holds_the_runtimes_integers(kind: type, tmp_path: Path) -> None:
    made, x = residual(kind), image(2, 3, 9, 8)
    trace, figures = imported(made, tmp_path, x)
    assert figures["runtime_steps"] == 0 and figures["runtime_equal"] == 1
    # Which layer makes which tensor: a layer is named by its node, and that by its output.
    tensors = {
        "c1": "m1.q",
        "c2": "m2.q",
        "s": "m3.q",
        "p": "m4.q",
        "c3": "m5.q",
        "cat": "m6.q",
        "g": "m7.q",
        "o": "y.q",
        "input": "i.q",
    }
    with trace:
        for i in range(2):
            for edge, tensor in tensors.items():
                (expected,) = runtime(made, x[i : i + 1], tensor)
                found = trace.values(edge, i)
                assert found.dtype == expected.dtype
                np.testing.assert_array_equal(found.ravel(), expected.ravel(), err_msg=edge)


def test_words_and_weights_are_those_of_the_file(tmp_path: Path) -> None:
    made = residual(I8)
    stored = {t.name: t for t in made.graph.initializer}
    trace, _ = imported(made, tmp_path, image(1, 3, 9, 8))
    from onnx.numpy_helper import to_array

    with trace:
        edge = trace.graph.edge["c2"]
        assert (edge.bits, edge.signed, edge.zero_point) == (8, True, 3)
        assert edge.scale == float(np.float32(0.0523))
        np.testing.assert_array_equal(trace.weights("c1"), to_array(stored["w1"]))
        np.testing.assert_array_equal(trace.weights("o").reshape(5, 10), to_array(stored["w4"]))
        assert (trace.arithmetic("c1").bias == to_array(stored["b1"])).all()
        assert trace.facts.provenance["input"] == "in the word that the network came with"


def test_zeros_that_are_stored_as_another_integer_are_warned_of(tmp_path: Path) -> None:
    """Signed words with zero point -128 behind ReLUs: no value is stored as 0."""
    signed, _ = imported(residual(I8), tmp_path, image(1, 3, 9, 8))
    unsigned, _ = imported(residual(U8), tmp_path, image(1, 3, 9, 8))
    with signed, unsigned:
        assert [w for w in signed.facts.warnings if "store their many zeros as another" in w]
        assert not unsigned.facts.warnings


def test_the_trace_replays_by_its_own_constants(tmp_path: Path) -> None:
    trace, _ = imported(residual(), tmp_path, image(1, 3, 9, 8))
    with trace:
        made = replay(trace.graph, trace.constants(), {"input": trace.values("input", 0)})
        for edge in trace.graph.edge:
            np.testing.assert_array_equal(made[edge], trace.values(edge, 0))


def test_a_part_of_a_stack_in_another_word_is_rounded_to_it_first(tmp_path: Path) -> None:
    trace, _ = imported(residual(), tmp_path, image(1, 3, 9, 8))
    with trace:
        kinds = {x.name: x.kind for x in trace.graph.layers}
        assert kinds["cat/rounded"] == "scale" and kinds["cat"] == "concat"
        assert trace.graph.producer["cat"].inputs == ("cat/rounded", "c3")


def q_operators() -> ModelProto:
    """The same kinds of layers as operators on integers."""
    word = {n: f"{n}.s {n}.z" for n in ("in", "a", "b", "c", "d", "e", "out")}
    nodes = [
        node("QuantizeLinear", f"x {word['in']}", "i"),
        node("QLinearConv", f"i {word['in']} w1 w1s w1z {word['a']} b1", "m1", pads=[1, 1, 1, 1]),
        node("QLinearConv", f"m1 {word['a']} w2 w2s w2z {word['b']}", "m2", pads=[1, 1, 1, 1]),
        node("QLinearAdd", f"m1 {word['a']} m2 {word['b']} {word['c']}", "m3"),
        node("MaxPool", "m3", "m4", kernel_shape=[2, 2]),
        node("QLinearConcat", f"{word['d']} m4 {word['c']} m1p {word['a']}", "m5", axis=1),
        node("QLinearGlobalAveragePool", f"m5 {word['d']} {word['e']}", "m6", channels_last=0),
        node("Flatten", "m6", "f"),
        node("QGemm", f"f {word['e']} w3 w3s w3z b3 {word['out']}", "m7", transB=1),
        node("DequantizeLinear", f"m7 {word['out']}", "y"),
        node("MaxPool", "m1", "m1p", kernel_shape=[2, 2]),
    ]
    nodes.insert(5, nodes.pop())
    for each in nodes:
        if each.op_type in ("QLinearAdd", "QLinearConcat", "QLinearGlobalAveragePool", "QGemm"):
            each.domain = "com.microsoft"
    constants = {
        **words(U8, a=0.0317, c=0.0411, d=0.0523, e=0.0207),
        **{"in.s": scale(0.0213), "in.z": U8(128), "b.s": scale(0.0547), "b.z": U8(110)},
        **{"out.s": scale(0.0531), "out.z": U8(100)},
        "w1": RNG.integers(0, 256, (4, 3, 3, 3)).astype(U8),  # around 128: 8 signed bits
        "w1s": scale(0.004),
        "w1z": U8(128),
        "b1": RNG.integers(-3000, 3000, 4).astype(np.int32),
        "w2": integers(4, 4, 3, 3, low=-60, high=60),
        "w2s": np.array([0.01, 0.02, 0.005, 0.01], "f4"),
        "w2z": np.zeros(4, I8),
        "w3": integers(5, 8, low=-60, high=60),
        "w3s": scale(0.01),
        "w3z": I8(0),
        "b3": RNG.integers(-500, 500, 5).astype(np.int32),
    }
    made = model(nodes, constants, (1, 3, 7, 8))
    made.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    return made


def test_operators_on_integers_keep_integers(tmp_path: Path) -> None:
    made, x = q_operators(), image(2, 3, 7, 8)
    trace, figures = imported(made, tmp_path, x)
    # The runtime rounds ties to even and these layers up: no integer is more than a step off.
    assert figures["runtime_steps"] <= 1 and figures["runtime_equal"] > 0.99
    with trace:
        assert [x.kind for x in trace.graph.layers] == [
            *("conv", "conv", "add", "pool", "pool"),
            *("scale", "scale", "concat", "pool", "fc"),
        ]
        assert trace.graph.layers[0].weight_bits == 8
        for i in range(2):
            (expected,) = runtime(made, x[i : i + 1], "m1")
            off = np.abs(trace.values("m1", i).astype(int) - expected[0])
            assert off.max() <= 1 and off.mean() < 0.01


def test_weights_far_from_their_zero_point_take_nine_bits(tmp_path: Path) -> None:
    made = model(
        [
            *between("x", "in", "i"),
            node("DequantizeLinear", "w ws wz", "wr"),
            node("Conv", "i wr", "c"),
            *between("c", "out", "y"),
        ],
        {
            **words(U8, **{"in": 0.0213, "out": 0.0523}),
            "w": np.array([[0, 255, 3], [1, 2, 250]], U8).reshape(2, 3, 1, 1),
            "ws": scale(0.0117),
            "wz": U8(10),
        },
    )
    trace, figures = imported(made, tmp_path, image(1, 3, 8, 8))
    assert figures["runtime_equal"] == 1
    with trace:
        assert trace.graph.producer["c"].weight_bits == 9
        assert trace.weights("c").ravel().tolist() == [-10, 245, -7, -9, -8, 240]


def test_weights_that_the_graph_quantises_itself_keep_its_integers(tmp_path: Path) -> None:
    """As training with quantisation exports them: real weights, QuantizeLinear, and back."""
    real = RNG.normal(size=(4, 3, 3, 3)).astype("f4")
    steps = (np.abs(real).max((1, 2, 3)) / 127).astype("f4")
    made = model(
        [
            *between("x", "in", "i"),
            node("QuantizeLinear", "w ws wz", "wq", axis=0),
            node("DequantizeLinear", "wq ws wz", "wr", axis=0),
            node("Conv", "i wr", "c"),
            *between("c", "out", "y"),
        ],
        {
            **words(U8, **{"in": 0.0213, "out": 0.0523}),
            **{"w": real, "ws": steps, "wz": np.zeros(4, I8)},
        },
    )
    trace, figures = imported(made, tmp_path, image(1, 3, 8, 8))
    assert figures["runtime_equal"] == 1
    with trace:
        np.testing.assert_array_equal(
            trace.weights("c"), np.rint(real / steps[:, None, None, None])
        )


def test_images_in_integers_are_stored_as_they_are(tmp_path: Path) -> None:
    made = model(
        [
            node("DequantizeLinear", "x in.s in.z", "i"),
            node("DequantizeLinear", "w ws", "wr"),
            node("Conv", "i wr", "c"),
            *between("c", "out", "y"),
        ],
        {
            **words(U8, **{"in": 0.0213, "out": 0.0523}),
            **{"w": integers(2, 3, 1, 1), "ws": scale(0.0117)},
        },
        kind=TensorProto.UINT8,
    )
    x = RNG.integers(0, 256, (2, 3, 8, 8)).astype(U8)
    trace, figures = imported(made, tmp_path, x)
    assert figures["runtime_equal"] == 1
    with trace:
        np.testing.assert_array_equal(trace.values("input", 1), x[1])


def test_padding_before_and_after_a_rounding_is_the_same(tmp_path: Path) -> None:
    made = model(
        [
            node("Pad", "x pads", "p"),
            *between("p", "in", "i"),
            node("DequantizeLinear", "w ws", "wr"),
            node("Conv", "i wr", "c"),
            *between("c", "out", "y"),
        ],
        {
            **words(U8, out=0.05),
            **{"in.s": scale(0.02), "in.z": U8(9), "pads": np.array([0, 0, 1, 1, 0, 0, 2, 0])},
            **{"w": integers(2, 3, 3, 3), "ws": scale(0.01)},
        },
    )
    x = image(1, 3, 8, 8)
    trace, _ = imported(made, tmp_path, x)
    with trace:
        assert trace.graph.producer["c"].window.padding == (1, 2, 1, 0)
        (expected,) = runtime(made, x, "y.q")
        np.testing.assert_array_equal(trace.values("c", 0), expected[0])


def test_maps_without_a_word_are_calibrated(tmp_path: Path) -> None:
    made = model(
        [
            node("Conv", "x w", "c"),
            node("Relu", "c", "r"),
            *between("r", "a", "m"),
            node("Conv", "m w2", "y"),
        ],
        {
            **words(U8, a=0.02),
            "w": RNG.normal(size=(4, 3, 3, 3)).astype("f4"),
            "w2": RNG.normal(size=(2, 4, 1, 1)).astype("f4"),
        },
    )
    trace, figures = imported(made, tmp_path, image(2, 3, 8, 8))
    assert figures["output_error"] < 0.02
    with trace:
        assert trace.graph.edge["c"].scale == float(np.float32(0.02))
        assert trace.graph.edge["input"].signed and trace.graph.edge["y"].bits == 16


REFUSED = {
    "several scales for a map": (
        [node("QuantizeLinear", "x many zeros", "q", axis=1), node("Relu", "q", "y")],
        "gives a map 3 scales",
    ),
    "another word behind than before": (
        [
            node("QuantizeLinear", "x one z", "q"),
            node("DequantizeLinear", "q two z", "d"),
            node("Relu", "d", "y"),
        ],
        "in other steps than those it was written in",
    ),
    "arithmetic on integers": (
        [node("QuantizeLinear", "x one z", "q"), node("Add", "q q", "y")],
        "computes on integers of a quantised map",
    ),
    "a scale of zero": (
        [node("QuantizeLinear", "x none z", "q"), node("DequantizeLinear", "q none z", "y")],
        "has the scale 0.0",
    ),
    "an eight-bit float": (
        [node("QuantizeLinear", "x one f8", "q"), node("DequantizeLinear", "q one f8", "y")],
        "makes a map of float8e4m3fn",
    ),
    "scales that depend on the image": (
        [
            node("DynamicQuantizeLinear", "x", "q s zp"),
            node("DequantizeLinear", "q s zp", "y"),
        ],
        "no layer computes it",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_no_word_expresses_is_named(name: str) -> None:
    from ml_dtypes import float8_e4m3fn

    nodes, problem = REFUSED[name]
    constants = {
        "many": np.array([1, 2, 3], "f4"),
        "zeros": np.zeros(3, U8),
        "one": scale(1),
        "two": scale(2),
        "none": scale(0),
        "z": U8(0),
        "f8": np.array(0, float8_e4m3fn),
    }
    with pytest.raises(UserError) as caught:
        taken(model(nodes, constants, opset=19))
    assert problem in str(caught.value) and "small.onnx, node" in str(caught.value)
