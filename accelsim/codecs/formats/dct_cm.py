"""DCT-CM: a cosine transform along the channels, a mask of coefficients, zero flags.

Reconstruction. Shi et al., "DCT-CM" (arXiv 2106.12850, ISCAS 2021): only the abstract is
public. Known from it: a 1-D DCT along the channels together with masks and a coding
format, 8 bits, early and late layers treated apart, 2.9x on ResNet-50. All else is ours.

The channels of each pixel are cut into vectors of N = ``group`` channels (8 or 16; of all
where a map has fewer), the last one filled with zeros. Each layer has one of two modes:

  * dct: y = DCT-II(x), orthonormal, its matrix rounded to 8 bits, sums exact (see
    channel_transform); q_j = round(y_j / 2^s_j) in signed W bits, clipped. Only the
    coefficients of the layer's mask are stored; the others decode as 0.
  * bypass: q = x, all of them: lossless, for late layers that are sparse already.

``fit`` decides per layer. Errors are sums of squares over the calibration, with
coefficients rounded to whole steps of the word; T is ``tolerance_permille`` / 1000 of the
energy of the coefficients:

  1. s_j: at least what W bits need for the range of coefficient j; beyond that one common
     s, the largest whose quantisation error stays within T / 2;
  2. mask: coefficients are dropped, the least error added first, while the error stays
     within T (so a coefficient without energy always goes; one at least is kept);
  3. mode and payload: those that take the fewest bits for the calibration (``mode`` =
     "dct" or "bypass", ``payload`` = "raw" or "classes" instead of "auto" force one).

Bit layout of a vector with N' stored coefficients, most significant bit first: N' flags,
1 where q is not zero; then each of those q, in one of two forms: its W-bit word, two's
complement (in bypass as the word is), which makes zero-value compression in groups of N'
(see zvc); or the class of its magnitude in 4 bits and what that leaves open (see
``accelsim.codecs.formats._magnitude_classes``). Pixels follow in row-major order, within a pixel
vectors by channel.

Side information: mode and payload (1 bit each), mask (N) and the s_j (5 bits each).

>>> from accelsim.codecs.base import one_block
>>> flat = np.full((8, 1, 1), 100, np.uint8)   # one pixel, all channels alike
>>> codec = DctCm(Word(8)).fit(flat)   # only the mean of the channels is worth storing
>>> codec.encode(one_block(flat)).bits   # 1 flag, 1 word: q = 9 in steps of 32
9
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from accelsim.codecs.base import Values, Word
from accelsim.codecs.formats._magnitude_classes import MagnitudeClasses
from accelsim.codecs.formats.zvc import Zvc
from accelsim.codecs.lane_costs import pj_per_value
from accelsim.codecs.lane_hardware import LaneHardware
from accelsim.codecs.lossless import LosslessCodec, exercise
from accelsim.codecs.transforms.channel_transform import ChannelCodec, ChannelTransform, fixed_point
from accelsim.codecs.transforms.channel_vectors import Calibration, calibration_vectors
from accelsim.errors import CodecError

GROUPS = (8, 16)
MODES = ("auto", "dct", "bypass")
PAYLOADS = ("auto", "raw", "classes")
MATRIX_BITS = 8
SHIFT_FIELD_BITS = 5


@dataclass(frozen=True)
class DctCm(ChannelCodec):
    """Cosine transform of ``group`` channels, masked and quantised by powers of two."""

    word: Word
    group: int = 8
    tolerance_permille: int = 10
    mode: str = "auto"
    payload: str = "auto"
    fitted: ChannelTransform | None = field(default=None, repr=False)
    classes: bool = field(default=False, repr=False)
    """Whether words are stored in classes; ``fit`` decides."""

    name = "dct_cm"
    evidence = "abstract"
    reconstruction = True

    def __post_init__(self) -> None:
        if self.group not in GROUPS:
            raise CodecError(f"{self.name}: group is {self.group}; give 8 or 16 channels")
        if not 0 <= self.tolerance_permille < 1000:
            raise CodecError(
                f"{self.name}: tolerance_permille is {self.tolerance_permille}; give 0 to 999"
            )
        if self.mode not in MODES:
            raise CodecError(f"{self.name}: mode is {self.mode!r}; give {', '.join(MODES)}")
        if self.payload not in PAYLOADS:
            raise CodecError(
                f"{self.name}: payload is {self.payload!r}; give {', '.join(PAYLOADS)}"
            )

    @classmethod
    def for_word(cls, word: Word) -> Self:
        return cls(word)

    def fit(self, calibration: Values, *, every_symbol: bool = False) -> Self:
        """Mode, mask and steps for these maps; every symbol has its word anyway.

        ``calibration`` is (channels, rows, cols) or (images, channels, rows, cols); other
        shapes count as one channel.
        """
        maps = calibration_vectors(calibration, self.word, self.group, centred=False)
        transforms = [] if self.mode == "bypass" else [self._dct(maps)]
        if self.mode != "dct":
            transforms.append(self._bypass(maps))
        classes = (False, True) if self.payload == "auto" else (self.payload == "classes",)
        found = [replace(self, fitted=t, classes=c) for t in transforms for c in classes]
        return min(found, key=lambda codec: codec._calibrated_bits(maps))

    def _bypass(self, maps: Calibration) -> ChannelTransform:
        length = maps.layout.length
        low, step = np.zeros(length, np.int64), np.ones(length, np.int64)
        identity = np.eye(length, dtype=np.int64)
        symbols = self.word.low, self.word.high
        return ChannelTransform.of(maps, identity, 0, low, step, symbols)

    def _dct(self, maps: Calibration) -> ChannelTransform:
        matrix, fraction_bits = fixed_point(cosines(maps.layout.length), MATRIX_BITS)
        low, one = np.zeros(len(matrix), np.int64), np.ones(len(matrix), np.int64)
        top = (1 << (self.word.bits - 1)) - 1
        unscaled = ChannelTransform.of(maps, matrix, fraction_bits, low, one, (-top - 1, top))
        shifts, kept = self._shifts_and_mask(maps, unscaled, top)
        return ChannelTransform.of(
            maps,
            matrix[kept],
            fraction_bits,
            low[kept],
            one[kept] << (shifts[kept] + fraction_bits),
            (-top - 1, top),
        )

    def _shifts_and_mask(
        self, maps: Calibration, unscaled: ChannelTransform, top: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """([length] shift of each coefficient, which are kept): steps 1 and 2 of the file."""
        vectors, signed = maps.vectors, self.word.signed
        unit = 2.0**-unscaled.fraction_bits
        magnitude = np.abs(np.stack(unscaled.extremes(vectors, signed))).max(axis=0) * unit
        least = np.array([_shift_to_fit(float(m), top) for m in magnitude], np.int64)

        def errors(shifts: NDArray[np.int64]) -> NDArray[np.float64]:
            """[length] whole numbers below 2^53 a part, so that their sums are exact."""
            steps, total = 2.0**shifts, np.zeros(len(shifts))
            for _, y in unscaled.coefficients(vectors, signed):
                whole = np.rint(y * unit)
                total += np.square(whole - np.floor(whole / steps + 0.5) * steps).sum(axis=0)
            return total

        # A step beyond twice the range rounds all to zero: the error is the energy.
        energies = errors(np.full_like(least, self.word.bits + 8))
        tolerance = self.tolerance_permille * float(energies.sum()) / 1000
        common, shifts, error = 0, least, errors(least)
        while energies.sum() > 0:
            coarser = np.maximum(least, common + 1)
            coarser_error = errors(coarser)
            if coarser_error.sum() > tolerance / 2:
                break
            common, shifts, error = common + 1, coarser, coarser_error
        return shifts, _mask(energies, error, tolerance)

    def _calibrated_bits(self, maps: Calibration) -> int:
        symbols = self._transform.quantise(maps.vectors, self.word.signed).reshape(-1)
        offsets = np.array([0, symbols.size], np.int64)
        words = (symbols & ((1 << self.word.bits) - 1)).astype(np.uint16)
        return int(self.coder.size_blocks(words, offsets)[0])

    @property
    def uses_dct(self) -> bool:
        """Whether the layer is transformed; else it is in bypass."""
        return self._transform.fraction_bits > 0

    @cached_property
    def coder(self) -> LosslessCodec:
        signed = self.word.signed or self.uses_dct
        kind = MagnitudeClasses if self.classes else Zvc
        return kind(Word(self.word.bits, signed), group=self._transform.n_kept)

    @property
    def parameters(self) -> dict[str, int | str]:
        own: dict[str, int | str] = {
            "group": self.group,
            "tolerance_permille": self.tolerance_permille,
            "mode": self.mode,
            "payload": self.payload,
            "classes": int(self.classes),
        }
        return {**super().parameters, **own}

    @property
    def table_bits(self) -> int:
        return 2 + self.group * (1 + SHIFT_FIELD_BITS)

    def worst_case_bits(self, n_values: int) -> int:
        """No zeros in the block with the most vectors; before ``fit``, of one channel."""
        if self.fitted is None:
            widest = MagnitudeClasses(Word(self.word.bits, signed=True), group=1)
            return widest.worst_case_bits(n_values)
        n_symbols = self.fitted.vectors.most_vectors(n_values) * self.fitted.n_kept
        return self.coder.worst_case_bits(n_symbols)

    @property
    def hardware(self) -> LaneHardware:
        """A lane takes one vector a cycle."""
        kge = 1.5 * self.group * self.word.bits / 8
        return LaneHardware(
            encode_values_per_cycle=self.group,
            decode_values_per_cycle=self.group,
            encode_fill_cycles=4,
            decode_fill_cycles=4,
            encode_pj_per_value=pj_per_value(kge, self.group),
            decode_pj_per_value=pj_per_value(kge, self.group),
            gates_kge=2 * kge,
            encode_buffer_bits=self.group * self.word.bits,
            decode_buffer_bits=self.group * self.word.bits,
            source=(
                "nothing is published; estimates: a vector a cycle in 4 stages; an 8-point "
                "butterfly of 13 constant multiplications (0.5 kGE) and 29 additions (0.13 kGE) "
                "and a packer of zero-value compression, 1.5 kGE an 8-bit channel each way; 15 % "
                "activity x 1.5 fJ (65 nm); one vector of words staged"
            ),
        )


def cosines(length: int) -> NDArray[np.float64]:
    """[length, length] the orthonormal DCT-II: row k is the cosine of frequency k.

    >>> cosines(2).round(3)
    array([[ 0.707,  0.707],
           [ 0.707, -0.707]])
    """
    frequency, position = np.ogrid[:length, :length]
    rows: NDArray[np.float64] = np.sqrt(2 / length) * np.cos(
        np.pi * frequency * (2 * position + 1) / (2 * length)
    )
    rows[0] = np.sqrt(1 / length)
    return rows


def _shift_to_fit(magnitude: float, top: int) -> int:
    """The smallest s for which round(magnitude / 2^s) is at most ``top``."""
    shift = 0
    while magnitude / (1 << shift) + 0.5 >= top + 1:
        shift += 1
    return shift


def _mask(
    energies: NDArray[np.float64], errors: NDArray[np.float64], tolerance: float
) -> NDArray[np.int64]:
    """Which coefficients are kept: the fewest whose error stays within ``tolerance``."""
    added = (energies - errors).tolist()
    total = float(errors.sum())
    kept = set(range(len(added)))
    for j in sorted(kept, key=lambda j: (added[j], -j))[:-1]:
        if added[j] > 0 and total + added[j] > tolerance:
            break
        total += added[j]
        kept.remove(j)
    return np.array(sorted(kept), np.int64)


CODEC = DctCm


def warm_up() -> None:
    """Compile the kernels of this file with the types of production."""
    exercise(CODEC.for_word(Word(8)))
