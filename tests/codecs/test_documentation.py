"""The page on codecs says of each codec what its code says."""

from pathlib import Path

import pytest

from accelsim.codecs.base import CODECS, Word
from accelsim.results.codec_tables import hardware_row

PAGE = (Path(__file__).parents[2] / "docs" / "codecs.md").read_text()


@pytest.mark.parametrize("name", list(CODECS))
def test_the_page_describes_the_format_and_its_lane(name: str) -> None:
    codec = CODECS[name].for_network(Word(8))
    rows = [line for line in PAGE.splitlines() if line.startswith(f"| `{name}` |")]
    described, costed, *_ = rows
    assert ("reconstruction" in described) == codec.reconstruction
    assert costed.startswith("| " + " | ".join([f"`{name}`", *hardware_row(codec)[1:]]) + " |")
