"""Energy of the PE array without work: the clock of idle PEs, and leakage.

A PE has registers for a value, a weight and a psum, a multiplier and an adder. In a cycle
with a MAC its registers are paid for by access (``accelsim.energy.logic``); in a cycle
without one their clock pins still toggle. Both are figures of one table: Aladdin's
(Shao et al., ISCA 2014; ``power_func.h``, a commercial 40 nm process at 1 ns) has for a bit of
register 7.94 fJ of internal and 1.06 fJ of switching energy a cycle, together the 9 fJ of an
access; internal is what flows whether or not the value changes. So each joule is counted
once, and a PE without a MAC costs 88 % of its registers' bits in one cycle.

Leakage at 40 nm is from the same table: 74 nW for a bit of register, 2.25 uW for a 32-bit
adder, 77.9 uW for a 32-bit multiplier (in proportion to the product of its widths, as its
area). Other nodes and cells scale as the leakage of a 128 KiB SRAM macro relative to hp cells
at 40 nm (``accelsim.energy.sram``), an assumption which keeps buffers and logic in one process.

A product of a zero that is not computed (``array.zeros``) accesses fewer registers, or none. The
others are clocked like those of an idle PE, because only the data are gated, as in Eyeriss.

No clock gating: PEs are clocked in every cycle of a run, including stalls and PEs beyond the edge
of a layer. That is an upper bound for arrays that stop their clock; EIE (Han et al., ISCA 2016)
gives 20 % of a PE's power to the clock, half of what its logic draws. Between images at a fixed
frame rate the clock stops and leakage stays. Not modelled: the clock tree, second registers for
the overlap of folds, control, power gating.
"""

from __future__ import annotations

from typing import Final

from accelsim.energy.logic import ALADDIN_NM, scaled
from accelsim.energy.sram import sram_macro
from accelsim.hardware.chip import Chip, PeArray
from accelsim.program.work import StageWork
from accelsim.units import KIB

CLOCKED_PJ_PER_BIT: Final = 0.00794
REGISTER_LEAKAGE_MW_PER_BIT: Final = 7.40e-5
ADDER_LEAKAGE_MW_PER_BIT: Final = 2.25e-3 / 32
MULTIPLIER_LEAKAGE_MW_PER_BIT_SQUARED: Final = 7.79e-2 / (32 * 32)

WORD_BITS: Final = 8
"""A PE is built for words of 8 bits, or for those of the layer if they are wider."""


def idle_pe_pj(array: PeArray, value_bits: int, weight_bits: int, node_nm: int) -> float:
    """The registers of one PE, clocked for one cycle without a MAC.

    >>> tiny = PeArray(1, 1, "output_stationary", fold_overlap=True, psum_bits=32)
    >>> round(idle_pe_pj(tiny, 8, 8, 40), 3)   # 48 bits x 7.94 fJ
    0.381
    """
    bits = _word(value_bits) + _word(weight_bits) + array.psum_bits
    return scaled(bits * CLOCKED_PJ_PER_BIT, ALADDIN_NM, node_nm)


def rests_pj(work: StageWork, array: PeArray, node_nm: int) -> float:
    """Registers that products of zeros leave alone: what their clock costs.

    ``idle_pe_pj`` is for the cycles of all PEs less all products, so the registers that are not
    accessed for a product are missing there: those of gated products, which have a cycle, and
    those of skipped ones, which have none (then the cycles are fewer by as many).
    """
    bits = (
        work.ifmap_rests * _word(work.value_bits)
        + work.weight_rests * _word(work.weight_bits)
        + work.psum_rests * array.psum_bits
    )
    return scaled(bits * CLOCKED_PJ_PER_BIT, ALADDIN_NM, node_nm)


def leakage_mw(chip: Chip, value_bits: int = WORD_BITS, weight_bits: int = WORD_BITS) -> float:
    """All PEs of the array."""
    value, weight, psum = _word(value_bits), _word(weight_bits), chip.array.psum_bits
    one_pe = (
        (value + weight + psum) * REGISTER_LEAKAGE_MW_PER_BIT
        + value * weight * MULTIPLIER_LEAKAGE_MW_PER_BIT_SQUARED
        + psum * ADDER_LEAKAGE_MW_PER_BIT
    )
    return chip.array.rows * chip.array.cols * one_pe * leakage_ratio(chip)


def leakage_ratio(chip: Chip) -> float:
    """Leakage in the chip's node and cells, over that of hp cells at 40 nm."""
    here = sram_macro(128 * KIB, 64, chip.energy.node_nm, chip.energy.sram_cell)
    there = sram_macro(128 * KIB, 64, ALADDIN_NM, "hp")
    return here.leakage_mw / there.leakage_mw


def _word(bits: int) -> int:
    return max(WORD_BITS, bits)
