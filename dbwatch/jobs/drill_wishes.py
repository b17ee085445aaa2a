"""What somebody wants rehearsed, as orders that a run carries out one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dbwatch.core.backups.drills import Scenario, possible
from dbwatch.errors import JobError, UsageError
from dbwatch.jobs.drill import Order, last_usable
from dbwatch.jobs.drill_table import choose
from dbwatch.jobs.options import reports_directory

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dbwatch.jobs.subject import Subject
    from dbwatch.settings.models import Settings


@dataclass(frozen=True, slots=True)
class Wish:
    """No scenario: all that the engine can play."""

    scenarios: tuple[Scenario, ...] = ()
    take: bool = False
    keep: bool = False
    table: str = ""


def orders(settings: Settings, subject: Subject, wish: Wish) -> tuple[Order, ...]:
    """Raise UsageError for what the engine cannot play."""
    language, reports = settings.alerting.language, reports_directory(settings)
    return tuple(
        Order(
            each,
            reports,
            language,
            take=wish.take,
            keep=wish.keep,
            table=wish.table if each is Scenario.TABLE else "",
        )
        for each in _playable(subject, wish.scenarios)
    )


async def refuse_unknown_table(subject: Subject, wish: Wish) -> None:
    """Raise UsageError where the set that would be restored does not hold it: a slip is no failed rehearsal.

    A set that is not there or cannot be read is the drill's own to tell.
    """
    record = last_usable(subject.records)
    if not wish.table or record is None:
        return
    try:
        whole = await subject.repository.read(subject.name, subject.kind, record.id)
    except JobError:
        return
    try:
        choose(list(whole.manifest.facts.tables), wish.table)
    except JobError as error:
        raise UsageError(error.message) from None


def _playable(subject: Subject, wanted: Sequence[Scenario]) -> tuple[Scenario, ...]:
    can = possible(subject.instance.identity.engine)
    cannot = [each for each in wanted if each not in can]
    if cannot:
        what = f"{', '.join(cannot)} cannot be played for {subject.name}: it is PostgreSQL's"
        raise UsageError(f"{what} -> it can play {', '.join(each.number for each in can)}")
    return tuple(wanted) or can
