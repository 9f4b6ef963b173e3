"""Classes of runs of zeros: 1, 2, 3-4, 5-8, ... each with bits that tell its runs apart.

Class 0 is a single zero; class j is a run of 2^(j-1) + 1 to 2^j, with j - 1 extra bits, the
run less the least of its class. A run of more than ``longest_run`` counts as several.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from accelsim.codecs.words import Words
from accelsim.jit import kernel

LONGEST_RUNS = tuple(1 << j for j in range(16))
"""What ``longest_run`` can be."""


@kernel
def _count(words: Words, n_of_run: NDArray[np.int64]) -> None:
    """How many runs have each length, up to ``len(n_of_run) - 1``; [0] is meaningless."""
    longest, run = len(n_of_run) - 1, 0
    for i in range(len(words)):
        is_zero = int(words[i] == 0)
        n_of_run[run & (is_zero - 1)] += 1
        run = (run + 1) & -is_zero
        is_full = int(run == longest)
        n_of_run[longest & -is_full] += 1
        run &= is_full - 1
    n_of_run[run] += 1


def class_counts(words: Words, longest_run: int) -> NDArray[np.int64]:
    """[n_classes] how many runs of zeros each class has.

    >>> class_counts(np.array([0, 7, 0, 0, 0, 7, 0, 0, 0, 0, 0], np.uint16), longest_run=4)
    array([2, 0, 2])
    """
    n_of_run = np.zeros(longest_run + 1, np.int64)
    _count(words, n_of_run)
    of_runs, _, _ = classes(longest_run)
    return np.bincount(of_runs[1:], n_of_run[1:]).astype(np.int64)


def classes(longest_run: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """[longest_run + 1] class of each run, what its extra bits say, and how many they are.

    >>> classes(4)   # runs of 0 (meaningless) to 4
    (array([0, 0, 1, 2, 2]), array([0, 0, 0, 0, 1]), array([0, 0, 0, 1, 1]))
    """
    runs = np.arange(longest_run + 1)
    of_runs = np.array([max(run - 1, 0).bit_length() for run in runs.tolist()])
    least = (1 << of_runs) // 2 + 1
    return of_runs, np.where(runs > 1, runs - least, 0), np.maximum(of_runs - 1, 0)


def warm_up() -> None:
    """Compile the kernels of this file with the types of production."""
    class_counts(np.zeros(1, np.uint16), 1)
