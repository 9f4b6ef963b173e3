"""Compression-aware projection: few principal components of the channels, in fixed length.

Reconstruction. Tai et al., "Compression-aware Projection with Greedy Dimension Reduction
for Convolutional Neural Network Activations", ICASSP 2022 (arXiv 2110.08828): only the
abstract is public. Known from it: a projection reduces the dimension of feature maps, a
greedy metric picks the ratio of each layer (not built: ``keep`` is the user's), and memory
access falls by 2.91x to 5.97x. All else is our choice: this is the storage format,
with the projection that the method would start its training from.

The channels of each pixel are a vector of d channels: all of them (``group`` = 0), or
groups that share one matrix. Of the d principal components (as transform_coding) the
first k = ceil(d keep / 16) are kept, at least one; ``keep`` is so many of every 16. They
are quantised to 2^b levels over the calibrated range of all of them together:

    step = (max - min) / (2^b - 1);  q = round((y - min) / step) in 0 .. 2^b - 1

(A range per component would use the levels better, but four images of a map of one pixel
say nothing about single components; and what is dropped costs far more than the steps.)

Bit layout: the b-bit words q, most significant bit first; pixels in row-major order,
within a pixel groups by channel, within a group components by falling variance. The last
group of a map whose channels are no multiple of d is filled with the mean. All blocks of
a shape have the same size: pixels x groups x k x b. So random access needs no index, and
nothing falls back to raw.

Side information: the k kept rows of the matrix (d entries each), mean (d words), min and
step (as wide as a coefficient).

>>> import numpy as np
>>> from accelsim.codecs.base import one_block
>>> rng = np.random.default_rng(0)
>>> maps = rng.integers(0, 256, (16, 8, 8), dtype=np.uint8)
>>> codec = Cap(Word(8), keep=6, bits=5).fit(maps)
>>> codec.encode(one_block(maps)).bits   # 64 pixels x 6 components x 5 bits
1920
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Self

from accelsim.codecs.base import Values, Word
from accelsim.codecs.formats.raw import Raw
from accelsim.codecs.lane_costs import packer_kge, pj_per_value
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
from accelsim.units import ceil_div

KEPT_OF = 16


@dataclass(frozen=True)
class Cap(ChannelCodec):
    """Projection on the ``keep`` of 16 principal components of the channels, fixed length."""

    word: Word
    keep: int = 8
    bits: int = 8
    group: int = 0
    matrix_bits: int = 12
    fitted: ChannelTransform | None = field(default=None, repr=False)

    name = "cap"
    evidence = "abstract"
    reconstruction = True

    def __post_init__(self) -> None:
        if not 1 <= self.keep <= KEPT_OF:
            raise CodecError(f"{self.name}: keep is {self.keep}; give 1 to {KEPT_OF} of {KEPT_OF}")
        if not 2 <= self.bits <= 16:
            raise CodecError(f"{self.name}: bits is {self.bits}; give 2 to 16")
        if not 0 <= self.group <= MAX_LENGTH:
            raise CodecError(
                f"{self.name}: group is {self.group}; give 1 to {MAX_LENGTH} channels, or 0 for all"
            )
        if not 8 <= self.matrix_bits <= 12:
            raise CodecError(f"{self.name}: matrix_bits is {self.matrix_bits}; give 8 to 12")

    @classmethod
    def for_word(cls, word: Word) -> Self:
        """All channels in one vector; half of the components, of words of up to 8 bits."""
        return cls(word, bits=min(8, word.bits))

    @classmethod
    def for_network(cls, word: Word) -> Self:
        return replace(cls.for_word(word), group=NETWORK_GROUP)

    def fit(self, calibration: Values, *, every_symbol: bool = False) -> Self:
        """Mean, projection and range of these maps; every symbol has its word anyway.

        ``calibration`` is (channels, rows, cols) or (images, channels, rows, cols); other
        shapes count as one channel.
        """
        signed = self.word.signed
        maps = calibration_vectors(calibration, self.word, self.group)
        matrix, fraction_bits = components(maps, signed, self.matrix_bits)
        basis = matrix[: self._n_kept(maps.layout.length)], fraction_bits
        fitted = ChannelTransform.over_range(maps, signed, basis, top=(1 << self.bits) - 1)
        return replace(self, fitted=fitted)

    def _n_kept(self, length: int) -> int:
        return ceil_div(length * self.keep, KEPT_OF)

    @cached_property
    def coder(self) -> LosslessCodec:
        return Raw(Word(self.bits))

    @property
    def parameters(self) -> dict[str, int | str]:
        own: dict[str, int | str] = {
            "keep": self.keep,
            "bits": self.bits,
            "group": self.group,
            "matrix_bits": self.matrix_bits,
        }
        return {**super().parameters, **own}

    @property
    def table_bits(self) -> int:
        if self.fitted is None:
            return 0
        length, n_kept = self.fitted.vectors.length, self.fitted.n_kept
        ranges = 2 * coefficient_bits(self.word, self.matrix_bits, length)
        return self.matrix_bits * n_kept * length + self.word.bits * length + ranges

    def worst_case_bits(self, n_values: int) -> int:
        """The size of the block with the most vectors; before ``fit``, of one channel."""
        if self.fitted is None:
            return n_values * self.bits
        return self.fitted.vectors.most_vectors(n_values) * self.fitted.n_kept * self.bits

    @property
    def hardware(self) -> LaneHardware:
        """A lane decodes one channel: one multiplier per component that is kept."""
        length = (self.fitted.vectors.length if self.fitted else self.group) or NETWORK_GROUP
        n_macs, packer = self._n_kept(length), packer_kge(self.bits) / 2
        return LaneHardware(
            encode_values_per_cycle=1,
            decode_values_per_cycle=1,
            encode_fill_cycles=1,
            decode_fill_cycles=4,
            encode_pj_per_value=pj_per_value(packer),
            decode_pj_per_value=pj_per_value(packer) + n_macs * MAC_PJ,
            gates_kge=2 * packer + n_macs * MAC_KGE,
            encode_buffer_bits=0,
            decode_buffer_bits=n_macs * self.matrix_bits,
            source=(
                "nothing is published; estimates: the projection is folded into the convolution "
                f"and costs nothing, as in transform_coding; its inverse is {n_macs} multiply- "
                "accumulates a value of 0.85 kGE, packing of fixed-length words half of a bit "
                "packer (0.3 kGE at 8 bits) each way, at 15 % activity x 1.5 fJ (65 nm); fill; a "
                "row of the matrix per lane"
            ),
        )


CODEC = Cap


def warm_up() -> None:
    """Compile the kernels of this file with the types of production."""
    exercise(CODEC.for_word(Word(8)))
