"""Letters of the calendar: each day's digest, and each week's proof that letters arrive."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from dbwatch.core.alerting.conversations import Scene, bounded, name_of
from dbwatch.core.alerting.hours import Calendar, local_date
from dbwatch.core.alerting.model import AlertState, Change, Item, Letter, LetterKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dbwatch.core.alerting.memory import Memory
    from dbwatch.core.alerting.model import Alert
    from dbwatch.core.alerting.policy import Audience


@dataclass(frozen=True, slots=True)
class Turn:
    """Whether a calendar's letter is due, and the day that counts as done from now on."""

    is_due: bool
    done_on: str


def turn(calendar: Calendar | None, done_on: str, now: float) -> Turn:
    """Late, but on the same day. At the very first look the hour of today, if it has passed, counts as done."""
    if calendar is None:
        return Turn(is_due=False, done_on="")
    today = local_date(now, calendar.timezone)
    due_on = calendar.due_on(now)
    if not done_on:
        return Turn(is_due=False, done_on=(due_on or today - timedelta(days=1)).isoformat())
    done = min(date.fromisoformat(done_on), today)  # a clock that was set back
    is_due = due_on is not None and due_on > done
    return Turn(is_due, (today if is_due else done).isoformat())


def calendar_letters(scene: Scene) -> tuple[list[Letter], Memory]:
    policy, memory, now = scene.policy, scene.memory, scene.now
    daily = turn(policy.daily, memory.daily_on, now)
    weekly = turn(policy.weekly_test, memory.weekly_on, now)
    letters: list[Letter] = []
    if daily.is_due:
        letters += _daily(scene, daily.done_on)
    if weekly.is_due:
        letters += [_letter(scene, LetterKind.TEST, each, weekly.done_on, ()) for each in policy.audiences]
    daily_at = now if daily.is_due else memory.daily_at
    return letters, replace(memory, daily_on=daily.done_on, weekly_on=weekly.done_on, daily_at=daily_at)


def _daily(scene: Scene, day: str) -> list[Letter]:
    """What fires, muted or not, and what ended since the last one: also what no letter told of."""
    items: dict[Audience, list[Item]] = {audience: [] for audience in scene.policy.audiences}
    for mark, alert in scene.alerts.items():
        change = _change(scene, alert)
        audience = scene.policy.audience(dict(alert.labels)) if change else None
        if change and audience:
            items[audience].append(scene.item(mark, change))
    return [_letter(scene, LetterKind.DAILY, audience, day, each) for audience, each in items.items()]


def _change(scene: Scene, alert: Alert) -> Change | None:
    since = scene.memory.daily_at or 0.0
    if alert.state is AlertState.FIRING:
        return Change.FIRING if (alert.fired_at or 0.0) >= since else Change.STILL
    return Change.RESOLVED if alert.resolved_at is not None and alert.resolved_at >= since else None


def _letter(scene: Scene, kind: LetterKind, audience: Audience, day: str, items: Sequence[Item]) -> Letter:
    shown, facts = bounded(replace(item, is_flapping=False) for item in items)
    return Letter(
        kind=kind,
        thread=name_of(kind, *audience.recipients, audience.language, day),
        sequence=0,
        recipients=audience.recipients,
        language=audience.language,
        at=scene.now,
        items=shown,
        facts=tuple(sorted({**facts, "day": day, "since": str(scene.memory.daily_at or scene.now)}.items())),
    )
