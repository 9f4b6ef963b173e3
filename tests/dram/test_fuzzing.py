"""A few hundred damaged files; ``python -m tests.dram.fuzzing`` tries 20 000 of each kind."""

import signal

import pytest

from tests.dram import fuzzing


@pytest.mark.parametrize("reader", fuzzing.seeds())
def test_a_damaged_file_is_answered_or_refused_in_one_message(reader: str) -> None:
    before = signal.signal(signal.SIGALRM, fuzzing._late)
    try:
        assert [problem for problem, _ in fuzzing.run(reader, 150, seed=1)] == []
    finally:
        signal.signal(signal.SIGALRM, before)
