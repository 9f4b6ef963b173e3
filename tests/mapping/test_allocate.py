"""Where tensors start: rows and banks read off the address map itself."""

from dataclasses import replace

import pytest

from accelsim.dram.address_map import address_map
from accelsim.dram.standard import STANDARDS
from accelsim.errors import ConfigError
from accelsim.mapping.placing.allocate import Allocator

MAPS = ["rochracobabg", "rochrababgco", "rorachbabgco"]


def config_with(standard: str, text: str):  # type: ignore[no-untyped-def]
    config = STANDARDS[standard].config()
    return replace(config, controller=replace(config.controller, address_map=text))


@pytest.mark.parametrize("text", MAPS)
@pytest.mark.parametrize("standard", ["ddr4_2400_x16", "hbm2_2000"])
def test_tensors_that_follow_each_other_start_in_different_banks(standard: str, text: str) -> None:
    config = config_with(standard, text)
    fields = address_map(config)
    allocator = Allocator(config, "staggered")
    starts = [fields.decode(allocator.take(100)) for _ in range(8)]
    banks = [(s["bg"], s["ba"]) for s in starts]
    assert len(set(banks)) == min(8, config.organisation.banks)


@pytest.mark.parametrize("allocation", ["staggered", "packed"])
def test_tensors_never_overlap(allocation: str) -> None:
    allocator = Allocator(config_with("ddr4_2400_x16", "rochracobabg"), allocation)
    end = 0
    for n_lines in (1, 5000, 3, 1024, 1023, 7):
        start = allocator.take(n_lines)
        assert start >= end
        assert allocation == "staggered" or start == end
        end = start + n_lines
    assert allocator.next_line == end


def test_staggered_tensors_lie_in_rows_of_their_own() -> None:
    config = config_with("ddr4_2400_x16", "rochracobabg")
    fields, allocator = address_map(config), Allocator(config, "staggered")
    for _ in range(20):
        before = allocator.next_line
        start = allocator.take(77)
        assert not before or fields.decode(start)["ro"] > fields.decode(before - 1)["ro"]


def test_a_full_dram_says_so() -> None:
    config = config_with("ddr4_2400_x16", "rochracobabg")
    allocator = Allocator(config, "packed")
    assert allocator.take(config.n_lines) == 0
    with pytest.raises(ConfigError, match="the tensors need more"):
        allocator.take(1)
