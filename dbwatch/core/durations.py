"""Durations as people write them."""

from __future__ import annotations

import re

PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)")
TENTHS_BELOW_SECONDS = 10
SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def seconds(value: object) -> object:
    """`15s`, `500ms`, `5m`, `1h30m` in seconds; a number is left to the next validator. Raise ValueError."""
    if not isinstance(value, str | bool):
        return value
    compact = str(value).replace(" ", "")
    parts = PART.findall(compact)
    if not parts or "".join(number + unit for number, unit in parts) != compact:
        raise ValueError("not a duration: write 500ms, 15s, 5m or 1h30m")
    return sum(float(number) * SECONDS[unit] for number, unit in parts)


def text(duration_seconds: float) -> str:
    """For people: 4 min 12 s -> `4m 12s`; below ten seconds with a decimal; below one in milliseconds."""
    if duration_seconds < 1:
        return f"{duration_seconds * 1000:.0f}ms"
    if duration_seconds < TENTHS_BELOW_SECONDS:
        return f"{duration_seconds:.1f}s"
    whole = round(duration_seconds)
    units = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))
    shown = []
    for unit, size in units:
        count, whole = divmod(whole, size)
        if count:
            shown.append(f"{count}{unit}")
    return " ".join(shown[:2])
