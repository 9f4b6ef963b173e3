"""Figures of a result against hand-made counts: 32 PEs at 500 MHz, so a cycle is 2 ns."""

import pytest

from accelsim.results.build import MapRates, bound, build_result
from accelsim.results.figures import ENERGY_PARTS
from accelsim.results.flat import flat_layers
from accelsim.results.groups import ENERGY_GROUPS, STALL_GROUPS
from accelsim.results.json_form import parse_result, to_json
from accelsim.sim.counts import STALL_CAUSES, ByteCounts, RunCounts


def test_cycles_are_work_plus_stalls_in_each_layer_and_in_total(make_result):
    result = make_result()
    for figures in (*result.layers, result.totals):
        work = figures.compute_cycles + figures.vector_cycles
        assert figures.cycles == work + sum(figures.stall_cycles.values())
    assert result.totals.cycles == 600 + 400 + 20 + 100 + 400 + 30


def test_utilization_is_macs_over_pes_times_cycles(make_result):
    result = make_result()
    assert result.layers[0].utilization == 6400 / (4 * 8 * 1020)
    assert result.layers[1].utilization == 0.0
    assert result.totals.utilization == 6400 / (4 * 8 * 1550)


def test_seconds_are_core_cycles_times_two_nanoseconds(make_result):
    totals = make_result().totals
    assert totals.seconds == pytest.approx(1550 * 2e-9, rel=1e-15)
    assert totals.images_per_second_cold == pytest.approx(1 / (1550 * 2e-9), rel=1e-15)


def test_one_image_has_no_steady_state(make_result):
    assert make_result().totals.images_per_second is None


def test_steady_state_counts_the_images_after_the_first(make_layer, made_up_chip, made_up_facts):
    # Ends at cycles 1000, 1500, 2000: two images in 1000 cycles of 2 ns.
    counts = RunCounts((make_layer("a", compute=2100),), 2100, (1000, 1500, 2000))
    totals = build_result(
        counts, [{}], [MapRates()], made_up_chip, made_up_facts, codec="raw", images=3
    ).totals
    assert totals.images_per_second == pytest.approx(2 / 2e-6)
    assert totals.images_per_second_cold == pytest.approx(3 / 4.2e-6)


def test_bytes_of_the_parts_add_up(make_result):
    dram = make_result(0.5).totals.dram
    assert dram.needed_bytes == 1000 + 500 + 2000 + 2000 + 2000
    assert dram.coded_bytes == 500 + 500 + 1000 + 1000 + 1000
    assert dram.fetched_bytes == dram.coded_bytes + dram.padding_bytes + dram.index_bytes
    assert dram.fetched_bytes == dram.read_bytes + dram.written_bytes
    assert dram.fetched_bytes == sum(t.fetched_bytes for t in dram.by_tensor.values())
    assert dram.by_tensor["psum"].fetched_bytes == 0


def test_bandwidth_is_the_busy_share_of_the_peak(make_result):
    """A quarter of the time on one of two channels of 3200 MT/s x 16 bits, 6.4 GB/s each."""
    result = make_result()
    for figures in (*result.layers, result.totals):
        assert figures.bandwidth_gb_s == pytest.approx(2 * 6.4 / 8)
    assert result.layers[0].dram.bus_bytes == 15 * 32
    assert result.totals.dram.bus_bytes == 2 * 15 * 32


def test_rates_of_feature_maps_leave_weights_out(make_result):
    result = make_result()
    first = result.layers[0].bits_per_value
    assert (first.entropy, first.huffman, first.stream) == (2.5, 2.6, 8.0)
    assert first.fetched == 8 * (1032 + 2032) / 3000
    total = result.totals.bits_per_value
    assert total.entropy == (5000 + 3000) / 4000
    assert total.fetched == 8 * (1032 + 2032 + 2032 + 2032) / 7000


def test_fetched_bits_per_value_of_wide_words_count_values_not_bytes(
    make_layer, made_up_chip, made_up_facts
):
    # 100 ifmap words of 16 bits and 100 ofmap words of 8 bits, fetched without padding.
    n_values = 100 + 100
    traffic = {
        "ifmap": ByteCounts(needed_bytes=200, coded_bytes=200, read_bytes=200),
        "ofmap": ByteCounts(needed_bytes=100, coded_bytes=100, written_bytes=100),
    }
    result = build_result(
        RunCounts((make_layer("a", compute=1, traffic=traffic, map_values=n_values),), 1, (1,)),
        [{}],
        [MapRates(100, 0.0, 0, 800)],
        made_up_chip,
        made_up_facts,
        codec="raw",
    )
    assert result.totals.bits_per_value.fetched == (16 + 8) / 2


def test_layers_without_maps_have_no_rates(make_layer, made_up_chip, made_up_facts):
    counts = RunCounts((make_layer("a", compute=1),), 1, (1,))
    result = build_result(counts, [{}], [MapRates()], made_up_chip, made_up_facts, codec="raw")
    bits = result.layers[0].bits_per_value
    assert (bits.entropy, bits.huffman, bits.stream, bits.fetched) == (None,) * 4


def test_energy_has_every_part_and_their_total(make_result):
    result = make_result()
    for figures in (*result.layers, result.totals):
        assert list(figures.energy_pj) == [*ENERGY_PARTS, "total"]
        parts = sum(figures.energy_pj[part] for part in ENERGY_PARTS)
        assert figures.energy_pj["total"] == pytest.approx(parts)
    assert result.totals.energy_pj["total"] == 3200 + 4000 + 10 + 900


def test_idle_energy_belongs_to_the_total_alone(make_layer, made_up_chip, made_up_facts):
    result = build_result(
        RunCounts((make_layer("a", compute=1),), 1, (1,)),
        [{"mac": 5e6}],
        [MapRates()],
        made_up_chip,
        made_up_facts,
        codec="raw",
        idle_seconds=0.25,
        idle_energy_pj={"dram_background": 7e6, "total": 7e6},
    )
    assert result.layers[0].energy_pj["total"] == 5e6
    assert result.totals.energy_pj["total"] == 12e6
    # It has a line of its own, so that the lines add up; and nothing else of the run is idle.
    assert result.idle is not None
    assert (result.idle.seconds, result.idle.energy_pj["total"]) == (0.25, 7e6)
    assert parse_result(to_json(result), "here") == result
    energy = result.tables()[2]
    lines = {row[0]: float(row[1]) for row in energy.rows}
    assert lines["between images"] + lines["a"] == pytest.approx(lines["TOTAL"], abs=1e-3)
    first, last = flat_layers(result)
    assert (first["name"], last["name"], last["kind"]) == ("a", "between images", "idle")
    assert (last["seconds"], last["energy_pj.total"]) == (0.25, 7e6)
    assert "250 ms between images" in result.tables()[0].footer[0]


def test_images_that_follow_one_another_leave_no_idle_line(make_result):
    result = make_result()
    assert result.idle is None
    assert [row[0] for row in result.tables()[2].rows] == ["conv1", "add2", "TOTAL"]


def test_an_energy_part_without_a_name_in_the_contract_is_refused(
    make_layer, made_up_chip, made_up_facts
):
    counts = RunCounts((make_layer("a", compute=1),), 1, (1,))
    with pytest.raises(ValueError, match="magic"):
        build_result(
            counts, [{"magic": 1.0}], [MapRates()], made_up_chip, made_up_facts, codec="raw"
        )


@pytest.mark.parametrize(
    ("work", "stalls", "expected"),
    [
        ({"compute": 50}, {"ifmap_dram": 50}, "compute"),
        ({"compute": 49}, {"ifmap_dram": 50}, "ifmap_dram"),
        ({"compute": 40}, {"weight_dram": 35, "decoder": 25}, "weight_dram"),
        ({"vector": 10}, {}, "vector"),
        ({"compute": 5, "vector": 6}, {"drain": 1}, "vector"),
    ],
)
def test_a_layer_is_bound_by_work_unless_it_waits_longer(make_layer, work, stalls, expected):
    assert bound(make_layer("a", **work, stalls=stalls)) == expected


def test_every_energy_part_is_in_one_group_of_the_tables():
    grouped = [part for parts in ENERGY_GROUPS.values() for part in parts]
    assert sorted(grouped) == sorted(ENERGY_PARTS)


def test_every_stall_cause_is_in_one_group_of_the_tables():
    grouped = [cause for causes in STALL_GROUPS.values() for cause in causes]
    assert sorted(grouped) == sorted(STALL_CAUSES)
