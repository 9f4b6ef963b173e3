"""Which bits of a line address select channel, rank, bank group, bank, row and column.

A map is a string of six two-letter fields, most significant first. ``rochracobabg`` puts
the bank group lowest, so that consecutive lines alternate between bank groups.
"""

from __future__ import annotations

from dataclasses import dataclass

from accelsim.dram.config import DramConfig
from accelsim.dram.system import ADDRESS_FIELDS


@dataclass(frozen=True)
class AddressMap:
    """Shift and width in bits of each field, in the order of ``ADDRESS_FIELDS``."""

    shift: tuple[int, ...]
    bits: tuple[int, ...]

    def decode(self, line: int) -> dict[str, int]:
        """The fields of a line address; bits above the top field are ignored.

        >>> from accelsim.dram.standard import STANDARDS
        >>> address_map(STANDARDS["ddr4_2400_x16"].config()).decode(9)
        {'ch': 0, 'ra': 0, 'bg': 1, 'ba': 0, 'ro': 0, 'co': 1}
        """
        return {
            field: (line >> shift) & ((1 << bits) - 1)
            for field, shift, bits in zip(ADDRESS_FIELDS, self.shift, self.bits, strict=True)
        }


def address_map(config: DramConfig) -> AddressMap:
    """The map of ``config``, from the right end of its string upwards."""
    organisation, text = config.organisation, config.controller.address_map
    count = {
        "ch": organisation.channels,
        "ra": organisation.ranks,
        "bg": organisation.bankgroups,
        "ba": organisation.banks_per_group,
        "ro": organisation.rows,
        "co": organisation.lines_per_row,
    }
    shift: dict[str, int] = {}
    position = 0
    for start in range(len(text) - 2, -1, -2):
        field = text[start : start + 2]
        shift[field] = position
        position += count[field].bit_length() - 1
    return AddressMap(
        shift=tuple(shift[field] for field in ADDRESS_FIELDS),
        bits=tuple(count[field].bit_length() - 1 for field in ADDRESS_FIELDS),
    )
