"""The outbox's loop: what was decided leaves, in order within each thread, until a relay took it or refused it."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Protocol

import structlog

from dbwatch.core.alerting.figures import MailFigures
from dbwatch.errors import DbwatchError
from dbwatch.history import Outcome
from dbwatch.mailer.memory import MemoryOutbox
from dbwatch.mailer.pauses import Pauses

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from dbwatch.history import Queued, Record
    from dbwatch.mailer.delivery import Courier, Report
    from dbwatch.mailer.memory import Shelf

BATCH = 50
LONGEST_SLEEP_SECONDS = 60.0  # the clock may be set: nobody sleeps until a far away time
GIVE_UP_SECONDS = 3 * 86400.0

log = structlog.get_logger()


class Book(Protocol):
    """What commits: the history."""

    async def commit(self, record: Record) -> None: ...


@dataclass(frozen=True, slots=True)
class Dead:
    """A letter that nobody will get: it was refused for good, or too long."""

    message_id: str
    recipients: tuple[str, ...]
    error: str


@dataclass(frozen=True, slots=True)
class _Told:
    """A letter, where it waits, and what became of it."""

    shelf: Shelf
    queued: Queued


class Sender:
    """One per process. `post` hands letters in, `run` sends them."""

    def __init__(
        self,
        outbox: Shelf,
        courier: Courier,
        *,
        clock: Callable[[], float],
        jitter: Callable[[], float],
        pauses: Pauses | None = None,
        on_dead: Callable[[Dead], None] = lambda _: None,
    ) -> None:
        self._outbox = outbox
        self._memory = MemoryOutbox()
        self._courier = courier
        self._clock = clock
        self._jitter = jitter
        self._pauses = pauses or Pauses()
        self._on_dead = on_dead
        self._woken = asyncio.Event()
        self._unreachable = 0  # attempts in a row at which no relay talked to us
        self._unwritten: deque[tuple[int, Callable[[], Awaitable[object]]]] = deque()
        self._superseded: set[int] = set()  # on the disk still, because it could not be written
        self._sent = self._retries = self._dead = 0
        self._last_success_at: float | None = None
        self._is_persisted = True
        self.last_error = ""  # '' once a letter left again
        self.last_error_at: float | None = None

    def configure(self, courier: Courier) -> None:
        """Other relays, after a reload: the next letter goes through these."""
        self._courier = courier
        self._unreachable = 0
        self._woken.set()

    @property
    def figures(self) -> MailFigures:
        """What is counted, for metrics and the page."""
        disk, memory = self._outbox.counts, self._memory.counts
        waiting = [each for each in (disk.oldest_at, memory.oldest_at) if each is not None]
        return MailFigures(
            queued=disk.queued + memory.queued,
            dead=disk.dead + memory.dead,
            oldest_queued_at=min(waiting, default=None),
            sent_total=self._sent,
            retries_total=self._retries,
            dead_total=self._dead,
            last_success_at=self._last_success_at or disk.last_sent_at,
            is_persisted=self._is_persisted,
        )

    async def post(self, book: Book, record: Record) -> bool:
        """Commit what was decided. Where the disk refuses, its letters leave from memory: False, and told."""
        kept = self._memory.untouched()
        await self._memory.sending(kept)
        whole = replace(
            record,
            outgoing=(*kept.values(), *record.outgoing),
            superseded=(*record.superseded, *self._superseded),
        )
        try:
            await book.commit(whole)
        except DbwatchError as error:
            await self._memory.untried(kept)
            self._hold(record, error)
            return False
        else:
            self._memory.forget(kept)
            self._superseded.clear()
            self._persisted(is_persisted=not self._unwritten and not self._memory.counts.queued)
            return True
        finally:
            self._wake(record)

    async def run(self) -> None:
        """Send for as long as the process lives."""
        try:
            while True:
                self._woken.clear()
                if not await self.send_due():
                    await self._sleep()
        finally:
            await self._courier.close()

    async def send_due(self) -> int:
        """Try what is due now: how many letters came to an end."""
        await self._write_what_was_not()
        batch = await self._in_hand()
        ended = 0
        held: set[str] = set()  # threads whose next letters wait for the one before
        for position, told in enumerate(batch):
            if told.queued.thread in held:
                await self._give_back([told])
                continue
            report = await self._courier.deliver(told.queued.recipients, told.queued.message)
            if not report.is_reached:
                await self._unreached(report, batch[position:])
                return ended
            self._unreachable = 0
            if await self._reported(told, report):
                ended += 1
            else:
                held.add(told.queued.thread)
        if not batch:
            await self._courier.close()
        return ended

    # --- one batch ---

    async def _in_hand(self) -> list[_Told]:
        """What is due, marked as in hand. What cannot be marked is sent all the same: mail first."""
        settled = {number for number, _ in self._unwritten} | self._superseded
        found: list[_Told] = []
        for shelf in (self._outbox, self._memory):
            try:
                due = await shelf.due(self._clock(), BATCH + len(settled))
            except DbwatchError as error:
                self._refused(error)
                continue
            mine = [_Told(shelf, each) for each in due if each.id not in settled]
            if mine:
                await self._written(0, partial(shelf.sending, [each.queued.id for each in mine]))
            found += mine
        return found

    async def _reported(self, told: _Told, report: Report) -> bool:
        """Write down what became of a letter: whether nobody waits for it any more."""
        queued, now = told.queued, self._clock()
        if report.relay:
            self._last_success_at = now
        if not report.refused:
            self._sent += 1
            self.last_error, self.last_error_at = "", None
            await self._written(queued.id, partial(told.shelf.sent, queued.id, now, report.relay))
            return True
        self.last_error, self.last_error_at = report.error, now
        left = tuple(each for each, refusal in report.refused.items() if not refusal.is_permanent)
        is_over = not left or now - queued.created_at >= GIVE_UP_SECONDS
        lost = tuple(each for each in report.refused if is_over or each not in left)
        if lost:
            self._bury(Dead(queued.message_id, lost, report.error))
        await self._put_away(told, report, lost if is_over else left, is_over=is_over)
        return is_over

    async def _put_away(self, told: _Told, report: Report, who: tuple[str, ...], *, is_over: bool) -> None:
        queued, now = told.queued, self._clock()
        is_touched = len(report.refused) < len(queued.recipients)
        is_touched |= any(each.may_have_arrived for each in report.refused.values())
        outcome = Outcome(who, report.error, report.relay, is_touched=is_touched)
        if is_over:
            await self._written(queued.id, partial(told.shelf.dead, queued.id, now, outcome))
            return
        self._retries += 1
        next_at = now + self._pauses.letter(queued.attempts, self._jitter())
        log.warning("mail_put_off", message_id=queued.message_id, error=report.error, attempts=queued.attempts + 1)
        await self._written(queued.id, partial(told.shelf.later, queued.id, next_at, outcome))

    def _bury(self, dead: Dead) -> None:
        self._dead += 1
        log.error("mail_dead", message_id=dead.message_id, recipients=len(dead.recipients), error=dead.error)
        self._on_dead(dead)

    async def _unreached(self, report: Report, rest: list[_Told]) -> None:
        """No relay talks to us: nothing else is tried until the next pause is over."""
        self._unreachable += 1
        self._retries += 1
        self.last_error, self.last_error_at = report.error, self._clock()
        if self._unreachable == 1:
            log.error("mail_relays_unreachable", error=report.error, waiting=self.figures.queued)
        await self._give_back(rest)

    async def _give_back(self, letters: list[_Told]) -> None:
        for shelf in (self._outbox, self._memory):
            ids = [each.queued.id for each in letters if each.shelf is shelf]
            if ids:
                await self._written(0, partial(shelf.untried, ids))

    # --- a disk that refuses ---

    def _hold(self, record: Record, error: DbwatchError) -> None:
        """What could not be committed leaves from memory."""
        self._refused(error)
        self._superseded |= set(record.superseded)
        lost = self._memory.put(record.outgoing, record.now)
        if lost:
            log.error("mail_lost", letters=lost, reason="the memory is full, and the disk refuses")

    async def _written(self, number: int, work: Callable[[], Awaitable[object]]) -> None:
        """On the disk now, or as soon as it takes something again: until then nobody sends that letter twice."""
        try:
            await work()
        except DbwatchError as error:
            self._refused(error)
            self._unwritten.append((number, work))

    async def _write_what_was_not(self) -> None:
        """Only what was written proves that the disk takes something again."""
        if not self._unwritten:
            return
        while self._unwritten:
            try:
                await self._unwritten[0][1]()
            except DbwatchError as error:
                self._refused(error)
                return
            self._unwritten.popleft()
        self._persisted(is_persisted=not self._memory.counts.queued and not self._superseded)

    def _refused(self, error: DbwatchError) -> None:
        if self._is_persisted:
            log.error("outbox_not_persisted", error=str(error))
        self._is_persisted = False

    def _persisted(self, *, is_persisted: bool) -> None:
        if is_persisted and not self._is_persisted:
            log.warning("outbox_persisted_again")
        self._is_persisted |= is_persisted

    # --- waiting ---

    def _wake(self, record: Record) -> None:
        """A new letter does not shorten the pause that a relay needs."""
        if record.outgoing and not self._unreachable:
            self._woken.set()

    async def _sleep(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._pause_seconds()):
                await self._woken.wait()

    def _pause_seconds(self) -> float:
        if self._unreachable:
            return self._pauses.relays(self._unreachable - 1, self._jitter())
        due = [each.next_at for each in (self._outbox.counts, self._memory.counts) if each.next_at is not None]
        wait = min(due, default=float("inf")) - self._clock()
        # What is due and could not be sent (its disk refuses, a letter before it waits) is not asked for all the time.
        return min(max(wait, min(1.0, self._pauses.first_seconds)), LONGEST_SLEEP_SECONDS)
