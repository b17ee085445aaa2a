"""Thresholds as monitoring plugins write them. Pure.

Source: Monitoring Plugins Development Guidelines, "Threshold and Ranges": `10` alarms outside 0..10, `10:` below 10,
`~:10` above 10, `10:20` outside, `@10:20` inside.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from dbwatch.errors import UsageError

NUMBER = r"-?\d+(?:\.\d+)?"
RANGE = re.compile(rf"(?P<inside>@)?(?:(?P<low>~|{NUMBER})?(?P<colon>:))?(?P<high>{NUMBER})?")


@dataclass(frozen=True, slots=True)
class Range:
    """Where a value is right; `inside` turns it round."""

    low: float
    high: float
    inside: bool = False

    def alarms(self, value: float) -> bool:
        return (self.low <= value <= self.high) is self.inside

    def times(self, factor: float) -> Range:
        """The same share of something that is `factor` large."""
        return Range(self.low * factor if self.low else 0.0, self.high * factor, self.inside)

    def __str__(self) -> str:
        high = "" if self.high == math.inf else plain(self.high)
        low = "~" if self.low == -math.inf else plain(self.low)
        text = high if low == "0" and high else f"{low}:{high}"
        return f"@{text}" if self.inside else text


def plain(value: float) -> str:
    """Without an exponent and without digits that say nothing: perfdata is read by simple parsers."""
    return f"{value:.6f}".rstrip("0").rstrip(".")


def parse(text: str) -> Range:
    """Raise UsageError where it is no range."""
    match = RANGE.fullmatch(text.strip())
    if match is None or (match["high"] is None and match["low"] is None):
        raise UsageError(f"not a threshold: {text!r}: write 10, 10:, ~:10, 10:20 or @10:20")
    low = -math.inf if match["low"] == "~" else float(match["low"] or 0)
    high = math.inf if match["high"] is None else float(match["high"])
    if low > high:
        raise UsageError(f"not a threshold: {text!r}: its low end lies above its high end")
    return Range(low, high, bool(match["inside"]))
