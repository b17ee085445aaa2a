"""The table that `make bench` prints, and the same as Markdown."""

from __future__ import annotations

import platform
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

HEADINGS = ("what", "dbwatch", "peer", "goal", "met")


@dataclass(frozen=True, slots=True)
class Row:
    """One measured fact. `met` is None where there is a figure to report and no promise."""

    what: str
    ours: str
    peer: str = ""
    goal: str = ""
    met: bool | None = None

    @property
    def cells(self) -> tuple[str, ...]:
        verdict = {True: "yes", False: "**no**", None: ""}[self.met]
        return self.what, self.ours, self.peer, self.goal, verdict


@dataclass
class Report:
    """Rows as they are measured, printed at once, and the conditions they were measured under."""

    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, row: Row) -> None:
        self.rows.append(row)
        print(" · ".join(cell for cell in row.cells if cell), flush=True)

    def promise(self, what: str, value: float, limit: float, unit: str, *, peer: str = "") -> None:
        """A figure that must not exceed its limit."""
        ours, goal = f"{value:,.3g} {unit}", f"≤ {limit:g} {unit}"
        self.add(Row(what, ours, peer, goal, value <= limit))

    @property
    def kept(self) -> bool:
        return all(row.met is not False for row in self.rows)


def _aligned(rows: Iterable[tuple[str, ...]]) -> list[str]:
    table = list(rows)
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    return [" | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in table]


def markdown(report: Report) -> str:
    """A pipe table that is also readable as plain text."""
    rule = tuple("-" * len(heading) for heading in HEADINGS)
    lines = [f"| {line} |" for line in _aligned([HEADINGS, rule, *(row.cells for row in report.rows)])]
    notes = [f"- {note}" for note in report.notes]
    return "\n".join(["# What dbwatch costs, measured", "", *lines, "", *notes, ""])


def conditions() -> list[str]:
    """What a reader must know of the machine; nothing that names it."""
    return [f"Python {platform.python_version()}, {platform.machine()}, Linux {platform.release().split('-')[0]}."]


def write(report: Report, file: Path) -> None:
    file.write_text(markdown(report))
