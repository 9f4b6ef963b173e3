"""Packages of others, installed in a folder, and a Python that has them."""

import subprocess
import sys
from pathlib import Path


def install(folder: Path, package: str, points: str) -> None:
    """A package's metadata, as pip leaves it."""
    metadata = folder / f"{package.replace('-', '_')}-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(points)


def run_python(site: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A Python with the packages installed."""
    code = f"import sys; sys.path.insert(0, {str(site)!r}); "
    return subprocess.run(
        [sys.executable, "-c", code + arguments[0], *arguments[1:]], capture_output=True, text=True
    )


def python(site: Path, *arguments: str) -> str:
    """What it prints."""
    done = run_python(site, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


MAIN = "from accelsim.cli.app import main; sys.exit(main())"


def accelsim(site: Path, *tokens: str) -> str:
    return python(site, MAIN, *tokens)
