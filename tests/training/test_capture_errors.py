"""What capture cannot do: one message that names the operator, the module and the line."""

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from torch import Tensor, nn  # noqa: E402
from torch.nn import functional  # noqa: E402

from accelsim.errors import UserError  # noqa: E402
from accelsim.training.capture import capture  # noqa: E402
from accelsim.workload.quantising.float_network import TrainedWord  # noqa: E402
from tests.training.captured import Calls, captured  # noqa: E402

IMAGE = (3, 12, 12)
SOURCE = Path(__file__).read_text().splitlines()


def line_of(code: str) -> int:
    """The one line of this file that is ``code`` and nothing else."""
    (found,) = [n for n, line in enumerate(SOURCE, start=1) if line.strip() == code]
    return found


def refused(module: nn.Module, shape: tuple[int, int, int] = IMAGE, **options: object) -> str:
    with pytest.raises(UserError) as caught:
        captured(module.eval(), shape, **options)
    message = str(caught.value)
    problem, fix = message.split("\n  fix: ")
    assert len(message) < 700 and "\n" not in problem and fix
    return message


def network(forward: object) -> nn.Module:
    return Calls(forward, c=nn.Conv2d(3, 4, 3), d=nn.Conv2d(3, 4, 3))


class SqueezeAndExcite(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.reduce = nn.Conv2d(4, 2, 1)
        self.expand = nn.Conv2d(2, 4, 1)

    def forward(self, x: Tensor) -> Tensor:
        y = self.expand(self.reduce(x.mean((2, 3), keepdim=True)).relu())
        gate = torch.sigmoid(y)
        return x * gate


def test_the_message_names_operator_module_file_line_and_text() -> None:
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Sequential(SqueezeAndExcite()))
    line = line_of("gate = torch.sigmoid(y)")
    assert refused(module).startswith(
        f"test_capture_errors.py:{line}: module '1.0' calls sigmoid, which no layer computes: "
        "`gate = torch.sigmoid(y)`\n  fix: supported are convolutions,"
    )


def test_a_module_of_torch_without_a_line_of_the_users_is_named_by_its_path() -> None:
    message = refused(nn.Sequential(nn.Conv2d(3, 4, 3), nn.Sequential(nn.SiLU())))
    assert message.startswith("network: module '1.0' calls silu, which no layer computes\n")


OPERATORS = {
    "hardswish": lambda self, x: functional.hardswish(self.c(x)),
    "leaky_relu": lambda self, x: functional.leaky_relu(self.c(x)),
    "layer_norm": lambda self, x: functional.layer_norm(self.c(x), (10, 10)),
    "group_norm": lambda self, x: functional.group_norm(self.c(x), 2),
    "softmax": lambda self, x: self.c(x).softmax(1),
    "scaled_dot_product_attention": lambda self, x: functional.scaled_dot_product_attention(
        x, x, x
    ),
    "upsample_nearest2d": lambda self, x: functional.interpolate(self.c(x), scale_factor=2),
    "conv_transpose2d": lambda self, x: functional.conv_transpose2d(x, self.c.weight[:3]),
    "pixel_shuffle": lambda self, x: functional.pixel_shuffle(self.c(x), 2),
    "slice": lambda self, x: self.c(x)[:, :2],
    "split_with_sizes": lambda self, x: torch.split(self.c(x), [1, 3], 1)[0],
    "transpose": lambda self, x: self.c(x).transpose(2, 3),
    "matmul": lambda self, x: self.c(x) @ self.c(x),
    "stack": lambda self, x: torch.stack([self.c(x), self.d(x)]),
    "max": lambda self, x: self.c(x) * self.c(x).max().item(),
    "rand": lambda self, x: self.c(x) + torch.rand(1),
}


@pytest.mark.parametrize("operator", OPERATORS)
def test_operators_that_no_layer_computes_are_named(operator: str) -> None:
    message = refused(network(OPERATORS[operator]))
    # torch remembers the lines of methods called forward, so it is that of ``Calls``.
    assert message.startswith("captured.py:") and f"calls {operator}, which no" in message


def test_a_softmax_at_the_end_is_to_be_left_out() -> None:
    message = refused(network(lambda self, x: functional.log_softmax(self.c(x).mean((2, 3)), 1)))
    assert message.endswith("fix: let the network end with its logits")


PROBLEMS = {
    "clips between 0 and 4": lambda self, x: self.c(x).clamp(0, 4),
    "clips between -1": lambda self, x: functional.hardtanh(self.c(x)),
    "clips between None and 6": lambda self, x: self.c(x).clamp(max=6),
    "subtracts maps": lambda self, x: self.c(x) - self.d(x),
    "multiplies two maps": lambda self, x: self.c(x) * self.d(x),
    "divides by a map": lambda self, x: self.d(x) / self.c(x),
    "adds maps of unequal shapes": lambda self, x: self.c(x) + self.d(x).mean((2, 3), keepdim=True),
    "along another axis than the channels": lambda self, x: torch.cat([self.c(x), self.d(x)], 2),
    "one number for each channel": lambda self, x: self.c(x) * torch.arange(10.0),
    "a constant in the place of a map": lambda self, x: torch.cat(
        [self.c(x), torch.ones(1, 1, 10, 10)], 1
    ),
    "weights that depend on the input": lambda self, x: functional.linear(
        self.c(x).flatten(1), self.d(x).flatten(1)
    ),
    "last axis": lambda self, x: functional.linear(self.c(x), torch.ones(2, 10)),
    "a map reshaped to": lambda self, x: functional.max_pool2d(self.c(x).reshape(1, 2, 20, 10), 2),
    "windows of unequal sizes": lambda self, x: functional.adaptive_avg_pool2d(self.c(x), 7),
    "over axes [1]": lambda self, x: self.c(x).mean(1),
    "over axes all": lambda self, x: self.c(x).mean(),
    "(ceil_mode) and counts the padding": lambda self, x: functional.avg_pool2d(
        self.c(x), 3, 2, 1, ceil_mode=True
    ),
    "pads by reflect": lambda self, x: self.c(functional.pad(x, (1, 1, 1, 1), mode="reflect")),
    "crops a map": lambda self, x: self.c(functional.pad(x, (-1, 0, 0, 0))),
    "or pads its channels": lambda self, x: functional.pad(self.c(x), (0, 0, 0, 0, 1, 1)),
    "with 1 for conv2d": lambda self, x: self.c(functional.pad(x, (1, 1, 1, 1), value=1.0)),
    "with 0 for max_pool2d": lambda self, x: functional.max_pool2d(
        functional.pad(self.c(x), (1, 1, 1, 1)), 2
    ),
    "with 0 for avg_pool2d": lambda self, x: functional.avg_pool2d(
        functional.pad(self.c(x), (1, 1, 1, 1)), 2
    ),
    "with 0 for ": lambda self, x: (
        functional.pad(self.c(x), (1, 1, 1, 1)).relu() + functional.pad(self.d(x), (1, 1, 1, 1))
    ),
    "pads the network's output": lambda self, x: functional.pad(self.c(x), (1, 1, 1, 1)),
    "drops values also in inference": lambda self, x: functional.dropout(self.c(x), 0.5),
    "statistics of the batch": lambda self, x: functional.batch_norm(
        self.c(x), None, None, training=True
    ),
    "converts a map to torch.float16": lambda self, x: self.c(x).half(),
    "a second result": lambda self, x: functional.max_pool2d(self.c(x), 2, return_indices=True)[1],
}


@pytest.mark.parametrize("problem", PROBLEMS)
def test_what_a_layer_computes_only_otherwise_is_explained(problem: str) -> None:
    message = refused(network(PROBLEMS[problem]))
    assert problem in message and message.startswith("captured.py:")


class TakesTheBrighterPath(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.c = nn.Conv2d(3, 4, 3)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.c(x)
        if y.sum() > 0:
            y = y.relu()
        return y


def test_a_path_that_depends_on_data_is_one_line(capfd: pytest.CaptureFixture[str]) -> None:
    line = line_of("if y.sum() > 0:")
    assert refused(nn.Sequential(TakesTheBrighterPath())) == (
        f"test_capture_errors.py:{line}: the path depends on the values of a map: "
        "`if y.sum() > 0:`\n  fix: let forward() take the same path for all inputs"
    )
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("forward", "reason"),
    [
        (lambda self, x: self.c(self.c(x)), "expected input"),
        (lambda self, x: self.missing(x), "has no attribute 'missing'"),
        (lambda self, x: torch.from_numpy(self.c(x).detach().numpy()), "numpy"),
        (lambda self, x: next(self.c(x) for _ in range(int(x.max()))), "the path depends"),
    ],
)
def test_other_failures_of_the_users_code_are_one_line(forward: object, reason: str) -> None:
    message = refused(network(forward))
    assert reason in message and message.startswith("test_capture_errors.py:")


class TwoInputs(nn.Module):
    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return x + y


def test_a_module_of_two_inputs_is_refused() -> None:
    assert "missing a required argument: 'y'" in refused(TwoInputs())


def test_a_network_without_layers_is_refused() -> None:
    assert "computes nothing" in refused(nn.Sequential(nn.Identity()))


def test_examples_and_means_of_other_shapes_are_refused() -> None:
    module = nn.Conv2d(3, 4, 3)
    options = {"name": "n", "source": "s", "input_mean": (0.0,) * 3, "input_std": (1.0,) * 3}
    for shape in ((3, 12, 12), (2, 3, 12, 12)):
        with pytest.raises(UserError, match=r"give \[1, channels, rows, cols\]"):
            capture(module, torch.zeros(shape), **options)
    with pytest.raises(UserError, match="3 and 1 numbers for 3 channels"):
        capture(module, torch.zeros(1, 3, 12, 12), **{**options, "input_std": (1.0,)})


def test_a_trained_word_of_an_unknown_module_names_the_nearest() -> None:
    module = Calls(lambda self, x: self.relu1(self.c(x)), c=nn.Conv2d(3, 4, 3), relu1=nn.ReLU())
    message = refused(module, trained_words={"relu2": TrainedWord(5, 0.1)})
    assert "no module 'relu2'. Did you mean 'relu1'?" in message


def test_a_refused_module_is_left_as_it_was() -> None:
    module = network(lambda self, x: self.c(x).sigmoid()).train()
    with pytest.raises(UserError):
        captured(module, IMAGE)
    assert all(m.training for m in module.modules())
