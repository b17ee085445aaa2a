"""Fakes that fill the protocols of dbwatch: an engine whose answers, errors and silences a test decides."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dbwatch.core.model import Facts, Role, Rows
from dbwatch.engines.base import deadline
from dbwatch.errors import EngineError, Reason

if TYPE_CHECKING:
    from dbwatch.core.model import Lane, Query
    from dbwatch.engines.base import Purpose
    from dbwatch.settings.models import Instance

    Answer = Rows | EngineError

EMPTY = Rows((), ())
FACTS = Facts(flavour="postgres", version=(18, 1), version_text="18.1", role=Role.PRIMARY)


def rows(*names: str, of: list[tuple[object, ...]]) -> Rows:
    """Rows as a person writes them: `rows("datname", "n", of=[("a", 1), ("b", None)])`."""
    return Rows(names, tuple(zip(*of, strict=True)) if of else tuple(() for _ in names))


@dataclass
class FakeEngine:
    """An Engine without a server. Change its fields while it is polled: that is how servers fail, too."""

    name: str = "postgres"
    hello: Facts = FACTS
    answers: dict[str, Answer] = field(default_factory=dict)  # by query name; others are answered with nothing
    silent: bool = False  # from now on nothing is answered: every wait ends by its deadline
    refuses: EngineError | None = None  # what a login ends with
    hanging: frozenset[str] = frozenset()  # databases of which no login comes back
    asked: Counter[str] = field(default_factory=Counter)  # how often each query was asked
    logins: int = 0
    hung: int = 0  # how many logins did not come back
    sessions: list[FakeSession] = field(default_factory=list)  # the open ones
    certificate_not_after: float | None = None
    seconds_each: float = 0.0  # that every answer takes

    async def connect(
        self, instance: Instance, lane: Lane, *, database: str | None = None, purpose: Purpose = "monitor"
    ) -> FakeSession:
        self.logins += 1
        await self.wait(instance.connect_timeout, f"login of {purpose} to {database} ({lane})")
        if database in self.hanging:
            self.hung += 1
            raise EngineError(Reason.TIMEOUT, "login: no answer within 3 s")
        if self.refuses:
            raise self.refuses
        self.sessions.append(FakeSession(self, self.hello))
        return self.sessions[-1]

    def facts(self, hello: Facts, answer: Rows) -> Facts:
        """The hello is all there is to know, unless a test answers otherwise."""
        return self.hello if answer is EMPTY else hello

    async def wait(self, seconds: float, what: str) -> None:
        async with deadline(seconds, what):
            await (asyncio.Event().wait() if self.silent else asyncio.sleep(self.seconds_each))


@dataclass
class FakeSession:
    """A Session of FakeEngine: broken for good after a deadline or a lost connection, as real ones are."""

    engine: FakeEngine
    hello: Facts
    broken: bool = False

    @property
    def certificate_not_after(self) -> float | None:
        return self.engine.certificate_not_after

    async def fetch(self, query: Query) -> Rows:
        self.engine.asked[query.name] += 1
        await self._bounded(query.timeout_seconds, query.name)
        answer = self.engine.answers.get(query.name, EMPTY)
        if isinstance(answer, EngineError):
            self.broken |= answer.reason is Reason.LOST
            raise answer
        return answer

    async def ping(self) -> None:
        await self._bounded(1.0, "ping")

    async def close(self) -> None:
        self.broken = True
        if self in self.engine.sessions:
            self.engine.sessions.remove(self)

    async def _bounded(self, seconds: float, what: str) -> None:
        if self.broken:
            raise EngineError(Reason.LOST, f"{what}: the session was used after it broke")
        try:
            await self.engine.wait(seconds, what)
        except EngineError:
            self.broken = True
            raise
