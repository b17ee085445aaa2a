"""What leaves for one audience now: a letter for each conversation that is due or, in a storm, one digest of all."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dbwatch.core.alerting import conversations
from dbwatch.core.alerting.memory import Key, Purpose, Thread
from dbwatch.core.alerting.model import LetterKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dbwatch.core.alerting.conversations import News, Scene
    from dbwatch.core.alerting.memory import Times
    from dbwatch.core.alerting.model import Item, Letter
    from dbwatch.core.alerting.policy import Audience


@dataclass(frozen=True, slots=True)
class Post:
    """What one audience gets now, its conversations after that, and when to look again."""

    letters: tuple[Letter, ...]
    threads: dict[Key, Thread]
    wake_at: float
    sent: Times = ()


def posted(scene: Scene, audience: Audience, found: Sequence[News]) -> Post:
    policy, now = scene.policy, scene.now
    sent = tuple(at for at in scene.memory.sent.get(audience, ()) if now - at < policy.storm_window)
    soon = [each for each in found if each.thread.waiting or each.due_at <= now]
    leaving = sum(each.due_at <= now + policy.group_wait for each in soon)
    key = Key(Purpose.DIGEST, audience)
    digests = scene.memory.threads.get(key, Thread())
    free_at = -math.inf if digests.last_at is None else digests.last_at + policy.group_interval
    if now < free_at or len(sent) + leaving > policy.storm_limit:
        return _collected(scene, found, soon, sent, max(_collected_at(scene, soon), free_at))
    return _one_each(scene, found, sent)


def _collected_at(scene: Scene, soon: Sequence[News]) -> float:
    return min((each.noticed_at for each in soon), default=math.inf) + scene.policy.group_wait


def _one_each(scene: Scene, found: Sequence[News], sent: Times) -> Post:
    due = [each for each in found if each.due_at <= scene.now]
    pairs = [(each.key, *conversations.written(scene, each)) for each in due]
    threads = {each.key: each.thread for each in found} | {key: thread for key, _, thread in pairs}
    later = [each.due_at for each in found if each.due_at > scene.now]
    letters = tuple(letter for _, letter, _ in pairs)
    times = (*sent, *(scene.now for _ in letters))
    return Post(letters, threads, min([*later, *_repeats(scene, due)], default=math.inf), times)


def _collected(scene: Scene, found: Sequence[News], soon: Sequence[News], sent: Times, digest_at: float) -> Post:
    threads = {each.key: each.thread for each in found}
    later = [each.due_at for each in found if each.due_at > scene.now and not each.thread.waiting]
    if digest_at > scene.now:
        return Post((), threads, min([*later, digest_at]), sent)
    letter, key, thread = _digest(scene, soon)
    threads |= {each.key: conversations.told(scene, each) for each in soon}
    wake_at = min([*later, *_repeats(scene, soon)], default=math.inf)
    return Post((letter,), {**threads, key: thread}, wake_at, sent)


def _digest(scene: Scene, soon: Sequence[News]) -> tuple[Letter, Key, Thread]:
    key = Key(Purpose.DIGEST, soon[0].key.audience)
    thread = scene.memory.threads.get(key, Thread())
    if thread.last_at is not None and scene.now - thread.last_at >= scene.policy.repeat:
        thread = Thread()  # another storm: another conversation
    items: list[Item] = []
    for each in soon:
        items += conversations.changes(scene, each)
        items += conversations.reminders(scene, each) if not each.thread.waiting else []
    letter, thread = conversations.sent(scene, key, thread, LetterKind.DIGEST, items, groups=len(soon))
    return letter, key, replace(thread, told={}, waiting={})


def _repeats(scene: Scene, told: Sequence[News]) -> list[float]:
    """When those that were told just now may be due again at the earliest."""
    return [scene.now + scene.policy.repeat] if any(each.started or each.still for each in told) else []
