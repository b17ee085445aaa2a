"""The login probe: a fresh login at each probe interval is what `dbwatch_up` means.

A session that has been open for a week proves nothing about the next login (a revoked role, a full server). An auth
failure is not tried again for ten minutes, so that no account gets locked, unless the password file changes.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from dbwatch.core import schedule
from dbwatch.core.model import Lane
from dbwatch.errors import EngineError, Reason
from dbwatch.poller import asking
from dbwatch.settings.secrets import secret_version

if TYPE_CHECKING:
    from dbwatch.engines.base import Engine
    from dbwatch.poller.watch import Watch
    from dbwatch.tasks import Heartbeats

PHASE = "login"
GRACE_SECONDS = 60.0
SECRET_CHECK_SECONDS = 5.0
SHORTEST_GAP_SECONDS = 1.0


class LoginProbe:
    """Logs in again and again; cancel it to stop."""

    def __init__(
        self,
        watch: Watch,
        engine: Engine,
        logins: asyncio.Semaphore,
        heartbeats: Heartbeats,
        place: asyncio.Lock | None = None,
    ) -> None:
        self._watch = watch
        self._place = place or asyncio.Lock()
        self._engine = engine
        self._logins = logins
        self._heartbeats = heartbeats
        self._name = f"{watch.name}/{Lane.PROBE}"
        self._failures = 0

    async def run(self) -> None:
        """Probe until cancelled."""
        instance = self._watch.instance
        plan = schedule.first(self._name, instance.probe_interval, self._watch.clock.monotonic(), self._name)
        try:
            while True:
                self._heartbeats.beat(self._name, instance.connect_timeout + GRACE_SECONDS)
                password = secret_version(instance.monitor)
                reason = await self._login()
                now = self._watch.clock.monotonic()
                plan = schedule.after(plan, now, 0.0)
                wait = plan.due_at - now if reason is None else self._wait_after(reason)
                self._heartbeats.beat(self._name, wait + GRACE_SECONDS)
                await self._rest(wait, reason, password)
        finally:
            self._heartbeats.forget(self._name)

    async def _login(self) -> Reason | None:
        """One fresh login, one ping. The reason where it failed."""
        try:
            async with self._place, self._logins:
                connect_seconds, ping_seconds, not_after = await self._timed()
        except EngineError as error:
            self._failures += 1
            self._watch.login_failed(error)
            return error.reason
        self._failures = 0
        self._watch.login_succeeded({PHASE: connect_seconds}, ping_seconds, not_after)
        return None

    async def _timed(self) -> tuple[float, float, float | None]:
        clock = self._watch.clock
        started = clock.monotonic()
        session = await self._engine.connect(self._watch.instance, Lane.PROBE)
        try:
            connected = clock.monotonic()
            await session.ping()
            seen = connected - started, clock.monotonic() - connected, session.certificate_not_after
            self._watch.may(await asking.read_rights(self._engine, self._watch.catalogue, session))
            return seen
        finally:
            await session.close()

    def _wait_after(self, reason: Reason) -> float:
        if reason is Reason.AUTH:
            return schedule.AUTH_BACKOFF_SECONDS
        return schedule.backoff(self._failures, schedule.phase(f"{self._name}/{self._failures}", 1.0))

    async def _rest(self, wait_seconds: float, reason: Reason | None, password: object) -> None:
        """Wait; cut short by a lane that lost its session, or by a new password after an auth failure."""
        if reason is Reason.AUTH:
            await self._rest_until_password_changes(wait_seconds, password)
            return
        await asyncio.sleep(min(wait_seconds, SHORTEST_GAP_SECONDS))
        rest = wait_seconds - SHORTEST_GAP_SECONDS
        if rest > 0 and reason is None:
            self._watch.look_again.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(rest):
                    await self._watch.look_again.wait()
        elif rest > 0:
            await asyncio.sleep(rest)

    async def _rest_until_password_changes(self, wait_seconds: float, refused: object) -> None:
        """`refused`: the version of the file as it was before the login, during which it may have changed."""
        for _ in range(round(wait_seconds / SECRET_CHECK_SECONDS)):
            if secret_version(self._watch.instance.monitor) != refused:
                return
            await asyncio.sleep(SECRET_CHECK_SECONDS)
