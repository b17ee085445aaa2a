"""The loop of alerting: at each step the rules are looked at, states are kept, and what is due is told.

The truth is held here, in memory; the history holds the same for the next process. Where the disk refuses, alerting
goes on from memory and says so.
"""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from dbwatch.core.alerting.deciding import decide
from dbwatch.core.alerting.figures import RuleFigures
from dbwatch.core.alerting.memory import recalled
from dbwatch.core.alerting.model import AlertState
from dbwatch.core.alerting.muting import Muting, muting
from dbwatch.core.alerting.policy import Policy
from dbwatch.core.alerting.states import restored, shifted

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from dbwatch.alerts.pictures import Photographer
    from dbwatch.alerts.ruling import Ruling
    from dbwatch.alerts.telling import Teller
    from dbwatch.clock import Clock
    from dbwatch.core.alerting.model import Alert
    from dbwatch.tasks import Heartbeats

log = structlog.get_logger()
NAME = "rules"
GRACE_SECONDS = 60.0
JUMP_SECONDS = 5.0  # clocks drift less between two steps: more was set by somebody


@dataclass(frozen=True, slots=True)
class Orders:
    """What a reload may change."""

    policy: Policy
    interval_seconds: float = 15.0
    pictures: bool = True


@dataclass(frozen=True, slots=True)
class Around:
    """What the application lends: `maintenance` gives the instances with an open window and its end, if it has one."""

    clock: Clock
    heartbeats: Heartbeats
    maintenance: Callable[[float], Mapping[str, float | None]]
    on_look: Callable[[Collection[Alert], Muting], None]


class Office:
    """Runs until cancelled. A bug in it ends the daemon: alerting that has quietly died is worse."""

    def __init__(self, ruling: Ruling, teller: Teller, photographer: Photographer, around: Around) -> None:
        self._ruling = ruling
        self._teller = teller
        self._photographer = photographer
        self._around = around
        self._clock = clock = around.clock
        self._orders = Orders(Policy())
        self._changed = asyncio.Event()
        self._began = clock.monotonic()
        self._offset = clock.time() - self._began
        self._step_at = self._began
        self._wake_at = math.inf
        self.alerts: dict[str, Alert] = {}
        self.muted = Muting()
        self.evaluated_at: float | None = None
        self.took_seconds: float | None = None
        book = teller.past.alerts
        self._memory, problem = recalled(book.memory)
        if problem:
            log.error("memory_of_letters_lost", problem=problem)
        if book.looked_at is not None:
            self.alerts = restored(book.alerts, book.looked_at, clock.time())

    @property
    def interval_seconds(self) -> float:
        return self._orders.interval_seconds

    def obey(self, orders: Orders) -> None:
        """From the next step on."""
        self._orders = orders
        self._step_at = self._clock.monotonic()
        self._changed.set()

    def figures(self) -> RuleFigures:
        """What is told of the rules on the page of metrics."""
        counted = Counter((str(alert.state), str(alert.severity)) for alert in self.active())
        return RuleFigures(
            evaluated_at=self.evaluated_at,
            took_seconds=self.took_seconds,
            failures=self._ruling.failures,
            dropped_range_series=self._ruling.dropped_range_series,
            left_out=len(self._ruling.left_out),
            alerts=counted,
        )

    def active(self) -> list[Alert]:
        """Those that are pending or firing."""
        return [alert for alert in self.alerts.values() if alert.state is not AlertState.RESOLVED]

    async def run(self) -> None:
        """Look, tell, rest."""
        try:
            while True:
                self._around.heartbeats.beat(NAME, self._orders.interval_seconds + GRACE_SECONDS)
                if self._clock.monotonic() >= self._step_at:
                    await self._look()
                await self._tell()
                await self._rest()
        finally:
            self._around.heartbeats.forget(NAME)

    async def _look(self) -> None:
        started = self._clock.monotonic()
        self._mind_the_clock(started)
        now = self._clock.time()
        before = self.alerts
        interval = self._orders.interval_seconds
        self.alerts = await self._ruling.look(before, now, started - self._began, interval)
        self.evaluated_at, self.took_seconds = now, self._clock.monotonic() - started
        self._step_at += interval * (math.floor((self._clock.monotonic() - self._step_at) / interval) + 1)
        await self._take_pictures(before, now)

    def _mind_the_clock(self, monotonic: float) -> None:
        """What lasted a minute still has, wherever somebody sets the clock."""
        offset = self._clock.time() - monotonic
        jump, self._offset = offset - self._offset, offset
        if abs(jump) > JUMP_SECONDS:
            log.warning("clock_jumped", seconds=round(jump, 1))
            self.alerts = shifted(self.alerts, jump)

    async def _take_pictures(self, before: Mapping[str, Alert], now: float) -> None:
        if not self._orders.pictures:
            return
        fired = [alert for mark, alert in self.alerts.items() if _has_fired(before.get(mark), alert)]
        for alert in await self._photographer.taken(fired, now):
            self.alerts[alert.fingerprint] = alert

    async def _tell(self) -> None:
        now, book, policy = self._clock.time(), self._teller.past.alerts, self._orders.policy
        open_windows, silences = self._around.maintenance(now), book.silences(now)
        muted = muting(now, self.alerts, self._memory, policy, maintenance=open_windows, silences=silences)
        acknowledged = book.acknowledgements.keys() & {alert.fingerprint for alert in self.active()}
        decision = decide(now, self.alerts, self._memory, policy, muted=muted, acknowledged=acknowledged)
        self.muted = muted
        for mark in decision.forgettable:
            del self.alerts[mark]
        self._memory, self._wake_at = decision.memory, decision.wake_at
        await self._teller.post(now, self.alerts, decision.memory, decision.letters)
        self._around.on_look(list(self.alerts.values()), self.muted)

    async def _rest(self) -> None:
        until_step = self._step_at - self._clock.monotonic()
        wait = max(0.0, min(until_step, self._wake_at - self._clock.time()))
        with suppress(TimeoutError):
            async with asyncio.timeout(wait):
                await self._changed.wait()
        self._changed.clear()


def _has_fired(before: Alert | None, alert: Alert) -> bool:
    is_firing = alert.state is AlertState.FIRING
    return is_firing and (before is None or before.state is not AlertState.FIRING)
