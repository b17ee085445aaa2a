"""From a decision to the outbox: letters get their words, and take the place of those that have not left yet."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import structlog

from dbwatch.core.alerting.merging import merged
from dbwatch.errors import DbwatchError
from dbwatch.history.alerts import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from dbwatch.core.alerting.memory import Memory
    from dbwatch.core.alerting.model import Alert, Letter, Pairs
    from dbwatch.history import History
    from dbwatch.history.outbox import Outgoing
    from dbwatch.mailer import Composes
    from dbwatch.mailer.sender import Sender

log = structlog.get_logger()


@dataclass(slots=True)
class Teller:
    """Composes and posts; `facts` are what every letter may tell beside its alerts."""

    past: History
    sender: Sender
    composer: Composes | None
    facts: Callable[[Letter], Pairs]

    async def post(self, now: float, alerts: Mapping[str, Alert], memory: Memory, letters: Sequence[Letter]) -> None:
        """All of it in one transaction; where the disk refuses, the letters leave from memory."""
        outgoing: list[Outgoing] = []
        superseded: list[int] = []
        for letter in letters:
            if self.composer is None:  # nothing is mailed any more: a reload came in between
                break
            whole, replaced = await self._with_those_that_wait(letter)
            outgoing.append(await asyncio.to_thread(self.composer.compose, whole))
            superseded += replaced
            about = {"kind": letter.kind, "thread": letter.thread, "sequence": letter.sequence}
            log.info("letter", alerts=len(whole.items), **about)
        record = Record(now, alerts, memory.to_json(), tuple(outgoing), tuple(superseded))
        await self.sender.post(self.past.alerts, record)

    async def _with_those_that_wait(self, letter: Letter) -> tuple[Letter, list[int]]:
        letter = replace(letter, facts=(*letter.facts, *self.facts(letter)))
        try:
            waiting = await self.past.outbox.waiting(letter.thread)
        except DbwatchError:
            return letter, []
        for _, older in reversed(waiting):
            letter = merged(older, letter)
        return letter, [number for number, _ in waiting]
