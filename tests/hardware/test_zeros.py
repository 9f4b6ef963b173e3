"""What a chip may do with zeros is what its dataflow offers; anything else is one message."""

import pytest

from accelsim.errors import ConfigError
from accelsim.hardware.chip import PeArray
from accelsim.hardware.read import chip_from_resolved, read_hardware


@pytest.mark.parametrize("dataflow", ["output", "weight", "input"])
@pytest.mark.parametrize("of", ["ifmap", "weight", "both"])
def test_every_dataflow_of_ours_gates_whatever_is_asked(dataflow: str, of: str) -> None:
    settings = [f"array.dataflow={dataflow}_stationary", "array.zeros=gate", f"array.zeros_of={of}"]
    chip = read_hardware("edge_npu", settings)
    assert (chip.array.zeros, chip.array.zeros_of) == ("gate", of)
    assert chip_from_resolved(chip.resolved) == chip


REFUSED = [
    ("weight", "weight", "weight_stationary skips zeros of ifmaps, not of weights"),
    ("weight", "both", "weight_stationary skips zeros of ifmaps, not of both operands"),
    ("input", "ifmap", "input_stationary skips zeros of weights, not of ifmaps"),
]


@pytest.mark.parametrize(("dataflow", "of", "message"), REFUSED)
def test_what_a_dataflow_cannot_skip_is_refused(dataflow: str, of: str, message: str) -> None:
    settings = [f"array.dataflow={dataflow}_stationary", "array.zeros=skip", f"array.zeros_of={of}"]
    with pytest.raises(ConfigError) as caught:
        read_hardware("edge_npu", settings)
    assert str(caught.value) == (
        f"--set array.zeros=skip: {message}\n"
        "  fix: choose none or gate, another array.zeros_of, or another array.dataflow"
    )
    with pytest.raises(ConfigError, match=message):
        PeArray(4, 4, f"{dataflow}_stationary", True, 32, "skip", of)  # type: ignore[arg-type]


def test_the_default_is_a_dense_array() -> None:
    assert read_hardware("edge_npu").array.zeros == "none"


def test_an_unknown_word_is_refused() -> None:
    with pytest.raises(ConfigError, match="must be one of none, gate, skip, got 'gated'"):
        read_hardware("edge_npu", ["array.zeros=gated"])
