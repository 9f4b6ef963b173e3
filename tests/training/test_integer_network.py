"""The integer network computes what the float network does: layer by layer, and as a whole.

The rule for one layer, from its stored inputs: let r be the real value of an output (exact
sums of dequantised inputs, weights and bias) in output steps. The stored multiplier m and
shift s stand for a factor f with ``|m 2**-s - f| <= 2**-(s + 1)``, so the integers hold
``|q - clip(r)| <= 1/2 + |accumulator| * 2**-(s + 1)``: q is the nearest integer, or the
other neighbour of a value that near to a tie.
"""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402

from accelsim.training.capture import capture  # noqa: E402
from accelsim.training.cat import with_quantisers  # noqa: E402
from accelsim.training.float_maps import float_maps, map_ranges  # noqa: E402
from accelsim.training.network_trace import quantised_network  # noqa: E402
from accelsim.workload import arithmetic  # noqa: E402
from accelsim.workload.arithmetic import AddArithmetic, ConvArithmetic, convolve  # noqa: E402
from accelsim.workload.layer import Add, Concat, Conv, Layer, Pool, Window  # noqa: E402
from accelsim.workload.quantising.equalise import equalised  # noqa: E402
from accelsim.workload.quantising.float_network import FloatNetwork, TrainedWord  # noqa: E402
from accelsim.workload.quantising.quantise import QuantisedNetwork, quantise  # noqa: E402
from tests.training.float_networks import float_network, images  # noqa: E402

ONE = Window((1, 1))
SAME = Window((3, 3), padding=(1, 1, 1, 1))
RESIDUAL: tuple[Layer, ...] = (
    Conv("stem", "input", "stem", 3, 8, SAME, activation="relu6"),
    Conv("wide", "stem", "wide", 8, 16, ONE, activation="relu6"),
    Conv("deep", "wide", "deep", 16, 16, SAME, groups=16, activation="relu"),
    Conv("narrow", "deep", "narrow", 16, 8, ONE),
    Add("sum", ("stem", "narrow"), "sum"),
    Conv("pair", "sum", "pair", 8, 8, Window((3, 3), (2, 2)), groups=2, activation="relu"),
    Conv("other", "sum", "other", 8, 8, Window((3, 3), (2, 2)), activation="relu"),
    Add("three", ("pair", "other", "pair"), "three", "relu"),
    Concat("cat", ("three", "pair"), "cat"),
    Pool("max", "cat", "max", Window((2, 2), (2, 2))),
    Pool("mean", "max", "mean", Window((2, 2)), "avg"),
    Conv("fc", "mean", "fc", 16, 5, ONE, fully_connected=True),
)
WORDS = {"stem": TrainedWord(5, 0.11), "three": TrainedWord(4, 0.2), "pair": TrainedWord(4, 0.2)}


def quantised(network: FloatNetwork) -> QuantisedNetwork:
    return quantise(network, map_ranges(network, images(8)))


@pytest.mark.parametrize("trained", [{}, WORDS], ids=["calibrated", "trained"])
@pytest.mark.parametrize(
    ("mean", "std"),
    [((127.0,) * 3, (64.0,) * 3), ((120.0, 110.5, 100.0), (64.0, 60.0, 66.0))],
    ids=["zero_point", "normalised"],
)
def test_each_stored_integer_is_the_nearest_to_the_real_value_of_its_layer(
    trained: dict[str, TrainedWord], mean: tuple[float, ...], std: tuple[float, ...]
) -> None:
    network = float_network(RESIDUAL, mean=mean, std=std, trained_words=trained)
    made = quantised(network)
    maps = made.maps(images(3))
    for layer in made.graph.layers:
        constants = made.arithmetic.get(layer.name)
        if constants is None:
            continue
        out = made.graph.edge[layer.output]
        parts = [maps[n].astype(float) - made.graph.edge[n].zero_point for n in layer.inputs]
        if isinstance(layer, Conv):
            assert isinstance(constants, ConvArithmetic)
            scale_in = made.graph.edge[layer.input].scale
            scale = constants.weight_scale[:, None, None, None]
            padded = functional.pad(torch.from_numpy(parts[0] * scale_in), pad_of(layer.window))
            real = functional.conv2d(
                padded,
                torch.from_numpy(constants.weights * scale),
                torch.from_numpy(constants.bias * constants.weight_scale * scale_in),
                stride=layer.window.stride,
                groups=layer.groups,
            ).numpy()
            zero_point = made.graph.edge[layer.input].zero_point
            sums = np.abs(convolve(layer, maps[layer.input], zero_point, constants))
        else:
            assert isinstance(layer, Add) and isinstance(constants, AddArithmetic)
            real = sum(
                p * made.graph.edge[n].scale for p, n in zip(parts, layer.inputs, strict=True)
            )
            sums = sum(np.abs(p) for p in parts)
        low, high = arithmetic.activation_range(layer.activation, out)
        steps = np.clip(real / out.scale, low, high)
        allowed = 0.5 + sums * 2.0 ** -(constants.shift + 1) + 1e-9
        assert (np.abs(maps[layer.output] - steps) <= allowed).all(), layer.name


def pad_of(window: Window) -> tuple[int, int, int, int]:
    top, bottom, left, right = window.padding
    return left, right, top, bottom


def test_a_deep_network_with_sums_stays_near_the_float_network() -> None:
    network = float_network(RESIDUAL, mean=(127.0,) * 3)
    made = quantised(network)
    pixels = images(8)
    maps, real = made.maps(pixels), float_maps(network, pixels)
    for edge in made.graph.edges[1:]:
        error = maps[edge.name] * edge.scale - real[edge.name].numpy()
        signal = real[edge.name].numpy()
        assert np.sqrt(np.mean(error**2)) < 0.04 * np.sqrt(np.mean(signal**2)), edge.name


def test_trained_maps_hold_the_levels_of_the_module_that_was_trained() -> None:
    """Weights on the integer grid leave roundings alone: maps are equal but for ties."""
    torch.manual_seed(1)
    module = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 8, 3), nn.ReLU6(), nn.Conv2d(8, 4, 1)
    )  # fmt: skip
    for conv in (module[0], module[2]):
        steps = torch.randint(-127, 128, conv.weight.shape)
        steps[:, 0, 0, 0] = 127  # each channel uses the whole range
        conv.weight.data = steps.float() / 1024
    cat = with_quantisers(module, 5, weight_bits=None)
    for quantiser, clip in zip(cat.quantisers.values(), (1.3, 2.1), strict=True):
        quantiser.clip.data.fill_(clip)
    cat.quantise()
    cat.eval()
    pixels = images(16, (3, 12, 12))
    levels: dict[str, np.ndarray] = {}
    hooks = []
    for name, quantiser in cat.quantisers.items():
        hooks.append(
            quantiser.register_forward_pre_hook(
                lambda q, x, name=name: levels.__setitem__(name, q.levels(x[0]).numpy())
            )
        )
    with torch.no_grad():
        cat((torch.tensor(pixels).float() - 127) / 128)
    for hook in hooks:
        hook.remove()
    plain, trained = cat.deployed()
    network = capture(
        plain, torch.zeros(1, 3, 12, 12), name="cat", source="random",
        input_mean=(127.0,) * 3, input_std=(128.0,) * 3,
        trained_words={n: TrainedWord(*w) for n, w in trained.items()},
    )  # fmt: skip
    made = quantised_network(network, pixels)
    maps = made.maps(pixels)
    assert len(network.trained_words) == 2
    for edge, expected in zip(network.trained_words, levels.values(), strict=True):
        difference = maps[edge].astype(int) - expected
        # The bias is rounded to a 2**-30 of its range, floats to 24 bits: only ties differ.
        assert np.abs(difference).max() <= 1 and (difference != 0).mean() < 1e-3


def test_the_pixels_of_a_padded_input_are_exact_with_a_zero_point() -> None:
    layer = Conv("c", "input", "c", 3, 4, SAME, activation="relu")
    network = float_network((layer,), mean=(127.0,) * 3, std=(128.0,) * 3)
    made = quantised(network)
    edge = made.graph.edge["input"]
    assert made.form == "zero_point"
    assert (edge.zero_point, edge.scale, edge.signed) == (127, 1 / 128, False)
    grey = np.full((3, 10, 10), 127, np.uint8)  # a grey image and its padding are all zero
    sums = convolve(layer, grey, 127, made.arithmetic["c"])
    np.testing.assert_array_equal(sums, made.arithmetic["c"].bias[:, None, None] + 0 * sums)


def test_a_mean_that_no_zero_point_can_hold_goes_into_the_bias_or_into_the_image() -> None:
    def form(window: Window, mean: tuple[float, ...], std: tuple[float, ...]) -> str:
        layer = Conv("c", "input", "c", 3, 4, window, activation="relu")
        return quantised(float_network((layer,), mean=mean, std=std)).form

    bgr, one = (104.0, 117.0, 123.0), (1.0, 1.0, 1.0)
    assert form(Window((3, 3)), bgr, one) == "first_bias"
    assert form(SAME, bgr, one) == "normalised"
    assert form(Window((3, 3)), bgr, (58.0, 57.0, 57.0)) == "normalised"
    assert form(SAME, (0.0,) * 3, (255.0,) * 3) == "zero_point"
    assert form(SAME, (127.5,) * 3, one) == "normalised"
    assert form(Window((3, 3)), (127.5,) * 3, one) == "first_bias"


def test_a_normalised_input_is_rounded_like_any_map() -> None:
    layer = Conv("c", "input", "c", 3, 4, SAME, activation="relu")
    mean, std = (123.7, 116.3, 103.5), (58.4, 57.1, 57.4)
    made = quantised(float_network((layer,), mean=mean, std=std))
    edge, pixels = made.graph.edge["input"], images(8)
    stored = made.stored_input(pixels)
    real = (pixels - np.array(mean)[:, None, None]) / np.array(std)[:, None, None]
    assert edge.signed and stored.dtype == np.int8 and stored.min() >= -127
    assert np.abs(stored * edge.scale - real).max() <= edge.scale * (0.5 + 1e-9)


def test_channels_without_weights_keep_their_bias() -> None:
    layers = (Conv("a", "input", "a", 3, 4, ONE, activation="relu"), Conv("b", "a", "b", 4, 2, ONE))
    network = float_network(layers)
    network.weights["a"][1] = 0.0
    network.weights["a"][2] = 1e-20
    network.biases["a"][:] = (0.1, 2.5, 1.5, 0.0)
    made = quantised(network)
    edge, stored = made.graph.edge["a"], made.maps(images(1)[0])["a"]
    for channel, bias in ((1, 2.5), (2, 1.5)):
        assert np.abs(stored[channel] * edge.scale - bias).max() <= edge.scale / 2 * 1.001


PARTS: tuple[Layer, ...] = (
    Conv("s", "input", "s", 3, 4, ONE, activation="relu"),
    Conv("a", "s", "a", 4, 4, ONE, activation="relu"),
    Conv("b", "s", "b", 4, 4, SAME, activation="relu"),
    Concat("ab", ("a", "b"), "ab"),
    Pool("p", "ab", "p", Window((2, 2), (2, 2))),
    Conv("c", "p", "c", 8, 4, ONE, groups=2, activation="relu"),
    Conv("d", "ab", "d", 8, 4, ONE),
)
PART_WORDS = {
    "s": TrainedWord(5, 0.05),
    "a": TrainedWord(5, 0.037),
    "b": TrainedWord(5, 0.074),
}


def test_parts_of_a_concatenation_keep_their_trained_levels_in_one_word() -> None:
    """With steps of ratio two and weights and biases on the integer grid, only ties may differ."""
    network = float_network(PARTS, trained_words=PART_WORDS, outputs=("c", "d"), mean=(127.0,) * 3)
    rng = np.random.default_rng(0)
    for name in PART_WORDS:
        steps = rng.integers(-127, 128, network.weights[name].shape)
        steps[:, 0, 0, 0] = 127
        network.weights[name][:] = steps / 256
        step = (1 / 64 if name == "s" else PART_WORDS["s"].scale) / 256
        network.biases[name][:] = np.rint(network.biases[name] / step) * step
    same = equalised(network)
    assert {same.trained_words[n] for n in ("a", "b")} == {PART_WORDS["b"]}
    assert same.trained_words["s"] == PART_WORDS["s"]
    pixels = images(4)
    before, after = float_maps(network, pixels), float_maps(same, pixels)
    for name in ("c", "d"):
        torch.testing.assert_close(after[name], before[name], rtol=1e-4, atol=1e-4)
    made = quantise(same, map_ranges(same, pixels))
    assert {made.graph.edge[n].scale for n in ("a", "b", "ab", "p")} == {0.074}
    levels = made.maps(pixels)
    for name, word in PART_WORDS.items():
        wanted = np.rint(before[name].numpy() / word.scale)
        assert len(np.unique(wanted)) == 32  # a wrong step would show
        assert (levels[name] != wanted).mean() < 2e-3


def test_parts_that_a_sum_reads_are_not_scaled() -> None:
    layers = (*PARTS, Add("e", ("a", "b"), "e"))
    network = float_network(layers, trained_words=PART_WORDS, outputs=("c", "d", "e"))
    assert equalised(network).trained_words == PART_WORDS
    outside = float_network(PARTS, trained_words=PART_WORDS, outputs=("ab", "c", "d"))
    assert equalised(outside).trained_words == PART_WORDS
