"""Codecs as users write them: a name, and parameters behind colons."""

from dataclasses import dataclass

import pytest

from accelsim.codecs.base import CODECS, Word
from accelsim.codecs.formats.zvc import Zvc
from accelsim.codecs.named import base_name, codec_named, parameters_of
from accelsim.errors import CodecError, UnknownNameError
from accelsim.registry import Registry


@pytest.mark.parametrize("name", list(CODECS))
def test_a_name_alone_is_the_codec_with_its_defaults(name: str) -> None:
    assert codec_named(name, Word(8)) == CODECS[name].for_word(Word(8))
    assert codec_named(name, Word(8), in_network=True) == CODECS[name].for_network(Word(8))


@dataclass(frozen=True)
class WithTypes(Zvc):
    share: float = 0.5
    fast: bool = False
    kind: str = "plain"
    table: bytes = b""


@dataclass(frozen=True)
class WithText(Zvc):
    share: "float" = 0.5
    fast: "bool" = False
    kind: "str" = "plain"
    table: "bytes" = b""


@pytest.mark.parametrize("kind", [WithTypes, WithText])
def test_parameters_may_be_annotated_with_types_or_text(
    kind: type[Zvc], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a class of a package has them without, or with, postponed annotations."""
    monkeypatch.setattr(Registry, "__getitem__", lambda self, name: kind)
    names = [field.name for field in parameters_of(kind(Word(8)))]
    assert names == ["group", "share", "fast", "kind"]
    codec = codec_named("x:group=16:share=0.25:fast=true:kind=odd", Word(8))
    assert codec == kind(Word(8), 16, 0.25, True, "odd")
    for text in ("share=nan", "share=much", "fast=1", "table=a"):
        with pytest.raises(CodecError, match=text.partition("=")[0]):
            codec_named(f"x:{text}", Word(8))


@pytest.mark.parametrize("name", list(CODECS))
def test_every_parameter_can_be_written_and_decides_the_key_of_the_cache(name: str) -> None:
    codec = codec_named(name, Word(8))
    for parameter in parameters_of(codec):
        value = getattr(codec, parameter.name)
        text = str(value).lower() if isinstance(value, bool) else str(value)
        assert codec_named(f"{name}:{parameter.name}={text}", Word(8)) == codec
        assert parameter.name in codec.parameters


def test_parameters_are_set_on_the_variant_that_networks_use() -> None:
    codec = codec_named("eyeriss_rlc:run_bits=4", Word(8), in_network=True)
    assert codec.parameters["run_bits"] == 4
    assert codec.parameters["level_bits"] == 8
    assert base_name("eyeriss_rlc:run_bits=4") == "eyeriss_rlc"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("zvc:groop=16", "zvc has no parameter 'groop'. Did you mean 'group'? It has: group"),
        ("raw:x=1", "raw has no parameter 'x'. It has: none"),
        ("zvc:group", "group is a whole number, not ''"),
        ("zvc:group=many", "zvc: group is a whole number, not 'many'"),
        ("zvc:group=0", "1 to 32"),
        ("zvc:word=8", "has no parameter 'word'"),
    ],
)
def test_what_a_codec_does_not_have_is_named(text: str, message: str) -> None:
    with pytest.raises(CodecError, match=message.replace("?", r"\?")):
        codec_named(text, Word(8))


def test_an_unknown_codec_is_named_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match=r"unknown codec 'zcv'\. Did you mean 'zvc'"):
        codec_named("zcv:group=16", Word(8))
