"""The quantising ReLU: values by hand, gradients against autograd, modes."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from accelsim.training.quantiser import ActivationQuantiser  # noqa: E402
from accelsim.training.rounding_kernel import round_backward, round_forward  # noqa: E402
from accelsim.training.straight_through import (  # noqa: E402
    clip_and_round,
    clip_and_round_reference,
)


def _quantising(bits=2, clip=3.0, **options):
    quantiser = ActivationQuantiser(bits, **options)
    quantiser.clip.data.fill_(clip)
    quantiser.mode = "quantise"
    return quantiser


def test_values_by_hand():
    x = torch.tensor([-2.0, 0.49, 0.51, 1.5, 2.5, 2.51, 3.0, 40.0])
    # Level 1 is worth 1.0; halves round to the even level.
    expected = [0.0, 0.0, 1.0, 2.0, 2.0, 3.0, 3.0, 3.0]
    assert _quantising()(x).tolist() == expected
    assert _quantising().levels(x).tolist() == [int(v) for v in expected]


def test_the_sign_of_the_clip_does_not_matter():
    x = torch.rand(50) * 5
    assert torch.equal(_quantising(clip=-3.0)(x), _quantising(clip=3.0)(x))


def test_the_dynamic_step_follows_the_batch_below_the_clip():
    x = torch.tensor([0.0, 0.5, 1.5])
    assert _quantising(step="dynamic")(x).tolist() == [0.0, 0.5, 1.5]  # a step of 0.5
    x = torch.tensor([0.0, 1.5, 9.0])
    assert torch.equal(_quantising(step="dynamic")(x), _quantising(step="static")(x))


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_both_forms_agree_in_value_and_gradients(layout):
    torch.manual_seed(1)
    x = (torch.randn(4, 3, 5, 7) * 2).to(memory_format=layout)
    weight = torch.randn(4, 3, 5, 7)
    made = []
    for form in (clip_and_round_reference, lambda *a: clip_and_round(*a)[0]):
        leaf = x.clone(memory_format=layout).requires_grad_(True)
        reach = torch.tensor(2.3, requires_grad=True)
        out = form(leaf, reach, 7)
        (out * weight).sum().backward()
        made.append((out.detach(), leaf.grad, reach.grad))
    for a, b in zip(*made, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-5)


def test_the_gradient_of_the_head_is_added_to_its_images():
    x = torch.rand(4, 6)
    leaf = x.clone().requires_grad_(True)
    out, head = clip_and_round(leaf, torch.tensor(2.0), 7, 2)
    (out.sum() + 10 * head.sum()).backward()
    assert torch.equal(leaf.grad, torch.tensor([[11.0], [11.0], [1.0], [1.0]]).expand(4, 6))


def test_a_view_with_holes_is_quantised_like_its_copy():
    x = torch.randn(4, 6, 8)[:, ::2]
    reach = torch.tensor(1.5)
    assert torch.equal(
        clip_and_round(x, reach, 15)[0], clip_and_round(x.contiguous(), reach, 15)[0]
    )


def test_kernels_do_the_same_uncompiled():
    rng = np.random.default_rng(0)
    x = rng.normal(0, 2, 300).astype(np.float32)
    reach, top = np.float32(2.5), np.float32(31)
    outs = [np.empty_like(x), np.empty_like(x)]
    round_forward(x, outs[0], reach, top)
    round_forward.py_func(x, outs[1], reach, top)
    assert np.array_equal(*outs)
    gradients = [rng.normal(size=300).astype(np.float32)] * 2
    gradients = [g.copy() for g in gradients]
    totals = [
        round_backward(x, gradients[0], reach, top),
        round_backward.py_func(x, gradients[1], reach, top),
    ]
    assert np.array_equal(*gradients)
    assert totals[0] == pytest.approx(totals[1], rel=1e-4)


def test_statistics_set_the_clip():
    quantiser = ActivationQuantiser(5)
    quantiser.mode = "statistics"
    x = torch.tensor([[-1.0, 0.0, 2.0, 4.0]])
    assert quantiser(x).tolist() == [[0.0, 0.0, 2.0, 4.0]]
    quantiser.set_clip(3.0)
    # ReLU outputs 0, 0, 2, 4: mean 1.5, standard deviation sqrt(11 / 3).
    assert quantiser.clip.item() == pytest.approx(1.5 + 3 * (11 / 3) ** 0.5, rel=1e-6)


def test_the_second_batch_moves_statistics_by_a_tenth():
    quantiser = ActivationQuantiser(5)
    quantiser.mode = "statistics"
    quantiser(torch.tensor([[1.0, 3.0]]))
    quantiser(torch.tensor([[4.0, 8.0]]))
    assert quantiser.mean.item() == pytest.approx(0.9 * 2 + 0.1 * 6)


def test_a_relu6_never_clips_above_six():
    quantiser = ActivationQuantiser(5, ceiling=6.0)
    quantiser.mode = "statistics"
    assert quantiser(torch.tensor([[-3.0, 9.0]])).tolist() == [[0.0, 6.0]]
    quantiser.set_clip(100.0)
    assert quantiser.clip.item() == 6.0


def test_the_rate_is_watched_in_training_alone_and_pulls_at_the_clip():
    quantiser = _quantising(bits=3, clip=2.0)
    quantiser.eval()
    quantiser(torch.rand(4, 5))
    assert quantiser.rate_bits is None
    quantiser.train()
    quantiser(torch.rand(4, 5) * 3)
    quantiser.rate_bits.backward()
    assert quantiser.clip.grad.abs() > 0


def test_a_stride_takes_every_so_many_pixels_of_the_first_images():
    x = torch.rand(4, 3, 4, 8) * 2
    whole, part = _quantising(entropy_images=1, entropy_stride=16), _quantising(entropy_images=4)
    whole(x)
    pixels = x[:1].flatten(2)[..., ::16].reshape(1, -1)
    part(pixels)
    assert whole.rate_bits.item() == pytest.approx(part.rate_bits.item(), rel=1e-6)


def test_bits_out_of_range_are_refused():
    with pytest.raises(ValueError, match="2 to 8"):
        ActivationQuantiser(9)
