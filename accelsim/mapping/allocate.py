"""Where tensors start in DRAM: one documented, deterministic allocator.

``staggered``: each tensor starts at a row boundary of all banks (the stretch of addresses
that shares one row number under our default address maps), moved on by five bank rows
more than the tensor before it, so that streams that run side by side start in different
banks. Five is coprime to every power of two: sixteen tensors use sixteen banks.

``packed``: tensors follow each other, each on the next line.
"""

from __future__ import annotations

from accelsim.dram.config import DramConfig
from accelsim.errors import ConfigError
from accelsim.units import ceil_div

BANK_STEP = 5


class Allocator:
    """Hands out line addresses, rising, never reused within a run."""

    def __init__(self, config: DramConfig, allocation: str) -> None:
        organisation = config.organisation
        self._capacity_lines = config.n_lines
        self._row_lines = organisation.lines_per_row
        self._row_span_lines = self._row_lines * organisation.banks * organisation.channels
        self._staggered = allocation == "staggered"
        self._n_tensors = 0
        self.next_line = 0

    def take(self, n_lines: int) -> int:
        """The first line of a new tensor of ``n_lines``.

        Raises ``ConfigError`` when the DRAM is full.
        """
        start = self.next_line
        if self._staggered:
            span, row = self._row_span_lines, self._row_lines
            start = ceil_div(start, span) * span + self._n_tensors * BANK_STEP * row % span
        self._n_tensors += 1
        self.next_line = start + n_lines
        if self.next_line > self._capacity_lines:
            raise ConfigError(
                "dram",
                f"the tensors need more than its {self._capacity_lines} lines",
                "choose a larger part, more channels, or fewer images",
            )
        return start
