"""Where tensors start in DRAM: one documented, deterministic allocator.

``staggered``: each tensor starts at a row boundary of all banks (the stretch of addresses
that shares one row number when the row is the top field of the address map), moved on by
five banks more than the tensor before it, so that streams that run side by side start in
different banks. A bank is as far from the next as the address map says: one line where
banks are the lowest field, one bank row where columns are. Five is coprime to every power
of two: sixteen tensors use sixteen banks.

``packed``: tensors follow each other, each on the next line.
"""

from __future__ import annotations

from accelsim.dram.address_map import address_map
from accelsim.dram.config import DramConfig
from accelsim.dram.system import ADDRESS_FIELDS
from accelsim.errors import ConfigError
from accelsim.units import ceil_div

BANK_STEP = 5


class Allocator:
    """Hands out line addresses, rising, never reused within a run."""

    def __init__(self, config: DramConfig, allocation: str) -> None:
        organisation = config.organisation
        self._capacity_lines = config.n_lines
        self._row_span_lines = self._capacity_lines // organisation.rows
        self._bank_lines = _lines_to_next_bank(config)
        self._staggered = allocation == "staggered"
        self._n_tensors = 0
        self.next_line = 0

    def take(self, n_lines: int) -> int:
        """The first line of a new tensor of ``n_lines``.

        Raises ``ConfigError`` when the DRAM is full.
        """
        start = self.next_line
        if self._staggered:
            span = self._row_span_lines
            moved_on = self._n_tensors * BANK_STEP * self._bank_lines % span
            start = ceil_div(start, span) * span + moved_on
        self._n_tensors += 1
        self.next_line = start + n_lines
        if self.next_line > self._capacity_lines:
            raise ConfigError(
                "dram",
                f"the tensors need more than its {self._capacity_lines} lines",
                "choose a larger part, more channels, or fewer images",
            )
        return start


def _lines_to_next_bank(config: DramConfig) -> int:
    """How far apart neighbouring banks lie in line addresses."""
    fields = zip(ADDRESS_FIELDS, address_map(config).shift, strict=True)
    wide = {"bg": config.organisation.bankgroups, "ba": config.organisation.banks_per_group}
    return min((1 << shift for field, shift in fields if wide.get(field, 1) > 1), default=1)
