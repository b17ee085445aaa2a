"""Databases that no dump can hold, of those that are asked for: refused where they are named, else told in the set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dbwatch.core.backups.model import JobReason
from dbwatch.core.backups.unread import some
from dbwatch.engines.postgres_backup_session import asker
from dbwatch.engines.preflight import PreflightFault, Statement
from dbwatch.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import asyncpg

    from dbwatch.engines.backing import DumpOptions
    from dbwatch.engines.base import Questions
    from dbwatch.settings.models import Instance

SHOWN = 3
OR_EXCLUDE = "or name it in exclude"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Those that are meant; whether the first template holds something is asked of itself."""

    rows: tuple[asyncpg.Record, ...]
    named: frozenset[str]  # in include, letter by letter: a pattern promises nothing
    application: str

    def faults(self) -> list[PreflightFault]:
        """Who names a database believes that it is kept."""
        return [_not_to_be_held(row) for row in self.rows if row["name"] in self.named]

    async def warnings(self, instance: Instance, questions: Questions) -> list[str]:
        others = [row for row in self.rows if row["name"] not in self.named and not row["is_plain"]]
        told = list(_grouped([row for row in others if not row["is_first_template"]]))
        for row in others:
            if row["is_first_template"]:
                told += await self._of_first_template(row, instance, questions)
        return told

    async def _of_first_template(self, row: asyncpg.Record, instance: Instance, questions: Questions) -> list[str]:
        """Nothing is said of an untouched one. That it cannot be entered ends no backup: it would not be dumped."""
        name, unseen = row["name"], f"whether {row['name']} holds something could not be seen"
        if not row["may_connect"]:
            return [f"{unseen}: it may not be entered -> {row['remedy_to_connect']} {OR_EXCLUDE}"]
        try:
            async with asker(instance, questions, self.application, name) as opened:
                objects = int((await opened.one("backup_occupied"))["objects"])
        except EngineError as error:
            return [f"{unseen}: {error.message} -> let the account in, {OR_EXCLUDE}"]
        what = f"NOT in the set: {name} ({row['why']}), with {objects} objects that somebody made in it"
        return [f"{what} -> {row['remedy']} {OR_EXCLUDE}"] if objects else []


def _not_to_be_held(row: asyncpg.Record) -> PreflightFault:
    """Save for one that is only to be opened, what mends it is a decision, and nothing to be pasted."""
    name, remedy = row["name"], row["remedy"]
    line = f"`include` names {name}, which no dump can hold ({row['why']}) -> {remedy}"
    if not row["is_shut"]:
        return PreflightFault(JobReason.INCOMPLETE, line)
    return PreflightFault(JobReason.INCOMPLETE, line, (Statement(remedy),), hides=f"what a dump of {name} would lack")


def left_out(rows: Sequence[asyncpg.Record], options: DumpOptions, application: str) -> LeftOut:
    """`rows`: those of backup_left_out that are meant."""
    return LeftOut(tuple(rows), frozenset(options.include), application)


def _grouped(rows: Sequence[asyncpg.Record]) -> Iterator[str]:
    """One line for each reason: a server may have hundreds of them."""
    for why in dict.fromkeys(row["why"] for row in rows):
        alike = [row for row in rows if row["why"] == why]
        remedies = " ".join(row["remedy"] for row in alike[:SHOWN])
        yield f"NOT in the set: {some([row['name'] for row in alike])} ({why}) -> {remedies} {OR_EXCLUDE}"
