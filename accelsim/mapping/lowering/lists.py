"""Lists of many windows or rows that lie behind one another, as ``Moves`` has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import numpy as np

from accelsim.mapping.placing.layout import starts
from accelsim.mapping.windows.window import Ints

Lists: TypeAlias = tuple[Ints, tuple[Ints, ...]]
"""``first`` [n + 1], where the lists of each begin, and the lists of all."""


def joined(parts: Sequence[Lists], n_lists: int = 1) -> Lists:
    """``n_lists`` lists of some, behind those of others.

    >>> one, two = (np.array([0, 2]), (np.array([7, 8]),)), (np.array([0, 0, 1]), (np.array([5]),))
    >>> first, (both,) = joined([one, two])
    >>> first.tolist(), both.tolist()
    ([0, 2, 2, 3], [7, 8, 5])
    """
    if not parts:
        return in_order((), 0, n_lists)
    n_each = np.concatenate([first[1:] - first[:-1] for first, _ in parts])
    lists = zip(*(lists for _, lists in parts), strict=True)
    return starts(n_each), tuple(map(np.concatenate, lists))


def in_order(parts: Sequence[tuple[Ints, Lists]], n: int, n_lists: int = 1) -> Lists:
    """The lists of n windows, put together from those of some of them each.

    A part has the numbers of its windows and their ``n_lists`` lists; each window is in one part.

    >>> odd = np.array([1]), (np.array([0, 2]), (np.array([7, 8]),))
    >>> even = np.array([0, 2]), (np.array([0, 1, 1]), (np.array([5]),))
    >>> first, (joined,) = in_order([odd, even], 3)
    >>> first.tolist(), joined.tolist()
    ([0, 1, 3, 3], [5, 7, 8])
    """
    if len(parts) == 1:
        return parts[0][1]
    if not parts:
        return np.zeros(1, np.int64), tuple(np.zeros((n_lists, 0), np.int64))
    n_each = np.zeros(n, np.int64)
    for which, (first, _) in parts:
        n_each[which] = first[1:] - first[:-1]
    begin = starts(n_each)
    whole = tuple(np.empty(begin[-1], np.int64) for _ in parts[0][1][1])
    for which, (first, lists) in parts:
        place = np.repeat(begin[which] - first[:-1], n_each[which]) + np.arange(first[-1])
        for column, part in zip(whole, lists, strict=True):
            column[place] = part
    return begin, whole


class Runs(NamedTuple):
    """Lines of some rows as runs of consecutive ones."""

    row: Ints
    """[n] which rows have any, rising."""
    first_line_of_row: Ints
    """[n + 1] where the lines of each begin."""
    first: Ints
    """[n + 1] where the runs of each begin."""
    first_line: Ints  # [n_runs]
    n_lines: Ints  # [n_runs]


def runs(row: Ints, lines: Ints) -> Runs:
    """The runs of ``lines``, each of a ``row`` [n_lines]; both rise, lines within each row.

    >>> found = runs(np.array([3, 3, 3, 5]), np.array([7, 8, 11, 12]))
    >>> found.row.tolist(), found.first.tolist(), found.first_line.tolist()
    ([3, 5], [0, 2, 3], [7, 11, 12])
    """
    other_row = np.diff(row, prepend=-1) != 0
    (begin,) = np.nonzero(other_row | (np.diff(lines, prepend=-2) != 1))
    (of_row,) = np.nonzero(other_row)
    return Runs(
        row=row[of_row],
        first_line_of_row=np.append(of_row, len(lines)),
        first=np.append(np.searchsorted(begin, of_row), len(begin)),
        first_line=lines[begin],
        n_lines=np.diff(begin, append=len(lines)),
    )


def largest(values: Ints, first: Ints) -> Ints:
    """Of each list of values that begins at one of ``first`` and ends at the next.

    >>> largest(np.array([3, 1, 2]), np.array([0, 1])).tolist()
    [3, 2]
    """
    return np.maximum.reduceat(values, first) if len(first) else values[:0]
