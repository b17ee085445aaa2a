"""Dead man's switch: an address elsewhere is asked while all is well; who hears nothing any more raises the alarm."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from dbwatch.alertmanager import client
from dbwatch.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    import aiohttp

    from dbwatch.settings.alerting import Heartbeat

log = structlog.get_logger()


class Pulse:
    """`run` it as a task for as long as its settings hold; silent for as long as `is_well` says no."""

    def __init__(self, heartbeat: Heartbeat, *, is_well: Callable[[], bool], now: Callable[[], float]) -> None:
        self._heartbeat = heartbeat
        self._is_well = is_well
        self._now = now
        self.last_success_at: float | None = None
        self.failures_total = 0
        self.error = ""  # why the last attempt failed, without the address

    async def run(self) -> None:
        """Until cancelled."""
        async with client.session(self._heartbeat.timeout) as asking:
            while True:
                if self._is_well():
                    self._note(await self._beat(asking))
                await asyncio.sleep(self._heartbeat.interval)

    async def _beat(self, asking: aiohttp.ClientSession) -> str:
        try:
            url = client.heartbeat_url(self._heartbeat)
        except ConfigError as error:
            return str(error)
        return await client.get(asking, url)

    def _note(self, error: str) -> None:
        """Told once, not each time."""
        if error and error != self.error:
            log.warning("heartbeat_failed", error=error)
        elif self.error and not error:
            log.info("heartbeat_heard_again")
        self.error = error
        self.failures_total += bool(error)
        if not error:
            self.last_success_at = self._now()
