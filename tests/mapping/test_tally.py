"""Buffer accesses of stages small enough to count by hand."""

import numpy as np
import pytest

from accelsim.hardware.chip import Chip
from accelsim.mapping.lowering.lower import lower
from accelsim.mapping.lowering.tally import Tally
from accelsim.mapping.placing.layout import Counts
from accelsim.mapping.stages.form import stages
from accelsim.mapping.stages.stage import StagePlan, Tiling
from accelsim.mapping.windows.window import Ints
from accelsim.program.work import SramCounts, StageWork
from accelsim.workload.graph import Edge
from accelsim.workload.layer import Add, Conv, Layer, Pool, Window
from tests.mapping.small_stages import graph_of
from tests.mapping.test_lower import chip_of


def work_of(layers: list[Layer], chip: Chip, *, in_channels: int, bits: int = 8) -> StageWork:
    graph = graph_of(layers, [Edge("x", 4, 6, 6, bits=bits)])
    stage = stages(graph)[0]
    stored = stage.output
    tiling = Tiling(
        out_channels=stored.channels, out_rows=stored.rows, out_cols=stored.cols,
        in_channels=in_channels, order="weights_outer", ifmap_resident=False,
        weights_resident=False, ifmap_tile_bytes=0, weight_tile_bytes=0, ofmap_tile_bytes=0,
        traffic_bytes=0,
    )  # fmt: skip
    return lower([StagePlan(stage, tiling)], [{}], chip).stages[0]


def test_split_input_channels_move_wide_sums_through_the_ofmap_buffer() -> None:
    """36 pixels, 8 outputs, two passes of 2 channels on a 4 x 4 output stationary array."""
    conv = Conv("y", "x", "y", 4, 8, Window((1, 1)))
    work = work_of([conv], chip_of("linear", (4, 4, 4)), in_channels=2)
    assert work.macs == 36 * 8 * 4
    assert work.sram == SramCounts(
        ifmap_write_bytes=4 * 36,
        # Pixels lie along the rows: each of 2 folds of output channels reads all of them.
        ifmap_read_bytes=2 * 4 * 36,
        weight_write_bytes=32,
        # 9 folds of pixels read all weights.
        weight_read_bytes=9 * 32,
        # Both passes write 288 sums of 4 bytes; the second reads those of the first, and
        # the drain path all at the end.
        ofmap_write_bytes=2 * 288 * 4,
        ofmap_read_bytes=288 * 4 + 288 * 4,
    )
    assert (work.encoded_values, work.decoded_values, work.fused_pool_values) == (0, 0, 0)
    assert work.bytes_by_tensor["psum"].fetched_bytes == 0
    # Handed on: both operands of 8 bits, in and out; in place: sums of 32 bits.
    assert work.register_bits == 36 * 8 * 4 * 2 * (8 + 8 + 32)
    assert (work.value_bits, work.weight_bits) == (8, 8)


def test_registers_are_as_wide_as_the_words() -> None:
    conv = Conv("y", "x", "y", 4, 8, Window((1, 1)))
    work = work_of([conv], chip_of("linear", (4, 4, 4)), in_channels=4, bits=5)
    assert (work.value_bits, work.weight_bits) == (5, 8)
    assert work.register_bits == 36 * 8 * 4 * 2 * (5 + 8 + 32)


def test_a_fused_pooling_stores_less_than_it_drains() -> None:
    conv = Conv("y", "x", "y", 4, 8, Window((1, 1)))
    pool = Pool("z", "y", "z", Window((2, 2), (2, 2)))
    work = work_of([conv, pool], chip_of("linear", (4, 4, 4)), in_channels=4)
    assert work.fused_pool_values == 36 * 8
    assert work.sram.ofmap_read_bytes == 36 * 8  # finished values, one byte each
    assert work.bytes_by_tensor["ofmap"].needed_bytes == 9 * 8
    assert work.vector_values == 0


def test_a_sum_reads_all_its_operands_and_a_pooling_its_whole_window() -> None:
    chip = chip_of("linear", (4, 4, 4))
    added = work_of([Add("y", ("x", "x"), "y")], chip, in_channels=1, bits=12)
    assert added.vector_values == 4 * 36
    assert added.bytes_by_tensor["ifmap"].needed_bytes == 2 * 4 * 36 * 12 // 8
    # In a buffer a word of 12 bits takes two bytes.
    assert added.sram.ifmap_write_bytes == added.sram.ifmap_read_bytes == 2 * 4 * 36 * 2
    pooled = work_of([Pool("y", "x", "y", Window((2, 2), (2, 2)))], chip, in_channels=1)
    assert pooled.vector_values == 4 * 9 * 4
    assert pooled.sram.ifmap_read_bytes == 4 * 36
    assert pooled.sram.ofmap_write_bytes == pooled.sram.ofmap_read_bytes == 4 * 9


@pytest.mark.parametrize("in_channels", [4, 2])
def test_the_drain_path_adds_every_value_of_the_shortcut_once(in_channels: int) -> None:
    """36 pixels, 4 outputs; two passes of 2 channels add partial sums, and the shortcut once."""
    layers = [Conv("y", "x", "y", 4, 4, Window((1, 1))), Add("z", ("x", "y"), "z")]
    chip = chip_of("linear", (4, 4, 4))
    fused = work_of(layers, chip, in_channels=in_channels)
    alone = work_of(layers[:1], chip, in_channels=in_channels)
    assert (fused.name, fused.kind, fused.macs) == ("y", "conv", 36 * 4 * 4)
    assert fused.vector_values - alone.vector_values == 36 * 4
    more = {name: n - getattr(alone.sram, name) for name, n in vars(fused.sram).items()}
    assert {name: n for name, n in more.items() if n} == {
        "ifmap_write_bytes": 36 * 4,
        "ifmap_read_bytes": 36 * 4,
    }
    ifmap, before = (w.bytes_by_tensor["ifmap"] for w in (fused, alone))
    assert ifmap.needed_bytes - before.needed_bytes == 36 * 4
    assert fused.bytes_by_tensor["ofmap"] == alone.bytes_by_tensor["ofmap"]
    assert fused.bytes_by_tensor["psum"].fetched_bytes == 0


def test_a_pooling_behind_an_addition_drains_all_sums_and_stores_few() -> None:
    layers = [
        Conv("y", "x", "y", 4, 4, Window((1, 1))),
        Add("z", ("x", "y"), "z"),
        Pool("p", "z", "p", Window((2, 2), (2, 2))),
    ]
    work = work_of(layers, chip_of("linear", (4, 4, 4)), in_channels=4)
    assert (work.vector_values, work.fused_pool_values) == (36 * 4, 36 * 4)
    assert work.bytes_by_tensor["ofmap"].needed_bytes == 9 * 4
    assert work.bytes_by_tensor["ifmap"].needed_bytes == 2 * 36 * 4


def test_the_encoder_works_on_all_blocks_and_the_decoder_on_those_that_are_not_raw() -> None:
    def counts(needed_bytes: int, codec_values: int) -> Counts[Ints]:
        return Counts(*(np.array([n]) for n in (48, needed_bytes, 10, 6, 0, codec_values, 1, 0, 0)))

    conv = Conv("y", "x", "y", 4, 8, Window((1, 1)))
    tally = Tally(stages(graph_of([conv], [Edge("x", 4, 6, 6)]))[0])
    tally.moved("ifmap", counts(48, 32), write=False)
    tally.moved("ifmap", counts(30, 32), write=False)
    tally.moved("ofmap", counts(96, 48), write=True)
    work = tally.work()
    assert work.map_values == 3 * 48
    assert work.bytes_by_tensor["ifmap"].needed_bytes == 48 + 30
    assert work.bytes_by_tensor["ofmap"].needed_bytes == 96
    assert (work.decoded_values, work.encoded_values) == (64, 48)
    assert [work.bytes_by_tensor[k].fallback_blocks for k in ("ifmap", "ofmap")] == [2, 1]
    assert work.bytes_by_tensor["ifmap"].read_bytes == 32
    assert work.bytes_by_tensor["ofmap"].written_bytes == 16
