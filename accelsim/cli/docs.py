"""``accelsim docs``: the documentation that comes with this installation."""

from __future__ import annotations


def docs(page: str | None = None, /) -> None:
    """List the pages of the documentation, or print one.

    Parameters
    ----------
    page
        The page to print, such as hardware.
    """
    from accelsim.cli.console import print_text
    from accelsim.data_files import shipped
    from accelsim.errors import UnknownNameError

    folder = shipped("docs")
    pages = {path.stem: path for path in sorted(folder.glob("*.md")) if path.stem != "README"}
    if page is None:
        width = max(map(len, pages)) + 2
        for name, path in pages.items():
            heading = path.read_text(encoding="utf-8").partition("\n")[0].lstrip("# ")
            print_text(f"{name:{width}}{heading}\n")
        print_text(f"\n`accelsim docs NAME` prints a page; the files are in {folder}\n")
        return
    if page not in pages:
        raise UnknownNameError("page", page, pages)
    print_text(pages[page].read_text(encoding="utf-8"))
