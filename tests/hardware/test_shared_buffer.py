"""One global buffer in place of several: what a file may say, and what follows from it."""

import pytest

from accelsim import read_hardware
from accelsim.energy.sram import buffer_macros, buffers_leakage_mw, sram_macro
from accelsim.hardware.read import chip_from_resolved


def test_a_shared_buffer_takes_the_place_of_both_map_buffers() -> None:
    chip = read_hardware("edge_npu", ["buffers.shared_kib=160"])
    assert [chip.buffers.of(t) >> 10 for t in ("ifmap", "weight", "ofmap")] == [160, 96, 160]  # type: ignore[arg-type]
    assert chip.buffers.memories == (96 << 10, 160 << 10)
    assert chip.buffers.total_kib == 256
    assert chip_from_resolved(chip.resolved) == chip


def test_weights_join_where_they_have_no_buffer_of_their_own() -> None:
    chip = read_hardware("edge_npu", ["buffers.shared_kib=256", "buffers.weight_kib=0"])
    assert chip.buffers.memories == (256 << 10,)
    assert chip.buffers.of("weight") == 256 << 10


def test_three_buffers_come_back_only_with_their_sizes() -> None:
    shared = read_hardware("edge_npu", ["buffers.shared_kib=256"])
    sizes = {"buffers.shared_kib": 0, "buffers.ifmap_kib": 96, "buffers.ofmap_kib": 64}
    assert chip_from_resolved(shared.resolved, sizes).buffers == read_hardware("edge_npu").buffers
    with pytest.raises(Exception, match="ifmap_kib: must be above 0 where no buffer is shared"):
        chip_from_resolved(shared.resolved, {"buffers.shared_kib": 0})


def test_an_access_costs_what_the_shared_buffer_costs_and_it_leaks_once() -> None:
    options = ["buffers.shared_kib=256", "buffers.weight_kib=0", "energy.node_nm=22"]
    chip = read_hardware("edge_npu", options)
    one = sram_macro(256 << 10, 128, 22, "lop")
    assert buffer_macros(chip) == (one, one, one)
    assert buffers_leakage_mw(chip) == one.leakage_mw
