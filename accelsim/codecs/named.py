"""A codec as a user writes it: its name, and parameters where the defaults do not serve.

``huffman:substreams=4`` is the codec ``huffman`` with four sub-streams. The parameters of a
codec are its dataclass fields that hold a number, a flag or a word.
"""

from __future__ import annotations

from dataclasses import Field, fields, is_dataclass, replace

from accelsim.codecs.base import CODECS, Codec, Word
from accelsim.errors import CodecError, nearest


def codec_named(text: str, word: Word, *, in_network: bool = False) -> Codec:
    """The codec ``NAME[:PARAMETER=VALUE]...`` for words of this width, before ``fit``.

    ``in_network`` gives the variant of ``run`` and ``compare``. Raises ``UnknownNameError``
    for an unknown name, ``CodecError`` for parameters that the codec does not have or
    values that it cannot take.

    >>> codec_named("zvc:group=16", Word(8)).group
    16
    """
    name, *assignments = text.split(":")
    kind = CODECS[name]
    codec = kind.for_network(word) if in_network else kind.for_word(word)
    if not assignments:
        return codec
    known = {field.name: field for field in parameters_of(codec)}
    given: dict[str, int | bool | str] = {}
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


def takes(text: str, word: Word) -> bool:
    """Whether the codec codes words of this width: SPARK's have at most 8 bits.

    >>> takes("spark", Word(8)), takes("spark", Word(16))
    (True, False)
    """
    codec_named(text, Word(8))  # a wrong name or parameter is no matter of the width
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


def parameters_of(codec: Codec) -> list[Field[object]]:
    """The fields that a user may set: not the word, and not what ``fit`` fills in."""
    if not is_dataclass(codec):
        return []
    return [f for f in fields(codec) if f.type in ("int", "bool", "str") and f.init and f.repr]


def _value(name: str, field: Field[object], text: str) -> int | bool | str:
    if field.type == "str":
        return text
    if field.type == "bool":
        if text not in ("true", "false"):
            raise CodecError(f"{name}: {field.name} is true or false, not {text!r}")
        return text == "true"
    try:
        return int(text)
    except ValueError:
        raise CodecError(f"{name}: {field.name} is a whole number, not {text!r}") from None
