"""The energy of counts: pure functions of what a run counted.

Not modelled: the network between buffers and array, zero gating, and any dependence of SRAM
and logic on the data.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from accelsim.dram.config import DramConfig
from accelsim.dram.power_down import powers_down
from accelsim.energy.dram import price_dram
from accelsim.energy.dram_io import with_data
from accelsim.energy.logic import mac_pj, pool_pj, register_pj_per_bit, scaled, vector_pj
from accelsim.energy.parts import EnergyParts
from accelsim.energy.pe_array import idle_pe_pj, leakage_mw
from accelsim.energy.sram import SramMacro, sram_macro
from accelsim.energy.vampire import VENDORS, with_ones
from accelsim.hardware.chip import Chip
from accelsim.sim.counts import BusCounts, DramEvents, LayerCounts, RunCounts
from accelsim.units import FS_PER_S

PJ_PER_MW_S = 1e9


def price(counts: RunCounts | LayerCounts, chip: Chip) -> EnergyParts:
    """Energy of one layer; or of a whole run: its layers, and the idle time between frames.

    Raises ``ConfigError`` for a node or port width outside the SRAM table.
    """
    if isinstance(counts, LayerCounts):
        return _layer(counts, chip)
    return sum((_layer(layer, chip) for layer in counts.layers), start=price_idle(counts, chip))


def price_idle(counts: RunCounts, chip: Chip) -> EnergyParts:
    """What the machine draws while it waits for the next image at a fixed frame rate.

    Images take 1 / ``frame_rate_hz`` each; what the run leaves of that time, buffers leak and
    DRAM stands by with all banks closed, powered down between its refreshes or asleep if its
    controller does that. Zero without a frame rate, or if the machine is too slow for it.
    """
    if chip.frame_rate_hz is None:
        return EnergyParts()
    busy_s = _seconds(counts.cycles, chip)
    idle_s = max(0.0, len(counts.image_end_cycles) / chip.frame_rate_hz - busy_s)
    events = _standby_events(idle_s, len(counts.image_end_cycles), chip.dram.config)
    standby = price_dram(events, chip.dram.config, chip.energy.mode)
    return EnergyParts(leakage=_leakage_pj(idle_s, chip), **standby)


def _layer(layer: LayerCounts, chip: Chip) -> EnergyParts:
    array, node_nm = chip.array, chip.energy.node_nm
    words = layer.value_bits, layer.weight_bits
    seconds = _seconds(layer.cycles, chip)
    idle_pe_cycles = array.rows * array.cols * layer.cycles - layer.macs
    return EnergyParts(
        mac=layer.macs * mac_pj(*words, array.psum_bits, node_nm),
        rf=layer.register_bits * register_pj_per_bit(node_nm),
        array_clock=idle_pe_cycles * idle_pe_pj(array, *words, node_nm),
        array_leakage=leakage_mw(chip, *words) * seconds * PJ_PER_MW_S,
        sram=_sram_pj(layer, chip),
        codec=_codec_pj(layer, chip),
        vector=layer.vector_values * vector_pj(layer.value_bits, node_nm)
        + layer.fused_pool_values * pool_pj(layer.value_bits, node_nm),
        leakage=_leakage_pj(seconds, chip),
        **_dram_pj(layer, chip),
    )


def _dram_pj(layer: LayerCounts, chip: Chip) -> dict[str, float]:
    """By part; reads, writes and I/O by what was in the data."""
    config, mode, events = chip.dram.config, chip.energy.mode, layer.dram
    parts, bus = price_dram(events, config, mode), _of_bursts(layer, config.line_bytes)
    vendor = VENDORS.get(chip.energy.dram_data)
    if vendor is None:
        return with_data(parts, events, bus, config, mode)
    driven = replace(bus, read_costly_bits=0, read_toggles=0)
    writes = with_data(parts, replace(events, reads=0), driven, config, mode)
    measured = with_ones(parts, events, bus, vendor)
    return {**measured, "dram_io": writes["dram_io"]}


def _of_bursts(layer: LayerCounts, line_bytes: int) -> BusCounts:
    """The layer's counts without the lines that the write buffer answered or merged.

    Those need no burst and never reach the pins; they are taken for the layer's mean.
    """
    moved, bus = layer.bytes_by_tensor.values(), layer.bus
    read = layer.dram.reads * line_bytes / max(1, sum(b.read_bytes for b in moved))
    written = layer.dram.writes * line_bytes / max(1, sum(b.written_bytes for b in moved))
    return BusCounts(
        round(read * bus.read_costly_bits),
        round(read * bus.read_toggles),
        round(written * bus.written_costly_bits),
        round(written * bus.written_toggles),
    )


def _sram_pj(layer: LayerCounts, chip: Chip) -> float:
    """Accesses are full words of the port: bytes divided by its width."""
    ifmap, weight, ofmap = _macros(chip)
    sram = layer.sram
    per_word_pj = (
        sram.ifmap_read_bytes * ifmap.read_pj
        + sram.ifmap_write_bytes * ifmap.write_pj
        + sram.weight_read_bytes * weight.read_pj
        + sram.weight_write_bytes * weight.write_pj
        + sram.ofmap_read_bytes * ofmap.read_pj
        + sram.ofmap_write_bytes * ofmap.write_pj
    )
    return per_word_pj * 8 / chip.buffers.port_bits


def _codec_pj(layer: LayerCounts, chip: Chip) -> float:
    lane = chip.codec.hardware
    energy_pj = (
        layer.encoded_values * lane.encode_pj_per_value
        + layer.decoded_values * lane.decode_pj_per_value
    )
    return scaled(energy_pj, lane.node_nm, chip.energy.node_nm)


def _leakage_pj(seconds: float, chip: Chip) -> float:
    return sum(macro.leakage_mw for macro in _macros(chip)) * seconds * PJ_PER_MW_S


def _macros(chip: Chip) -> Iterator[SramMacro]:
    """The ifmap, weight and ofmap buffers."""
    buffers, energy = chip.buffers, chip.energy
    for size_bytes in (buffers.ifmap_bytes, buffers.weight_bytes, buffers.ofmap_bytes):
        yield sram_macro(size_bytes, buffers.port_bits, energy.node_nm, energy.sram_cell)


def _standby_events(seconds: float, pauses: int, config: DramConfig) -> DramEvents:
    cycles = round(seconds * FS_PER_S / config.clock.period_fs)
    policy, strict = config.controller.refresh_policy, config.compat == "dramsim3"
    per_bank = policy == "bank_staggered"
    interval = config.timing.tREFIb if per_bank else config.timing.tREFI
    asleep = 0
    if config.controller.self_refresh_cycles > 0 and not strict:
        # In each pause a refresh closes the rows, and so much later the rank falls asleep.
        # In DRAMsim3 none does once it had a request.
        before = interval + config.controller.self_refresh_cycles
        asleep = max(0, cycles - pauses * before)
    cycles -= asleep
    refreshes = cycles // interval
    awake = cycles
    if powers_down(config):
        # A refresh wakes its rank, comes tXP later, and is followed by the usual pause.
        refreshing = config.timing.tRFCb if per_bank else config.timing.tRFC
        pause = max(config.controller.power_down_cycles, refreshing)
        awake = min(cycles, refreshes * (config.timing.tXP + pause))
    # DRAMsim3 has one timer for the banks of all ranks, and refreshes the first rank alone if all
    # are due at once.
    is_alone = strict and policy != "rank_staggered"
    return DramEvents(
        refreshes=refreshes * (config.organisation.channels if is_alone else config.n_ranks),
        idle_rank_cycles=awake * config.n_ranks,
        idle_power_down_rank_cycles=(cycles - awake) * config.n_ranks,
        self_refresh_rank_cycles=asleep * config.n_ranks,
    )


def _seconds(cycles: int, chip: Chip) -> float:
    return chip.core.to_fs(cycles) / FS_PER_S
