"""What a library says of a failure, as part of a message of ours."""

from __future__ import annotations

from accelsim.errors import shortened


def one_line(error: Exception) -> str:
    """What a library says of a failure, without its newlines."""
    return shortened(" ".join(str(error).split()) or type(error).__name__, 300)
