"""Alerting as the daemon holds it: rules, outbox, Alertmanager and heartbeat, born and changed together."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from dbwatch import mailer
from dbwatch.alertmanager.heartbeat import Pulse
from dbwatch.alertmanager.push import Pusher
from dbwatch.alerts.office import NAME, Around, Office, Orders
from dbwatch.alerts.pictures import DIRECTORY, Photographer
from dbwatch.alerts.policies import policy_of
from dbwatch.alerts.ruling import Ruling
from dbwatch.alerts.telling import Teller
from dbwatch.app import board
from dbwatch.core.alerting.figures import AlertingFigures, HeartbeatFigures
from dbwatch.core.alerting.model import AlertState
from dbwatch.core.alerting.view import AlertBoard, RulesStatus
from dbwatch.mailer.sender import Sender
from dbwatch.tasks import supervise

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection

    from dbwatch.alerts.pictures import Look
    from dbwatch.app.rulebook import Rulebook
    from dbwatch.app.world import World
    from dbwatch.clock import Clock
    from dbwatch.core.alerting.model import Alert, Letter, Pairs
    from dbwatch.core.alerting.muting import Muting
    from dbwatch.history import History
    from dbwatch.http.own_metrics import OwnMetrics
    from dbwatch.mailer.delivery import Courier
    from dbwatch.store import Store
    from dbwatch.tasks import Heartbeats

log = structlog.get_logger()
ANNOUNCED = frozenset({"maintenance", "silence"})  # what Alertmanager does not know of by itself


@dataclass(frozen=True, slots=True)
class Lent:
    """What the daemon lends."""

    store: Store
    own: OwnMetrics
    past: History
    clock: Clock
    heartbeats: Heartbeats
    look: Look


class Alerting:
    """`run` it as a task; `become` another world at a reload."""

    def __init__(self, world: World, rulebook: Rulebook, lent: Lent) -> None:
        self._world = world
        self._own = own = lent.own
        self._past = past = lent.past
        self._store = lent.store
        self._clock = clock = lent.clock
        self._heartbeats = heartbeats = lent.heartbeats
        self._ruling = Ruling(lent.store, own.samples)
        self.sender = Sender(past.outbox, _courier(world), clock=clock.time, jitter=random.random)
        self._teller = Teller(past, self.sender, rulebook.composer, self._facts)
        photographer = Photographer(lent.look, world.settings.state_directory / DIRECTORY)
        around = Around(clock, heartbeats, self._maintenance, self._looked)
        self._office = Office(self._ruling, self._teller, photographer, around)
        self._pusher: Pusher | None = None
        self._pulse: Pulse | None = None
        self._group: asyncio.TaskGroup | None = None
        self._is_sending = False
        self.reload_error = ""  # why the files on disk are not in use
        self._side: dict[str, asyncio.Task[None]] = {}
        self._adopt(world, rulebook)
        own.alerting.figures = self.figures

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            group.create_task(self._office.run(), name=NAME)
            self._start_outbox()
            self._start_side(self._world)

    def become(self, world: World, rulebook: Rulebook) -> None:
        """From the next step on."""
        before, self._world = self._world, world
        self.reload_error = ""
        self._teller.composer = rulebook.composer
        if before.settings.mail != world.settings.mail:
            self.sender.configure(_courier(world))
        self._start_outbox()
        self._adopt(world, rulebook)
        changed = [name for name in ("alertmanager", "heartbeat") if _of(before, name) != _of(world, name)]
        if changed and self._group is not None:
            self._start_side(world)

    def _adopt(self, world: World, rulebook: Rulebook) -> None:
        alerting = world.settings.alerting
        self._ruling.become(rulebook.rules)
        policy = policy_of(world.settings, rulebook.inhibitions)
        self._office.obey(Orders(policy, alerting.evaluation_interval, alerting.pictures))

    def _start_outbox(self) -> None:
        """Once there is a relay. It is not supervised: letters that wait for ever are worse than a restart."""
        if self._group is not None and not self._is_sending and self._world.settings.mail.relays:
            self._group.create_task(self.sender.run(), name="outbox")
            self._is_sending = True

    def _start_side(self, world: World) -> None:
        """Whoever is told over HTTP; a change begins anew."""
        for task in self._side.values():
            task.cancel()
        self._side.clear()
        settings = world.settings
        self._pusher = self._pulse = None
        if settings.alerting.pushes:
            page_url = settings.alerting.page_url
            self._pusher = Pusher(settings.alertmanager, now=self._clock.time, page_url=page_url)
            self._start("alertmanager", self._pusher.run)
        if settings.heartbeat.is_wanted:
            self._pulse = Pulse(settings.heartbeat, is_well=self._is_well, now=self._clock.time)
            self._start("heartbeat", self._pulse.run)

    def _start(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        if self._group is not None:
            self._side[name] = self._group.create_task(supervise(name, work, self._own.crashed), name=name)

    def _is_well(self) -> bool:
        """What a dead man's switch should hear of: rules are looked at, and letters leave."""
        mail = board.mail_status(self._world.settings.alerting.notify, self.sender, (), {})
        return not self._heartbeats.late() and not mail.is_stuck(self._clock.time())

    def _maintenance(self, now: float) -> dict[str, float | None]:
        return {window.instance: window.ends_at for window in self._past.windows(now) if window.is_open(now)}

    def _looked(self, alerts: Collection[Alert], muted: Muting) -> None:
        if self._pusher is not None:
            hidden = {mark for mark, mute in muted.reasons.items() if mute.reason in ANNOUNCED}
            told = [alert for alert in alerts if alert.state is not AlertState.PENDING]
            self._pusher.tell([alert for alert in told if alert.fingerprint not in hidden])

    def _facts(self, letter: Letter) -> Pairs:
        counts = (("instances", str(len(self._world.settings.watched))), ("rules", str(self._ruling.count)))
        return (*counts, *board.unreachable(letter, self._store.states()))

    def board(self) -> AlertBoard:
        """What a page shows."""
        replicas = self._pusher.figures if self._pusher else ()
        errors = self._pusher.errors if self._pusher else {}
        mail = board.mail_status(self._world.settings.alerting.notify, self.sender, replicas, errors)
        rules = RulesStatus(
            count=self._ruling.count,
            evaluated_at=self._office.evaluated_at,
            took_seconds=self._office.took_seconds or 0.0,
            interval_seconds=self._office.interval_seconds,
            failing=tuple(sorted(self._ruling.failing.items())),
            left_out=self.left_out,
            reload_error=self.reload_error,
        )
        return board.board(self._office, self._past, mail, rules=rules, now=self._clock.time())

    @property
    def left_out(self) -> tuple[tuple[str, str], ...]:
        """The rules that cannot run here, and why."""
        return tuple(sorted(self._ruling.left_out.items()))

    def figures(self) -> AlertingFigures:
        """What the process says of its alerting; mail's only where it mails."""
        pulse = self._pulse
        return AlertingFigures(
            rules=self._office.figures(),
            mail=self.sender.figures if self._world.settings.alerting.mails else None,
            replicas=self._pusher.figures if self._pusher else (),
            heartbeat=HeartbeatFigures(pulse.failures_total, pulse.last_success_at) if pulse else None,
        )


def _courier(world: World) -> Courier:
    return mailer.courier(world.settings.mail)


def _of(world: World, section: str) -> object:
    """All that its task is made of."""
    alerting = world.settings.alerting
    return (getattr(world.settings, section), alerting.page_url, alerting.notify)
