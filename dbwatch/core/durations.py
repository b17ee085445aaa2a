"""Durations as people write them."""

from __future__ import annotations

import re

PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)")
TENTHS_BELOW_SECONDS = 10
SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
MILLISECONDS = {"y": 31_536_000_000, "w": 604_800_000, "d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}
OF_PROMETHEUS = re.compile("".join(rf"(?:(?P<{unit}>[0-9]+){unit})?" for unit in MILLISECONDS))
LONGEST_MILLISECONDS = (2**63 - 1) // 10**6  # of Prometheus, which counts nanoseconds
MOST_DIGITS = 18
TOO_LONG = "longer than Prometheus can count: write 15s, 5m or 1h30m"


def seconds(value: object) -> object:
    """`15s`, `500ms`, `5m`, `1h30m` in seconds; a number is left to the next validator. Raise ValueError."""
    if not isinstance(value, str | bool):
        return value
    compact = str(value).replace(" ", "")
    parts = PART.findall(compact)
    if not parts or "".join(number + unit for number, unit in parts) != compact:
        raise ValueError("not a duration: write 500ms, 15s, 5m or 1h30m")
    return sum(float(number) * SECONDS[unit] for number, unit in parts)


def of_prometheus(value: object) -> float:
    """What Prometheus takes, and nothing else: `1h30m`, each unit once, the largest first; only 0 needs no unit.

    Raise ValueError.
    """
    written = "0" if value is None else str(value)
    found = OF_PROMETHEUS.fullmatch(written)
    if written != "0" and (not written or not found):
        raise ValueError("not a duration to Prometheus: write 15s, 5m or 1h30m")
    counts = found.groupdict(default="0") if found else {}
    if any(len(count.lstrip("0")) > MOST_DIGITS for count in counts.values()):
        raise ValueError(TOO_LONG)
    milliseconds = sum(int(count) * MILLISECONDS[unit] for unit, count in counts.items())
    if milliseconds > LONGEST_MILLISECONDS:
        raise ValueError(TOO_LONG)
    return milliseconds / 1000


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
