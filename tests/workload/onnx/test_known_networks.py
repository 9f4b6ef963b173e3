"""Networks that everybody knows, from the files that come with the package ``onnx``.

Their weights are constants without meaning; their layers are those of the papers.
"""

from pathlib import Path

import pytest

onnx = pytest.importorskip("onnx", reason="needs the [onnx] extra")
pytest.importorskip("onnxruntime", reason="needs the [onnx] extra")

from collections import Counter  # noqa: E402

from accelsim.errors import UserError  # noqa: E402
from accelsim.workload.importers.onnx.model_file import read_model  # noqa: E402
from tests.workload.onnx.graphs import taken  # noqa: E402

FOLDER = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"
needs_files = pytest.mark.skipif(not FOLDER.is_dir(), reason="onnx came without its test data")
IMAGE = (1, 3, 224, 224)

# Layers by the papers (He et al. 2016, Iandola et al. 2016); weights and multiply-accumulates as
# torchvision's table of models has them, with the stride in the 3 x 3 convolutions: ResNet-50 has
# 25.6 M and 4.09 G, SqueezeNet 1.1 has 1.24 M and 0.35 G.
NETWORKS = {
    "resnet50": ("r174", {"conv": 53, "fc": 1, "add": 16, "pool": 2}, 25.5e6, 4.09e9),
    "squeezenet": ("r65", {"conv": 26, "concat": 8, "pool": 4}, 1.24e6, 0.35e9),
}


@needs_files
@pytest.mark.parametrize("name", NETWORKS)
def test_layers_weights_and_macs_are_those_of_the_paper(name: str) -> None:
    output, kinds, n_weights, macs = NETWORKS[name]
    network = taken(read_model(FOLDER / f"light_{name}.onnx"), IMAGE, output=output).network
    graph = network.graph
    assert Counter(x.kind for x in graph.layers) == kinds
    assert sum(w.size for w in network.weights.values()) == pytest.approx(n_weights, rel=0.01)
    assert sum(graph.macs(x) for x in graph.layers) == pytest.approx(macs, rel=0.02)


@needs_files
@pytest.mark.parametrize(
    ("name", "node"),
    [("shufflenet", r"\(Transpose\): changes the order"), ("zfnet512", r"\(LRN\): no layer")],
)
def test_what_no_layer_computes_in_them_is_named(name: str, node: str) -> None:
    with pytest.raises(UserError, match=node):
        taken(read_model(FOLDER / f"light_{name}.onnx"), IMAGE)
