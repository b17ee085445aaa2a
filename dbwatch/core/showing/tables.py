"""Text tables for a terminal: aligned, and never wider than it. Pure."""

from __future__ import annotations

from itertools import compress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

GAP = "  "
NARROWEST = 6
ELLIPSIS = "…"
WHOLE = frozenset({"id"})  # what a person copies into the next command: half of it is nothing


def table(headers: Sequence[str], rows: Sequence[Sequence[str]], width: int, right: Collection[str] = ()) -> list[str]:
    """The lines of a table; columns named in `right` hold numbers. The widest columns give way first, empty ones go."""
    cells = [[printable(cell) for cell in row] for row in rows]
    filled = [any(column) for column in zip(*cells, strict=True)]
    names = list(compress(headers, filled))
    shown = [list(compress(row, filled)) for row in cells]
    kept = [number for number, name in enumerate(names) if name in WHOLE]
    widths = fitted([max(map(len, column)) for column in zip(names, *shown, strict=True)], width, kept)
    aligns = [name in right for name in names]
    return [_line(row, widths, aligns) for row in [[name.upper() for name in names], *shown]]


def _line(row: Sequence[str], widths: Sequence[int], aligns: Sequence[bool]) -> str:
    cells = [
        cut(cell, width).rjust(width) if right else cut(cell, width).ljust(width)
        for cell, width, right in zip(row, widths, aligns, strict=True)
    ]
    return GAP.join(cells).rstrip()


def fitted(widths: Sequence[int], total: int, kept: Collection[int] = ()) -> list[int]:
    """The widths, with the widest narrowed until all fit, or until none but those `kept` can give any more."""
    result = list(widths)
    excess = sum(result) + len(GAP) * (len(result) - 1) - total
    yielding = [column for column in range(len(result)) if column not in kept]
    while excess > 0 and any(result[column] > NARROWEST for column in yielding):
        widest = max(yielding, key=result.__getitem__)
        result[widest] -= 1
        excess -= 1
    return result


def cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + ELLIPSIS


def printable(text: str) -> str:
    """A name that a server sent may hold newlines or escape sequences: the terminal must not obey them."""
    return text if text.isprintable() else "".join(each if each.isprintable() else "?" for each in text)
