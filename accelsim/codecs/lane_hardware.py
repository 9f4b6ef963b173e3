"""What one lane of a codec is in hardware: rates, latencies, energies, gates and storage."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class LaneHardware:
    """Hardware of one codec lane. ``source`` says where the numbers come from.

    ``*_values_per_cycle`` is the peak rate of a lane, below 1 if a group of values takes
    more cycles than it has values; a codec with content-dependent cycles overrides
    ``Codec.encode_work`` and ``decode_work``.
    """

    encode_values_per_cycle: float
    decode_values_per_cycle: float
    encode_fill_cycles: int
    decode_fill_cycles: int
    encode_pj_per_value: float
    decode_pj_per_value: float
    gates_kge: float
    """Encoder and decoder of one lane, in thousand gate equivalents."""
    source: str
    estimate: bool = True
    """True if the numbers are engineering estimates rather than published figures."""
    node_nm: int = 65
    """Process node of the energies (that of their source); pricing scales them to the chip's."""
    encode_buffer_bits: int = 0
    """Storage of an encoder lane in addition to pipeline registers: words being assembled, tables,
    staged blocks. Its gates are included in ``gates_kge``."""
    decode_buffer_bits: int = 0
    """The same for a decoder lane."""

    def __post_init__(self) -> None:
        # 1 and 1.0 are one rate, and must not make two configurations of one chip.
        for figure in fields(self):
            if figure.type == "float":
                object.__setattr__(self, figure.name, float(getattr(self, figure.name)))
