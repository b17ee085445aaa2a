"""One column of a result as numbers or as label values. Pure; column-wise, because 10,000 tables are 290,000 values."""

from __future__ import annotations

import sys
from array import array
from decimal import Decimal
from math import isfinite
from typing import TYPE_CHECKING, cast

from dbwatch.errors import EngineError, Reason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dbwatch.core.model import Column

NUMBERS = frozenset({int, float, bool, type(None)})
OTHER = "_other"
LONGEST_LABEL = 1024
SHARED_ROWS = 500  # names of settings, states and kinds are the same on 200 instances; those of 10,000 tables are not


def numbers(raw: Sequence[object], column: Column) -> Sequence[float | None]:
    """The column's values as numbers; None where the sample is absent. Raise a shape error on what is no number."""
    plain = None if column.enum or column.scale != 1.0 else _packed_at_once(raw)
    if plain is not None:
        return plain
    kinds = set(map(type, raw))
    if column.enum or not kinds <= NUMBERS:
        enum = dict(column.enum)
        values: list[float | None] = [_number(value, enum, column) for value in raw]
    elif bool in kinds:
        values = [int(value) if isinstance(value, bool) else cast("float | None", value) for value in raw]
    else:
        values = cast("list[float | None]", list(raw))
    if column.scale != 1.0:
        values = [None if value is None else value * column.scale for value in values]
    return values if float not in map(type, values) else [value if _finite(value) else None for value in values]


def _packed_at_once(raw: Sequence[object]) -> Sequence[float] | None:
    """What most columns of 10,000 tables are: all integers, or all finite floats. None: something else is among them.

    The type of the first decides what is tried; array() itself looks at every one while it packs.
    """
    first = type(raw[0]) if raw else None
    try:
        if first is int:
            return array("q", cast("Sequence[int]", raw))
        if first is float and set(map(type, raw)) == {float}:
            floats = array("d", cast("Sequence[float]", raw))
            return floats if isfinite(sum(floats)) else None
    except (TypeError, OverflowError):
        return None
    return None


def _finite(value: float | None) -> bool:
    return value is None or isfinite(value)


def _number(value: object, enum: dict[str, float], column: Column) -> float | None:
    if value is None:
        return None
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
    if enum:
        return enum.get(str(text).lower())
    if isinstance(text, int | float | Decimal):
        return float(text) if isinstance(text, Decimal) else text
    if isinstance(text, str):
        return _from_text(text, column)
    raise EngineError(
        Reason.SHAPE, f"{column.family}: column {column.value!r} holds a {type(value).__name__}, not a number"
    )


def _from_text(text: str, column: Column) -> float | None:
    """A SHOW sends text; the empty string is how MySQL writes that a status has no value."""
    if not text:
        return None
    try:
        return int(text) if text.lstrip("-").isdigit() else float(text)
    except ValueError:
        raise EngineError(Reason.SHAPE, f"{column.family}: column {column.value!r} holds text, not a number") from None


def label_values(raw: Sequence[object]) -> tuple[str, ...]:
    """A label is always text; NULL is the empty string, which Prometheus takes for an absent label."""
    values = tuple(cast("Sequence[str]", raw)) if set(map(type, raw)) == {str} else tuple(map(_label, raw))
    if len(values) < SHARED_ROWS:
        values = tuple(map(sys.intern, values))
    return values if max(map(len, values), default=0) <= LONGEST_LABEL else tuple(map(_cut, values))


def _cut(value: str) -> str:
    """No name is that long: what is, is a mistake of a query, and must not fill every scrape."""
    return value if len(value) <= LONGEST_LABEL else value[: LONGEST_LABEL - 1] + "\N{HORIZONTAL ELLIPSIS}"


def _label(value: object) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    return value.decode("utf-8", "replace") if isinstance(value, bytes | bytearray) else str(value)


def allowed(raw: Sequence[object], names: frozenset[str]) -> tuple[str, ...]:
    """Only configured service accounts are named: the name of a person is personal data. No name stays no name."""
    return tuple(text if not text or text in names else OTHER for text in map(_label, raw))


def packed(values: Sequence[float]) -> Sequence[float]:
    """Eight bytes a value instead of a Python object: integers stay integers, because they print shorter."""
    if isinstance(values, array):
        return values
    if float not in map(type, values):
        try:
            return array("q", cast("Sequence[int]", values))
        except OverflowError:
            pass
    return array("d", values)
