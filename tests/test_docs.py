"""Every page is true to its place: reached from the README, its links valid, also in a wheel."""

import re
from pathlib import Path

import pytest

from accelsim.cli.app import main

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "hw_configs" / "README.md", ROOT / "traces" / "README.md"]
PAGES += sorted(DOCS.rglob("*.md"))
LINK = re.compile(r"\]\((?!https?:)([^)#\s]+)")


def links(page: Path) -> list[Path]:
    """Files that a page links to, by paths relative to it."""
    return [(page.parent / name).resolve() for name in LINK.findall(page.read_text("utf-8"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_file(page: Path) -> None:
    assert [link for link in links(page) if not link.exists()] == []


def test_every_page_is_reached_from_the_readme() -> None:
    reached, ahead = set(), [ROOT / "README.md"]
    while ahead:
        page = ahead.pop()
        if page not in reached:
            reached.add(page)
            ahead += [link for link in links(page) if link.suffix == ".md" and link.exists()]
    assert [page for page in DOCS.rglob("*.md") if page not in reached] == []


def test_pages_link_only_to_what_a_wheel_carries() -> None:
    """It holds docs, hw_configs and traces side by side."""
    carried = [DOCS, ROOT / "hw_configs", ROOT / "traces"]
    for page in DOCS.rglob("*.md"):
        for link in links(page):
            inside = any(link.is_relative_to(folder) for folder in carried)
            assert inside, f"{page.name} links to {link}"


def test_the_command_lists_and_prints_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["docs"]) == 0
    listed = capsys.readouterr().out
    assert all(page.stem in listed for page in DOCS.glob("*.md") if page.stem != "README")
    assert main(["docs", "hardware"]) == 0
    assert capsys.readouterr().out == (DOCS / "hardware.md").read_text("utf-8")
    assert main(["docs", "hardwar"]) == 2
    assert "Did you mean 'hardware'?" in capsys.readouterr().err
