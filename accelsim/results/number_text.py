"""Numbers as people read them: few digits, no exponent, a unit that fits."""

from __future__ import annotations


def number(value: float) -> str:
    """Three significant digits or more, without an exponent.

    >>> number(0.01234), number(12.3456), number(1234567.0)
    ('0.0123', '12.3', '1,234,567')
    """
    if value == 0 or abs(value) >= 1000:
        return f"{value:,.0f}"
    digits = 2
    bound = abs(value)
    while bound < 1 and digits < 6:
        bound *= 10
        digits += 1
    while bound >= 10 and digits > 0:
        bound /= 10
        digits -= 1
    return f"{value:.{digits}f}"


def ratio(numerator: float, denominator: float) -> str:
    """A factor with two decimals; ``-`` where it has no meaning."""
    return f"{numerator / denominator:.2f}" if denominator else "-"


def percent(part: float) -> str:
    """A share of 1 in percent."""
    return f"{100 * part:.1f}"


def share(part: int, whole: int) -> str:
    """A part of cycles in percent; nothing at all is a dot, to let the eye skip it."""
    return percent(part / whole) if part and whole else "."


def column(values: list[float]) -> list[str]:
    """Numbers that stand below each other: as many decimals as the largest one needs.

    >>> column([12.3456, 0.0123, 0.0])
    ['12.35', '0.01', '.']
    """
    largest = max(map(abs, values), default=0.0)
    digits = next((d for d, limit in ((3, 10), (2, 100), (1, 1000)) if largest < limit), 0)
    return [f"{value:,.{digits}f}" if value else "." for value in values]


def si(value: float, unit: str) -> str:
    """With the prefix that fits.

    >>> si(0.00123, "s"), si(2.5, "s")
    ('1.23 ms', '2.50 s')
    """
    for scale, prefix in ((1.0, ""), (1e-3, "m"), (1e-6, "u"), (1e-9, "n")):
        if abs(value) >= scale:
            return f"{number(value / scale)} {prefix}{unit}"
    return f"{number(value)} {unit}"
