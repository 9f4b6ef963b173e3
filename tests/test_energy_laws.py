"""Laws of energy and rates over whole runs, whatever the chip."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib.metadata import EntryPoint

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accelsim import read_hardware, registry, simulate
from accelsim.array.dataflow import DATAFLOWS
from accelsim.hardware.chip import Chip
from accelsim.results.figures import ENERGY_PARTS
from accelsim.results.result import Result
from accelsim.workload.graph import Edge, Graph
from accelsim.workload.layer import Conv, Pool, Window
from accelsim.workload.trace import TraceFacts
from tests.test_io_energy import SHAPES, TwoLayers


@pytest.fixture(autouse=True)
def own_cache(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("ACCELSIM_CACHE_DIR", str(tmp_path))
    yield


def chip(*settings: str) -> Chip:
    return read_hardware("edge_npu", ["dram.policy=ideal", *settings])


def wider(bits: int) -> TwoLayers:
    """The same layers with other words."""
    trace = TwoLayers(known=False)
    edges = tuple(Edge(name, *shape, bits=bits) for name, shape in SHAPES.items())
    trace.graph = Graph(trace.graph.layers, edges, ("x",), ("z",))
    trace._values = [
        {
            name: (v & ((1 << bits) - 1 if bits < 8 else 255)).astype(edges[0].dtype)
            for name, v in maps.items()
        }
        for maps in trace._values
    ]
    trace.facts = replace(trace.facts, name=f"two of {bits} bits", sha256=f"{bits} bits")
    return trace


@pytest.fixture
def renamed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Registers one of our dataflows as ``somebody_elses``, as an outside package would."""
    found = registry.entry_points

    def rename(name: str) -> None:
        module = f"accelsim.array.dataflows.{name}:DATAFLOW"
        points = [EntryPoint("somebody_elses", module, "accelsim.dataflows")]
        monkeypatch.setattr(
            registry,
            "entry_points",
            lambda group: points if group == "accelsim.dataflows" else found(group=group),
        )
        forget()

    def forget() -> None:
        for cached in ("_registered", "_entry_points"):
            DATAFLOWS.__dict__.pop(cached, None)

    yield rename
    monkeypatch.undo()
    forget()


@pytest.mark.parametrize("name", ["output_stationary", "weight_stationary", "input_stationary"])
def test_a_dataflow_costs_the_same_under_another_name(
    name: str, renamed: Callable[[str], None]
) -> None:
    own = simulate(chip(f"array.dataflow={name}"), TwoLayers())
    renamed(name)
    other = simulate(chip("array.dataflow=somebody_elses"), TwoLayers())
    assert other.totals == own.totals
    assert own.totals.energy_pj["rf"] > 0


def test_an_idle_array_is_not_free() -> None:
    """The same network on 16 and on 64 times as many PEs, of which few have work."""
    small, large = (
        simulate(chip(f"array.rows={side}", f"array.cols={side}"), TwoLayers()).totals
        for side in (8, 64)
    )
    assert small.macs == large.macs
    of_array = ("mac", "rf", "array_clock", "array_leakage")
    assert sum(large.energy_pj[part] for part in of_array) > 2 * sum(
        small.energy_pj[part] for part in of_array
    )


def test_words_of_a_map_decide_what_a_product_costs() -> None:
    def mac_pj(bits: int) -> float:
        return simulate(chip(), wider(bits)).totals.energy_pj["mac"]

    assert mac_pj(5) < mac_pj(8) < mac_pj(16)
    result = simulate(chip(), wider(16))
    assert any("16 x 8 bits in 2 layers" in note for note in result.notes)
    # 16 x 8 bits: (2)^0.9886 times 0.2 pJ, and 0.1 for the psum, at 22 nm.
    one = (0.2 * 2 ** (0.5 * 1.97719) + 0.1) * (22 / 45) ** 1.9
    assert result.totals.energy_pj["mac"] / result.totals.macs == pytest.approx(one, rel=1e-4)


def adds_up(result: Result) -> None:
    for figures in (*result.layers, result.totals):
        parts = sum(figures.energy_pj[name] for name in ENERGY_PARTS)
        assert figures.energy_pj["total"] == pytest.approx(parts, rel=1e-12)
        assert all(figures.energy_pj[name] >= 0 for name in ENERGY_PARTS)


@pytest.mark.parametrize("codec", ["raw", "zvc"])
def test_parts_and_layers_add_up(codec: str) -> None:
    result = simulate(chip(), TwoLayers(), codec=codec, images=2)
    adds_up(result)
    for name in (*ENERGY_PARTS, "total"):
        layers = sum(layer.energy_pj[name] for layer in result.layers)
        assert result.totals.energy_pj[name] == pytest.approx(layers, rel=1e-12)


def test_a_pointwise_layer_costs_what_a_pencil_says() -> None:
    """8 x 16 channels, 8 x 4 pixels, on 16 x 16 PEs: all of it, but for the memory, by hand."""
    trace = TwoLayers()
    layers = (Conv("first", "x", "y", 8, 16, Window((1, 1))),)
    edges = tuple(Edge(name, *SHAPES[name]) for name in "xy")
    trace.graph = Graph(layers, edges, ("x",), ("y",))
    (layer,) = simulate(chip(), trace).layers
    macs, node = 8 * 16 * 32, (22 / 45) ** 1.9
    assert layer.macs == macs
    found = layer.energy_pj
    assert found["mac"] == pytest.approx(macs * 0.3 * node)
    assert found["rf"] == pytest.approx(macs * 96 * 0.009 * (22 / 40) ** 1.9)
    idle = 256 * layer.cycles - macs
    assert found["array_clock"] == pytest.approx(idle * 48 * 0.00794 * (22 / 40) ** 1.9)
    assert found["codec"] == found["vector"] == 0


def pooled(channels: int = 16, side: int = 13) -> TwoLayers:
    """Poolings whose windows overlap read rows again that were just written, and rows of 13
    values share a line with the next, so that tiles do."""
    trace = TwoLayers()
    layers = (
        Conv("first", "x", "a", channels, channels, Window((1, 1))),
        Pool("pool1", "a", "b", Window((5, 5), (1, 1), (2, 2, 2, 2))),
        Pool("pool2", "b", "c", Window((5, 5), (1, 1), (2, 2, 2, 2))),
        Conv("last", "c", "z", channels, channels, Window((3, 3), (1, 1), (1, 1, 1, 1))),
    )
    edges = tuple(Edge(name, channels, side, side) for name in "xabcz")
    trace.graph = Graph(layers, edges, ("x",), ("z",))
    rng = np.random.default_rng(5)
    shape = channels, side, side
    trace._values = [
        {
            name: (rng.integers(1, 200, shape) * (rng.random(shape) < 0.5)).astype(np.uint8)
            for name in "xabcz"
        }
        for _ in range(2)
    ]
    trace._weights = {}
    trace.facts = TraceFacts("pooled", 2, f"pooled {channels} {side}")
    return trace


MEMORIES = ("ddr4_2400_x16", "lpddr4_3200_x16", "gddr6_14000_x16", "hbm2_2000", "ddr5_4800_x32")


@settings(deadline=None, max_examples=12)
@given(
    memory=st.sampled_from(MEMORIES),
    policy=st.sampled_from(["dramsim3", "dramsim3", "ramulator", "ideal"]),
    codec=st.sampled_from(["raw", "zvc", "huffman"]),
    channels=st.sampled_from([1, 2]),
    clock_mhz=st.sampled_from([200, 1000, 1733]),
    buffers_kib=st.sampled_from([4, 16]),
    images=st.sampled_from([1, 2]),
)
def test_no_layer_moves_more_than_the_bus_can(
    memory: str,
    policy: str,
    codec: str,
    channels: int,
    clock_mhz: int,
    buffers_kib: int,
    images: int,
) -> None:
    machine = chip(
        f"dram.standard={memory}",
        f"dram.policy={policy}",
        f"dram.channels={channels}",
        f"core.clock_mhz={clock_mhz}",
        *(f"buffers.{kind}_kib={buffers_kib}" for kind in ("ifmap", "weight", "ofmap")),
    )
    result = simulate(machine, pooled(), codec=codec, images=images)
    peak = machine.dram.config.peak_gb_s
    for figures in (*result.layers, result.totals):
        assert 0 <= figures.bandwidth_gb_s <= peak * (1 + 1e-12)
        assert figures.dram.bus_bytes <= figures.dram.fetched_bytes
        kinds = figures.dram.by_tensor.values()
        assert figures.dram.fetched_bytes == sum(kind.fetched_bytes for kind in kinds)
    total = result.totals
    assert total.dram.bus_bytes == sum(layer.dram.bus_bytes for layer in result.layers)
    assert total.bandwidth_gb_s * total.seconds * 1e9 == pytest.approx(total.dram.bus_bytes)
    moved = sum(layer.bandwidth_gb_s * layer.seconds for layer in result.layers)
    assert moved == pytest.approx(total.bandwidth_gb_s * total.seconds)


def test_rows_that_the_write_buffer_answers_are_not_on_the_bus() -> None:
    """Without one, every line that is asked for is a burst."""
    trace, memory = pooled(), "dram.standard=ddr4_2400_x16"
    small = [f"buffers.{kind}_kib=4" for kind in ("ifmap", "weight", "ofmap")]
    ideal = simulate(chip(memory, *small), trace).totals
    merging = simulate(chip(memory, "dram.policy=dramsim3", *small), trace).totals
    assert ideal.dram.bus_bytes == ideal.dram.fetched_bytes
    assert merging.dram.bus_bytes < merging.dram.fetched_bytes == ideal.dram.fetched_bytes
    assert merging.bus.costly_bits < ideal.bus.costly_bits
