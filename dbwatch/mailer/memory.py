"""Letters on their way while the disk takes nothing: they leave all the same, but do not outlive the process."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from dbwatch.history import Counts, Outcome, Outgoing, Queued

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_LETTERS = 10_000


class Shelf(Protocol):
    """Where letters wait: on the disk, or here. All but `counts` may raise DbwatchError."""

    @property
    def counts(self) -> Counts: ...

    async def due(self, now: float, limit: int) -> list[Queued]: ...
    async def sending(self, ids: Iterable[int]) -> list[int]: ...
    async def untried(self, ids: Iterable[int]) -> None: ...
    async def sent(self, letter_id: int, now: float, relay: str) -> None: ...
    async def later(self, letter_id: int, next_at: float, outcome: Outcome) -> None: ...
    async def dead(self, letter_id: int, now: float, outcome: Outcome) -> None: ...


@dataclass(frozen=True, slots=True)
class _Waiting:
    outgoing: Outgoing
    queued: Queued
    next_at: float
    is_in_hand: bool = False
    is_touched: bool = False


class MemoryOutbox:
    """Its numbers are negative, so that nobody takes them for those of the disk."""

    def __init__(self) -> None:
        self._letters: dict[int, _Waiting] = {}
        self._last_number = 0
        self._dead = 0
        self._last_sent_at: float | None = None

    def put(self, letters: Iterable[Outgoing], now: float) -> int:
        """Keep them; how many there was no room for."""
        room = MOST_LETTERS - len(self._letters)
        given = list(letters)
        for each in given[:room]:
            self._last_number -= 1
            queued = Queued(
                self._last_number, each.message_id, each.letter.thread, each.letter.recipients, each.message, 0, now
            )
            self._letters[queued.id] = _Waiting(each, queued, now)
        return max(0, len(given) - room)

    def untouched(self) -> dict[int, Outgoing]:
        """Those that nobody can have seen: the disk may take them, once it takes something again."""
        return {
            number: each.outgoing
            for number, each in self._letters.items()
            if not each.is_in_hand and not each.is_touched
        }

    def forget(self, ids: Iterable[int]) -> None:
        for each in ids:
            self._letters.pop(each, None)

    async def due(self, now: float, limit: int) -> list[Queued]:
        found: list[Queued] = []
        held: set[str] = set()
        for each in self._letters.values():
            if each.queued.thread in held or each.is_in_hand or each.next_at > now:
                held.add(each.queued.thread)
            else:
                found.append(each.queued)
        return found[:limit]

    async def sending(self, ids: Iterable[int]) -> list[int]:
        known = [each for each in ids if each in self._letters]
        for each in known:
            self._letters[each] = replace(self._letters[each], is_in_hand=True)
        return known

    async def untried(self, ids: Iterable[int]) -> None:
        for each in ids:
            self._letters[each] = replace(self._letters[each], is_in_hand=False)

    async def sent(self, letter_id: int, now: float, relay: str) -> None:
        del relay
        self._last_sent_at = now
        self.forget([letter_id])

    async def later(self, letter_id: int, next_at: float, outcome: Outcome) -> None:
        before = self._letters[letter_id]
        queued = replace(before.queued, recipients=outcome.recipients, attempts=before.queued.attempts + 1)
        is_touched = before.is_touched or outcome.is_touched
        self._letters[letter_id] = _Waiting(before.outgoing, queued, next_at, is_touched=is_touched)

    async def dead(self, letter_id: int, now: float, outcome: Outcome) -> None:
        del now, outcome
        self._dead += 1
        self.forget([letter_id])

    @property
    def counts(self) -> Counts:
        return Counts(
            len(self._letters),
            self._dead,
            min((each.queued.created_at for each in self._letters.values()), default=None),
            min((each.next_at for each in self._letters.values()), default=None),
            self._last_sent_at,
        )
