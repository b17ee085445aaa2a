"""Annotations: `{{ $labels.x }}`, `{{ $value }}` and the humanize functions of Prometheus, read once at load."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from dbwatch.errors import ConfigError, Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

ACTION = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
LABEL = re.compile(r"\$labels\.([a-zA-Z_][a-zA-Z0-9_]*)")
VALUE = re.compile(r"\$value(?:\s*\|\s*([a-zA-Z0-9]+))?")
MEND = "here one can use {{ $labels.x }}, {{ $value }} and {{ $value | humanize }}, with its kin"
LARGE = ("", "k", "M", "G", "T", "P", "E", "Z", "Y")
SMALL = ("", "m", "u", "n", "p", "f", "a", "z", "y")
BINARY = ("", "ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi")
THOUSAND, KIBI = 1000.0, 1024.0
EXPONENT_BELOW, EXPONENT_FROM = 4, 6  # powers of ten between which Go writes no exponent
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY, HOUR, MINUTE = 86400, 3600, 60
FOREVER_SECONDS = 1e18  # Prometheus fails beyond 2^63


@dataclass(frozen=True, slots=True)
class Piece:
    """Literal text, or one action."""

    text: str = ""
    label: str = ""
    function: str = ""  # a key of FUNCTIONS where it is $value

    def expand(self, labels: Mapping[str, str], value: float) -> str:
        if self.function:
            return FUNCTIONS[self.function](value)
        return labels.get(self.label, "") if self.label else self.text


@dataclass(frozen=True, slots=True)
class Template:
    """A text with actions."""

    pieces: tuple[Piece, ...]

    @property
    def labels(self) -> frozenset[str]:
        """Those it names."""
        return frozenset(piece.label for piece in self.pieces if piece.label)

    def expand(self, labels: Mapping[str, str], value: float) -> str:
        """A label that the series lacks is empty, as in Prometheus."""
        return "".join([piece.expand(labels, value) for piece in self.pieces])


def parse(text: str, where: str) -> Template:
    """Raise ConfigError with one fault that names `where`."""
    try:
        return Template(tuple(_pieces(text)))
    except ValueError as error:
        raise ConfigError([Fault(where, str(error), MEND)]) from None


def _pieces(text: str) -> Iterator[Piece]:
    for number, part in enumerate(ACTION.split(text)):
        if number % 2:
            yield _action(part.strip())
        elif "{{" in part or "}}" in part:
            raise ValueError("a {{ or }} without the other")
        elif part:
            yield Piece(text=part)


def _action(text: str) -> Piece:
    label, value = LABEL.fullmatch(text), VALUE.fullmatch(text)
    if label and not label[1].startswith("__"):
        return Piece(label=label[1])
    if value is None:
        raise ValueError(f"{{{{ {text} }}}} is outside of the subset")
    function = value[1] or PRINT
    if function not in FUNCTIONS:
        raise ValueError(f"{function} is no function of ours")
    return Piece(function=function)


def _special(value: float) -> str | None:
    """NaN and the infinities as Go writes them."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return None


def _short(value: float) -> str:
    """Go's %.4g."""
    return _special(value) or f"{value:.4g}"


def plain(value: float) -> str:
    """As Go prints a number: the shortest text that reads back, from a million on with an exponent."""
    if (special := _special(value)) is not None:
        return special
    number = Decimal(repr(value)).normalize()
    exponent = number.adjusted() if value else 0
    if -EXPONENT_BELOW <= exponent < EXPONENT_FROM:
        return f"{number:f}"
    sign, digits, _ = number.as_tuple()
    mantissa = "".join(map(str, digits))
    point = f".{mantissa[1:]}" if mantissa[1:] else ""
    return f"{'-' * sign}{mantissa[0]}{point}e{exponent:+03d}"


def humanize(value: float) -> str:
    """`1.234k`, `12m`."""
    if value == 0 or not math.isfinite(value):
        return _short(value)
    return _scaled(value, LARGE, THOUSAND) if abs(value) >= 1 else _small(value)


def humanize1024(value: float) -> str:
    """`1.5Gi`."""
    if abs(value) <= 1 or not math.isfinite(value):
        return _short(value)
    return _scaled(value, BINARY, KIBI)


def _scaled(value: float, prefixes: tuple[str, ...], base: float) -> str:
    used = 0
    while abs(value) >= base and used < len(prefixes) - 1:
        value /= base
        used += 1
    return f"{_short(value)}{prefixes[used]}"


def _small(value: float) -> str:
    used = 0
    while abs(value) < 1 and used < len(SMALL) - 1:
        value *= THOUSAND
        used += 1
    return f"{_short(value)}{SMALL[used]}"


def humanize_duration(value: float) -> str:
    """`1d 2h 3m 4s`, `12.5s`, `3ms`."""
    if not abs(value) < FOREVER_SECONDS:
        return _short(value)
    if abs(value) < 1:
        return f"{_small(value) if value else _short(value)}s"
    sign, value = ("-" if value < 0 else ""), abs(value)
    whole = int(value)
    days, hours, minutes, seconds = whole // DAY, whole // HOUR % 24, whole // MINUTE % 60, whole % MINUTE
    if days:
        return f"{sign}{days}d {hours}h {minutes}m {seconds}s"
    if hours:
        return f"{sign}{hours}h {minutes}m {seconds}s"
    return f"{sign}{minutes}m {seconds}s" if minutes else f"{sign}{_short(value)}s"


def humanize_percentage(value: float) -> str:
    return f"{_short(value * 100)}%"


def humanize_timestamp(value: float) -> str:
    """`2026-11-22 04:03:54 +0000 UTC`; a number that is no date of ours stays one."""
    if not math.isfinite(value):
        return _short(value)
    try:
        nanoseconds = int(value * 1e9)  # rounded as Prometheus rounds
        moment = EPOCH + timedelta(milliseconds=int(math.copysign(abs(nanoseconds) // 10**6, nanoseconds)))
    except OverflowError:
        return plain(value)
    fraction = f".{moment.microsecond // 1000:03d}".rstrip("0").rstrip(".")
    return f"{moment:%Y-%m-%d %H:%M:%S}{fraction} +0000 UTC"


PRINT = "print"
FUNCTIONS: Mapping[str, Callable[[float], str]] = {
    PRINT: plain,
    "humanize": humanize,
    "humanize1024": humanize1024,
    "humanizeDuration": humanize_duration,
    "humanizePercentage": humanize_percentage,
    "humanizeTimestamp": humanize_timestamp,
}
