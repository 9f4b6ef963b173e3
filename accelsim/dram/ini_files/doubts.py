"""What a reader of a DRAMsim3 file must know: where its figures are doubtful, and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from accelsim.dram.checks.power import commands_that_yield
from accelsim.dram.checks.timing import contradictions
from accelsim.dram.config import DramConfig
from accelsim.dram.ini_files.text import IniValues, shown

MAX_WARNINGS: Final = 20
"""A file that is no memory at all can give cause for a hundred thousand."""
PLAUSIBLE_TCK_NS: Final = (0.1, 20.0)
"""From a GDDR6 with its data clock for tCK to an LPDDR at 50 MHz; DRAMsim3's files have 0.63 to
4.8."""
# Keys that DRAMsim3 reads or ships without any effect on cycles and energy.
WITHOUT_EFFECT: Final = frozenset(
    {
        *("trfc2", "trfc4", "twr2", "trpre", "twpre", "txp", "tcke", "tcksre"),
        *("trtp_l", "trtp_s", "ipp0", "idd3p", "idd2p", "write_buf_size", "sref_threshold"),
        *("aggressive_precharging_enabled", "num_dies", "ideal_memory_latency"),
        *("epoch_period", "output_level", "output_prefix"),
    }
)
WITHOUT_EFFECT_SECTIONS: Final = frozenset({"other", "thermal", "hmc"})


def warnings_of(config: DramConfig, values: IniValues) -> tuple[str, ...]:
    """The heaviest first: what the figures mean, what was replaced, what was not read."""
    return _first_of([*_doubts(config), *values.warnings, *_unread(values)])


def _doubts(config: DramConfig) -> Iterator[str]:
    """What DRAMsim3 runs with, though no memory is like that."""
    t, (least, most) = config.timing, PLAUSIBLE_TCK_NS
    if not least <= t.tCK_ns <= most:
        yield f"tCK = {t.tCK_ns:g} ns is not a DRAM clock: the unit is ns, 0.63 for DDR4-3200"
    for current, problem in commands_that_yield(config):
        yield f"{current} = {problem} (negative, as DRAMsim3 counts it)"
    for key, problem, _ in contradictions(t):
        yield f"{key} = {problem}: no real memory"


def _first_of(warnings: Iterable[str]) -> tuple[str, ...]:
    """Each once, and no endless list."""
    each = tuple(dict.fromkeys(warnings))
    more = len(each) - MAX_WARNINGS
    return (*each[:MAX_WARNINGS], f"and {more} more like these") if more > 0 else each


def _unread(values: IniValues) -> Iterator[str]:
    """Which defaults DRAMsim3 takes, and which keys it does not know."""
    if values.defaults:
        yield "not given, so DRAMsim3's defaults apply: " + ", ".join(values.defaults)
    unknown = [
        f"[{shown(where[0])[1:-1]}] {shown(spelling)[1:-1]}"
        for where, spelling in values.spelling.items()
        if where not in values.read
        and where[1] not in WITHOUT_EFFECT
        and where[0] not in WITHOUT_EFFECT_SECTIONS
    ]
    if "[timing] REFI" in unknown:
        unknown.remove("[timing] REFI")
        yield "[timing] REFI is not a key of DRAMsim3 (did you mean tREFI?): ignored"
    if unknown:
        more = f" and {len(unknown) - 8} more" if len(unknown) > 8 else ""
        kind = "is not a key" if len(unknown) == 1 else "are not keys"
        yield f"{', '.join(unknown[:8])}{more} {kind} of DRAMsim3: ignored"
