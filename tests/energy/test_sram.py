"""The SRAM table: CACTI's points, what lies between them, and what is refused."""

from dataclasses import astuple
from itertools import pairwise
from math import log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accelsim.energy.sram import _neighbours, axes, sram_macro, table
from accelsim.errors import ConfigError

NODES, WIDTHS, SIZES = axes()
CELLS = ("hp", "lop", "lstp")


def test_the_grid_is_complete() -> None:
    assert NODES == (22, 32, 45, 65)
    assert WIDTHS == (64, 128, 256, 512)
    assert SIZES == (8, 16, 32, 64, 108, 128, 256, 512, 1024, 2048, 4096)
    assert len(table()) == len(CELLS) * len(NODES) * len(WIDTHS) * len(SIZES)


def test_a_grid_point_is_the_cacti_point_itself() -> None:
    for (cell, node, width, kib), point in table().items():
        assert sram_macro(kib * 1024, width, node, cell) == point


@pytest.mark.parametrize(
    ("cell", "node", "width", "kib", "read", "write", "leakage"),
    [  # Runs of CACTI by hand, as printed: read pJ, write pJ, leakage mW.
        ("hp", 65, 64, 8, 8.81, 11.46, 5.44),
        ("lop", 45, 64, 128, 15.54, 10.54, 2.80),
        ("lop", 22, 64, 4096, 24.28, 22.21, 28.0),
        ("hp", 32, 512, 1024, 177.13, 195.31, 184.0),
    ],
)
def test_the_table_holds_what_cacti_printed(
    cell: str, node: int, width: int, kib: int, read: float, write: float, leakage: float
) -> None:
    macro = sram_macro(kib * 1024, width, node, cell)
    assert macro.read_pj == pytest.approx(read, abs=0.006)
    assert macro.write_pj == pytest.approx(write, abs=0.006)
    assert macro.leakage_mw == pytest.approx(leakage, rel=0.005)


def test_a_larger_macro_costs_more_but_for_those_next_to_108_kib() -> None:
    exceptions = 0
    for cell, node, width in {key[:3] for key in table()}:
        for small, large in pairwise(SIZES):
            at_small, at_large = (
                table()[cell, node, width, small],
                table()[cell, node, width, large],
            )
            assert at_large.leakage_mw > at_small.leakage_mw
            for before, after in (
                (at_small.read_pj, at_large.read_pj),
                (at_small.write_pj, at_large.write_pj),
            ):
                if after < before:
                    assert 108 in (small, large), "CACTI cuts powers of two into better sub-banks"
                    assert after > 0.89 * before
                    exceptions += 1
    assert exceptions <= 0.02 * 2 * len(table())


def held_out_errors(kib: int) -> list[tuple[float, ...]]:
    """Relative errors of read, write and leakage at ``kib``, predicted from its neighbours."""
    without = tuple(size for size in SIZES if size != kib and (kib == 108 or size != 108))
    errors = []
    for (cell, node, width, size), point in table().items():
        if size != kib:
            continue
        predicted = [1.0] * 3
        for near, share in _neighbours(without, kib):
            corner = astuple(table()[cell, node, width, near])
            predicted = [p * value**share for p, value in zip(predicted, corner, strict=True)]
        actual = astuple(point)
        errors.append(tuple(abs(p / a - 1) for p, a in zip(predicted, actual, strict=True)))
    return errors


def test_interpolation_finds_the_held_out_108_kib_macro() -> None:
    """The figures of the table's own error study: at most 14.8, 13.5 and 3.4 %."""
    read, write, leakage = zip(*held_out_errors(108), strict=True)
    assert max(read) < 0.15
    assert max(write) < 0.14
    assert max(leakage) < 0.04
    assert sum(read) / len(read) < 0.05


@pytest.mark.parametrize("kib", [16, 32, 64, 128, 256, 512, 1024, 2048])
def test_interpolation_over_two_octaves_stays_within_the_stated_bound(kib: int) -> None:
    for errors in held_out_errors(kib):
        assert max(errors) < 0.30


@given(
    st.sampled_from(CELLS),
    st.integers(22, 65),
    st.integers(64, 512),
    st.integers(8 * 1024, 4096 * 1024),
)
def test_between_points_every_figure_lies_between_its_corners(
    cell: str, node: int, width: int, size_bytes: int
) -> None:
    macro = sram_macro(size_bytes, width, node, cell)
    near = [
        table()[cell, n, w, k]
        for n, _ in _neighbours(NODES, node)
        for w, _ in _neighbours(WIDTHS, width)
        for k, _ in _neighbours(SIZES, size_bytes / 1024)
    ]
    for figure in ("read_pj", "write_pj", "leakage_mw"):
        values = [getattr(point, figure) for point in near]
        assert min(values) * 0.999999 <= getattr(macro, figure) <= max(values) * 1.000001


def test_beyond_4_mib_a_buffer_is_several_macros() -> None:
    one, three = (sram_macro(n * 4096 * 1024, 128, 32, "lop") for n in (1, 3))
    assert three.read_pj == one.read_pj
    assert three.leakage_mw == pytest.approx(3 * one.leakage_mw)


def test_below_8_kib_an_access_costs_that_of_8_kib() -> None:
    one, eight = (sram_macro(n * 1024, 64, 32, "lop") for n in (1, 8))
    assert one.read_pj == eight.read_pj
    assert one.leakage_mw == pytest.approx(eight.leakage_mw / 8)


def test_no_energy_is_guessed_outside_nodes_and_widths() -> None:
    with pytest.raises(ConfigError, match=r"energy.node_nm: the SRAM table covers 22 to 65 nm"):
        sram_macro(8192, 64, 16, "lop")
    with pytest.raises(ConfigError, match="covers 64 to 512 bits, got 32"):
        sram_macro(8192, 32, 22, "lop")


def test_cell_types_rank_by_leakage() -> None:
    """hp leaks most, lstp least, at every node and size: the reason to name the cell."""
    for node in NODES:
        hp, lop, lstp = (sram_macro(128 * 1024, 64, node, cell).leakage_mw for cell in CELLS)
        assert hp > 4 * lop > 40 * lstp


def test_dynamic_energy_scales_with_the_node_as_the_logic_rule_says() -> None:
    """``accelsim.energy.logic`` scales with node^1.9: what CACTI gives, 1.7 to 1.9."""
    for cell in ("hp", "lop"):
        newest, oldest = (sram_macro(128 * 1024, 64, node, cell).read_pj for node in (22, 65))
        assert 1.7 < log(oldest / newest) / log(65 / 22) < 1.95
