"""One conversation: what its recipients should be told that they do not know, when that is due, and the letter."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dbwatch.core.alerting.memory import Flap, Key, Memory, Purpose, Thread
from dbwatch.core.alerting.model import Alert, AlertState, Change, Item, Letter, LetterKind, Severity

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping, Sequence

    from dbwatch.core.alerting.policy import Audience, Policy

ITEMS_MAX = 500  # of one letter, the worst: what is left out is counted


@dataclass(frozen=True)
class Scene:
    """What is true now, and what must not be told of it."""

    now: float
    alerts: Mapping[str, Alert]
    firing: Mapping[str, Alert]
    muted: Container[str]
    acknowledged: Container[str]
    memory: Memory
    policy: Policy

    def is_critical(self, mark: str) -> bool:
        return self.alerts[mark].severity is Severity.CRITICAL

    def ended(self, mark: str) -> Alert:
        """The alert as one that has ended, also if it is pending again."""
        alert = self.alerts[mark]
        ended_at = self.now if alert.resolved_at is None else alert.resolved_at
        return replace(alert, state=AlertState.RESOLVED, resolved_at=ended_at)

    def item(self, mark: str, change: Change) -> Item:
        alert = self.alerts[mark] if change in {Change.FIRING, Change.STILL} else self.ended(mark)
        if change is Change.RESOLVED and not alert.is_measured:
            change = Change.UNMEASURED
        is_change = change is not Change.STILL
        return Item(alert, change, mark in self.acknowledged, is_change and self._makes_flapping(mark))

    def _makes_flapping(self, mark: str) -> bool:
        """With this change told it will be one too many."""
        return flapped(self.memory.flaps.get(mark, Flap()), self.policy, self.now).is_on


def flapped(flap: Flap, policy: Policy, now: float) -> Flap:
    """One more change was told."""
    times = (*(at for at in flap.times if now - at < policy.flap_window), now)[-policy.flap_limit :]
    return Flap(times, is_on=flap.is_on or len(times) >= policy.flap_limit)


@dataclass(frozen=True, slots=True)
class News:
    """What one conversation would say now, by fingerprint. `thread` waits for it."""

    key: Key
    thread: Thread
    started: tuple[str, ...] = ()
    passed: tuple[str, ...] = ()
    ended: tuple[str, ...] = ()
    still: tuple[str, ...] = ()
    due_at: float = math.inf

    @property
    def noticed_at(self) -> float:
        """Since when there is something to tell."""
        return min(self.thread.waiting.values(), default=self.due_at)


def news(scene: Scene, key: Key, thread: Thread, wanted: Sequence[str]) -> News:
    """`wanted`: what fires, may be told now and was not told to this audience."""
    told = {mark: at for mark, at in thread.told.items() if mark in scene.alerts}
    if not scene.policy.resolve_mails:
        told = {mark: at for mark, at in told.items() if mark in scene.firing}
    open_marks = [mark for mark in told if mark not in scene.muted]
    ended = tuple(mark for mark in open_marks if mark not in scene.firing)
    passed = tuple(mark for mark in thread.waiting if mark not in told and _has_passed(scene, key, mark))
    waiting = {mark: thread.waiting.get(mark, scene.now) for mark in (*wanted, *passed, *ended)}
    found = News(
        key=key,
        thread=replace(thread, told=told, waiting=waiting),
        started=tuple(wanted),
        passed=passed,
        ended=ended,
        still=tuple(mark for mark in open_marks if mark in scene.firing),
    )
    return replace(found, due_at=_due_at(scene, found))


def _has_passed(scene: Scene, key: Key, mark: str) -> bool:
    """It fired and ended while its letter waited: only of a critical one somebody is told so."""
    if key.purpose is not Purpose.GROUP or mark not in scene.alerts or mark in scene.firing or mark in scene.muted:
        return False
    return scene.is_critical(mark) and scene.alerts[mark].resolved_at is not None


def _due_at(scene: Scene, found: News) -> float:
    if found.key.purpose is Purpose.ESCALATION:
        return _after_interval(scene, found, _earliest(found, found.started, 0.0))
    policy = scene.policy
    criticals = [mark for mark in (*found.started, *found.passed) if scene.is_critical(mark)]
    critical_due_at = _earliest(found, criticals, policy.first_critical_wait)
    due_at = _after_interval(scene, found, critical_due_at)
    if not found.thread.has_told_critical:
        due_at = min(due_at, critical_due_at)
    return min(due_at, _repeat_at(scene, found))


def _after_interval(scene: Scene, found: News, soonest: float) -> float:
    due_at = min(soonest, _earliest(found, found.thread.waiting, scene.policy.group_wait))
    last_at = found.thread.last_at
    return due_at if last_at is None else max(due_at, last_at + scene.policy.group_interval)


def _earliest(found: News, marks: Iterable[str], wait_seconds: float) -> float:
    return min((found.thread.waiting[mark] for mark in marks), default=math.inf) + wait_seconds


def _repeat_at(scene: Scene, found: News) -> float:
    if found.thread.last_at is None or not any(_is_repeated(scene, found.key.audience, mark) for mark in found.still):
        return math.inf
    return found.thread.last_at + scene.policy.repeat


def _is_repeated(scene: Scene, audience: Audience, mark: str) -> bool:
    """Not what somebody has in hand, nor what goes to others since a reload."""
    return mark not in scene.acknowledged and scene.policy.audience(dict(scene.alerts[mark].labels)) == audience


def changes(scene: Scene, found: News) -> list[Item]:
    kinds = ((found.started, Change.FIRING), (found.passed, Change.PASSED), (found.ended, Change.RESOLVED))
    return [scene.item(mark, change) for marks, change in kinds for mark in marks]


def reminders(scene: Scene, found: News) -> list[Item]:
    return [scene.item(mark, Change.STILL) for mark in found.still]


def told(scene: Scene, found: News) -> Thread:
    """The conversation after all of its news was told, in a letter of its own or in a digest."""
    kept = {mark: at for mark, at in found.thread.told.items() if mark not in found.ended}
    fresh = dict.fromkeys(found.started, scene.now)
    is_critical = any(scene.is_critical(mark) for mark in (*found.started, *found.passed))
    return replace(
        found.thread,
        told=kept | fresh,
        waiting={},
        last_at=scene.now,
        has_told_critical=found.thread.has_told_critical or is_critical,
    )


def written(scene: Scene, found: News) -> tuple[Letter, Thread]:
    """The letter with all of its news, and the conversation after it."""
    items = [*changes(scene, found), *reminders(scene, found)]
    is_escalation = found.key.purpose is Purpose.ESCALATION and bool(found.started)
    kind = LetterKind.ESCALATION if is_escalation else LetterKind.ALERT
    return sent(scene, found.key, told(scene, found), kind, items)


def sent(
    scene: Scene, key: Key, thread: Thread, kind: LetterKind, items: Sequence[Item], **facts: int
) -> tuple[Letter, Thread]:
    """The next letter of a conversation, and the conversation after it."""
    name = thread.id or name_of(key.purpose, *key.audience.recipients, key.audience.language, key.group, scene.now)
    shown, counted = bounded(items)
    letter = Letter(
        kind=kind,
        thread=name,
        sequence=thread.sequence,
        recipients=key.audience.recipients,
        language=key.audience.language,
        at=scene.now,
        items=shown,
        group=key.group,
        facts=tuple(sorted({**counted, **{fact: str(number) for fact, number in facts.items()}}.items())),
    )
    return letter, replace(thread, id=name, sequence=thread.sequence + 1, last_at=scene.now)


def name_of(*parts: object) -> str:
    """Of a conversation: who talks of what, and when it began. No two have the same."""
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()[:20]


def bounded(items: Iterable[Item]) -> tuple[tuple[Item, ...], dict[str, str]]:
    """The worst first, and how many there are of each kind; `left_out` is there if some are."""
    every = sorted(items, key=_weight)
    firing = sum(item.alert.state is AlertState.FIRING for item in every)
    facts = {"firing": str(firing), "ended": str(len(every) - firing)}
    if len(every) > ITEMS_MAX:
        facts["left_out"] = str(len(every) - ITEMS_MAX)
    return tuple(every[:ITEMS_MAX]), facts


def _weight(item: Item) -> tuple[object, ...]:
    order = list(Change).index(item.change)
    return (order if order > 1 else 0, item.alert.severity.rank, order, item.alert.labels)
