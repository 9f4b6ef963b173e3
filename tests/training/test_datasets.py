"""IDX files: whole ones by hand, and broken ones."""

import gzip
import struct

import numpy as np
import pytest

pytest.importorskip("torch")

from accelsim.errors import UnknownNameError, UserError
from accelsim.training.datasets import read_dataset, read_idx
from tests.training.small_images import SMALL_FASHION_MNIST


def _idx(shape, values=None, kind=8, dimensions=None):
    n = int(np.prod(shape))
    body = bytes(range(n)) if values is None else values
    head = struct.pack(">HBB", 0, kind, len(shape) if dimensions is None else dimensions)
    return head + struct.pack(f">{len(shape)}I", *shape) + body


def test_a_file_by_hand(tmp_path):
    file = tmp_path / "a-idx3-ubyte"
    file.write_bytes(_idx((2, 2, 3)))
    assert read_idx(file).tolist() == np.arange(12).reshape(2, 2, 3).tolist()
    packed = tmp_path / "a-idx3-ubyte.gz"
    packed.write_bytes(gzip.compress(_idx((2, 2, 3))))
    assert np.array_equal(read_idx(packed), read_idx(file))


def test_the_small_data_set_of_the_tests():
    data = read_dataset("fashion_mnist", "test", SMALL_FASHION_MNIST)
    assert data.images.shape == (256, 1, 28, 28)
    assert data.n_classes == 10
    # The first test images of Fashion-MNIST: ankle boot, pullover, two trousers.
    assert data.labels[:4].tolist() == [9, 2, 1, 1]


def test_images_with_channels(tmp_path):
    for prefix in ("train", "t10k"):
        (tmp_path / f"{prefix}-images-idx4-ubyte").write_bytes(_idx((2, 3, 4, 4), bytes(96)))
        (tmp_path / f"{prefix}-labels-idx1-ubyte").write_bytes(_idx((2,)))
    assert read_dataset("mine", "train", tmp_path).images.shape == (2, 3, 4, 4)


BROKEN = {
    "empty": (b"", "ends 4 bytes too early"),
    "cut in the header": (_idx((2, 3, 3))[:7], "ends 9 bytes too early"),
    "cut in the values": (_idx((2, 3, 3))[:-5], "ends 5 bytes too early"),
    "too long": (_idx((2, 3, 3)) + b"x", "more bytes than its header says"),
    "of floats": (_idx((2, 3, 3), kind=13), "no IDX file of unsigned bytes"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(30), "no IDX file of unsigned bytes"),
    "without dimensions": (_idx((), b"", dimensions=0), "no IDX file of unsigned bytes"),
    "promising too much": (_idx((1 << 20, 1 << 12, 1), b""), "more than"),
}


@pytest.mark.parametrize("case", BROKEN)
@pytest.mark.parametrize("packed", [False, True])
def test_a_broken_file_is_named(tmp_path, case, packed):
    data, message = BROKEN[case]
    file = tmp_path / ("x-idx3-ubyte" + ".gz" * packed)
    file.write_bytes(gzip.compress(data) if packed else data)
    with pytest.raises(UserError, match=message) as caught:
        read_idx(file)
    assert file.name in str(caught.value)


def test_a_truncated_gzip_file_is_named(tmp_path):
    file = tmp_path / "x-idx1-ubyte.gz"
    file.write_bytes(gzip.compress(_idx((200,), bytes(np.random.default_rng(0).bytes(200))))[:-40])
    with pytest.raises(UserError, match="cannot be read"):
        read_idx(file)
    file.write_bytes(b"no gzip at all")
    with pytest.raises(UserError, match="cannot be read"):
        read_idx(file)


def test_a_missing_data_set_names_its_package(tmp_path):
    with pytest.raises(UserError, match="apt-get install dataset-fashion-mnist"):
        read_dataset("fashion_mnist", "train", tmp_path)


def test_an_unknown_data_set_lists_the_known():
    with pytest.raises(UnknownNameError, match="fashion_mnist"):
        read_dataset("fashion", "train")


def test_images_and_labels_of_different_number(tmp_path):
    (tmp_path / "train-images-idx3-ubyte").write_bytes(_idx((2, 3, 3)))
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(_idx((3,)))
    with pytest.raises(UserError, match="for \\(3,\\) labels"):
        read_dataset("mine", "train", tmp_path)
