"""How long a Huffman code may be: what hardware decodes by one look-up."""

from __future__ import annotations

from typing import Final

SHORT_LIMIT: Final = 12
LONG_LIMIT: Final = 16
"""Where more than 2^12 symbols occur; as many as 2^16 have a code then."""
LENGTH_FIELD_BITS: Final = 4
"""Of a table that is stored: the length of one code."""


def limit_of(n_symbols: int) -> int:
    """Bits of the longest code that so many symbols may have.

    >>> limit_of(256), limit_of(4097)
    (12, 16)
    """
    return SHORT_LIMIT if n_symbols <= 1 << SHORT_LIMIT else LONG_LIMIT
