"""Installation: the package, and the hardware files, traces and pages that its wheel carries."""

from pathlib import Path

from setuptools import find_packages, setup

# hw_configs/, traces/ and docs/ lie at the top of the repository, where people look for them;
# the wheel carries them as packages of data inside accelsim.
DATA = {"accelsim.hw_configs": "hw_configs", "accelsim.traces": "traces", "accelsim.docs": "docs"}


def files_of(folder: str) -> list[str]:
    return [str(p.relative_to(folder)) for p in Path(folder).rglob("*") if p.is_file()]


setup(
    packages=[*find_packages(include=["accelsim", "accelsim.*"]), *DATA],
    package_dir={"": ".", **DATA},
    package_data={
        "accelsim": ["py.typed"],
        "accelsim.energy": ["*.csv"],
        **{package: files_of(folder) for package, folder in DATA.items()},
    },
)
