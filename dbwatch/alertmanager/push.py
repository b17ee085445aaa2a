"""Tells every replica of Alertmanager what fires: at once when it changes, and again each interval.

Each replica has a task of its own, so that one that is down or slow delays no other. Alertmanager forgets what is not
told anew, so nothing is kept on disk: after a restart the next evaluation tells everything.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import structlog

from dbwatch.alertmanager import client
from dbwatch.alertmanager.payload import batches, is_told
from dbwatch.core.alerting.figures import PushFigures
from dbwatch.core.alerting.model import AlertState
from dbwatch.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import aiohttp

    from dbwatch.core.alerting.model import Alert
    from dbwatch.settings.alerting import AlertmanagerPush

log = structlog.get_logger()

PATH = "/api/v2/alerts"
FIRST_RETRY_SECONDS = 5.0


@dataclass
class Replica:
    """One Alertmanager, and how it went with it."""

    url: str
    figures: PushFigures
    error: str = ""
    failures_in_a_row: int = 0
    news: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def name(self) -> str:
        return self.figures.replica

    def went_well(self, now: float) -> None:
        if self.error:
            log.info("alertmanager_answers_again", replica=self.name, failures=self.failures_in_a_row)
        self.error, self.failures_in_a_row = "", 0
        self.figures = replace(self.figures, last_success_at=now)

    def failed(self, error: str) -> None:
        """Told once, not each time."""
        if error != self.error:
            log.warning("alertmanager_push_failed", replica=self.name, error=error)
        self.error, self.failures_in_a_row = error, self.failures_in_a_row + 1
        self.figures = replace(self.figures, failures_total=self.figures.failures_total + 1)

    def pause_seconds(self, interval_seconds: float) -> float:
        if not self.error:
            return interval_seconds
        return float(min(interval_seconds, FIRST_RETRY_SECONDS * 2 ** min(self.failures_in_a_row - 1, 10)))


class Pusher:
    """`tell` it what is so after each evaluation; `run` it as a task for as long as its settings hold."""

    def __init__(self, push: AlertmanagerPush, *, now: Callable[[], float], page_url: str = "") -> None:
        self._push = push
        self._now = now
        self._page_url = page_url
        self._alerts: Mapping[str, Alert] = {}
        self._replicas = tuple(Replica(url, PushFigures(url.partition("://")[2])) for url in dict.fromkeys(push.urls))

    @property
    def figures(self) -> tuple[PushFigures, ...]:
        return tuple(replica.figures for replica in self._replicas)

    @property
    def errors(self) -> Mapping[str, str]:
        """Why the last attempt failed, by replica; none that works."""
        return {replica.name: replica.error for replica in self._replicas if replica.error}

    def tell(self, alerts: Iterable[Alert]) -> None:
        """Everything that is so now. What fired and is not among it any more has resolved, for who reads elsewhere."""
        now = self._now()
        current = {alert.fingerprint: alert for alert in alerts if is_told(alert, now)}
        gone = {name: _ended(alert, now) for name, alert in self._alerts.items() if name not in current}
        current |= {name: alert for name, alert in gone.items() if is_told(alert, now)}
        is_new = _states(current) != _states(self._alerts)
        self._alerts = current
        for replica in self._replicas if is_new else ():
            replica.news.set()

    async def run(self) -> None:
        """Until cancelled."""
        async with client.session(self._push.timeout) as asking, asyncio.TaskGroup() as group:
            for replica in self._replicas:
                group.create_task(self._keep_telling(asking, replica), name=f"alertmanager {replica.name}")

    async def _keep_telling(self, asking: aiohttp.ClientSession, replica: Replica) -> None:
        while True:
            replica.news.clear()
            if error := await self._tell_all(asking, replica):
                replica.failed(error)
            else:
                replica.went_well(self._now())
            with suppress(TimeoutError):
                async with asyncio.timeout(replica.pause_seconds(self._push.interval)):
                    await replica.news.wait()

    async def _tell_all(self, asking: aiohttp.ClientSession, replica: Replica) -> str:
        """Why it failed, or an empty text. Nothing to tell is told too: it proves that the replica would hear."""
        try:
            headers, trusted = client.authorization(self._push), client.trust(self._push)
        except ConfigError as error:
            return str(error)
        told = batches(self._alerts.values(), self._now(), self._push.interval, self._page_url)
        for batch in told or [()]:
            if failure := await client.post(asking, replica.url + PATH, batch, headers, trusted=trusted):
                return failure
        return ""


def _ended(alert: Alert, now: float) -> Alert:
    if alert.state is AlertState.RESOLVED:
        return alert
    return replace(alert, state=AlertState.RESOLVED, resolved_at=now)


def _states(alerts: Mapping[str, Alert]) -> dict[str, tuple[AlertState, float | None]]:
    return {name: (alert.state, alert.fired_at) for name, alert in alerts.items()}
