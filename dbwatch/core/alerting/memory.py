"""What each recipient was last told, and when: the half of the comparison that must outlive a restart."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from dbwatch.core.alerting.policy import Audience

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dbwatch.core.alerting.model import Pairs

VERSION = 1
Times = tuple[float, ...]


class Purpose(StrEnum):
    """What a conversation is about."""

    GROUP = "group"  # the alerts of one group
    ESCALATION = "escalation"  # critical ones that nobody acknowledged
    DIGEST = "digest"  # storms; it remembers no alert: their groups do


class Key(NamedTuple):
    """Names a conversation: it goes on until everything that was told in it has ended."""

    purpose: Purpose
    audience: Audience
    group: Pairs = ()


@dataclass(frozen=True, slots=True)
class Thread:
    """One conversation. `told` and `waiting` are by fingerprint."""

    id: str = ""  # until its first letter
    sequence: int = 0  # of its next letter
    last_at: float | None = None
    has_told_critical: bool = False
    told: Mapping[str, float] = field(default_factory=dict)  # told that it fires, and when
    waiting: Mapping[str, float] = field(default_factory=dict)  # since when it is not what was told


@dataclass(frozen=True, slots=True)
class Flap:
    """The changes of one alert that were told lately."""

    times: Times = ()
    is_on: bool = False


@dataclass(frozen=True, slots=True)
class Memory:
    """Frozen: each decision gives a new one."""

    threads: Mapping[Key, Thread] = field(default_factory=dict)
    sent: Mapping[Audience, Times] = field(default_factory=dict)  # letters about groups, within storm_window
    flaps: Mapping[str, Flap] = field(default_factory=dict)
    daily_at: float | None = None  # what the next daily letter begins with
    daily_on: str = ""  # the last day whose daily letter was sent
    weekly_on: str = ""

    def awake(self, now: float) -> Memory:
        """Ready for a decision. After a clock was set back nothing that is remembered lies ahead."""
        daily_at = now if self.daily_at is None else min(self.daily_at, now)
        memory = self._clamped(now) if max(self._times(), default=now) > now else self
        return replace(memory, daily_at=daily_at)

    def _times(self) -> Iterator[float]:
        for thread in self.threads.values():
            yield from thread.told.values()
            yield from thread.waiting.values()
            if thread.last_at is not None:
                yield thread.last_at
        yield from chain(*self.sent.values(), *(flap.times for flap in self.flaps.values()))

    def _clamped(self, now: float) -> Memory:
        return replace(
            self,
            threads={key: _clamped(thread, now) for key, thread in self.threads.items()},
            sent={audience: _until(times, now) for audience, times in self.sent.items()},
            flaps={mark: replace(flap, times=_until(flap.times, now)) for mark, flap in self.flaps.items()},
        )

    def to_json(self) -> dict[str, Any]:
        """Values of JSON types only; `recalled` gives it back."""
        return {
            "version": VERSION,
            "threads": [[*_key_json(key), *_thread_json(thread)] for key, thread in self.threads.items()],
            "sent": [[list(each.recipients), each.language, list(times)] for each, times in self.sent.items()],
            "flaps": {mark: [list(flap.times), flap.is_on] for mark, flap in self.flaps.items()},
            "daily_at": self.daily_at,
            "daily_on": self.daily_on,
            "weekly_on": self.weekly_on,
        }


class Recalled(NamedTuple):
    """`problem` says why the memory is empty though something was stored; '' when all is well."""

    memory: Memory
    problem: str = ""


def recalled(stored: Mapping[str, Any]) -> Recalled:
    """The memory that was stored; an empty one where nothing was, or where it cannot be read."""
    if not stored:
        return Recalled(Memory())
    if stored.get("version") != VERSION:
        return Recalled(
            Memory(), f"what was told is stored in form {stored.get('version')!r}, not {VERSION}: told anew"
        )
    try:
        return Recalled(_memory(stored))
    except (KeyError, TypeError, ValueError, AttributeError):
        return Recalled(Memory(), "what was told cannot be read back: told anew")


def _clamped(thread: Thread, now: float) -> Thread:
    return replace(
        thread,
        last_at=None if thread.last_at is None else min(thread.last_at, now),
        told={mark: min(at, now) for mark, at in thread.told.items()},
        waiting={mark: min(at, now) for mark, at in thread.waiting.items()},
    )


def _until(times: Times, now: float) -> Times:
    return tuple(min(at, now) for at in times)


def _key_json(key: Key) -> list[Any]:
    return [key.purpose.value, list(key.audience.recipients), key.audience.language, [list(pair) for pair in key.group]]


def _thread_json(thread: Thread) -> list[Any]:
    facts = [thread.id, thread.sequence, thread.last_at, thread.has_told_critical]
    return [*facts, dict(thread.told), dict(thread.waiting)]


def _memory(stored: Mapping[str, Any]) -> Memory:
    return Memory(
        threads=dict(_entry(*row) for row in stored["threads"]),
        sent={Audience(tuple(to), language): tuple(times) for to, language, times in stored["sent"]},
        flaps={mark: Flap(tuple(times), bool(is_on)) for mark, (times, is_on) in stored["flaps"].items()},
        daily_at=stored["daily_at"],
        daily_on=str(stored["daily_on"]),
        weekly_on=str(stored["weekly_on"]),
    )


def _entry(purpose: str, to: list[str], language: str, group: list[list[str]], *thread: Any) -> tuple[Key, Thread]:
    pairs = tuple((name, value) for name, value in group)
    name, sequence, last_at, has_told_critical, told, waiting = thread
    key = Key(Purpose(purpose), Audience(tuple(to), language), pairs)
    return key, Thread(name, int(sequence), last_at, bool(has_told_critical), dict(told), dict(waiting))
