"""A result made by hand, for tests of what comes after the simulation."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest

from accelsim.dram.events import DramEvents
from accelsim.dram.standard import STANDARDS
from accelsim.program.work import TENSOR_KINDS, ByteCounts, SramCounts, StageWork
from accelsim.results.build import MapRates, build_result
from accelsim.results.result import Result
from accelsim.sim.counts import STALL_CAUSES, LayerCounts, RunCounts
from accelsim.units import Clock
from accelsim.workload.trace import TraceFacts

CHIP = SimpleNamespace(
    name="made_up",
    core=Clock.from_mhz(500),
    array=SimpleNamespace(rows=4, cols=8),
    dram=SimpleNamespace(config=STANDARDS["lpddr4_3200_x16"].config(channels=2)),
    resolved={"core": {"clock_mhz": 500}, "dram": {"standard": "lpddr4_3200"}},
)
FACTS = TraceFacts("tiny_net", n_images=1, sha256="ab" * 32, accuracy={"top1": 0.75})


def layer(
    name: str,
    *,
    kind: str = "conv",
    compute: int = 0,
    vector: int = 0,
    macs: int = 0,
    stalls: dict[str, int] | None = None,
    traffic: dict[str, ByteCounts] | None = None,
    map_values: int = 0,
) -> LayerCounts:
    stall_cycles = dict.fromkeys(STALL_CAUSES, 0) | (stalls or {})
    cycles = compute + vector + sum(stall_cycles.values())
    return LayerCounts(
        work=StageWork(
            name=name,
            kind=kind,
            macs=macs,
            bytes_by_tensor={kind: ByteCounts() for kind in TENSOR_KINDS} | (traffic or {}),
            sram=SramCounts(),
            encoded_values=0,
            decoded_values=0,
            vector_values=0,
            fused_pool_values=0,
            map_values=map_values,
            value_bits=8,
            weight_bits=8,
            register_bits=0,
        ),
        cycles=cycles,
        compute_cycles=compute,
        vector_cycles=vector,
        stall_cycles=stall_cycles,
        # The memory is busy for a quarter of the time on one of its two channels.
        dram=DramEvents(reads=10, writes=5, bus_fs=500_000 * cycles),
    )


def two_layers(size: float = 1.0, codec: str = "zvc", images: int = 1) -> Result:
    """Two layers whose coded bytes are ``size`` times their values."""

    def feature_map(n_bytes: int, read: bool) -> ByteCounts:
        coded = int(n_bytes * size)
        moved = coded + 24 + 8
        return ByteCounts(
            needed_bytes=n_bytes,
            coded_bytes=coded,
            overfetch_bytes=coded // 10,
            padding_bytes=24,
            index_bytes=8,
            read_bytes=moved if read else 0,
            written_bytes=0 if read else moved,
        )

    weights = ByteCounts(needed_bytes=500, coded_bytes=500, padding_bytes=12, read_bytes=512)
    waits = int(400 * size)
    layers = (
        layer(
            "conv1",
            compute=600,
            macs=6400,
            stalls={"ifmap_dram": waits, "decoder": 20},
            traffic={
                "ifmap": feature_map(1000, True),
                "weight": weights,
                "ofmap": feature_map(2000, False),
            },
            map_values=1000 + 2000,
        ),
        layer(
            "add2",
            kind="add",
            vector=100,
            stalls={"ofmap_dram": waits, "ifmap_dram": 30},
            traffic={"ifmap": feature_map(2000, True), "ofmap": feature_map(2000, False)},
            map_values=2000 + 2000,
        ),
    )
    cycles = sum(x.cycles for x in layers)
    ends = tuple(cycles * (i + 1) // images for i in range(images))
    return build_result(
        RunCounts(layers, cycles, ends),
        [{"mac": 3200.0, "dram_read": 4000.0 * size}, {"vector": 10.0, "dram_io": 900.0 * size}],
        [MapRates(2000, 5000.0, 5200, int(16000 * size)), MapRates(2000, 3000.0, 3400, 8000)],
        CHIP,  # type: ignore[arg-type]
        FACTS,
        codec=codec,
        images=images,
    )


@pytest.fixture
def make_result() -> Callable[..., Result]:
    return two_layers


@pytest.fixture
def make_layer() -> Callable[..., LayerCounts]:
    return layer


@pytest.fixture
def made_up_chip() -> SimpleNamespace:
    return CHIP


@pytest.fixture
def made_up_facts() -> TraceFacts:
    return FACTS
