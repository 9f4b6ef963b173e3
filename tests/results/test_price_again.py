"""A result priced again from its own counts, through its file and under other tables."""

import json
from dataclasses import replace

import pytest

from accelsim.errors import UserError
from accelsim.hardware.read import read_hardware
from accelsim.results.flat import flat_layers
from accelsim.results.json_form import parse_result, to_json
from accelsim.results.price_again import price_again
from accelsim.simulation.simulate import simulate
from accelsim.workload.trace_file import read_trace

TRACE = "fmnist_resnet8_cat_mid"
RUNS = {
    "edge_npu": [],
    "tpu_like": [],
    "eyeriss_like": [],
    "at a frame rate": ["frame_rate_hz=100"],
    "measured DDR3L": ["dram.standard=ddr3l_1600_x64", "energy.dram_data=vampire_b"],
}


def run(name, codec="huffman", **others):
    overrides = [*RUNS[name], *(f"{key}={value}" for key, value in others.items())]
    chip = read_hardware(name if name in ("tpu_like", "eyeriss_like") else "edge_npu", overrides)
    return simulate(chip, read_trace(TRACE), codec=codec)


@pytest.mark.parametrize("name", RUNS)
def test_an_unchanged_result_costs_the_same_to_the_last_digit(name):
    result = run(name)
    stored = parse_result(to_json(result), "here")
    assert stored == result
    assert price_again(stored) == result
    assert to_json(price_again(stored)) == to_json(result)


@pytest.mark.parametrize("name", ["edge_npu", "at a frame rate"])
@pytest.mark.parametrize(
    "key, value", [("energy.mode", "max"), ("energy.node_nm", 40), ("energy.sram_cell", "hp")]
)
def test_other_prices_give_what_a_run_with_them_gives(name, key, value):
    """Also notes, warnings, configuration and its sources."""
    expected = run(name, **{key: value})
    assert price_again(run(name), [f"{key}={value}"]) == expected
    assert price_again(run(name), {key: value}).totals == expected.totals


def test_what_changes_counts_needs_a_run():
    for key in ("array.rows", "energy.dram_data", "core.clock_mhz"):
        with pytest.raises(UserError, match="run it again"):
            price_again(run("edge_npu"), [f"{key}=16"])


def test_a_result_without_counts_is_read_but_not_priced(make_result):
    result = run("edge_npu")
    whole = json.loads(to_json(result))
    for layer in whole["layers"]:
        del layer["counts"]
    old = parse_result(json.dumps(whole), "old.json")
    assert old.totals == result.totals
    with pytest.raises(UserError, match=r"old\.json.*no counts"):
        price_again(old, where="old.json")


def test_another_version_that_prices_is_named():
    result = run("edge_npu")
    earlier = replace(result, versions=result.versions | {"source": "0" * 16})
    again = price_again(earlier)
    assert again.versions == earlier.versions
    assert result.versions["source"] in again.notes[-1]


def test_tables_of_figures_hold_no_counts():
    assert not any("counts" in key for row in flat_layers(run("at a frame rate")) for key in row)
