"""From the values of a network to the energy of the memory's pins: counted, summed, repeatable."""

from collections.abc import Callable, Iterator
from dataclasses import fields

import numpy as np
import pytest

from accelsim import read_hardware, simulate
from accelsim.codecs.base import CODECS, Word
from accelsim.codecs.blocks import cut
from accelsim.hardware.chip import Chip
from accelsim.results.json_form import parse_result, to_json
from accelsim.results.result import Result
from accelsim.results.run_tables import pins_line
from accelsim.sim.counts import BusCounts
from accelsim.workload.graph import Edge, Graph
from accelsim.workload.layer import Conv, Window
from accelsim.workload.trace import TraceFacts, Values

SHAPES = {"x": (8, 8, 4), "y": (16, 8, 4), "z": (8, 8, 4)}
"""A row is whole lines of 16 and of 32 bytes, so that no cut moves a line twice."""


class TwoLayers:
    """Two small convolutions with sparse maps; ``known`` weights, few ones in them, or none."""

    def __init__(self, known: bool = True, seed: int = 1) -> None:
        layers = (
            Conv("first", "x", "y", 8, 16, Window((1, 1))),
            Conv("second", "y", "z", 16, 8, Window((1, 1))),
        )
        edges = tuple(Edge(name, *shape) for name, shape in SHAPES.items())
        self.graph = Graph(layers, edges, ("x",), ("z",))
        self.facts = TraceFacts("two", 2, f"two layers {known} {seed}")
        rng = np.random.default_rng(seed)
        self._values = [
            {
                name: (rng.integers(1, 64, shape) * (rng.random(shape) < 0.3)).astype(np.uint8)
                for name, shape in SHAPES.items()
            }
            for _ in range(2)
        ]
        self._weights: dict[str, Values] = {
            layer.name: rng.integers(0, 10, (layer.out_channels, layer.in_channels, 1, 1)).astype(
                np.int8
            )
            for layer in layers
            if known
        }

    def values(self, edge: str, image: int) -> Values:
        return self._values[image][edge]

    def weights(self, layer: str) -> Values | None:
        return self._weights.get(layer)


@pytest.fixture(autouse=True)
def own_cache(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("ACCELSIM_CACHE_DIR", str(tmp_path))
    yield


def chip(standard: str, *settings: str) -> Chip:
    return read_hardware("edge_npu", [f"dram.standard={standard}", *settings])


def ones(*arrays: Values) -> int:
    return sum(int(np.unpackbits(array.view(np.uint8)).sum()) for array in arrays)


def test_each_map_and_weight_of_a_raw_run_is_counted_as_often_as_it_moves() -> None:
    """The input and both weights come once, y is written and read, z is written.

    A map comes in a few windows, each with the map's mean, rounded: hence the three bits.
    """
    trace = TwoLayers()
    first, second = simulate(chip("lpddr5_6400_x16", "dram.policy=ideal"), trace).layers
    x, y, z = (trace.values(name, 0) for name in SHAPES)
    w = [trace.weights(name) for name in ("first", "second")]
    assert w[0] is not None and w[1] is not None
    assert first.bus.read_costly_bits == pytest.approx(ones(x, w[0]), abs=3)
    assert first.bus.written_costly_bits == pytest.approx(ones(y), abs=3)
    assert second.bus.read_costly_bits == pytest.approx(ones(y, w[1]), abs=3)
    assert second.bus.written_costly_bits == pytest.approx(ones(z), abs=3)
    # On POD the zeros cost, and what fills up a line is high.
    pod = simulate(chip("ddr4_2400_x16", "dram.policy=ideal"), trace).layers[0]
    zeros = 8 * (x.size + w[0].size) - ones(x, w[0])
    assert pod.bus.read_costly_bits == pytest.approx(zeros, abs=3)
    # Behind a write buffer all of y is answered before it was stored: the weights remain.
    buffered = simulate(chip("lpddr5_6400_x16"), trace).layers[1]
    assert buffered.dram.bus_bytes == w[1].size + z.size
    assert buffered.bus.read_costly_bits == pytest.approx(ones(w[1]), abs=3)


def test_blocks_are_counted_as_the_codec_wrote_them() -> None:
    trace = TwoLayers()
    machine = chip("lpddr5_6400_x16", "codec.name=zvc")
    result = simulate(machine, trace)
    blocks = cut(trace.values("y", 0), machine.codec.block, machine.codec.scan)
    stream = CODECS["zvc"].for_word(Word(8)).encode(blocks)
    assert result.totals.dram.fallback_blocks == 0, "so that all of the stream is stored"
    table_bits = 8 * result.layers[0].dram.by_tensor["ofmap"].index_bytes
    assert result.layers[0].bus.written_costly_bits == ones(stream.payload) + table_bits // 2


@pytest.mark.parametrize(
    "standard", ["ddr3l_1600_x64", "ddr4_2400_x16", "gddr6_14000_x16", "lpddr4x_4266_x16"]
)
@pytest.mark.parametrize("codec", ["raw", "huffman"])
def test_a_run_costs_its_counts_times_the_constants(standard: str, codec: str) -> None:
    # An ideal memory has no write buffer: each line is a burst.
    machine = chip(standard, "energy.mode=max", f"codec.name={codec}", "dram.policy=ideal")
    result = simulate(machine, TwoLayers(), images=2)
    total, config = result.totals, machine.dram.config
    pins, t = config.power.interface, config.timing
    assert pins is not None
    ui_ns = t.burst_cycles * t.tCK_ns / config.organisation.burst_length
    assert total.bus == sum((layer.bus for layer in result.layers), BusCounts())
    assert all(getattr(total.bus, f.name) > 0 for f in fields(BusCounts))
    read, write = (pins.bit_energy(ui_ns, write=is_write) for is_write in (False, True))
    scale = [1.0, 1.0]
    if pins.held:  # IDD4R and IDD4W of VDDQ, above standby, over a burst of random data
        rail = config.power.rails[2]
        for i, (amps, each) in enumerate(((rail.IDD4R, read), (rail.IDD4W, write))):
            drawn = rail.volts * (amps - rail.IDD3N) * t.burst_cycles * t.tCK_ns
            scale[i] = drawn / (8 * config.line_bytes * (each.costly + each.toggle) / 2)
    bus = total.bus
    expected = (
        scale[0] * (bus.read_costly_bits * read.costly + bus.read_toggles * read.toggle)
        + scale[1] * (bus.written_costly_bits * write.costly + bus.written_toggles * write.toggle)
        + 8 * total.dram.fetched_bytes * read.every
    )
    assert total.energy_pj["dram_io"] == pytest.approx(expected, rel=1e-9)
    assert total.energy_pj["dram_io"] == pytest.approx(
        sum(layer.energy_pj["dram_io"] for layer in result.layers)
    )


def test_a_warm_run_says_the_same_byte_by_byte() -> None:
    machine = chip("ddr4_2400_x16", "codec.name=huffman")
    cold, warm = (to_json(simulate(machine, TwoLayers(), images=2)) for _ in range(2))
    assert cold == warm
    assert (
        parse_result(cold, "here").totals.bus == simulate(machine, TwoLayers(), images=2).totals.bus
    )


def test_images_have_their_own_counts() -> None:
    one, two = (simulate(chip("ddr4_2400_x16"), TwoLayers(), images=n).totals.bus for n in (1, 2))
    swapped = TwoLayers()
    swapped._values.reverse()
    swapped.facts = TraceFacts("two", 2, "the other way round")
    other = simulate(chip("ddr4_2400_x16"), swapped).totals.bus
    assert one != other
    # Both images move the same weights.
    assert two.written_costly_bits == one.written_costly_bits + other.written_costly_bits


def test_inversion_never_leaves_more_costly_bits_and_is_another_measurement() -> None:
    for codec in ("raw", "zvc"):
        plain, inverted = (
            simulate(chip("ddr4_2400_x16", f"dram.dbi={dbi}"), TwoLayers(), codec=codec).totals
            for dbi in ("off", "on")
        )
        assert inverted.bus.costly_bits < plain.bus.costly_bits
        assert inverted.energy_pj["dram_io"] < plain.energy_pj["dram_io"]
        assert inverted.dram == plain.dram


def test_weights_that_a_trace_lacks_are_random_and_the_result_says_so() -> None:
    known, unknown = (
        simulate(chip("lpddr5_6400_x16"), TwoLayers(known)) for known in (True, False)
    )
    x = TwoLayers(False).values("x", 0)
    weight_bits = 8 * 16 * 8
    expected = ones(x) + weight_bits // 2
    assert unknown.layers[0].bus.read_costly_bits == pytest.approx(expected, abs=3)
    assert any("weights of 2 layers are assumed random" in note for note in unknown.notes)
    assert any(
        note == "DRAM I/O: priced by the ones and toggles of the data" for note in known.notes
    )


def test_ones_price_reads_and_writes_as_measured_on_ddr3l() -> None:
    """The law is linear in ones: their sum over the run is enough."""
    standard = "ddr3l_1600_x64"
    result = simulate(
        chip(standard, "energy.dram_data=vampire_c", "dram.policy=ideal"), TwoLayers()
    )
    bus, dram = result.totals.bus, result.totals.dram
    lines = dram.read_bytes / 64, dram.written_bytes / 64
    standby = 112.6297 / 2.5 / 1.35
    expected = 13.5 * (lines[0] * (222.114 - standby) + 4.155 * bus.read_costly_bits / 8)
    assert result.totals.energy_pj["dram_read"] == pytest.approx(expected, rel=1e-9)
    expected = 13.5 * (lines[1] * (540.974 - standby) - 3.807 * bus.written_costly_bits / 8)
    assert result.totals.energy_pj["dram_write"] == pytest.approx(expected, rel=1e-9)
    assert any("as measured (vampire_c)" in note for note in result.notes)


def test_tables_say_what_the_pins_saw(make_result: Callable[..., Result]) -> None:
    result = simulate(chip("ddr4_2400_x16"), TwoLayers())
    line = pins_line(result.totals)
    assert line in result.tables()[2].footer
    share = 100 * result.totals.bus.costly_bits / (8 * result.totals.dram.bus_bytes)
    assert f"{share:.1f} were at the costly level" in line
    assert pins_line(make_result(1.0).totals) == ""
