"""Errors that a user can act on. Each says what was read, where, what is wrong, and what to do.

The command line prints them on one or two lines and exits with code 2. Nothing that a user
can cause may reach the terminal as a traceback.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class AccelsimError(Exception):
    """Base of every error that the command line prints without a traceback."""


class UserError(AccelsimError):
    """An error in the user's input: where, what is wrong, and how to fix it.

    >>> print(UserError("x.npy", "no such file", "check the path"))
    x.npy: no such file
      fix: check the path
    """

    def __init__(self, where: str, problem: str, fix: str) -> None:
        self.where, self.problem, self.fix = where, problem, fix
        super().__init__(f"{where}: {problem}\n  fix: {fix}")


class UnknownNameError(AccelsimError):
    """A name that no registered implementation has."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        names = sorted(known)
        super().__init__(
            f"unknown {kind} {shortened(name)!r}.{nearest(name, names)} Known: {', '.join(names)}."
        )


class ConfigError(UserError):
    """A configuration value that cannot describe real hardware."""


class TraceError(UserError):
    """A trace file that is missing, broken, foreign, or contradicts itself."""


class DramTraceError(UserError):
    """A DRAM request trace that cannot be replayed."""


class MappingError(UserError):
    """A layer that does not fit the chip: what is missing, and which key to change."""


class CodecError(AccelsimError):
    """An encoded block that the codec cannot have produced, or values that it cannot code."""


def shortened(name: object, limit: int = 60) -> str:
    """A name or value shortened for messages, because a file may hold one of any length.

    >>> shortened("a" * 99, limit=10)
    'aaaaaaa...'
    """
    text = str(name)
    return text if len(text) <= limit else f"{text[: limit - 3]}..."


def nearest(name: str, known: Iterable[str]) -> str:
    """`` Did you mean 'x'?`` for the closest known name, or nothing.

    >>> nearest("zcv", ["raw", "zvc"])
    " Did you mean 'zvc'?"
    """
    by_lower = {each.lower(): each for each in known}
    close = get_close_matches(name.lower(), list(by_lower), n=1)
    return f" Did you mean {by_lower[close[0]]!r}?" if close else ""
