"""One moment for the dump and for the facts: a global read lock, as short as can be and always bounded.

The lock holds writes back while our snapshot is opened and the dump begins its own: some tenths of a second, and longer
where the machine is busy. It is tried only when nothing runs that it would wait for, waits a second at most at a time
(what queues behind it waits as long), and is let go by a timer whatever happens. Where it cannot be had, the dump goes
on without: its facts are then not of its own moment.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from dbwatch.engines.mysql_backup_session import LEAST_LOCK_SECONDS, asker
from dbwatch.errors import EngineError, Reason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dbwatch.core.backups.model import Pairs
    from dbwatch.engines.base import Questions
    from dbwatch.engines.mysql_backup_session import Asker
    from dbwatch.settings.models import Instance

# InnoDB renews its list of transactions only where nobody has read it for 0.1 s: who looks more often sees an old one.
LOOK_SECONDS = 0.12
TRY_AGAIN_SECONDS = 0.5
LEAST_HOLD_SECONDS = 1.0
PROCESSES = Path("/", "proc")
BUSY = "statements ran that a global lock would have waited for, and writes behind it"
REFUSED = "the global lock could not be had within {seconds:g} s"
WHOLE = "the whole dump ran under one global read lock"
BOTH = "the dump's snapshot and ours began under one global read lock"
TOO_SLOW = "the dump did not begin while the global lock could be held ({seconds:g} s)"
AMBIGUOUS = "several new sessions of the account: which is the dump's cannot be told"
MOVED = "the binary log moved on under the lock"


@dataclass
class Moment:
    """Held from before the dump starts until its transaction has begun."""

    instance: Instance
    questions: Questions
    application: str
    lock_wait_seconds: float
    max_blocking_seconds: float
    has_binary_log: bool
    exact: bool = False
    evidence: str = ""
    coordinates: Pairs = ()
    dump_ids: tuple[int, ...] = ()
    reader_id: int = 0
    own_ids: frozenset[int] = frozenset()  # what reads and watches for us: if it waits, no application does
    over: asyncio.Event = field(default_factory=asyncio.Event)
    _newest_id: int = 0
    _is_marked: bool = False  # the session was seen that bears the mark of the run: it is the dump's, and no other is
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    _holder: Asker | None = None
    _timer: asyncio.TimerHandle | None = None

    @property
    def is_held(self) -> bool:
        return self._timer is not None

    @property
    def hold_seconds(self) -> float:
        """What is left of the bound after the wait for the lock."""
        return max(LEAST_HOLD_SECONDS, self.max_blocking_seconds - LEAST_LOCK_SECONDS)

    async def begin(self, reader: Asker, others: Sequence[Asker]) -> None:
        """Hold the lock if it can be had, and open the reader's snapshot."""
        self._holder = await self._stack.enter_async_context(asker(self.instance, self.questions, self.application))
        ids = [int((await each.one("connection"))["id"]) for each in (reader, *others, self._holder)]
        self.reader_id, self._newest_id, self.own_ids = ids[0], max(ids), frozenset(ids)
        await self._lock(self._holder)
        await reader.ask("snapshot")
        try:
            if self.is_held:
                self.coordinates = await coordinates(self._holder, has_binary_log=self.has_binary_log)
        except EngineError:
            if self.is_held:
                raise  # it was not the timer that cut it
        if not self.is_held:
            self.coordinates = await coordinates(reader, has_binary_log=self.has_binary_log)
            await self.end()

    async def _lock(self, holder: Asker) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + self.lock_wait_seconds
        while True:
            why = await self._tried(holder)
            if not why or holder.session.broken or loop.time() + TRY_AGAIN_SECONDS > until:
                break
            await asyncio.sleep(TRY_AGAIN_SECONDS)
        self.evidence = why
        if not why:
            self._timer = loop.call_later(self.hold_seconds, self._expire)

    async def _tried(self, holder: Asker) -> str:
        """Empty: it is held. Else why not."""
        if int((await holder.one("long_statements"))["statements"]):
            return BUSY
        try:
            await holder.ask("lock")
        except EngineError as error:
            if error.reason in (Reason.LOCK, Reason.TIMEOUT):
                return REFUSED.format(seconds=self.lock_wait_seconds)
            if error.reason is Reason.PERMISSION:
                return f"the global lock was refused: {error.message}"
            raise
        return ""

    def _expire(self) -> None:
        """The application waits no longer: the server lets go of the lock when the session is cut."""
        self._timer = None
        self.evidence = TOO_SLOW.format(seconds=self.hold_seconds)
        if self._holder is not None:
            self._holder.session.cut()

    async def dump_started(self) -> None:
        """Wait until the dump sees what we see, then let writes go on."""
        if self.is_held and self._holder is not None:
            try:
                await self._prove(self._holder)
            except EngineError as error:
                self.evidence = self.evidence or error.message
        await self.end()

    async def _prove(self, holder: Asker) -> None:
        evidence = await self._begun(holder)
        now = await coordinates(holder, has_binary_log=self.has_binary_log)
        if not evidence or not self.is_held:
            return
        if now != self.coordinates:
            self.evidence = MOVED
        else:
            where = ", ".join(f"{name} {value}" for name, value in now) or "no binary log"
            self.exact, self.evidence = True, f"{evidence} ({where})"

    async def _begun(self, holder: Asker) -> str:
        """How it is known that the dump has begun; empty where it is not."""
        while self.is_held:
            if not await asyncio.to_thread(is_running, self.application):
                return WHOLE
            has_begun = await self._look(holder)
            if len(self.dump_ids) == 1 and has_begun:
                return BOTH
            self.evidence = AMBIGUOUS if len(self.dump_ids) > 1 else ""
            await asyncio.sleep(LOOK_SECONDS)
        return ""

    async def find_dump(self, asked: Asker) -> tuple[int, ...]:
        """Which sessions are the dump's, whether the lock was had or not; what may be another's only until it shows."""
        if not self._is_marked:
            await self._look(asked)
        return self.dump_ids

    async def _look(self, asked: Asker) -> bool:
        """Whether a transaction of its sessions has begun: its data is read in one."""
        fill = {"after": self._newest_id, "mark": self.application}
        sessions = await asked.ask("dump_sessions", fill)
        marked = [row for row in sessions if int(row["marked"])]
        self._is_marked = bool(marked)
        self.dump_ids = tuple(int(row["id"]) for row in marked or sessions)
        return bool(marked) or any(int(row["begun"]) for row in sessions)

    async def end(self) -> None:
        """Let go, whatever came before."""
        if self._timer is not None and self._holder is not None:
            self._timer.cancel()
            self._timer = None
            with suppress(EngineError):  # then it is the end of the session that lets go
                await self._holder.ask("unlock")
        await self._stack.aclose()
        self.over.set()


async def coordinates(asked: Asker, *, has_binary_log: bool) -> Pairs:
    """Where the binary log is: file, position, global identifiers."""
    if not has_binary_log:
        return ()
    rows = await asked.ask("coordinates")
    gtid = str((await asked.one("gtid")).get("gtid") or "").replace("\n", "")
    place = [("binlog_file", str(row["File"])) for row in rows] + [
        ("binlog_position", str(row["Position"])) for row in rows
    ]  # fmt: skip
    return (*place, *([("gtid", gtid)] if gtid else []))


def is_running(mark: str) -> bool:
    """Whether a process lives that bears the mark in its arguments: one that has ended has none any more."""
    wanted = mark.encode()
    return any(wanted in _arguments(each) for each in PROCESSES.iterdir() if each.name.isdigit())


def _arguments(process: Path) -> bytes:
    try:
        return (process / "cmdline").read_bytes()
    except OSError:
        return b""
