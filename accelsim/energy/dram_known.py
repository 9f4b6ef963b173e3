"""How the energy of a memory is known, for everything that shows or compares it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from accelsim.dram.config import DramConfig
from accelsim.dram.power import WEAKEST_LAST, Known
from accelsim.energy.dram import EnergyMode

IN_WORDS: Final[dict[Known, str]] = {
    "measured": "measured",
    "sheet": "data sheet",
    "assumption": "partly assumed",
    "file": "as in its file: maxima, no pins, no PHY",
}


def energy_known(config: DramConfig, mode: EnergyMode) -> Known:
    """How the weakest part is known: the currents, or the typical fractions of them.

    The PHY, nearly always an assumption, is listed separately in every table.

    >>> from accelsim.dram.standard import STANDARDS
    >>> ddr5 = STANDARDS["ddr5_4800_x32"].config()
    >>> energy_known(ddr5, "max"), energy_known(ddr5, "typical")
    ('sheet', 'assumption')
    """
    known = config.energy_known
    made_of = (known.currents, known.shares) if mode == "typical" else (known.currents,)
    return max(made_of, key=WEAKEST_LAST.index)


def energy_label(config: DramConfig, mode: EnergyMode) -> str:
    """What the energy of a memory is based on, in a few words.

    >>> from accelsim.dram.standard import STANDARDS
    >>> energy_label(STANDARDS["hbm2_2000"].config(), "typical")
    'typical currents, measured'
    """
    known = energy_known(config, mode)
    if known == "file":
        return f"currents {IN_WORDS[known]}"
    return f"{mode} currents, {IN_WORDS[known]}"


def mixed_knowledge(memories: Iterable[tuple[DramConfig, EnergyMode]]) -> tuple[str, ...]:
    """A warning if the energies of compared memories are known in different ways.

    >>> from accelsim.dram.standard import STANDARDS
    >>> names = ("hbm2_2000", "lpddr5_6400_x16")
    >>> mixed_knowledge((STANDARDS[name].config(), "typical") for name in names)[0][:64]
    'energies of these memories are known in different ways (hbm2_200'
    >>> mixed_knowledge([(STANDARDS["hbm2_2000"].config(), "typical")])
    ()
    """
    names: dict[Known, list[str]] = {}
    for config, mode in memories:
        same = names.setdefault(energy_known(config, mode), [])
        if config.name not in same:
            same.append(config.name)
    if len(names) < 2:
        return ()
    each = "; ".join(
        f"{', '.join(names[known])}: {IN_WORDS[known]}" for known in WEAKEST_LAST if known in names
    )
    return (
        f"energies of these memories are known in different ways ({each}): their order may "
        "reflect the sources rather than the memories",
    )
