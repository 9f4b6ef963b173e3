"""Every YAML file from outside ends soon and small: counted in steps, not in seconds.

``ACCELSIM_FUZZ_CASES=20000`` runs that many mutated files of each kind.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accelsim.data_files import shipped
from accelsim.errors import AccelsimError, ConfigError
from accelsim.hardware.catalogue import check_hardware
from accelsim.hardware.problems import MAX_PROBLEMS
from accelsim.hardware.read import read_hardware, shipped_files
from accelsim.hardware.yaml_file import MAX_BYTES, MAX_DEPTH, parse
from accelsim.sweeps.study import read_study

CASES = int(os.environ.get("ACCELSIM_FUZZ_CASES", "150"))
CALLS_PER_BYTE = 600
"""A list of one-digit numbers takes about 250 calls a byte to read, and is read twice."""
CALLS_FOR_A_LINE = 3_000_000
"""The reader looks 1024 characters ahead for a key, over as many open brackets."""


class TooManySteps(Exception):
    """Not an ``AccelsimError``: it is the fault of the reader."""


@contextmanager
def at_most(n_calls: int) -> Iterator[None]:
    """Python and C calls of the block; an exception beyond ``n_calls`` of them."""
    left = n_calls

    def count(frame: FrameType, event: str, argument: object) -> None:
        nonlocal left
        left -= event in ("call", "c_call")
        if left < 0:
            sys.setprofile(None)
            raise TooManySteps

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        yield
    finally:
        sys.setprofile(before)


SEEDS = [path.read_bytes() for path in shipped_files()]
STUDIES = [path.read_bytes() for path in (shipped("hw_configs") / "studies").glob("*.yaml")]
# What a YAML reader makes structure of; anything else is just text.
PIECES = st.sampled_from(
    [
        *(
            b"[",
            b"{",
            b"- ",
            b"? ",
            b": ",
            b"a: ",
            b"&a ",
            b"*a",
            b"*a, ",
            b"!!str ",
            b"|\n",
            b">\n",
        ),
        *(b'"', b"'", b"\n", b"  ", b"\t", b"#", b"---\n", b"...\n", b"<<: ", b"0x", b"9", b"\xff"),
    ]
)
REPEATED = st.builds(lambda piece, n: piece * n, PIECES, st.sampled_from([1, 2, 40, 1500]))


@st.composite
def mutated(draw: st.DrawFn, seeds: list[bytes]) -> bytes:
    """A shipped file with pieces cut out, put in, repeated, and bytes changed."""
    text = draw(st.sampled_from(seeds))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.sampled_from([0, 1, 10, 400])))
        new = draw(REPEATED | st.binary(max_size=4) | st.just(text[start:end] * 2))
        text = text[:start] + new + text[end:]
    return text


@settings(deadline=None, max_examples=CASES, suppress_health_check=list(HealthCheck))
@given(mutated(SEEDS))
def test_a_broken_hardware_file_ends_soon(tmp_path_factory: pytest.TempPathFactory, text: bytes):  # type: ignore[no-untyped-def]
    path = tmp_path_factory.getbasetemp() / "mutated.yaml"
    path.write_bytes(text)
    with at_most(CALLS_FOR_A_LINE + CALLS_PER_BYTE * len(text)):
        report = check_hardware(path)
    assert len(report.errors) <= MAX_PROBLEMS
    assert all(len(f"{e.where}{e.problem}") < 2000 for e in report.errors)
    assert bool(report.errors) == refused(path)


def refused(path: Path) -> bool:
    try:
        read_hardware(path)
    except ConfigError:
        return True
    return False


@settings(deadline=None, max_examples=CASES, suppress_health_check=list(HealthCheck))
@given(mutated(STUDIES))
def test_a_broken_study_ends_soon(tmp_path_factory: pytest.TempPathFactory, text: bytes):  # type: ignore[no-untyped-def]
    path = tmp_path_factory.getbasetemp() / "study.yaml"
    path.write_bytes(text)
    with at_most(CALLS_FOR_A_LINE + CALLS_PER_BYTE * len(text)):
        try:
            read_study(path)
        except AccelsimError as error:
            assert len(str(error)) < 2000


FULL = MAX_BYTES - 64
HOSTILE = {
    "brackets": "[" * FULL,
    "braces": "{" * FULL,
    "keys in braces": "{a: " * (FULL // 4),
    "dashes on one line": "- " * (FULL // 2),
    "question marks": "? " * (FULL // 2),
    "indentation": "".join(" " * i + "a:\n" for i in range(300)),
    "an alias of itself": "a: &a [*a]",
    "an alias bomb": "a0: &a0 [1, 1]\n"
    + "".join(f"a{i + 1}: &a{i + 1} [{', '.join([f'*a{i}'] * 9)}]\n" for i in range(30)),
    "merges": "a: &a {b: 1}\nc: {<<: [" + "*a, " * (FULL // 8) + "*a]}",
    "more values than any study": "[" + "1," * (FULL // 2) + "1]",
    "a number that no text can show": "array: {rows: 0x" + "f" * 20_000 + "}",
    "unknown keys": "".join(f"k{i}: 1\n" for i in range(6000)),
    "keys without end": "? " + "k" * 20_000 + "\n: 1\n",
    "one anchor again and again": "- &a 1\n" * (FULL // 8),
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_files_get_a_short_answer(tmp_path: Path, text: str) -> None:
    path = tmp_path / "hostile.yaml"
    path.write_text(text)
    with at_most(CALLS_FOR_A_LINE + CALLS_PER_BYTE * len(text)):
        report = check_hardware(path)
    assert 1 <= len(report.errors) <= MAX_PROBLEMS
    assert all(len(f"{e.where}{e.problem}") < 2000 for e in report.errors)


@pytest.mark.parametrize("name", ["braces", "an alias bomb", "merges"])
def test_hostile_overrides_get_a_short_answer(name: str) -> None:
    text = HOSTILE[name]
    with (
        at_most(CALLS_FOR_A_LINE + CALLS_PER_BYTE * len(text)),
        pytest.raises(ConfigError) as caught,
    ):
        read_hardware("edge_npu", [f"codec.block={text}"])
    assert len(str(caught.value)) < 2000


def test_depth_is_bounded_and_aliases_are_counted_as_what_they_stand_for() -> None:
    assert parse("[" * MAX_DEPTH + "]" * MAX_DEPTH, "x")
    with pytest.raises(ConfigError, match=f"nested more than {MAX_DEPTH} deep"):
        parse("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1), "x")
    assert parse("a: &a {b: 1}\nc: *a\nd: {<<: *a}", "x") == {
        "a": {"b": 1},
        "c": {"b": 1},
        "d": {"b": 1},
    }


def test_a_reused_anchor_says_nothing_on_the_screen(recwarn: pytest.WarningsRecorder) -> None:
    assert parse("- &a 1\n- &a 2\n- *a\n", "x") == [1, 2, 2]
    assert not recwarn.list
