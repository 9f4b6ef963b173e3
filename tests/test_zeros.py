"""Zeros from the tensors of a trace to time and energy: none, gate and skip side by side."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from accelsim import read_hardware, read_trace, simulate
from accelsim.results.json_form import parse_result, to_json
from accelsim.results.price_again import price_again
from accelsim.results.result import Result
from tests.test_io_energy import TwoLayers


@pytest.fixture(autouse=True)
def own_cache(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("ACCELSIM_CACHE_DIR", str(tmp_path))
    yield


def run(zeros: str, of: str = "ifmap", images: int = 1, trace: object = None) -> Result:
    settings = [f"array.zeros={zeros}", f"array.zeros_of={of}", "dram.policy=ideal"]
    found = trace or read_trace("fmnist_resnet8_cat_mid")
    return simulate(read_hardware("edge_npu", settings), found, codec="raw", images=images)  # type: ignore[arg-type]


def array_pj(result: Result) -> float:
    """Arithmetic, registers and the clock of the PEs: what gating is about."""
    energy = result.totals.energy_pj
    return energy["mac"] + energy["rf"] + energy["array_clock"]


def test_gating_saves_energy_and_no_cycle() -> None:
    none, gate = run("none"), run("gate")
    for one, other in zip(none.layers, gate.layers, strict=True):
        same = (one.cycles, one.compute_cycles, one.stall_cycles, one.macs)
        assert same == (other.cycles, other.compute_cycles, other.stall_cycles, other.macs)
        assert 0 <= other.skipped_macs < other.macs or other.macs == 0
        assert one.skipped_macs == 0
    assert array_pj(gate) < array_pj(none)
    unchanged = {"sram", "vector", "leakage", "array_leakage", "dram_read", "dram_act"}
    for part in unchanged:
        assert gate.totals.energy_pj[part] == none.totals.energy_pj[part]
    assert gate.totals.utilization < none.totals.utilization


def test_skipping_saves_time_and_makes_the_same_products() -> None:
    gate, skip = run("gate"), run("skip")
    assert skip.totals.skipped_macs == gate.totals.skipped_macs > gate.totals.macs // 2
    for one, other in zip(gate.layers, skip.layers, strict=True):
        assert other.compute_cycles <= one.compute_cycles
    assert skip.totals.cycles < gate.totals.cycles
    assert skip.totals.energy_pj["sram"] < gate.totals.energy_pj["sram"]
    assert skip.totals.energy_pj["rf"] == gate.totals.energy_pj["rf"]


def test_what_both_leave_out_is_at_least_what_each_leaves_out() -> None:
    ifmap, weight, both = (run("skip", of).totals for of in ("ifmap", "weight", "both"))
    assert max(ifmap.skipped_macs, weight.skipped_macs) <= both.skipped_macs
    assert both.skipped_macs <= ifmap.skipped_macs + weight.skipped_macs
    assert both.compute_cycles <= min(ifmap.compute_cycles, weight.compute_cycles)


def test_products_are_made_or_skipped_and_nothing_else() -> None:
    """Counted a second way: the non-zeros of 1 x 1 windows, times the outputs of each."""
    trace = TwoLayers()
    result = run("gate", trace=trace, images=2)
    for layer, edge, n_filters in zip(result.layers, "xy", (16, 8), strict=True):
        nonzeros = sum(np.count_nonzero(trace.values(edge, image)) for image in (0, 1))
        assert layer.effective_macs == nonzeros * n_filters
        assert layer.effective_macs + layer.skipped_macs == layer.macs
        assert layer.counts is not None
        assert layer.counts.work.effective_macs == layer.effective_macs


def test_a_network_without_zeros_costs_what_it_costs_a_dense_array() -> None:
    trace = TwoLayers()
    trace._values = [{name: v | 1 for name, v in maps.items()} for maps in trace._values]
    trace._weights = {name: w | 1 for name, w in trace._weights.items()}
    trace.facts = replace(trace.facts, sha256="nothing is zero")
    none, gate, skip = (run(zeros, "both", trace=trace) for zeros in ("none", "gate", "skip"))
    assert none.totals == gate.totals == skip.totals


def test_unknown_weights_are_dense_and_the_result_says_so() -> None:
    result = run("gate", "both", trace=TwoLayers(known=False))
    said = [note for note in result.notes if note.startswith("zeros:")]
    assert "no weights of 2 of 2 layers; they are assumed to have no zeros" in said[1]
    assert "as if no value were zero" in said[0]
    only_ifmaps = run("gate", trace=TwoLayers(known=False)).totals
    assert result.totals.skipped_macs == only_ifmaps.skipped_macs
    assert not [note for note in run("none", trace=TwoLayers()).notes if "zeros:" in note]


def test_a_result_is_read_back_and_priced_again() -> None:
    result = run("skip", trace=TwoLayers())
    text = to_json(result)
    again = parse_result(text, "here")
    assert again == result
    assert price_again(again).totals.energy_pj == result.totals.energy_pj


def test_plans_do_not_know_the_zeros() -> None:
    dense, sparse = (partial(run, trace=TwoLayers())(zeros) for zeros in ("none", "skip"))
    assert dense.totals.dram.fetched_bytes == sparse.totals.dram.fetched_bytes
