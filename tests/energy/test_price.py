"""Pricing: every part by hand on tiny counts, and parts that add up."""

import math
from dataclasses import asdict, fields, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accelsim.dram.events import DramEvents
from accelsim.energy.dram import price_dram
from accelsim.energy.parts import EnergyParts
from accelsim.energy.price import price
from accelsim.energy.sram import sram_macro, table
from accelsim.errors import ConfigError
from accelsim.hardware.read import chip_from_resolved, read_hardware
from accelsim.program.work import TENSOR_KINDS, BusCounts, ByteCounts, SramCounts, StageWork
from accelsim.results.figures import ENERGY_PARTS
from accelsim.sim.counts import STALL_CAUSES, LayerCounts, RunCounts

# On grid points of the SRAM table, at the node of the arithmetic figures.
ROUND = {
    "core.clock_mhz": 1000,
    "buffers.ifmap_kib": 64,
    "buffers.weight_kib": 128,
    "buffers.ofmap_kib": 32,
    "buffers.port_bits": 128,
    "energy.node_nm": 45,
    "energy.sram_cell": "lop",
    "codec.name": "zvc",
    "codec.hardware.encode_pj_per_value": 0.25,
    "codec.hardware.decode_pj_per_value": 0.5,
    "codec.hardware.node_nm": 45,
}
CHIP = read_hardware("edge_npu", ROUND)


def layer(**counts: object) -> LayerCounts:
    """Of nothing but ``counts``, of its work or of its time."""
    work = StageWork(
        name="conv1",
        kind="conv",
        macs=0,
        bytes_by_tensor={kind: ByteCounts() for kind in TENSOR_KINDS},
        sram=SramCounts(),
        encoded_values=0,
        decoded_values=0,
        vector_values=0,
        fused_pool_values=0,
        map_values=0,
        value_bits=8,
        weight_bits=8,
        register_bits=0,
    )
    mapped = {
        f.name: counts.pop(f.name) for f in fields(StageWork) if f.name in {*counts} - {"bus"}
    }
    nothing = LayerCounts(
        work=replace(work, **mapped),  # type: ignore[arg-type]
        cycles=0,
        compute_cycles=0,
        vector_cycles=0,
        stall_cycles=dict.fromkeys(STALL_CAUSES, 0),
        dram=DramEvents(),
    )
    return replace(nothing, **counts)  # type: ignore[arg-type]


def a_run(*layers: LayerCounts, images: int = 1) -> RunCounts:
    cycles = sum(one.cycles for one in layers)
    return RunCounts(layers, cycles, image_end_cycles=(cycles,) * images)


def only(parts: EnergyParts) -> dict[str, float]:
    return {name: value for name, value in asdict(parts).items() if value}


def test_the_parts_are_those_of_the_contract() -> None:
    assert tuple(field.name for field in fields(EnergyParts)) == ENERGY_PARTS
    assert [*EnergyParts().as_dict()] == [*ENERGY_PARTS, "total"]


def test_nothing_costs_nothing() -> None:
    assert price(layer(), CHIP) == EnergyParts()
    assert price(a_run(), CHIP) == EnergyParts()


def test_a_mac_costs_a_product_and_an_addition_of_its_words() -> None:
    """0.2 + 0.1 pJ at 45 nm; 16 x 16 bits lie in the middle of 0.2 and 3.1 pJ."""
    assert price(layer(macs=1000), CHIP).mac == pytest.approx(300.0)
    wide = layer(macs=1000, value_bits=16, weight_bits=16)
    assert price(wide, CHIP).mac == pytest.approx(1000 * (math.sqrt(0.2 * 3.1) + 0.1))


def test_registers_cost_by_the_bit_whatever_the_dataflow_is_called() -> None:
    counts = layer(register_bits=96_000)
    assert only(price(counts, CHIP)) == {"rf": pytest.approx(96_000 * 0.009 * (45 / 40) ** 1.9)}
    array = replace(CHIP.array, dataflow="weight_stationary")
    assert price(counts, replace(CHIP, array=array)) == price(counts, CHIP)


def test_a_pe_without_a_mac_is_clocked_and_one_with_a_mac_pays_by_access() -> None:
    """256 PEs for 10 cycles; of 48 bits each, 7.94 fJ at 40 nm."""
    busy = price(layer(macs=2560, cycles=10), CHIP)
    half = price(layer(macs=1280, cycles=10), CHIP)
    assert busy.array_clock == 0.0
    assert half.array_clock == pytest.approx(1280 * 48 * 0.00794 * (45 / 40) ** 1.9)
    # The machine is as wide as its widest word, and not narrower than 8 bits.
    wide = price(layer(macs=1280, cycles=10, value_bits=16, weight_bits=4), CHIP)
    assert wide.array_clock == pytest.approx(half.array_clock * 56 / 48)


def test_products_that_are_not_made_cost_no_arithmetic_and_the_clock_of_what_rests() -> None:
    """Of 2560 products 1000 are gated: 8 + 8 + 32 bits, of which the weight moves on."""
    scale = (45 / 40) ** 1.9
    made = price(layer(macs=1560, cycles=10), CHIP)
    gated = {"skipped_macs": 1000, "ifmap_rests": 1000, "psum_rests": 1000}
    found = price(layer(macs=2560, cycles=10, **gated), CHIP)
    assert found.mac == made.mac
    assert found.array_clock == pytest.approx(1000 * 40 * 0.00794 * scale)
    # Skipped ones have no cycle: what rests makes up for what is idle too little.
    skipped = {f"{name}_rests": 1000 for name in ("ifmap", "weight", "psum")}
    found = price(layer(macs=2560, cycles=7, skipped_macs=1000, **skipped), CHIP)
    assert found.array_clock == pytest.approx((7 * 256 - 1560) * 48 * 0.00794 * scale)


def test_an_idle_pe_draws_less_than_one_that_works() -> None:
    """All that an access costs beyond the clock depends on the data."""
    idle = price(layer(cycles=1), CHIP).array_clock / 256
    work = price(layer(macs=256, cycles=1, register_bits=256 * 96), CHIP)
    assert idle < work.rf / 256
    assert idle < (work.mac + work.rf) / 256


def test_pes_leak_as_their_gates_do_at_40_nm_and_as_sram_scales() -> None:
    """48 register bits of 74 nW, a multiplier of 77.9 / 16 uW, an adder of 2.25 uW."""
    one_pe_mw = 48 * 7.4e-5 + 7.79e-2 / 16 + 2.25e-3
    here = sram_macro(128 * 1024, 64, 45, "lop").leakage_mw
    there = sram_macro(128 * 1024, 64, 40, "hp").leakage_mw
    found = price(layer(cycles=1_000_000), CHIP).array_leakage  # 1 ms: 1 mW is 1e6 pJ
    assert found == pytest.approx(256 * one_pe_mw * here / there * 1e6)
    assert 0.02 < here / there < 0.1


@pytest.mark.parametrize("work", [{}, {"macs": 800 * 32 * 32 * 3 // 4}])
def test_a_larger_array_costs_more_for_the_same_work_in_the_same_time(work: dict[str, int]) -> None:
    small, large = (
        chip_from_resolved(CHIP.resolved, {"array.rows": side, "array.cols": side})
        for side in (32, 128)
    )
    counts = layer(cycles=800, **work)
    assert price(counts, large).total > 2 * price(counts, small).total


@pytest.mark.parametrize(
    ("count", "kib", "figure"),
    [
        ("ifmap_read_bytes", 64, "read_pj"),
        ("ifmap_write_bytes", 64, "write_pj"),
        ("weight_read_bytes", 128, "read_pj"),
        ("weight_write_bytes", 128, "write_pj"),
        ("ofmap_read_bytes", 32, "read_pj"),
        ("ofmap_write_bytes", 32, "write_pj"),
    ],
)
def test_each_kind_of_access_is_priced_at_its_own_buffer(count: str, kib: int, figure: str) -> None:
    """A port of 128 bits moves 16 bytes: 1600 bytes are 100 accesses."""
    found = only(price(layer(sram=SramCounts(**{count: 1600})), CHIP))
    assert found == {"sram": pytest.approx(100 * getattr(table()["lop", 45, 128, kib], figure))}


def test_values_through_the_codec_are_priced_by_direction_and_node() -> None:
    counts = layer(encoded_values=100, decoded_values=1000)
    assert only(price(counts, CHIP)) == {"codec": pytest.approx(100 * 0.25 + 1000 * 0.5)}
    older = chip_from_resolved(CHIP.resolved, {"codec.hardware.node_nm": 65})
    assert price(counts, older).codec == pytest.approx((25 + 500) * (45 / 65) ** 1.9)


def test_vector_values_are_sums_and_pooled_ones_comparisons() -> None:
    """A product and an addition, 0.3 pJ; a comparison, 0.03 pJ."""
    counts = layer(vector_values=10, fused_pool_values=100)
    assert only(price(counts, CHIP)) == {"vector": pytest.approx(10 * 0.3 + 100 * 0.03)}


def test_buffers_leak_while_a_layer_runs() -> None:
    """Milliwatts for 1e6 cycles of 1 ns: 1 mW for 1 ms is 1 uJ, 1e6 pJ."""
    leakage_mw = sum(table()["lop", 45, 128, kib].leakage_mw for kib in (64, 128, 32))
    found = price(layer(cycles=1_000_000), CHIP)
    assert found.leakage == pytest.approx(leakage_mw * 1e6)
    assert {*only(found)} == {"leakage", "array_leakage", "array_clock"}


def test_dram_parts_are_those_of_the_dram() -> None:
    events = DramEvents(
        activates=3, reads=100, writes=50, refreshes=2, active_rank_cycles=900, idle_rank_cycles=80
    )
    # DDR4-2400 x16: of 150 bursts of 128 bits one in four low, one in five toggling.
    bus = BusCounts(3200, 2560, 1600, 1280)
    found = only(price(layer(dram=events, bus=bus), CHIP))
    expected = price_dram(events, CHIP.dram.config, "typical")
    termination, swing = expected["dram_io"] / 2, 1.2 * 60 / 94
    expected["dram_io"] = termination + 3840 * 1.7 * swing**2 / 2
    assert found == pytest.approx({k: v for k, v in expected.items() if v})
    assert {"dram_act", "dram_read", "dram_write", "dram_refresh", "dram_background"} <= set(found)
    maximum = chip_from_resolved(CHIP.resolved, {"energy.mode": "max"})
    assert price(layer(dram=events), maximum).dram_read > found["dram_read"]


numbers = st.integers(0, 10**9)
some_layer = st.builds(
    layer,
    cycles=st.integers(10**9, 10**10),  # 256 PEs have time for these MACs
    macs=numbers,
    register_bits=numbers,
    encoded_values=numbers,
    decoded_values=numbers,
    vector_values=numbers,
    fused_pool_values=numbers,
    sram=st.builds(SramCounts, *[numbers] * 6),
    dram=st.builds(DramEvents, *[numbers] * 8),
)


@settings(deadline=None, max_examples=50)
@given(st.lists(some_layer, max_size=5))
def test_layers_add_up_to_the_run_and_parts_to_the_total(layers: list[LayerCounts]) -> None:
    whole = price(a_run(*layers), CHIP)
    parts = [price(one, CHIP) for one in layers]
    for name in ENERGY_PARTS:
        together = sum(getattr(part, name) for part in parts)
        assert getattr(whole, name) == pytest.approx(together, rel=1e-12)
        assert together >= 0
    assert whole.total == pytest.approx(sum(asdict(whole).values()), rel=1e-12)
    assert whole.as_dict()["total"] == whole.total


@settings(deadline=None, max_examples=50)
@given(some_layer, some_layer)
def test_price_is_linear_in_the_counts(a: LayerCounts, b: LayerCounts) -> None:
    counted = ("macs", "encoded_values", "decoded_values", "vector_values", "register_bits")
    counted += ("fused_pool_values",)
    work = replace(
        a.work,
        **{name: getattr(a.work, name) + getattr(b.work, name) for name in counted},
        sram=a.work.sram + b.work.sram,
    )
    both = replace(a, work=work, cycles=a.cycles + b.cycles, dram=a.dram + b.dram)
    expected = price(a, CHIP) + price(b, CHIP)
    for name in ENERGY_PARTS:
        assert getattr(price(both, CHIP), name) == pytest.approx(getattr(expected, name), rel=1e-9)


def test_a_node_without_a_table_is_refused_before_pricing() -> None:
    with pytest.raises(ConfigError, match="from 22 to 65"):
        chip_from_resolved(CHIP.resolved, {"energy.node_nm": 7})
