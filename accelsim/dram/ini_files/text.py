"""The text of a DRAMsim3 ``.ini`` file: the rules of inih, and numbers as C reads them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

MAX_LINE_CHARACTERS: Final = 199
"""inih cuts longer lines."""


@dataclass
class IniValues:
    """The text of each key, and what was noticed while reading it."""

    text: dict[tuple[str, str], str] = field(default_factory=dict)  # (section, key), lower case
    spelling: dict[tuple[str, str], str] = field(default_factory=dict)
    read: set[tuple[str, str]] = field(default_factory=set)
    defaults: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def string(self, section: str, key: str, default: str) -> str:
        where = (section, key.lower())
        self.read.add(where)
        return self.text.get(where, default)

    def integer(self, section: str, key: str, default: int) -> int:
        """As C's ``strtol`` with base 0: a prefix, hexadecimal and octal included."""
        where = (section, key.lower())
        self.read.add(where)
        if where not in self.text:
            self.defaults.append(f"{key} = {default}")
            return default
        text = self.text[where].strip()
        match = re.match(r"[+-]?(0[xX][0-9a-fA-F]+|[0-9]+)", text)
        if not match:
            self.warnings.append(f"{key} = {text!r} is no integer: the default {default} is used")
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
        if not re.fullmatch(r"\s*([;#].*)?", text[match.end() :]) or str(abs(value)) != digits:
            self.warnings.append(f"{key} = {text!r} is read as the integer {value}")
        return value

    def real(self, section: str, key: str, default: float) -> float:
        where = (section, key.lower())
        self.read.add(where)
        if where not in self.text:
            self.defaults.append(f"{key} = {default:g}")
            return default
        text = self.text[where].strip()
        match = re.match(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", text)
        if not match:
            self.warnings.append(f"{key} = {text!r} is no number: the default {default} is used")
            return default
        return float(match.group())

    def boolean(self, section: str, key: str, default: bool) -> bool:
        words = {"true": True, "yes": True, "on": True, "1": True}
        words |= {"false": False, "no": False, "off": False, "0": False}
        return words.get(self.string(section, key, "").strip().lower(), default)


def parse(text: str) -> IniValues:
    """The values of an ``.ini`` text by the rules of inih, DRAMsim3's reader.

    >>> parse("[timing]\\nCL = 22 ; cycles\\nCL = 23").integer("timing", "cl", 0)
    22
    """
    values = IniValues()
    section, last_key = "", ""
    for number, full in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        raw = full[:MAX_LINE_CHARACTERS]
        if len(full) > MAX_LINE_CHARACTERS:
            values.warnings.append(f"line {number} is cut after {MAX_LINE_CHARACTERS} characters")
        line = re.sub(r"(^|\s);.*", "", raw).strip()
        if not line or line[0] in ";#":
            continue
        if raw[0].isspace() and last_key:
            values.warnings.append(f"line {number} is indented: it continues {last_key}, ignored")
            continue
        if line[0] == "[":
            section, last_key = line[1:].partition("]")[0].strip().lower(), ""
            continue
        match = re.match(r"([^=:]+)[=:](.*)", line)
        if not match:
            values.warnings.append(f"line {number} is no `key = value`: ignored")
            continue
        key, value = match.group(1).strip(), match.group(2).strip()
        last_key, where = key, (section, key.lower())
        if where in values.text:
            values.warnings.append(f"{key} is given twice: the first, {values.text[where]}, counts")
            continue
        values.text[where], values.spelling[where] = value, key
    return values
