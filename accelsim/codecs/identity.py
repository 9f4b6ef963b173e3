"""The identity of a codec as text: equal only for codecs that encode all values equally.

Cache keys of anything computed with a codec are made from it. It is derived from the object
itself, field by field, with the sources of every class in it, so that no parameter can be
forgotten.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Set
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from pathlib import Path
from types import FunctionType
from typing import Any

import numpy as np

from accelsim.codecs.base import Codec
from accelsim.errors import CodecError
from accelsim.outside import sources_of

_NUMBERS = (bool, int, float, complex, str, bytes, np.generic)


def identity(codec: Codec) -> str:
    """Classes, sources, and every field of a codec and of everything that it contains.

    Raises ``CodecError`` for a field whose content cannot be described uniquely.

    >>> from accelsim.codecs.named import codec_named
    >>> from accelsim.codecs.base import Word
    >>> one, other = (codec_named(f"zvc:group={n}", Word(8)) for n in (16, 32))
    >>> identity(one) == identity(other)
    False
    """
    return json.dumps([_own_sources(), _described(codec, codec.name, ())])


def _described(value: object, where: str, above: tuple[int, ...]) -> Any:
    """Nested lists of texts that differ whenever values or their types differ."""
    if value is None or (isinstance(value, _NUMBERS) and not isinstance(value, Enum)):
        return [type(value).__name__, repr(value)]
    if id(value) in above:
        raise CodecError(f"{where} holds itself: it has no value that a key could name")
    above = (*above, id(value))
    if isinstance(value, np.ndarray):
        if value.dtype.hasobject:
            raise CodecError(f"{where} is an array of Python objects, which no key can name")
        content = hashlib.sha256(np.ascontiguousarray(value).data).hexdigest()
        return ["array", value.dtype.str, list(value.shape), content]
    if isinstance(value, Mapping):
        pairs = [[_described(x, where, above) for x in item] for item in value.items()]
        return [_class(value), sorted(pairs, key=json.dumps)]
    if isinstance(value, tuple | list):
        return [_class(value), [_described(x, where, above) for x in value]]
    if isinstance(value, Set):
        return [_class(value), sorted((_described(x, where, above) for x in value), key=json.dumps)]
    if isinstance(value, type | FunctionType):
        return ["named", f"{value.__module__}.{value.__qualname__}", sources_of(value)]
    if is_dataclass(value):
        held = {f.name: getattr(value, f.name) for f in fields(value)}
    elif hasattr(value, "__dict__"):
        held = vars(value)
    else:
        raise CodecError(
            f"{where} is a {type(value).__name__}, which no key can name; "
            "hold numbers, text, arrays, or dataclasses of them"
        )
    parts = [[name, _described(x, f"{where}.{name}", above)] for name, x in sorted(held.items())]
    return [_class(value), sources_of(value), parts]


def _class(value: object) -> str:
    return f"{type(value).__module__}.{type(value).__qualname__}"


@cache
def _own_sources() -> str:
    """Hash of the files of this subpackage, on which all codecs are built."""
    folder = Path(__file__).parent
    digest = hashlib.sha256()
    for file in sorted(folder.rglob("*.py")):
        digest.update(file.relative_to(folder).as_posix().encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()
