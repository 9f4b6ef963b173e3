"""Arithmetic and registers: what the sources say, and how nodes scale."""

import pytest

from accelsim.energy.logic import (
    mac_pj,
    pool_pj,
    register_bytes_per_mac,
    register_pj_per_byte,
    scaled,
    vector_pj,
)
from accelsim.hardware.chip import PeArray


def test_a_mac_is_a_product_and_an_addition_of_the_psums_width() -> None:
    """Horowitz, 45 nm: 8-bit product 0.2 pJ, 32-bit addition 0.1 pJ."""
    assert mac_pj(32, 45) == pytest.approx(0.3)
    assert mac_pj(16, 45) == pytest.approx(0.25)
    assert vector_pj(45) == pytest.approx(0.3)
    assert pool_pj(45) == pytest.approx(0.03)


def test_a_register_byte_is_eight_bits_of_aladdins_register() -> None:
    assert register_pj_per_byte(40) == pytest.approx(8 * 0.009)


def test_half_the_node_costs_a_little_more_than_a_quarter() -> None:
    assert scaled(1.0, 44, 22) == pytest.approx(2**-1.9)
    assert scaled(scaled(1.0, 65, 22), 22, 65) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("dataflow", "psum_bits", "expected"),
    [
        # in and out of two operands, in and out of a 4-byte psum
        ("output_stationary", 32, 2 + 2 + 8),
        # the stationary operand is only read
        ("weight_stationary", 32, 1 + 2 + 8),
        ("input_stationary", 32, 1 + 2 + 8),
        ("weight_stationary", 16, 1 + 2 + 4),
        ("somebody_elses", 32, 2 + 2 + 8),
    ],
)
def test_registers_of_a_mac_depend_on_what_stays(
    dataflow: str, psum_bits: int, expected: float
) -> None:
    array = PeArray(8, 8, dataflow, fold_overlap=True, psum_bits=psum_bits)
    assert register_bytes_per_mac(array) == expected
