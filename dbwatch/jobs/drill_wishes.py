"""What somebody wants rehearsed, as orders that a run carries out one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dbwatch.core.backups.drills import Scenario, possible
from dbwatch.errors import UsageError
from dbwatch.jobs.drill import Order
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


def _playable(subject: Subject, wanted: Sequence[Scenario]) -> tuple[Scenario, ...]:
    can = possible(subject.instance.identity.engine)
    cannot = [each for each in wanted if each not in can]
    if cannot:
        what = f"{', '.join(cannot)} cannot be played for {subject.name}: it is PostgreSQL's"
        raise UsageError(f"{what} -> it can play {', '.join(each.number for each in can)}")
    return tuple(wanted) or can
