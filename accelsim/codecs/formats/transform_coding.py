"""Feature Map Transform Coding: principal components of the channels, quantised, Huffman coded.

Chmiel et al., "Feature Map Transform Coding for Energy-Efficient CNN Inference", IJCNN
2020 (arXiv 1905.10830), and the authors' code.

The channels of each pixel are a vector of d channels: all of them (``group`` = 0), or
groups that share one matrix (the paper's channelsDiv). Calibration gives the mean, the
orthonormal matrix of principal components (``basis`` = "pca"; "eye" leaves the channels
as they are), the range of all coefficients together, frozen, and the Huffman table:

    step = (max - min) / (2^b - 2);  q = round((y - min) / step) in 0 .. 2^b - 2

One step serves the whole tensor, so that components of low variance take few levels:
that is where the rate is saved. A map outside the range is clipped to it. Decoding
rounds to integers, and clips to the word.

Bit layout: the Huffman codes (see huffman) of the symbols q; pixels in row-major order,
within a pixel groups by channel, within a group components by falling variance. The last
group of a map whose channels are no multiple of d is filled with the mean.

What differs from the paper: its code works in floating point, calibrates the range on
every batch anew, and codes maps before their ReLU; here entries of the matrix have
``matrix_bits`` (8 is the width of the paper's pcaQ, which picks 256 centroids by k-means),
mean and step are integers (see channel_transform), and the words are those of the chip,
signed or not.

Side information: matrix (d^2 entries), mean (d words), min and step (as wide as a
coefficient), Huffman table (4 bits per symbol).

>>> from accelsim.codecs.base import one_block
>>> pixels = np.array([[[4, 0, 8, 4]], [[4, 0, 8, 4]]], np.uint8)   # 2 equal channels
>>> codec = TransformCoding(Word(8), bits=2).fit(pixels)
>>> # y = (0, -5.7, 5.7, 0) and 0: q = 1 0 2 1 and 1 1 1 1, so 1 has 1 bit, 0 and 2 have 2
>>> codec.encode(one_block(pixels)).bits
10
>>> codec.table_bits   # 4 entries of 12, 2 words, 2 fields of 22, 4 lengths of 4
124
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Self

import numpy as np

from accelsim.codecs.base import Values, Word
from accelsim.codecs.formats.huffman import Huffman
from accelsim.codecs.lane_costs import (
    ESTIMATE_NM,
    FPGA_NM,
    huffman_decoder_bits,
    huffman_encoder_bits,
    huffman_kge,
    huffman_pj,
)
from accelsim.codecs.lane_hardware import LaneHardware
from accelsim.codecs.lossless import LosslessCodec, exercise
from accelsim.codecs.transforms.channel_transform import (
    MAC_KGE,
    MAC_PJ,
    ChannelCodec,
    ChannelTransform,
    coefficient_bits,
)
from accelsim.codecs.transforms.channel_vectors import (
    MAX_LENGTH,
    NETWORK_GROUP,
    calibration_vectors,
)
from accelsim.codecs.transforms.principal_components import components
from accelsim.errors import CodecError
from accelsim.process_node import scaled

BASES = ("pca", "eye")


@dataclass(frozen=True)
class TransformCoding(ChannelCodec):
    """Transform coding along the channels: principal components, one step, Huffman code."""

    word: Word
    bits: int = 8
    group: int = 0
    basis: str = "pca"
    matrix_bits: int = 12
    fitted: ChannelTransform | None = field(default=None, repr=False)
    lengths: bytes = field(default=b"", repr=False)
    """[2^bits + 1] Huffman code lengths of the symbols; empty before ``fit``."""

    name = "transform_coding"
    evidence = "authors"

    def __post_init__(self) -> None:
        if not 2 <= self.bits <= 12:
            raise CodecError(f"{self.name}: bits is {self.bits}; give 2 to 12")
        if not 0 <= self.group <= MAX_LENGTH:
            raise CodecError(
                f"{self.name}: group is {self.group}; give 1 to {MAX_LENGTH} channels, or 0 for all"
            )
        if self.basis not in BASES:
            raise CodecError(f"{self.name}: basis is {self.basis!r}; give {' or '.join(BASES)}")
        if not 8 <= self.matrix_bits <= 12:
            raise CodecError(f"{self.name}: matrix_bits is {self.matrix_bits}; give 8 to 12")

    @classmethod
    def for_word(cls, word: Word) -> Self:
        """All channels in one vector, as in the paper; symbols as wide as words up to 8 bits."""
        return cls(word, bits=min(8, word.bits))

    @classmethod
    def for_network(cls, word: Word) -> Self:
        return replace(cls.for_word(word), group=NETWORK_GROUP)

    def fit(self, calibration: Values, *, every_symbol: bool = False) -> Self:
        """Mean, matrix, range and code of these maps.

        ``calibration`` is (channels, rows, cols) or (images, channels, rows, cols); other
        shapes count as one channel.
        """
        signed = self.word.signed
        maps = calibration_vectors(calibration, self.word, self.group)
        if self.basis == "pca":
            basis = components(maps, signed, self.matrix_bits)
        else:
            basis = np.eye(maps.layout.length, dtype=np.int64), 0
        fitted = ChannelTransform.over_range(maps, signed, basis, top=(1 << self.bits) - 2)
        symbols = fitted.quantise(maps.vectors, signed)
        code = Huffman.for_word(Word(self.bits)).fit(symbols, every_symbol=every_symbol)
        return replace(self, fitted=fitted, lengths=code.lengths)

    @cached_property
    def coder(self) -> LosslessCodec:
        unfitted = Huffman.for_word(Word(self.bits))
        return replace(unfitted, lengths=self.lengths) if self.lengths else unfitted

    @property
    def parameters(self) -> dict[str, int | str]:
        own: dict[str, int | str] = {
            "bits": self.bits,
            "group": self.group,
            "basis": self.basis,
            "matrix_bits": self.matrix_bits,
        }
        return {**super().parameters, **own, "table": self.coder.parameters["table"]}

    @property
    def table_bits(self) -> int:
        if self.fitted is None:
            return self.coder.table_bits
        length = self.fitted.vectors.length
        matrix = self.matrix_bits * length**2 if self.basis == "pca" else 0
        ranges = 2 * coefficient_bits(self.word, self.matrix_bits, length)
        return matrix + length * self.word.bits + ranges + self.coder.table_bits

    def worst_case_bits(self, n_values: int) -> int:
        """The most symbols, each with the longest code; before ``fit``, of one channel."""
        if self.fitted is None:
            return self.coder.worst_case_bits(n_values)
        n_symbols = self.fitted.vectors.most_vectors(n_values) * self.fitted.n_kept
        return self.coder.worst_case_bits(n_symbols)

    @property
    def hardware(self) -> LaneHardware:
        """A lane codes one channel; its decoder has one multiplier per channel of the vector."""
        fitted_length = self.fitted.vectors.length if self.fitted else 0
        length = (fitted_length or self.group or NETWORK_GROUP) if self.basis == "pca" else 0
        mac_pj = scaled(MAC_PJ, ESTIMATE_NM, FPGA_NM)
        return LaneHardware(
            encode_values_per_cycle=1,
            decode_values_per_cycle=1,
            encode_fill_cycles=4,
            decode_fill_cycles=4,
            encode_pj_per_value=huffman_pj(self.bits),
            decode_pj_per_value=huffman_pj(self.bits) + length * mac_pj,
            gates_kge=huffman_kge(self.bits) + length * MAC_KGE,
            encode_buffer_bits=huffman_encoder_bits(self.bits),
            decode_buffer_bits=huffman_decoder_bits(self.bits) + length * self.matrix_bits,
            node_nm=FPGA_NM,
            source=(
                "rate, encoder table (256 entries of 12 + 4 bits) and a forward transform that is "
                "folded into the convolution and costs nothing: Chmiel et al. IJCNN 2020; Huffman "
                "energy: their Arria 10 notes, 4.26 mW for 32 lanes at 160 MHz, each way, on a 20 "
                f"nm FPGA; estimates: the inverse as {length} multiply-accumulates a value of 0.85 "
                "kGE x 15 % activity x 1.5 fJ (65 nm, carried to 20; their FPGA takes 2.1 pJ "
                "each), fill, and tables and gates as of huffman's lane; a row of the matrix"
            ),
        )


CODEC = TransformCoding


def warm_up() -> None:
    """Compile the kernels of this file with the types of production."""
    exercise(CODEC.for_word(Word(8)))
