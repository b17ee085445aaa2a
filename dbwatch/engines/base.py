"""What the poller may ask of any engine, and the one way to bound a wait."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar

from dbwatch.errors import EngineError, Reason
from dbwatch.tasks import times_cancelled

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
    from contextlib import AbstractAsyncContextManager

    from dbwatch.core.model import Facts, Lane, Query, Question, Rows
    from dbwatch.settings.models import Instance

ONLY_READ = "A collector may only read: take what writes out of its query."
TRY_AGAIN_SECONDS = 0.1
LAST_ANSWER_SECONDS = 0.5
Result = TypeVar("Result")
Purpose = Literal["monitor", "audit", "backup"]


class Session(Protocol):
    """One connection to one database of one instance. After any EngineError with `broken`, throw it away."""

    @property
    def hello(self) -> Facts:
        """What the handshake told: flavour and version only. Enough to choose the facts question."""

    @property
    def broken(self) -> bool:
        """True once a deadline passed or the connection was lost: the session must not be used again."""

    @property
    def certificate_not_after(self) -> float | None:
        """When the certificate expires that the server showed, in Unix seconds; None without TLS."""

    async def fetch(self, query: Query) -> Rows:
        """Ask one query within `query.timeout_seconds` (client deadline and server-side limit).

        Raise EngineError, and nothing else, for whatever the server or the network does.
        """

    async def ping(self) -> None:
        """One empty round-trip, within a second."""

    async def close(self) -> None:
        """End politely within a second, else cut. Never raise, never hang."""


class Engine(Protocol):
    """An engine's adapter: stateless, it holds no connection."""

    name: str

    async def connect(
        self, instance: Instance, lane: Lane, *, database: str | None = None, purpose: Purpose = "monitor"
    ) -> Session:
        """Log in, and make the session read-only and bounded, within `instance.connect_timeout`. Raise EngineError."""

    def facts(self, hello: Facts, answer: Rows) -> Facts:
        """Read the rows (name, value) of the facts question. Pure."""


class Questions(Protocol):
    """Where an engine finds the SQL it needs for itself (sql/<engine>/jobs)."""

    def question(self, engine: str, name: str) -> Question: ...


@asynccontextmanager
async def deadline(seconds: float, what: str) -> AsyncIterator[None]:
    """Bound a wait on a server: the one helper, so that no round-trip is without a client-side limit."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise EngineError(Reason.TIMEOUT, f"{what}: no answer within {seconds:g} s") from None


async def completed(
    work: Coroutine[Any, Any, Result], undo: Callable[[Result], Awaitable[None]] | None = None
) -> Result:
    """What it gives. A caller who is cancelled (the daemon stops, a reload) waits a moment longer: a statement that is
    cancelled on the server, or a connection cut in mid-login, is an error in its log that a DBA would ask about.
    """
    outcome: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
    before = times_cancelled()
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(_into(outcome, work), name="statement")
            await _until_done(outcome, undo)
    except BaseExceptionGroup as bug:
        if times_cancelled() > before:  # before Python 3.13 the group forgets that
            raise asyncio.CancelledError from bug
        raise bug.exceptions[0] from None
    return outcome.result()


async def _until_done(outcome: asyncio.Future[Result], undo: Callable[[Result], Awaitable[None]] | None) -> None:
    try:
        await asyncio.wait([outcome])
    except asyncio.CancelledError:
        await asyncio.wait([outcome], timeout=LAST_ANSWER_SECONDS)
        has_answer = outcome.done() and not outcome.cancelled() and outcome.exception() is None
        if has_answer and undo is not None:
            await undo(outcome.result())
        raise


async def _into(outcome: asyncio.Future[Result], work: Coroutine[Any, Any, Result]) -> None:
    try:
        outcome.set_result(await work)
    except EngineError as error:
        outcome.set_exception(error)
    finally:
        outcome.cancel()  # nothing came of it: nobody is to wait for it


async def until_reached(login: Callable[[], AbstractAsyncContextManager[object]], seconds: float) -> None:
    """Until a login works. Raise the EngineError of the last that did not."""
    last = EngineError(Reason.TIMEOUT, f"no answer within {seconds:g} s")
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while True:
                try:
                    async with login():
                        return
                except EngineError as error:
                    last = error
                await asyncio.sleep(TRY_AGAIN_SECONDS)
    raise last
