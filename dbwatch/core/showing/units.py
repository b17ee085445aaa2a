"""Values as people read them. Pure."""

from __future__ import annotations

import math

from dbwatch.core.showing import humanise

TIMESTAMP = "_timestamp_seconds"
THREE_DIGITS_BELOW = 999.5


def value_text(value: float, unit: str = "", family: str = "") -> str:
    """A sample with its unit: 1.5 GiB, 4 min 12 s, 83.2 %, a moment as UTC time."""
    if not math.isfinite(value):
        return str(value)
    if family.endswith(TIMESTAMP):
        return humanise.moment(value)
    texts = {"bytes": humanise.size, "seconds": humanise.duration, "ratio": percent}
    return texts.get(unit, number)(value)


def number(value: float) -> str:
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.4g}"


def percent(value: float) -> str:
    hundredths = value * 100
    return f"{hundredths:,.0f} %" if abs(hundredths) >= THREE_DIGITS_BELOW else f"{hundredths:.3g} %"
