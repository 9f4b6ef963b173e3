"""Building blocks of codec lanes, so that the figures of all codecs count the same things.

Areas are gate equivalents (GE, a two-input NAND), which differ by less than 8 % between five
libraries from 7 to 180 nm. A lane contains everything between raw words and the words of the
memory port, in each direction: the coder, its tables, its staging, and the bit packer. Figures that
depend on the width of the words take an argument ``word_bits``.

Estimated energies assume gates that switch with 15 % activity at 1.5 fJ per toggle, at 65 nm.
Published figures keep the node of their source (``LaneHardware.node_nm``).
"""

from __future__ import annotations

from fractions import Fraction
from typing import Final

import numpy as np
from numpy.typing import NDArray

from accelsim.codecs.code_limits import limit_of

FLIP_FLOP_KGE: Final = 6e-3
SRAM_BIT_KGE: Final = 0.5e-3
PJ_PER_KGE: Final = 0.15 * 1.5
"""Energy of a thousand gates in a cycle, at ``ESTIMATE_NM``."""
ESTIMATE_NM: Final = 65

FPGA_HUFFMAN_PJ: Final = 0.83
"""Energy of an 8-bit symbol, in each direction: 4.26 mW for 32 lanes at 160 MHz (notes of Chmiel et
al., IJCNN 2020, on an Arria 10). This is an FPGA; an ASIC would need less."""
FPGA_NM: Final = 20
"""Process of the Arria 10."""
HUFFMAN_KGE: Final = 12.0
"""Encoder and decoder for 8-bit symbols, estimated: tables as SRAM; packer, window, compare."""
SRAM_ENERGY_EXPONENT: Final = 0.46
"""The energy of an access scales as size^0.46 (CACTI, 45 nm, 64 bits)."""


def pj_per_value(kge: float, values_per_cycle: float = 1) -> float:
    """Estimated energy per value of logic that is active in every cycle.

    >>> round(pj_per_value(6.0, 32), 4)   # one way of a zero-value packer of 32 words
    0.0422
    """
    return kge * PJ_PER_KGE / values_per_cycle


def table_pj(bits: int, bits_of_8: int) -> float:
    """Estimated energy of an access to a table in SRAM that has ``bits_of_8`` bits for 8-bit words.

    At 8 bits it is that of its gates; other sizes scale as in CACTI, since one word switches.

    >>> round(table_pj(4096, 4096), 3), round(table_pj(1 << 20, 4096), 3)
    (0.461, 5.906)
    """
    size = float((bits / bits_of_8) ** SRAM_ENERGY_EXPONENT)
    return pj_per_value(SRAM_BIT_KGE * bits_of_8) * size


def cycles_at(sizes: NDArray[np.int64], values_per_cycle: float) -> NDArray[np.int64]:
    """[n_blocks] whole cycles for these numbers of values at this rate.

    >>> cycles_at(np.array([0, 3, 16]), 1.6)
    array([ 0,  2, 10])
    """
    rate = Fraction(values_per_cycle).limit_denominator(1 << 16)
    return -(-sizes * rate.denominator // rate.numerator)


def packer_kge(word_bits: int) -> float:
    """A bit packer (or window) for one direction with its counter, for fields of about a word.

    0.6 kGE at 8 bits, of which two thirds (shifter and register) follow the width; compare the
    5.8 kGE of the whole EBPC (Cavigelli et al., JETCAS 2019).

    >>> round(packer_kge(8), 3), round(packer_kge(16), 3)
    (0.6, 1.0)
    """
    return 0.2 + 0.05 * word_bits


def huffman_encoder_bits(word_bits: int) -> int:
    """Table of an encoder lane: a code and its length (4 bits) for each word.

    >>> [huffman_encoder_bits(bits) for bits in (5, 8, 16)]
    [512, 4096, 1310720]
    """
    return (limit_of(1 << word_bits) + 4) << word_bits


def huffman_decoder_bits(word_bits: int) -> int:
    """Tables of a decoder lane: the words in the order of their codes; first code and offset
    for each length."""
    limit = limit_of(1 << word_bits)
    return (word_bits << word_bits) + limit * (limit + word_bits)


def huffman_kge(word_bits: int) -> float:
    """Encoder and decoder: tables as SRAM, and logic that follows the longest code.

    >>> [round(huffman_kge(bits), 1) for bits in (5, 8, 16)]
    [9.2, 12.0, 1191.6]
    """
    return _huffman_tables_kge(word_bits) + _huffman_logic_kge(word_bits)


def huffman_pj(word_bits: int) -> float:
    """Energy of a symbol in each direction, at ``FPGA_NM``: the published figure, with the share of
    the table scaled by table size.

    >>> round(huffman_pj(8), 2), round(huffman_pj(5), 2)
    (0.83, 0.69)
    """
    tables = _huffman_tables_kge(8) / HUFFMAN_KGE
    size = huffman_encoder_bits(word_bits) / huffman_encoder_bits(8)
    logic = (1 - tables) * limit_of(1 << word_bits) / limit_of(1 << 8)
    return FPGA_HUFFMAN_PJ * (logic + tables * float(size**SRAM_ENERGY_EXPONENT))


def huffman_gates_pj(word_bits: int) -> float:
    """The same estimated from the gates of the lane, half for each direction, at ``ESTIMATE_NM``.

    >>> round(huffman_gates_pj(8), 2), round(huffman_gates_pj(16), 2)
    (1.35, 6.77)
    """
    logic = pj_per_value(_huffman_logic_kge(word_bits) / 2)
    return logic + table_pj(_huffman_tables_bits(word_bits), _huffman_tables_bits(8)) / 2


def _huffman_tables_bits(word_bits: int) -> int:
    return huffman_encoder_bits(word_bits) + huffman_decoder_bits(word_bits)


def _huffman_tables_kge(word_bits: int) -> float:
    return SRAM_BIT_KGE * _huffman_tables_bits(word_bits)


def _huffman_logic_kge(word_bits: int) -> float:
    logic_of_8_bits = HUFFMAN_KGE - _huffman_tables_kge(8)
    return logic_of_8_bits * limit_of(1 << word_bits) / limit_of(1 << 8)
