"""Hours, days, weeks, months and years of a time zone: which one a moment lies in, by name."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from zoneinfo import ZoneInfo

LATEST_SECONDS = 253_370_764_800.0  # the year 9999: what a broken clock wrote still has a name
# The hour that comes twice in autumn is two hours: its offset tells them apart. Weeks are ISO's.
NAMES: Mapping[str, str] = {
    "hourly": "%Y-%m-%d %H:00 %z",
    "daily": "%Y-%m-%d",
    "weekly": "%G-W%V",
    "monthly": "%Y-%m",
    "yearly": "%Y",
}


def local(at: float, zone: ZoneInfo) -> datetime:
    """The moment on that zone's clocks."""
    return datetime.fromtimestamp(min(max(at, 0.0), LATEST_SECONDS), zone)


def name(period: str, at: float, zone: ZoneInfo) -> str:
    """`name("weekly", ...)` is `2026-W47`."""
    return local(at, zone).strftime(NAMES[period])


def lasting(seconds: float) -> str:
    """`7 days`, `90 minutes`: for sentences."""
    for unit, length in (("day", 86400.0), ("hour", 3600.0), ("minute", 60.0)):
        if abs(seconds) >= 2 * length or seconds == length:
            count = round(seconds / length)
            return f"{count} {unit}" + ("" if abs(count) == 1 else "s")
    return f"{seconds:.0f} seconds"
