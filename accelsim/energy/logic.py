"""Energy of arithmetic and registers, per operation, word width and process node.

Reference figures at 45 nm, 0.9 V (Horowitz, "Computing's energy problem", ISSCC 2014, as
quoted by two public energy models): integer multiplication of 8 bits 0.2 pJ, of 32 bits
3.1 pJ; integer addition of 8 bits 0.03 pJ, of 32 bits 0.1 pJ. Other widths follow the power
law through these two points: a product of a x w bits scales as (a w)^0.99, an addition as
b^0.87. So 16 x 16 bits cost 0.79 pJ; no source says how close that is to a real multiplier.

Register: 0.009 pJ per bit and access at 40 nm (Aladdin, Shao et al., ISCA 2014: table
``power_func.h`` for a commercial 40 nm process at 1 ns).

Other nodes: ``accelsim.process_node``, whose exponent is tested against the table of
``accelsim.energy.sram``.

The energy of idle PEs is in ``accelsim.energy.pe_array``. Not modelled: control, the network
between buffers and array, dependence on the data.
"""

from __future__ import annotations

from math import log
from typing import Final

from accelsim.process_node import scaled as scaled

INT8_MULTIPLY_PJ: Final = 0.2
INT32_MULTIPLY_PJ: Final = 3.1
INT8_ADD_PJ: Final = 0.03
INT32_ADD_PJ: Final = 0.1
HOROWITZ_NM: Final = 45
MULTIPLY_EXPONENT: Final = log(INT32_MULTIPLY_PJ / INT8_MULTIPLY_PJ, 32 * 32 / (8 * 8))
ADD_EXPONENT: Final = log(INT32_ADD_PJ / INT8_ADD_PJ, 32 / 8)

REGISTER_PJ_PER_BIT: Final = 0.009
ALADDIN_NM: Final = 40


def multiply_pj(a_bits: int, b_bits: int, node_nm: int) -> float:
    """One product of integers of these widths.

    >>> [round(multiply_pj(a, b, 45), 3) for a, b in ((8, 8), (5, 8), (16, 16), (32, 32))]
    [0.2, 0.126, 0.787, 3.1]
    """
    own = INT8_MULTIPLY_PJ * float((a_bits * b_bits / (8 * 8)) ** MULTIPLY_EXPONENT)
    return scaled(own, HOROWITZ_NM, node_nm)


def add_pj(bits: int, node_nm: int) -> float:
    """One addition, or comparison, of integers of this width.

    >>> [round(add_pj(bits, 45), 4) for bits in (8, 16, 32)]
    [0.03, 0.0548, 0.1]
    """
    own = INT8_ADD_PJ * float((bits / 8) ** ADD_EXPONENT)
    return scaled(own, HOROWITZ_NM, node_nm)


def mac_pj(value_bits: int, weight_bits: int, psum_bits: int, node_nm: int) -> float:
    """One product of a value and a weight, and the addition to a psum.

    >>> round(mac_pj(8, 8, 32, 45), 3)  # 0.2 + 0.1
    0.3
    """
    return multiply_pj(value_bits, weight_bits, node_nm) + add_pj(psum_bits, node_nm)


def register_pj_per_bit(node_nm: int) -> float:
    """One bit read from or written to a register inside a PE."""
    return scaled(REGISTER_PJ_PER_BIT, ALADDIN_NM, node_nm)


def vector_pj(value_bits: int, node_nm: int) -> float:
    """One value of an element-wise sum or an unfused pooling: rescaled, then added.

    A multiplication by a scale as wide as the value (operands have scales of their own) and
    a 32-bit addition.
    """
    return multiply_pj(value_bits, value_bits, node_nm) + add_pj(32, node_nm)


def pool_pj(value_bits: int, node_nm: int) -> float:
    """One value of a pooling in the drain path: one comparison."""
    return add_pj(value_bits, node_nm)
