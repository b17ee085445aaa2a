"""How PostgreSQL is asked for columns, and what becomes of its types. Pure."""

from __future__ import annotations

import re
from itertools import chain
from typing import TYPE_CHECKING, cast

from dbwatch.core import quoting
from dbwatch.core.model import Rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

PIECE = "piece_number"
PIECE_ROWS = 1000
SELECT = re.compile(r"(?:\s+|--[^\n]*\n|/\*.*?\*/)*(?:select|with|values)\b", re.IGNORECASE | re.DOTALL)


def column_wise(sql: str, columns: Sequence[str]) -> str:
    """The same answer as arrays: 5 times cheaper to decode, 20 us dearer to ask.

    A row of arrays holds a thousand rows at the most: the driver decodes each in one go, and the event loop waits.
    What is no SELECT (a SHOW) stays as it is.
    """
    if not columns or not SELECT.match(sql):
        return sql
    arrays = ", ".join(f"array_agg(piece.{quoting.postgres(name)}) AS {quoting.postgres(name)}" for name in columns)
    plain = ", ".join(f"answer.{quoting.postgres(name)}" for name in columns)
    number = f"(row_number() OVER () - 1) / {PIECE_ROWS} AS {PIECE}"
    inner = ("SELECT", f"{plain}, {number}", "FROM (", sql.rstrip().rstrip(";"), ") AS answer")
    return "\n".join(("SELECT", arrays, "FROM (", *inner, f") AS piece GROUP BY piece.{PIECE} ORDER BY piece.{PIECE}"))


def rows_of(names: Sequence[str], types: Sequence[str], records: Sequence[Iterable[object]]) -> Rows:
    """Turn rows into columns."""
    columns = list(zip(*records, strict=True)) if records else [()] * len(names)
    return Rows(tuple(names), tuple(_plain(values, kind) for values, kind in zip(columns, types, strict=True)))


def rows_of_arrays(names: Sequence[str], types: Sequence[str], records: Sequence[Iterable[object]]) -> Rows:
    """Put the pieces of a column-wise answer together; an empty one has none."""
    pieces = zip(*records, strict=True) if records else ([] for _ in names)
    columns = [list(chain.from_iterable(cast("Iterable[list[object]]", column))) for column in pieces]
    kinds = [kind.removesuffix("[]") for kind in types]
    return Rows(tuple(names), tuple(_plain(values, kind) for values, kind in zip(columns, kinds, strict=True)))


def _plain(values: Sequence[object], kind: str) -> Sequence[object]:
    """Numbers that Prometheus can take, and text where the driver gives bytes."""
    convert = CONVERSIONS.get(kind)
    return values if convert is None else [None if value is None else convert(value) for value in values]


def _text(value: object) -> object:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _number(value: object) -> object:
    return float(str(value))


CONVERSIONS: dict[str, Callable[[object], object]] = {"numeric": _number, "char": _text}
