"""Values of options."""

import pytest

from accelsim.cli.options import codec_choice, codecs_in, names_in
from accelsim.codecs.base import CODECS
from accelsim.errors import UserError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, None),
        ("zvc", "zvc"),
        ("weight=huffman", {"weight": "huffman"}),
        ("ofmap=zvc,weight=raw", {"ofmap": "zvc", "weight": "raw"}),
    ],
)
def test_a_codec_is_for_feature_maps_unless_it_says_otherwise(text, expected):
    assert codec_choice(text) == expected


@pytest.mark.parametrize("text", ["ofmap=", "psum=zvc", "ofmap=zvc,raw"])
def test_a_codec_for_something_else_is_refused(text):
    with pytest.raises(UserError, match="ofmap=NAME"):
        codec_choice(text)


def test_many_codecs_have_one_word():
    assert codecs_in("all", "--codecs") == tuple(CODECS)
    assert set(codecs_in("lossless,lossy", "--codecs")) == set(CODECS)
    assert codecs_in("raw, lossy,huffman:substreams=4", "--codecs")[0] == "raw"
    assert "spark" in codecs_in("lossy", "--codecs")
    assert "raw" not in codecs_in("lossy", "--codecs")


@pytest.mark.parametrize("text", ["", "raw,", "raw,raw"])
def test_lists_have_no_empty_or_repeated_names(text):
    with pytest.raises(UserError, match="--codecs"):
        names_in(text, "--codecs")
