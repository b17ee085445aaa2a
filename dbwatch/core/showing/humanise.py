"""Numbers and times as a person reads them. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from math import isfinite

ABSENT = "\N{EN DASH}"
BYTE_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
TENTHS_BELOW_SECONDS = 10
ROUNDED_TO_ONE = 0.9995  # 999.6 ms with three digits is 1e+03
AHEAD_SECONDS = 60.0  # by how much two clocks may differ
KIBI = 1024
THREE_DIGITS_FROM = 100
TWO_DIGITS_FROM = 10
STEPS = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))


def duration(seconds: float) -> str:
    """Two units at the most: `2 d 4 h`, `3 min 20 s`, `1.2 s`, `15 ms`."""
    if seconds < 0:
        return "-" + duration(-seconds)
    if seconds < ROUNDED_TO_ONE:
        return f"{seconds * 1000:.3g} ms" if seconds else "0 s"
    if seconds < TENTHS_BELOW_SECONDS:
        return f"{seconds:.1f}".removesuffix(".0") + " s"
    rest = round(seconds)
    parts: list[str] = []
    for unit, length in STEPS:
        count, rest = divmod(rest, length)
        if count or parts:
            parts.append(f"{count} {unit}" if count else "")
    return " ".join(part for part in parts[:2] if part)


def size(n_bytes: float) -> str:
    value, unit = float(n_bytes), 0
    while abs(value) >= KIBI and unit < len(BYTE_UNITS) - 1:
        value, unit = value / KIBI, unit + 1
    return f"{_three_digits(value)} {BYTE_UNITS[unit]}"


def count(value: float) -> str:
    """`12`, `1,204`, `3.4`, `2.1 M`."""
    for limit, letter in ((1e9, "G"), (1e6, "M")):
        if abs(value) >= limit:
            return f"{_three_digits(value / limit)} {letter}"
    if abs(value) >= THREE_DIGITS_FROM or value == int(value):
        return f"{value:,.0f}"
    return _three_digits(value)


def number(value: float) -> str:
    """A count, or what is none: a rule may well divide by zero."""
    return count(value) if isfinite(value) else {"nan": "NaN", "inf": "+Inf", "-inf": "-Inf"}[str(value)]


def _three_digits(value: float) -> str:
    if value == int(value) or abs(value) >= THREE_DIGITS_FROM:
        return f"{value:.0f}"
    return f"{value:.2f}" if abs(value) < TWO_DIGITS_FROM else f"{value:.1f}"


def moment(unix_seconds: float) -> str:
    """`2026-05-04 13:05:09 UTC`; a number that is no date, such as milliseconds taken for seconds, stays one."""
    found = _date(unix_seconds)
    return f"{unix_seconds:,.0f} s, no date" if found is None else found.strftime("%Y-%m-%d %H:%M:%S UTC")


def _date(unix_seconds: float) -> datetime | None:
    try:
        return datetime.fromtimestamp(unix_seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def iso(unix_seconds: float) -> str:
    return datetime.fromtimestamp(unix_seconds, UTC).isoformat(timespec="milliseconds")


def ago(unix_seconds: float, now: float) -> str:
    """Clocks may differ by a little: the near future is now."""
    elapsed = now - unix_seconds
    if elapsed < -AHEAD_SECONDS:
        return f"{duration(-elapsed)} in the future: a clock was wrong"
    return "just now" if elapsed < 1 else f"{duration(elapsed)} ago"
