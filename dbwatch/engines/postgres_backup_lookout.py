"""Who waits for a dump's locks: seen from a session of its own, from the first lock to the last look."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from dbwatch.engines.backing import Blocking
from dbwatch.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
    from contextlib import AbstractAsyncContextManager

    import asyncpg

    from dbwatch.engines.postgres_backup_session import Asker
    from dbwatch.errors import JobError

    Login = Callable[[], AbstractAsyncContextManager[Asker]]

Result = TypeVar("Result")


@dataclass
class Lookout:
    """One session that sees the present, and is opened again when it is lost: blind, we would hold up others unseen."""

    login: Login
    limit_seconds: float  # nobody may wait for us for longer
    asker: Asker
    stack: AsyncExitStack
    given_up: JobError | None = None

    async def blocking(self) -> Blocking:
        row = await (await self._seeing()).one("backup_blocking")
        return Blocking(int(row["sessions"]), float(row["longest_seconds"]))

    async def locked(self) -> Sequence[asyncpg.Record]:
        """What nobody may read now, and for whom. While nobody looks who waits."""
        return await (await self._seeing()).ask("backup_locked")

    async def let_go(self) -> None:
        """End all our other sessions here, those of our programs too: their locks go at once."""
        await (await self._seeing()).ask("backup_let_go")

    async def _seeing(self) -> Asker:
        if self.asker.connection.is_closed():
            self.asker = await self.stack.enter_async_context(self.login())
        return self.asker

    async def during(self, work: Coroutine[None, None, Result]) -> Result:
        """`work`, as long as nobody waits for us for too long. Raise JobError, and what `work` raises."""
        try:
            async with asyncio.TaskGroup() as group:
                watch = group.create_task(self._watch(), name="lookout of a dump")
                result = await work
                watch.cancel()
        except BaseExceptionGroup as several:
            raise (self.given_up or several.exceptions[0]) from None
        return result

    async def _watch(self) -> None:
        seen = Blocking()
        while True:
            await asyncio.sleep(seen.look_again_seconds(self.limit_seconds))
            with suppress(EngineError):
                seen = await self.blocking()
            # Before we let go: what is ended by it fails too, and tells less.
            self.given_up = seen.too_long(self.limit_seconds)
            if self.given_up:
                with suppress(EngineError):
                    await self.let_go()
                raise self.given_up


@asynccontextmanager
async def lookout(login: Login, limit_seconds: float) -> AsyncIterator[Lookout]:
    async with AsyncExitStack() as stack:
        yield Lookout(login, limit_seconds, await stack.enter_async_context(login()), stack)
