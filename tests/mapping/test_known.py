"""Equal problems are searched once; whatever decides a tiling makes another problem."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from accelsim import read_hardware
from accelsim.errors import MappingError
from accelsim.mapping.stages.form import stages, stored_maps
from accelsim.mapping.stages.stage import Stage, Tiling
from accelsim.mapping.tiling import known
from accelsim.mapping.tiling import plan as planning
from accelsim.mapping.tiling.plan import plan
from accelsim.mapping.tiling.sizes import BlockedSize, Sizes
from accelsim.workload.layer import Conv, Window
from tests.mapping.test_lower import graph_of

CHIP = read_hardware("edge_npu")


def twins(width: int = 64) -> tuple[Stage, ...]:
    """Two convolutions of one shape, one behind the other."""
    layers = [Conv(n, m, n, width, width, Window((1, 1))) for n, m in (("a", "x"), ("b", "a"))]
    return stages(graph_of([*layers], width, 8, 8))


@pytest.fixture(autouse=True)
def searched(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Names of the stages that were searched."""
    names: list[str] = []
    search = planning._tiling

    def counted(stage: Stage, *rest: Any) -> Tiling:
        names.append(stage.name)
        return search(stage, *rest)

    monkeypatch.setattr(planning, "_tiling", counted)
    known.forget()
    yield names
    known.forget()


def test_stages_of_one_shape_are_searched_once_in_all_design_points(searched: list[str]) -> None:
    work = twins()
    for _ in range(2):
        plans = plan(work, CHIP, Sizes.raw(stored_maps(work)))
        assert [p.stage.name for p in plans] == ["a", "b"]
    assert searched == ["a"]


@pytest.mark.parametrize(
    "setting",
    [
        "array.rows=8", "array.cols=8", "array.dataflow=weight_stationary", "array.psum_bits=24",
        "buffers.ifmap_kib=32", "buffers.weight_kib=32", "buffers.ofmap_kib=32",
        "core.clock_mhz=333", "dram.outstanding_reads=1", "dram.standard=lpddr5_6400_x16",
        "array.fold_overlap=false",
    ],
)  # fmt: skip
def test_what_decides_a_tiling_makes_another_problem(searched: list[str], setting: str) -> None:
    work = twins()[:1]
    sizes = Sizes.raw(stored_maps(work))
    plan(work, CHIP, sizes)
    plan(work, read_hardware("edge_npu", [setting]), sizes)
    plan(work, CHIP, sizes, "latency")
    plan(work, CHIP, replace(sizes, line_bytes=64))
    assert searched == ["a"] * 4


def test_blocks_of_other_lines_are_another_problem_and_equal_ones_are_not(
    searched: list[str],
) -> None:
    work = twins()[:1]

    def with_lines(n: int) -> Sizes:
        lines = np.full((4, 2, 2), 4, np.int64)
        lines[0, 0, 0] = n
        maps = {m.name: BlockedSize((16, 4, 4), lines, 16) for m in stored_maps(work)}
        return Sizes(maps, 64, 256)

    for n in (3, 3, 4):
        plan(work, CHIP, with_lines(n))
    assert searched == ["a", "a"]


def test_a_stage_that_does_not_fit_is_named_each_time() -> None:
    small = read_hardware("edge_npu", ["buffers.weight_kib=1"])
    layer = Conv("{}", "x", "{}", 64, 64, Window((7, 7)))
    for name in ("first", "second"):
        named = replace(layer, name=name, output=name)
        (stage,) = stages(graph_of([named], 64, 13, 13))
        with pytest.raises(MappingError, match=name):
            plan([stage], replace(small, buffers=replace(small.buffers, weight_bytes=1)),
                 Sizes.raw(stored_maps([stage])))  # fmt: skip


def test_the_problem_used_longest_ago_is_forgotten(
    searched: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known, "MOST", 2)
    for width in (16, 32, 16, 48, 16, 32):
        work = twins(width)[:1]
        plan(work, CHIP, Sizes.raw(stored_maps(work)))
    assert len(searched) == 4, "16, 32, 48, and 32 again"
