"""Codecs as users write them: a name, and parameters that replace the defaults.

``huffman:substreams=4`` is the codec ``huffman`` with four sub-streams. The parameters of a
codec are its dataclass fields that hold a number, a flag or a word.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import Field, fields, is_dataclass, replace

from accelsim.codecs.base import CODECS, Codec, Word
from accelsim.errors import AccelsimError, CodecError, nearest


def codec_named(text: str, word: Word, *, in_network: bool = False) -> Codec:
    """The codec ``NAME[:PARAMETER=VALUE]...`` for words of this width, before ``fit``.

    ``in_network`` gives the variant of ``run`` and ``compare``. Raises ``UnknownNameError``
    for an unknown name, ``CodecError`` for parameters that the codec does not have or
    values that it cannot take.

    >>> codec_named("zvc:group=16", Word(8)).group
    16
    """
    name = base_name(text)
    kind = CODECS[name]
    try:
        return _made(kind, text, word, in_network)
    except AccelsimError:
        raise
    except Exception as error:
        whose = CODECS.outside(name)
        if whose is None:
            raise
        # An error in another package must not affect anything else.
        raise CodecError(f"{name} of {whose}: {type(error).__name__}: {error}") from error


def _made(kind: type[Codec], text: str, word: Word, in_network: bool) -> Codec:
    name, *assignments = text.split(":")
    codec = kind.for_network(word) if in_network else kind.for_word(word)
    if not assignments:
        return codec
    known = {field.name: field for field in parameters_of(codec)}
    given: dict[str, int | float | bool | str] = {}
    for assignment in assignments:
        parameter, _, value = assignment.partition("=")
        if parameter not in known:
            has = ", ".join(known) or "none"
            raise CodecError(
                f"{name} has no parameter {parameter!r}.{nearest(parameter, known)} It has: {has}"
            )
        if parameter in given:
            raise CodecError(f"{name}: {parameter} is given twice in {text!r}")
        given[parameter] = _value(name, known[parameter], value)
    # mypy cannot know that every codec is a frozen dataclass; parameters_of has looked.
    return replace(codec, **given)  # type: ignore[type-var]


def codec_of_any_width(text: str, *, wanted_bits: int = 8) -> Codec:
    """The variant that networks use, for words of this width or the nearest that the codec takes.

    Checks a name and its parameters, and gives the properties of the codec. Raises like
    ``codec_named`` if the codec takes no width.

    >>> codec_of_any_width("spark", wanted_bits=16).word
    Word(bits=8, signed=False)
    """
    refused: CodecError | None = None
    for bits in sorted(range(2, 17), key=lambda bits: abs(bits - wanted_bits)):
        try:
            return codec_named(text, Word(bits), in_network=True)
        except CodecError as error:
            refused = refused or error
    assert refused is not None
    raise refused


def takes(text: str, word: Word) -> bool:
    """Whether the codec codes words of this width: SPARK's have at most 8 bits.

    >>> takes("spark", Word(8)), takes("spark", Word(16))
    (True, False)
    """
    codec_of_any_width(text)  # a wrong name or parameter is no matter of the width
    try:
        codec_named(text, word)
    except CodecError:
        return False
    return True


def base_name(text: str) -> str:
    """The name without parameters.

    >>> base_name("huffman:substreams=4")
    'huffman'
    """
    return text.partition(":")[0]


def codec_modules(texts: Iterable[str]) -> set[str]:
    """The modules of these codecs, which contain their kernels.

    >>> codec_modules(["huffman:substreams=4"])
    {'accelsim.codecs.formats.huffman'}
    """
    return {CODECS[base_name(text)].__module__ for text in texts}


def parameters_of(codec: Codec) -> list[Field[object]]:
    """The fields that a user may set, without the word and the fields that ``fit`` sets."""
    if not is_dataclass(codec):
        return []
    return [f for f in fields(codec) if _kind(f) is not None and f.init and f.repr]


def _kind(field: Field[object]) -> type | None:
    """The type of a parameter, whether the class writes it as a type or as text."""
    return next((t for t in _KINDS if field.type in (t, t.__name__)), None)


_KINDS = (int, float, bool, str)


def _value(name: str, field: Field[object], text: str) -> int | float | bool | str:
    kind = _kind(field)
    if kind is str:
        return text
    if kind is bool:
        if text not in ("true", "false"):
            raise CodecError(f"{name}: {field.name} is true or false, not {text!r}")
        return text == "true"
    try:
        value = int(text) if kind is int else float(text)
        if math.isfinite(value):
            return value
    except (ValueError, OverflowError):
        pass
    whole = "whole" if kind is int else "finite"
    raise CodecError(f"{name}: {field.name} is a {whole} number, not {text!r}")
