"""Pricing: energy as a pure function of the counts of a run.

Not modelled: the network between buffers and array, and any dependence of SRAM and logic on the
data, other than the products of zeros that a chip leaves out (``array.zeros``).
"""

from __future__ import annotations

from dataclasses import replace

from accelsim.energy.dram import price_dram
from accelsim.energy.dram_io import with_data
from accelsim.energy.idle import price_idle
from accelsim.energy.logic import mac_pj, pool_pj, register_pj_per_bit, scaled, vector_pj
from accelsim.energy.parts import EnergyParts
from accelsim.energy.pe_array import idle_pe_pj, leakage_mw, rests_pj
from accelsim.energy.sram import buffer_macros, buffers_leakage_mw
from accelsim.energy.vampire import VENDORS, with_ones
from accelsim.hardware.chip import Chip
from accelsim.program.work import StageWork
from accelsim.sim.counts import LayerCounts, RunCounts
from accelsim.units import FS_PER_S, PJ_PER_MW_S


def price(counts: RunCounts | LayerCounts, chip: Chip) -> EnergyParts:
    """Energy of one layer, or of a whole run with its layers and the idle time between frames.

    Raises ``ConfigError`` for a node or port width outside the SRAM table.
    """
    if isinstance(counts, LayerCounts):
        return _layer(counts, chip)
    return sum((_layer(layer, chip) for layer in counts.layers), start=price_idle(counts, chip))


def _layer(layer: LayerCounts, chip: Chip) -> EnergyParts:
    work, array, node_nm = layer.work, chip.array, chip.energy.node_nm
    words = work.value_bits, work.weight_bits
    seconds = _seconds(layer.cycles, chip)
    idle_pe_cycles = array.rows * array.cols * layer.cycles - work.macs
    return EnergyParts(
        mac=work.effective_macs * mac_pj(*words, array.psum_bits, node_nm),
        rf=work.register_bits * register_pj_per_bit(node_nm),
        array_clock=idle_pe_cycles * idle_pe_pj(array, *words, node_nm)
        + rests_pj(work, array, node_nm),
        array_leakage=leakage_mw(chip, *words) * seconds * PJ_PER_MW_S,
        sram=_sram_pj(work, chip),
        codec=_codec_pj(work, chip),
        vector=work.vector_values * vector_pj(work.value_bits, node_nm)
        + work.fused_pool_values * pool_pj(work.value_bits, node_nm),
        leakage=buffers_leakage_mw(chip) * seconds * PJ_PER_MW_S,
        **_dram_pj(layer, chip),
    )


def _dram_pj(layer: LayerCounts, chip: Chip) -> dict[str, float]:
    """DRAM energy by part; reads, writes and I/O depend on the data."""
    config, mode, events, bus = chip.dram.config, chip.energy.mode, layer.dram, layer.bus
    parts = price_dram(events, config, mode)
    vendor = VENDORS.get(chip.energy.dram_data)
    if vendor is None:
        return with_data(parts, events, bus, config, mode)
    driven = replace(bus, read_costly_bits=0, read_toggles=0)
    writes = with_data(parts, replace(events, reads=0), driven, config, mode)
    measured = with_ones(parts, events, bus, vendor)
    return {**measured, "dram_io": writes["dram_io"]}


def _sram_pj(work: StageWork, chip: Chip) -> float:
    """Accesses are full words of the port: bytes divided by the port width."""
    ifmap, weight, ofmap = buffer_macros(chip)
    sram = work.sram
    per_word_pj = (
        sram.ifmap_read_bytes * ifmap.read_pj
        + sram.ifmap_write_bytes * ifmap.write_pj
        + sram.weight_read_bytes * weight.read_pj
        + sram.weight_write_bytes * weight.write_pj
        + sram.ofmap_read_bytes * ofmap.read_pj
        + sram.ofmap_write_bytes * ofmap.write_pj
    )
    return per_word_pj * 8 / chip.buffers.port_bits


def _codec_pj(work: StageWork, chip: Chip) -> float:
    lane = chip.codec.hardware
    energy_pj = (
        work.encoded_values * lane.encode_pj_per_value
        + work.decoded_values * lane.decode_pj_per_value
    )
    return scaled(energy_pj, lane.node_nm, chip.energy.node_nm)


def _seconds(cycles: int, chip: Chip) -> float:
    return chip.core.to_fs(cycles) / FS_PER_S
