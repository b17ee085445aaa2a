"""Which letters are due: where what was told differs from what is true. Pure, and the same again for the same input.

    muted = muting(now, alerts, memory, policy, maintenance=..., silences=...)
    decision = decide(now, alerts, memory, policy, muted=muted, acknowledged=acknowledged)

Alerts, `decision.memory` and `decision.letters` belong into one transaction. Decide again when something changed, and
at `wake_at`.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dbwatch.core.alerting.conversations import News, Scene, flapped, news, written
from dbwatch.core.alerting.digests import calendar_letters
from dbwatch.core.alerting.memory import Flap, Key, Memory, Purpose, Thread
from dbwatch.core.alerting.model import AlertState, Change, Severity
from dbwatch.core.alerting.muting import Muting, calm_at
from dbwatch.core.alerting.storms import Post, posted

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from dbwatch.core.alerting.model import Alert, Letter, Pairs
    from dbwatch.core.alerting.policy import Audience, Policy

FORGOTTEN_AFTER_SECONDS = 2 * 86_400.0  # what a daily letter should have told


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do now. `wake_at` is when to decide again if nothing changes before (inf: never)."""

    letters: tuple[Letter, ...]
    memory: Memory
    wake_at: float = math.inf
    forgettable: frozenset[str] = frozenset()  # alerts that have ended and are owed to nobody


def decide(
    now: float,
    alerts: Mapping[str, Alert],
    memory: Memory,
    policy: Policy,
    *,
    muted: Muting,
    acknowledged: Collection[str] = (),
) -> Decision:
    """`alerts` by fingerprint, with those that have ended and are not forgettable yet; `acknowledged`: fingerprints."""
    scene = _scene(now, alerts, memory.awake(now), policy, muted=muted, acknowledged=acknowledged)
    posts = {audience: posted(scene, audience, found) for audience, found in _by_audience(scene).items()}
    told = _threads(scene, posts.values())
    escalation = _escalated(scene, told)
    letters = [letter for post in posts.values() for letter in post.letters]
    calendar, after = calendar_letters(scene)
    after = replace(
        after,
        threads=_open(scene, told | escalation.threads),
        sent=_sent(scene) | {audience: post.sent for audience, post in posts.items() if post.sent},
        flaps=_flaps(scene, letters),
    )
    wakes = [*(post.wake_at for post in posts.values()), escalation.wake_at, muted.until, *_turns(policy, now)]
    return Decision((*letters, *escalation.letters, *calendar), after, min(wakes), _forgettable(scene, after))


def _scene(
    now: float,
    alerts: Mapping[str, Alert],
    memory: Memory,
    policy: Policy,
    *,
    muted: Muting,
    acknowledged: Collection[str],
) -> Scene:
    flaps = {mark: flap for mark, flap in memory.flaps.items() if _is_remembered(flap, alerts.get(mark), policy, now)}
    firing = {mark: alert for mark, alert in alerts.items() if alert.state is AlertState.FIRING}
    return Scene(now, alerts, firing, muted.reasons, frozenset(acknowledged), replace(memory, flaps=flaps), policy)


def _is_remembered(flap: Flap, alert: Alert | None, policy: Policy, now: float) -> bool:
    if flap.is_on:
        return (flap.times[-1] + policy.flap_calm if alert is None else calm_at(alert, policy, now)) > now
    return any(now - at < policy.flap_window for at in flap.times)


def _flaps(scene: Scene, letters: Iterable[Letter]) -> dict[str, Flap]:
    flaps = dict(scene.memory.flaps)
    for item in (item for letter in letters for item in letter.items if item.change is not Change.STILL):
        mark = item.alert.fingerprint
        flaps[mark] = flapped(flaps.get(mark, Flap()), scene.policy, scene.now)
    return flaps


def _by_audience(scene: Scene) -> dict[Audience, list[News]]:
    groups = {key: thread for key, thread in scene.memory.threads.items() if key.purpose is Purpose.GROUP}
    wanted = _wanted(scene, groups)
    found: dict[Audience, list[News]] = defaultdict(list)
    for key in dict.fromkeys([*groups, *wanted]):
        found[key.audience].append(news(scene, key, groups.get(key, Thread()), wanted.get(key, ())))
    return found


def _wanted(scene: Scene, groups: Mapping[Key, Thread]) -> dict[Key, list[str]]:
    """What fires and was not told to whom it concerns, by conversation."""
    known: dict[Audience, set[str]] = defaultdict(set)
    for key, thread in groups.items():
        known[key.audience].update(thread.told)
    wanted: dict[Key, list[str]] = defaultdict(list)
    for mark, alert in scene.firing.items():
        own = None if mark in scene.muted else _key(alert, scene.policy)
        if own is not None and mark not in known[own.audience]:
            wanted[own].append(mark)
    return wanted


def _key(alert: Alert, policy: Policy) -> Key | None:
    """The conversation in which it is told; None: in none."""
    if alert.severity in policy.digest_only:
        return None
    labels = dict(alert.labels)
    audience = policy.audience(labels)
    group: Pairs = tuple(sorted((name, labels[name]) for name in policy.group_by if name in labels))
    return None if audience is None else Key(Purpose.GROUP, audience, group)


def _threads(scene: Scene, posts: Iterable[Post]) -> dict[Key, Thread]:
    threads = dict(scene.memory.threads)
    for post in posts:
        threads |= post.threads
    return threads


def _escalated(scene: Scene, threads: Mapping[Key, Thread]) -> Post:
    """Critical alerts that were told and that nobody took in hand; and their end, for who was told of them so."""
    keys = [key for key in threads if key.purpose is Purpose.ESCALATION]
    due_at: dict[str, float] = {}
    route = scene.policy.escalation
    if route is not None and route.recipients:
        due_at = _escalation_due_at(scene, threads)
        keys = list(dict.fromkeys([*keys, Key(Purpose.ESCALATION, route.audience)]))
    letters, after, wakes = [], {}, [at for at in due_at.values() if at > scene.now]
    for key in keys:
        is_current = route is not None and key.audience == route.audience
        found = news(
            scene, key, threads.get(key, Thread()), _to_escalate(scene, key, threads, due_at if is_current else {})
        )
        after[key] = found.thread
        if found.due_at <= scene.now:
            letter, after[key] = written(scene, found)
            letters.append(letter)
        else:
            wakes.append(found.due_at)
    return Post(tuple(letters), after, min(wakes, default=math.inf))


def _escalation_due_at(scene: Scene, threads: Mapping[Key, Thread]) -> dict[str, float]:
    told_at = [item for key, thread in threads.items() if key.purpose is Purpose.GROUP for item in thread.told.items()]
    return {mark: at + scene.policy.escalate_after for mark, at in told_at if _is_escalated(scene, mark)}


def _is_escalated(scene: Scene, mark: str) -> bool:
    if mark not in scene.firing or mark in scene.muted or mark in scene.acknowledged:
        return False
    return scene.alerts[mark].severity is Severity.CRITICAL


def _to_escalate(scene: Scene, key: Key, threads: Mapping[Key, Thread], due_at: Mapping[str, float]) -> Sequence[str]:
    told = threads[key].told if key in threads else {}
    return [mark for mark, at in due_at.items() if at <= scene.now and mark not in told]


def _open(scene: Scene, threads: Mapping[Key, Thread]) -> dict[Key, Thread]:
    """A conversation in which everything has ended is over; the next one has another name."""
    now, repeat = scene.now, scene.policy.repeat
    return {
        key: thread
        for key, thread in threads.items()
        if thread.told or thread.waiting or (key.purpose is Purpose.DIGEST and now - (thread.last_at or now) < repeat)
    }


def _sent(scene: Scene) -> dict[Audience, tuple[float, ...]]:
    recent = {
        audience: tuple(at for at in times if scene.now - at < scene.policy.storm_window)
        for audience, times in scene.memory.sent.items()
    }
    return {audience: times for audience, times in recent.items() if times}


def _turns(policy: Policy, now: float) -> list[float]:
    return [calendar.next_after(now) for calendar in (policy.daily, policy.weekly_test) if calendar is not None]


def _forgettable(scene: Scene, after: Memory) -> frozenset[str]:
    owed = {mark for thread in after.threads.values() for mark in (*thread.told, *thread.waiting)}
    owed.update(mark for mark, flap in after.flaps.items() if flap.is_on)
    return frozenset(
        mark
        for mark, alert in scene.alerts.items()
        if alert.state is AlertState.RESOLVED and mark not in owed and not _awaits_daily(scene, after, alert)
    )


def _awaits_daily(scene: Scene, after: Memory, alert: Alert) -> bool:
    if scene.policy.daily is None or not scene.policy.audiences or alert.resolved_at is None:
        return False
    since = max(after.daily_at or 0.0, scene.now - FORGOTTEN_AFTER_SECONDS)
    return alert.resolved_at >= since
