"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, TypeAlias

from cyclopts import Parameter, Token

from accelsim.errors import UserError, nearest

if TYPE_CHECKING:
    from accelsim.codecs.base import Codec

Json: TypeAlias = Annotated[
    bool, Parameter(name="--json", negative=(), help="Print the result as JSON and nothing else.")
]
Overrides: TypeAlias = Annotated[
    tuple[str, ...],
    Parameter(
        name="--set",
        negative=(),
        help="Override a key of the hardware file, such as array.rows=32.",
    ),
]
TENSORS = ("ofmap", "weight")


def _whole(_: object, tokens: Sequence[Token]) -> int:
    """An integer; the parser's own conversion would round 1.5 to 2."""
    return int(tokens[0].value)


Whole: TypeAlias = Annotated[int, Parameter(converter=_whole)]
WholeOrNone: TypeAlias = Annotated[int | None, Parameter(converter=_whole)]


def codec_choice(text: str | None) -> str | Mapping[str, str] | None:
    """``zvc`` for feature maps, or ``ofmap=zvc,weight=raw``.

    >>> codec_choice("ofmap=zvc,weight=raw")
    {'ofmap': 'zvc', 'weight': 'raw'}
    >>> codec_choice("huffman:substreams=4")
    'huffman:substreams=4'
    """
    if text is None or "=" not in text.partition(":")[0]:
        return text
    chosen: dict[str, str] = {}
    for part in text.split(","):
        tensor, _, name = part.partition("=")
        if tensor in chosen:
            raise UserError("--codec", f"names {tensor} twice", "write ofmap=NAME,weight=raw")
        if tensor not in TENSORS or not name:
            hint = nearest(tensor, TENSORS)
            raise UserError(
                "--codec", f"cannot read {part!r}.{hint}", "write ofmap=NAME,weight=raw"
            )
        chosen[tensor] = name
    return chosen


def codecs_in(text: str, option: str) -> tuple[str, ...]:
    """Codecs separated by commas; ``all``, ``lossless`` and ``lossy`` stand for several.

    >>> codecs_in("raw,zvc", "--codecs")
    ('raw', 'zvc')
    """
    names: dict[str, None] = {}
    for name in names_in(text, option):
        match name:
            case "all":
                names |= dict.fromkeys(usable_codecs())
            case "lossless" | "lossy":
                wanted = name == "lossless"
                found = usable_codecs()
                names |= dict.fromkeys(n for n in found if found[n].lossless == wanted)
            case _:
                names[name] = None
    return tuple(names)


def usable_codecs() -> dict[str, Codec]:
    """Every usable codec by name; prints a warning for each package whose codecs are not."""
    from accelsim.cli.console import warn
    from accelsim.codecs.base import CODECS
    from accelsim.codecs.named import codec_of_any_width
    from accelsim.results.codec_tables import codec_facts

    loaded, problems = CODECS.usable()
    found, refused = {}, []
    for name in loaded:
        try:
            codec = codec_of_any_width(name)
            codec_facts(codec)
            found[name] = codec
        except Exception as error:
            whose = CODECS.outside(name)
            if whose is None:
                raise
            fix = f"mend it, or remove it: pip uninstall {whose.package}"
            refused.append(f"codec {name!r} of {whose} cannot be used: {error}\n  fix: {fix}")
    warn([*problems, *refused])
    return found


def names_in(text: str, option: str) -> tuple[str, ...]:
    """Names separated by commas; an empty or repeated name is an error.

    >>> names_in("raw, zvc", "--codecs")
    ('raw', 'zvc')
    """
    names = tuple(name.strip() for name in text.split(","))
    if not all(names) or len(set(names)) < len(names):
        raise UserError(option, f"has an empty or repeated name: {text!r}", "write raw,zvc,huffman")
    return names
