"""Energy of arithmetic and registers, per operation and process node.

Reference figures at 45 nm, 0.9 V (Horowitz, "Computing's energy problem", ISSCC 2014, as
quoted by two public energy models): 8-bit integer multiplication 0.2 pJ, 8-bit addition
0.03 pJ, 32-bit addition 0.1 pJ. Register: 0.009 pJ per bit and access at 40 nm (Aladdin's
table, as shipped in hwcomponents-library 1.0.58).

Other nodes: energy goes as node^1.9 between 22 and 65 nm. That is an assumption for logic;
the exponent is what CACTI gives for the periphery and cells of a 128 KiB macro over these
nodes (1.7 to 1.9, tested against the table of ``accelsim.energy.sram``).

Operands are counted as 8-bit words. Not modelled: clock tree, control, the network between
buffers and array, zero gating, dependence on the data.
"""

from __future__ import annotations

from typing import Final

from accelsim.hardware.chip import PeArray

NODE_EXPONENT: Final = 1.9

INT8_MULTIPLY_PJ: Final = 0.2
INT8_ADD_PJ: Final = 0.03
INT32_ADD_PJ: Final = 0.1
HOROWITZ_NM: Final = 45

REGISTER_PJ_PER_BYTE: Final = 8 * 0.009
ALADDIN_NM: Final = 40

OPERAND_BYTES: Final = 1


def scaled(energy_pj: float, from_nm: int, to_nm: int) -> float:
    """An energy published at one process node, at another.

    >>> round(scaled(0.2, 45, 22), 4)
    0.0513
    """
    return energy_pj * float((to_nm / from_nm) ** NODE_EXPONENT)


def mac_pj(psum_bits: int, node_nm: int) -> float:
    """One 8-bit multiplication, and its addition to a psum (in proportion to the width).

    >>> mac_pj(32, 45)  # 0.2 + 0.1
    0.30000000000000004
    """
    add_pj = INT32_ADD_PJ * psum_bits / 32
    return scaled(INT8_MULTIPLY_PJ + add_pj, HOROWITZ_NM, node_nm)


def register_pj_per_byte(node_nm: int) -> float:
    """One byte read from or written to a register inside a PE."""
    return scaled(REGISTER_PJ_PER_BYTE, ALADDIN_NM, node_nm)


def vector_pj(node_nm: int) -> float:
    """One value of an element-wise sum or a pooling of its own: rescaled, then added.

    An 8-bit multiplication (operands have scales of their own) and a 32-bit addition.
    """
    return scaled(INT8_MULTIPLY_PJ + INT32_ADD_PJ, HOROWITZ_NM, node_nm)


def pool_pj(node_nm: int) -> float:
    """One value of a pooling in the drain path: one 8-bit comparison, priced as an addition."""
    return scaled(INT8_ADD_PJ, HOROWITZ_NM, node_nm)


def register_bytes_per_mac(array: PeArray) -> float:
    """Bytes read and written in the registers of one PE for one MAC.

    A value that is handed on from PE to PE is written and read once in each; a value that
    stays is only read (its loading is counted with the buffer that delivers it); the psum is
    read and written back wherever it stays or moves. So with 32-bit psums, output stationary
    arrays touch 2 + 2 + 8 bytes, weight and input stationary ones 1 + 2 + 8. A dataflow of an
    outside package is taken as moving both operands.
    """
    stays = array.dataflow in {"weight_stationary", "input_stationary"}
    operand_bytes = OPERAND_BYTES * (3 if stays else 4)
    return operand_bytes + 2 * array.psum_bits / 8
