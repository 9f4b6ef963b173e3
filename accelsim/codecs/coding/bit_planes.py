"""Delta, bit-plane, XOR: the coder of groups of n words that BPC and EBPC share.

Source: Kim et al., "Bit-Plane Compression: Transforming Data for Better Compression in
Many-core Architectures", ISCA 2016; in the order and codes of EBPC's hardware, Cavigelli et
al., JETCAS 2019. A group v[0] .. v[n - 1] becomes its base v[0] and the differences
d[i] = v[i + 1] - v[i], two's complement of W + 1 bits. Plane k (DBP) is bit k of all of them,
d[0] leftmost; DBX is a plane XOR the plane coded before it. The base in W bits, then all
W + 1 planes in order, each with the first code that fits:

    DBX zero, in a run of 1 plane          "01"  or in the original order of codes "001"
    DBX zero, in a run of r >= 2 planes    "001" or originally "01", then r - 2 in M bits
    DBX all ones                           "00000"
    DBX not zero, but the plane is         "00001"
    DBX with two ones, side by side        "00010", then the place of the left one in L bits
    DBX with one one                       "00011", then its place in L bits, leftmost 0
    any other DBX                          "1", then the n - 1 bits of DBX

with L = ceil(log2 n) and M = ceil(log2 W).

The kernels are inlined into the loops over blocks: a call for each group would count
references of all its arrays, which cost half as much as the work itself.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from accelsim.codecs.bits import get, put
from accelsim.codecs.coding.bit_matrix import count_ones, transpose
from accelsim.jit import part

MAX_PLANES = 17


class PlaneCode(NamedTuple):
    """All that decides the bits of a group."""

    n: int  # words in a group, 4 to 32
    word_bits: int
    sign_bit: int  # bit W - 1 where words are signed, else 0
    position_bits: int  # L
    run_bits: int  # M
    sign_plane_first: bool
    single_zero_first: bool  # "01" is a single zero plane; else a run

    @staticmethod
    def of(
        n: int, word_bits: int, *, signed: bool, sign_plane_first: bool, single_zero_first: bool
    ) -> PlaneCode:
        """The widths of its fields follow from ``n`` and the word."""
        return PlaneCode(
            n=n,
            word_bits=word_bits,
            sign_bit=1 << (word_bits - 1) if signed else 0,
            position_bits=(n - 1).bit_length(),
            run_bits=(word_bits - 1).bit_length(),
            sign_plane_first=sign_plane_first,
            single_zero_first=single_zero_first,
        )

    @property
    def worst_case_bits(self) -> int:
        """The base, and each plane with its longest code."""
        return self.word_bits + (self.word_bits + 1) * max(self.n, 5 + self.position_bits)


@part
def size_group(group: NDArray[np.int64], code: PlaneCode) -> tuple[int, int]:
    """Bits of a group of values; and how many zero runs a more significant plane follows.

    Counts all planes at once: bit k of each mask says what plane k is.
    """
    planes = (1 << (code.word_bits + 1)) - 1
    # Planes with ones; DBX with 1, 2, 3 or more ones, with neighbours, with ones only.
    plane_ones, once, twice, thrice, neighbours, every, before = 0, 0, 0, 0, 0, planes, 0
    for i in range(1, code.n):
        delta = (int(group[i]) - int(group[i - 1])) & planes
        beside = delta >> 1 if code.sign_plane_first else delta << 1
        dbx = (delta ^ beside) & planes
        plane_ones |= delta
        thrice |= twice & dbx
        twice |= once & dbx
        once |= dbx
        every &= dbx
        neighbours |= before & dbx
        before = dbx
    short = every | (once & ~plane_ones)
    placed = (once & ~twice | neighbours & ~thrice) & ~short
    raw = once & ~short & ~placed
    zero = planes & ~once
    starts = zero & ~(zero << 1)
    n_runs, n_single = count_ones(starts), count_ones(starts & ~(zero >> 1))
    single_bits, run_bits = (2, 3) if code.single_zero_first else (3, 2)
    bits = (
        code.word_bits
        + 5 * count_ones(short)
        + (5 + code.position_bits) * count_ones(placed)
        + code.n * count_ones(raw)
        + single_bits * n_single
        + (run_bits + code.run_bits) * (n_runs - n_single)
    )
    return bits, n_runs - ((zero >> code.word_bits) & 1)


@part
def _undo_xor(dbx: int, sign_plane_first: bool) -> int:
    """The difference of which each bit was XORed with the bit coded before it."""
    if sign_plane_first:
        for shift in (1, 2, 4, 8, 16):
            dbx ^= dbx >> shift
    else:
        for shift in (1, 2, 4, 8, 16):
            dbx ^= dbx << shift
    return dbx


@part
def _prefix(dbx: int, plane: int, ones: int) -> int:
    """The first code that fits: 0 to 3 as in the table, 4 for zeros, 16 for any other DBX.

    No branches, for planes come in no order.
    """
    lowest = dbx & -dbx
    is_zero, is_ones = int(dbx == 0), int(dbx == ones)
    others = 1 - (is_zero | is_ones)
    no_plane = others & int(plane == 0)
    placed = others - no_plane
    is_single, is_pair = placed & int(dbx == lowest), placed & int(dbx == 3 * lowest)
    raw = placed - is_single - is_pair
    return 16 * raw + 4 * is_zero + 3 * is_single + 2 * is_pair + no_plane


@part
def write_group(
    group: NDArray[np.int64],
    code: PlaneCode,
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    payload: NDArray[np.uint8],
    at: int,
) -> int:
    """Write a group of values at bit ``at``; returns the next bit. Rows, columns: scratch."""
    n, word_bits = code.n, code.word_bits
    planes, ones = (1 << (word_bits + 1)) - 1, (1 << (n - 1)) - 1
    run_mask = (1 << code.run_bits) - 1
    for i in range(1, n):
        delta = (int(group[i]) - int(group[i - 1])) & planes
        beside = delta >> 1 if code.sign_plane_first else delta << 1
        rows[i - 1] = (delta ^ beside) & planes
    transpose(rows, n - 1, word_bits + 1, columns)
    at = put(payload, at, int(group[0]), word_bits)
    single_bits, run_bits = (2, 3) if code.single_zero_first else (3, 2)
    step, k = (-1, word_bits) if code.sign_plane_first else (1, 0)
    # A plane beyond the last one ends its run.
    columns[word_bits + 1] = 1
    # Two planes of up to 16 bits are written at once: half of the time goes into writing.
    per_put = 2 if n <= 16 else 1
    fields, fields_bits = 0, 0
    plane, run = 0, 0
    for i in range(word_bits + 1):
        dbx = int(columns[k])
        k += step
        following = int(columns[k if i < word_bits else word_bits + 1])
        plane ^= dbx
        prefix = _prefix(dbx, plane, ones)
        below = count_ones((dbx & -dbx) - 1)
        place = n - 2 - below - int(prefix == 2)
        run = (run + 1) * int(dbx == 0)
        run_width = single_bits if run == 1 else run_bits + code.run_bits
        is_placed, is_run, is_raw = (prefix >> 1) & 1, (prefix >> 2) & 1, prefix >> 4
        ends = is_run & int(following != 0)
        run_field = 1 if run == 1 else (1 << code.run_bits) | ((run - 2) & run_mask)
        placed_field = (prefix << code.position_bits) | place
        field = (
            (prefix & (is_placed + is_run + is_raw - 1))
            | (placed_field & -is_placed)
            | (run_field & -is_run)
            | (((ones + 1) | dbx) & -is_raw)
        )
        width = (
            (5 & (is_run + is_raw - 1))
            + (code.position_bits & -is_placed)
            + (run_width & -ends)
            + (n & -is_raw)
        )
        fields = (fields << width) | (field & ((1 << width) - 1))
        fields_bits += width
        if (i + 1) % per_put == 0:
            at = put(payload, at, fields, fields_bits)
            fields, fields_bits = 0, 0
    return put(payload, at, fields, fields_bits)


@part
def read_group(
    payload: NDArray[np.uint8],
    at: int,
    end: int,
    code: PlaneCode,
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    group: NDArray[np.int64],
) -> int:
    """Read the values of a group at bit ``at``; returns the next bit.

    -1 if ``write_group`` cannot have written it, or not before bit ``end``.
    """
    n, word_bits = code.n, code.word_bits
    planes, ones = (1 << (word_bits + 1)) - 1, (1 << (n - 1)) - 1
    word_mask, run_mask = (1 << word_bits) - 1, (1 << code.run_bits) - 1
    place_shift, place_mask = 27 - code.position_bits, (1 << code.position_bits) - 1
    # "01" starts prefixes 8 to 15, "001" 4 to 7.
    single_bits, run_bits = (2, 3) if code.single_zero_first else (3, 2)
    run_shift = 32 - run_bits - code.run_bits
    if at + word_bits > end:
        return -1
    base = get(payload, at, word_bits)
    at += word_bits
    for k in range(word_bits + 1):
        rows[k] = 0
    plane, i, wrong, after_run = 0, 0, 0, 0
    while i <= word_bits:
        if at >= end:
            return -1
        window = get(payload, at, 32)
        prefix = window >> 27
        is_raw, upper = prefix >> 4, (prefix >> 2) & 3
        is_run = (1 - is_raw) & (upper | (upper >> 1))
        one_hot = 1 << prefix
        is_ones, is_no_plane = one_hot & 1, (one_hot >> 1) & 1
        is_pair, is_single = (one_hot >> 2) & 1, (one_hot >> 3) & 1
        is_placed = is_pair | is_single
        is_long = is_run & int(code.single_zero_first != (prefix >= 8))
        place = n - 2 - ((window >> place_shift) & place_mask)
        single = 1 << max(place, 0)
        # Masks and no branches, not even a chain of selections, which compiles to a jump.
        dbx = (
            (ones & -is_ones)
            | (plane & -is_no_plane)
            | ((single | (single >> 1)) & -is_pair)
            | (single & -is_single)
            | ((window >> (32 - n)) & ones & -is_raw)
        )
        width = (
            (5 & (is_raw + is_run - 1))
            + (code.position_bits & -is_placed)
            + (n & -is_raw)
            + (single_bits & (is_long - is_run))
            + ((run_bits + code.run_bits) & -is_long)
        )
        plane ^= dbx
        kind = (4 & -is_run) | (16 & -is_raw) | (prefix & (is_raw + is_run - 1))
        # The first code that fits was written, and a run is as long as it can be.
        wrong |= kind ^ _prefix(dbx, plane, ones)
        wrong |= (after_run & is_run) | (is_placed & int(place < 0))
        after_run = is_run
        # Rows are planes, the sign plane first, so that a column is a difference.
        rows[i if code.sign_plane_first else word_bits - i] = dbx
        i += 1 + is_long * (1 + ((window >> run_shift) & run_mask))
        at += width
    if wrong != 0 or i != word_bits + 1 or at > end:
        return -1
    transpose(rows, word_bits + 1, n - 1, columns)
    value = (base ^ code.sign_bit) - code.sign_bit
    group[0] = value
    for i in range(1, n):
        delta = _undo_xor(int(columns[n - 1 - i]), code.sign_plane_first) & planes
        word = (value + delta) & word_mask
        before, value = value, (word ^ code.sign_bit) - code.sign_bit
        wrong |= ((value - before) & planes) ^ delta
        group[i] = value
    return -1 if wrong != 0 else at


def scratch(code: PlaneCode) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """A group, rows and columns for the kernels of this file."""
    n = max(code.n, MAX_PLANES + 1)
    return np.zeros(code.n, np.int64), np.zeros(n, np.int64), np.zeros(n, np.int64)
