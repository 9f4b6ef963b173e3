"""``accelsim train distil``: what it refuses."""

import pytest

pytest.importorskip("torch")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (("squeezenet",), "Did you mean 'squeezenet1_1'"),
        (("vgg16_features",), "no classes to agree on"),
        (("squeezenet1_1", "--bits", 9), "--bits: is 9"),
        (("squeezenet1_1", "--steps", -1), "--steps: is -1"),
        (("squeezenet1_1", "--lambda", "nan"), "--lambda: is nan"),
    ],
)
def test_what_cannot_be_tuned_is_refused(accelsim, tmp_path, wrong, said):
    ran = accelsim("train", "distil", *wrong, "--out", tmp_path / "made" / "a.pt")
    assert ran.code == 2 and said in ran.err
    assert not (tmp_path / "made" / "a.pt").exists()
