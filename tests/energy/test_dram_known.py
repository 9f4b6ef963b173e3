"""How energies of memories are known, and that comparisons say where it differs."""

from dataclasses import replace

import pytest

from accelsim.dram.standard import STANDARDS
from accelsim.energy.dram_catalogue import catalogue
from accelsim.energy.dram_known import energy_known, energy_label, mixed_knowledge
from tests.dram import golden

CURRENT_KEYS = ("IDD0", "IDD4R", "IDD4W")


def current_source(name: str) -> str:
    """The words under which a standard's burst currents were read."""
    sources = STANDARDS[name].sources
    return next(t for keys, t in sources.items() if all(k in keys for k in CURRENT_KEYS))


@pytest.mark.parametrize("name", list(STANDARDS))
def test_how_a_figure_is_known_agrees_with_its_source(name: str) -> None:
    known, text = STANDARDS[name].energy_known, current_source(name)
    if known.currents == "measured":
        assert text.startswith("measured")
    elif known.currents == "assumption":
        assert "assumption" in text or "extrapolated" in text
    else:
        assert known.currents == "sheet"
        assert not any(word in text for word in ("measured", "assumption", "extrapolated"))
    shares = next((t for k, t in STANDARDS[name].sources.items() if k.startswith("activate")), "")
    if known.shares == "assumption":
        assert "assumption" in shares or "extrapolated" in text
    else:
        assert known.shares == "measured"
        assert (shares or text).startswith("measured") and "assumption" not in shares


def test_the_weakest_part_names_the_whole() -> None:
    known = {name: energy_known(STANDARDS[name].config(), "typical") for name in STANDARDS}
    assert known["hbm2_2000"] == "measured"
    assert known["ddr4_3200_x64"] == "sheet"  # with measured shares
    assert known["ddr5_4800_x32"] == "assumption"  # with shares of other memories
    assert energy_known(STANDARDS["ddr5_4800_x32"].config(), "max") == "sheet"
    assert {entry.name: entry.known for entry in catalogue("typical")} == known


def test_a_file_is_labelled_as_what_it_is() -> None:
    config = golden.config("DDR4_8Gb_x8_3200")
    for mode in ("typical", "max"):
        label = energy_label(config, mode)  # type: ignore[arg-type]
        assert label == "currents as in its file: maxima, no pins, no PHY"
        assert energy_label(replace(config, compat="none"), mode) == label  # type: ignore[arg-type]


def test_only_mixed_comparisons_are_warned_of() -> None:
    def said(*names: str) -> str:
        return " ".join(mixed_knowledge((STANDARDS[n].config(), "typical") for n in names))

    assert said("hbm2_2000", "hbm2_2000_x64", "hbm2_2000") == ""
    text = said("hbm2_2000", "lpddr5_6400_x16", "ddr4_3200_x64", "lpddr5_6400_x16")
    assert "hbm2_2000: measured; ddr4_3200_x64: data sheet; lpddr5_6400_x16: partly" in text
    native = STANDARDS["ddr4_3200_x64"].config(), "typical"
    (warning,) = mixed_knowledge([native, (golden.config("DDR4_8Gb_x8_3200"), "typical")])
    assert "DDR4_8Gb_x8_3200: as in its file: maxima, no pins, no PHY" in warning
