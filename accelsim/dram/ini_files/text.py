"""The text of a DRAMsim3 ``.ini`` file: the rules of inih, and numbers as C reads them.

Whatever is read otherwise than it looks, or replaced by a default, leaves a warning.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import dropwhile
from typing import Final

MAX_LINE_BYTES: Final = 199
"""inih's buffer: what follows in a longer line is a line of its own."""
BLANKS: Final = " \t\n\v\f\r"
"""What C's ``isspace`` takes for white space."""
# Where inih stops: at a comment behind white space, or at one of the characters before the bar.
_COMMENT: Final = re.compile(r"(?<=[ \t\n\v\f\r]);")
_SECTION_END: Final = re.compile(r"\]|(?<=[ \t\n\v\f\r]);")
_NAME_END: Final = re.compile(r"[=:]|(?<=[ \t\n\v\f\r]);")
_INTEGER: Final = re.compile(r"[+-]?(0[xX][0-9a-fA-F]+|[0-9]+)")
_REAL: Final = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_NOTHING_MORE: Final = re.compile(r"\s*([;#].*)?")
_BOOLEANS: Final = dict.fromkeys(("true", "yes", "on", "1"), True) | dict.fromkeys(
    ("false", "no", "off", "0"), False
)


@dataclass
class IniValues:
    """The text of each key, and what was noticed while reading it."""

    text: dict[tuple[str, str], str] = field(default_factory=dict)  # (section, key), lower case
    spelling: dict[tuple[str, str], str] = field(default_factory=dict)
    read: set[tuple[str, str]] = field(default_factory=set)
    defaults: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def string(self, section: str, key: str, default: str) -> str:
        text = self._find(section, key)
        if text is None:
            self.defaults.append(f"{key} = {default}")
            return default
        return text

    def integer(self, section: str, key: str, default: int, quiet: bool = False) -> int:
        """As C's ``strtol`` with base 0: a prefix, hexadecimal and octal included.

        ``quiet``: that it is missing needs no mention, since it has no effect.
        """
        text = self._find(section, key)
        if text is None:
            self.defaults += [] if quiet else [f"{key} = {default}"]
            return default
        match = _INTEGER.match(text)
        if not match:
            self.warnings.append(
                f"{key} = {shown(text)} is not an integer: the default {default} is used"
            )
            return default
        number = match.group()
        digits = number.lstrip("+-")
        if digits[:2].lower() == "0x":
            value = int(digits, 16)
        elif digits[0] == "0":
            octal = re.match(r"[0-7]+", digits)
            value = int(octal.group(), 8) if octal else 0
        else:
            value = int(digits)
        value = -value if number[0] == "-" else value
        plain = str(abs(value)) == digits and _ends(text, match.end())
        if not plain:
            self.warnings.append(f"{key} = {shown(text)} is read as the integer {value}")
        return value

    def real(self, section: str, key: str, default: float, quiet: bool = False) -> float:
        """As C's ``strtod`` reads decimal numbers."""
        text = self._find(section, key)
        if text is None:
            self.defaults += [] if quiet else [f"{key} = {default:g}"]
            return default
        match = _REAL.match(text)
        if not match:
            self.warnings.append(
                f"{key} = {shown(text)} is not a number: the default {default:g} is used"
            )
            return default
        value = float(match.group())
        if not _ends(text, match.end()):
            self.warnings.append(f"{key} = {shown(text)} is read as the number {value:g}")
        return value

    def boolean(self, section: str, key: str, default: bool) -> bool:
        text = self._find(section, key)
        if text is None:
            return default
        if text.lower() not in _BOOLEANS:
            word = "true" if default else "false"
            self.warnings.append(
                f"{key} = {shown(text)} is neither true nor false: the default {word} is used"
            )
        return _BOOLEANS.get(text.lower(), default)

    def _find(self, section: str, key: str) -> str | None:
        where = (section, key.lower())
        self.read.add(where)
        return self.text.get(where)


def shown(text: str) -> str:
    """A value for a message."""
    return repr(text if len(text) <= 60 else text[:60] + "...")


def _ends(text: str, position: int) -> bool:
    """Whether nothing but a comment, or a further value of the key, follows."""
    return bool(_NOTHING_MORE.fullmatch(text[position:].partition("\n")[0]))


def parse(text: str) -> IniValues:
    """The values of an ``.ini`` text by the rules of inih, DRAMsim3's reader.

    Values of a key that is given twice, or goes on in an indented line, are joined by a line
    break: numbers take the first, words become none that DRAMsim3 knows.

    >>> parse("[timing]\\nCL = 22 ; cycles\\nCL = 23").integer("timing", "cl", 0)
    22
    """
    values = IniValues()
    parts: dict[tuple[str, str], list[str]] = {}
    section, last = "", ""
    long_lines: list[int] = []
    odd_lines: list[int] = []
    for number, raw in _lines(text, long_lines):
        line = raw.strip(BLANKS)
        if not line or line[0] in ";#":
            continue
        if raw[0] in BLANKS and last:
            parts[(section, last.lower())].append(_before(_COMMENT, line))
            values.warnings.append(f"line {number} is indented: DRAMsim3 appends it to {last}")
            continue
        if line[0] == "[":
            end = _SECTION_END.search(line, 1)
            if end and end.group() == "]":
                section, last = line[1 : end.start()].lower(), ""
                continue
        end = _NAME_END.search(line) if line[0] != "[" else None
        if not end or end.group() == ";":
            if number not in long_lines[-1:]:
                odd_lines.append(number)
            continue
        last = line[: end.start()].rstrip(BLANKS)
        where = (section, last.lower())
        value = _before(_COMMENT, line[end.end() :].lstrip(BLANKS))
        if where in parts:
            values.warnings.append(
                f"{last} is given twice: DRAMsim3 uses the first number, but neither of two words"
            )
        values.spelling.setdefault(where, last)
        parts.setdefault(where, []).append(value)
    if long_lines:
        values.warnings.append(
            f"{_numbered(long_lines)} longer than {MAX_LINE_BYTES} bytes: DRAMsim3 takes the rest "
            "as lines of their own"
        )
    if odd_lines:
        values.warnings.append(f"{_numbered(odd_lines)} not of the form `key = value`: ignored")
    for where, each in parts.items():
        values.text[where] = "\n".join(dropwhile(lambda value: not value, each))
    return values


def _before(stop: re.Pattern[str], text: str) -> str:
    found = stop.search(text)
    return (text[: found.start()] if found else text).rstrip(BLANKS)


def _numbered(lines: list[int]) -> str:
    """
    >>> _numbered([3, 9]), _numbered([4])
    ('lines 3, 9 are', 'line 4 is')
    """
    if len(lines) == 1:
        return f"line {lines[0]} is"
    more = ", ..." if len(lines) > 4 else ""
    return f"lines {', '.join(map(str, lines[:4]))}{more} are"


def _lines(text: str, long_lines: list[int]) -> Iterator[tuple[int, str]]:
    """(number, line) as C's ``fgets`` hands them to inih; notes those that it cuts."""
    for number, full in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
        data = full.encode("utf-8", "replace")
        if len(data) > MAX_LINE_BYTES:
            long_lines.append(number)
        for start in range(0, len(data), MAX_LINE_BYTES):
            piece = data[start : start + MAX_LINE_BYTES].partition(b"\0")[0]
            yield number, piece.decode("utf-8", "replace")
