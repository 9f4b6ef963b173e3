"""Arithmetic and registers: what the sources say, and how widths and nodes scale."""

import pytest

from accelsim.energy.logic import (
    add_pj,
    mac_pj,
    multiply_pj,
    pool_pj,
    register_pj_per_bit,
    scaled,
    vector_pj,
)


@pytest.mark.parametrize(("bits", "multiply", "add"), [(8, 0.2, 0.03), (32, 3.1, 0.1)])
def test_published_widths_cost_what_was_published(bits: int, multiply: float, add: float) -> None:
    """Horowitz, 45 nm."""
    assert multiply_pj(bits, bits, 45) == pytest.approx(multiply)
    assert add_pj(bits, 45) == pytest.approx(add)


def test_other_widths_lie_on_the_law_through_both() -> None:
    """16 bits are in the middle of both, in logarithms; a product sees its widths alone."""
    assert multiply_pj(16, 16, 45) == pytest.approx((0.2 * 3.1) ** 0.5)
    assert add_pj(16, 45) == pytest.approx((0.03 * 0.1) ** 0.5)
    assert multiply_pj(5, 8, 45) == multiply_pj(8, 5, 45)
    assert multiply_pj(4, 16, 45) == pytest.approx(multiply_pj(8, 8, 45))
    assert multiply_pj(0, 8, 45) == 0.0


def test_a_mac_is_a_product_and_an_addition_of_the_psums_width() -> None:
    assert mac_pj(8, 8, 32, 45) == pytest.approx(0.2 + 0.1)
    assert mac_pj(16, 8, 32, 45) - mac_pj(8, 8, 32, 45) == pytest.approx(
        multiply_pj(16, 8, 45) - 0.2
    )
    assert mac_pj(8, 8, 8, 45) == pytest.approx(0.2 + 0.03)


def test_the_vector_unit_rescales_and_adds_and_pooling_compares() -> None:
    assert vector_pj(8, 45) == pytest.approx(0.3)
    assert vector_pj(16, 45) == pytest.approx((0.2 * 3.1) ** 0.5 + 0.1)
    assert pool_pj(8, 45) == pytest.approx(0.03)


def test_a_register_bit_is_aladdins() -> None:
    assert register_pj_per_bit(40) == pytest.approx(0.009)


def test_half_the_node_costs_a_little_more_than_a_quarter() -> None:
    assert scaled(1.0, 44, 22) == pytest.approx(2**-1.9)
    assert scaled(scaled(1.0, 65, 22), 22, 65) == pytest.approx(1.0)
    assert mac_pj(8, 8, 32, 22) == pytest.approx(scaled(0.3, 45, 22))
