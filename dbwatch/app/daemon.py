"""The life of the process: one TaskGroup; what must live dies loudly, what watches a server is supervised."""

from __future__ import annotations

import asyncio
import gc
import importlib
import os
import signal
import threading
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import structlog

from dbwatch import __version__, history
from dbwatch.app import pulse, restarting
from dbwatch.app.backups import Backing, Lent
from dbwatch.app.fleet import Fleet
from dbwatch.app.notify import notify, reloading
from dbwatch.app.world import Flags, World, build
from dbwatch.clock import SystemClock
from dbwatch.core.alerting.view import NOT_STARTED
from dbwatch.errors import ConfigError, ControlError
from dbwatch.http.doors import Doors
from dbwatch.http.own_metrics import OwnMetrics
from dbwatch.http.server import serve
from dbwatch.poller.poller import Surroundings
from dbwatch.store import Store
from dbwatch.tasks import Heartbeats, config_errors_alone

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from dbwatch.app.alerting import Alerting
    from dbwatch.app.rulebook import Rulebook
    from dbwatch.history import History

log = structlog.get_logger()
STOP_AT_THE_LATEST_SECONDS = 4.5
FAILED = 1
# With Python's own (700, 10, 10) and 200 instances, collections took a tenth of a core, and every few seconds one that
# walks through everything held up the event loop for 0.3 s. What we leave is nearly all freed by counting references.
GARBAGE_THRESHOLDS = (10_000, 10, 200)
STILL_IN_USE = "the old configuration is still in use; the new one has faults:"


async def run(
    config: Path,
    *,
    flags: Flags | None = None,
    environ: Mapping[str, str] | None = None,
    on_started: Callable[[Store], None] | None = None,
    stop: asyncio.Event | None = None,
) -> int:
    """Watch until SIGTERM, SIGINT or `stop`. Raise ConfigError or DbwatchError where it cannot start.

    Who gives a `stop` has more to end than the daemon: the process is then not ended for it, however long that takes.
    """
    daemon = Daemon(config, flags or Flags(), os.environ if environ is None else environ, stop)
    with config_errors_alone():
        return await daemon.run(on_started)


class Daemon:
    """One run of the application."""

    def __init__(self, config: Path, flags: Flags, environ: Mapping[str, str], stop: asyncio.Event | None) -> None:
        self._config = config
        self._flags = flags
        self._environ = environ
        self._stop = stop or asyncio.Event()
        self._is_alone = stop is None  # in its process
        self._reload = asyncio.Event()
        self._reloading = asyncio.Lock()
        self._clock = SystemClock()
        self._heartbeats = Heartbeats(self._clock.monotonic)
        self._own = OwnMetrics()
        self._world = build(config, environ, flags)
        self._started_with = self._world.settings
        self._store = Store(self._world.catalogue.families)
        self._fleet: Fleet | None = None
        self._alerting: Alerting | None = None
        self._backing = Backing(self._world, Lent(self._store, self._own, self._clock))
        self._stopping = False
        self._is_started = False
        self._was_ready = False

    async def run(self, on_started: Callable[[Store], None] | None) -> int:
        settings = self._world.settings
        self._own.reloaded(successful=True, now=self._clock.time())
        async with AsyncExitStack() as stack:
            past = await stack.enter_async_context(history.opened(settings.state_directory))
            await stack.enter_async_context(
                serve(settings.http, self._store, self._doors(past), self._own, control_socket=settings.control_socket)
            )
            rules = await asyncio.to_thread(_rulebook_of, self._world)
            async with asyncio.TaskGroup() as group:
                self._fleet = Fleet(group, self._surroundings(past))
                self._alerting = self._made_alerting(rules, past, self._fleet)
                side = [
                    group.create_task(self._alerting.run(), name="alerting"),
                    group.create_task(pulse.measure_lag(self._own, self._clock), name="loop lag"),
                    group.create_task(
                        pulse.tidy(self._store, self._own, self._clock, self._each_second(past)), name="tidy"
                    ),
                    group.create_task(pulse.feed_watchdog(self._heartbeats), name="watchdog"),
                    group.create_task(self._reload_on_signal(), name="reload"),
                ]
                self._listen_to_signals()
                await self._fleet.become(self._world)
                group.create_task(self._backing.open(group, past), name="backups")
                self._publish_thresholds(rules)
                self._started(on_started)
                await self._stop.wait()
                await self._stopped(side)
        log.info("stopped")
        return 0

    def _surroundings(self, past: History) -> Surroundings:
        return Surroundings(
            store=self._store,
            clock=self._clock,
            logins=asyncio.Semaphore(self._world.settings.max_concurrent_connects),
            heartbeats=self._heartbeats,
            on_lateness=self._own.lateness,
            on_crash=lambda task: self._own.crashed(task.partition(" ")[0]),
            in_maintenance=lambda name: past.in_maintenance(name, self._clock.time()),
        )

    def _each_second(self, past: History) -> Callable[[], None]:
        """Windows open and close by the clock: tell it when they do."""
        known: dict[str, bool] = {}

        def look() -> None:
            now = {
                state.identity.db_instance: past.in_maintenance(state.identity.db_instance, self._clock.time())
                for state in self._store.states()
            }
            if now != known and self._fleet is not None:
                self._fleet.publish()
            known.clear()
            known.update(now)

        return look

    def _doors(self, past: History) -> Doors:
        return Doors(
            reload=self.reload,
            ready=self._why_not_ready,
            healthy=lambda: ", ".join(self._heartbeats.late()),
            alerts=lambda: self._alerting.board() if self._alerting else NOT_STARTED,
            backups=self._backing.board,
            commands={
                **history.commands(past, lambda: self._world.settings),
                **self._backing.commands(),
                "reload": self._reload_command,
            },
        )

    def _why_not_ready(self) -> str:
        if self._stopping:
            return "stopping"
        if not self._is_started:
            return "starting"
        if self._was_ready:  # a reload that adds an instance must not take the scrapes of the others away
            return ""
        waiting = [state.identity.db_instance for state in self._store.states() if state.up is None]
        self._was_ready = not waiting
        return f"not yet probed: {', '.join(waiting[:10])}" if waiting else ""

    def _started(self, on_started: Callable[[Store], None] | None) -> None:
        self._is_started = True
        settings = self._world.settings
        watched = len(settings.watched)
        notify("READY=1", f"STATUS=watching {watched} instances")
        # What start-up made lives as long as the process: a full collection that walks through all of it would only
        # hold up the event loop.
        gc.collect()
        gc.freeze()
        gc.set_threshold(*GARBAGE_THRESHOLDS)
        gc.enable()
        log.info("started", version=__version__, instances=watched, listen=list(settings.http.listen_addresses))
        if on_started is not None:
            on_started(self._store)

    # --- reload ---

    async def reload(self) -> tuple[str, ...]:
        """Build the new world whole, then swap: the keys that wait for a restart.

        On ConfigError the old one runs on and the metric says so.
        """
        async with self._reloading:
            reloading()
            try:
                return await self._swap(*await asyncio.to_thread(self._build))
            except ConfigError as error:
                self._reload_failed(error)
                raise
            finally:
                if not self._stopping:  # READY after STOPPING would be a contradiction
                    notify("READY=1", f"STATUS=watching {len(self._world.settings.watched)} instances")

    def _build(self) -> tuple[World, Rulebook]:
        world = build(self._config, self._environ, self._flags)
        return world, _rulebook_of(world)

    def _made_alerting(self, rules: Rulebook, past: History, fleet: Fleet) -> Alerting:
        from dbwatch.app.alerting import Alerting, Lent

        lent = Lent(self._store, self._own, past, self._clock, self._heartbeats, fleet.look)
        return Alerting(self._world, rules, lent)

    def _publish_thresholds(self, rules: Rulebook) -> None:
        from dbwatch.app import thresholds

        thresholds.publish(self._world.settings, rules.thresholds, self._store, self._clock.monotonic())

    async def _swap(self, world: World, rules: Rulebook) -> tuple[str, ...]:
        if self._fleet is not None and not self._stopping:
            await self._fleet.become(world)
        if self._alerting is not None:
            self._alerting.become(world, rules)
        await self._backing.become(world)
        self._world = world
        self._publish_thresholds(rules)
        self._own.reloaded(successful=True, now=self._clock.time())
        log.info("reloaded", instances=len(world.settings.watched))
        return restarting.waiting(self._started_with, world.settings)

    def _reload_failed(self, error: ConfigError) -> None:
        """No traceback: whoever mends the file needs the lines, not where we read them."""
        self._own.reloaded(successful=False, now=self._clock.time())
        if self._alerting is not None:
            self._alerting.reload_error = str(error)
        log.error("reload_failed", faults=[str(fault) for fault in error.faults])

    async def _reload_on_signal(self) -> None:
        while True:
            await self._reload.wait()
            self._reload.clear()
            try:
                await self.reload()
            except ConfigError:
                continue  # told by reload()

    async def _reload_command(self, _: dict[str, object]) -> object:
        try:
            waiting = await self.reload()
        except ConfigError as error:
            raise ControlError(f"{STILL_IN_USE}\n{error}") from None
        left_out = self._alerting.left_out if self._alerting is not None else ()
        return {
            "instances": len(self._world.settings.watched),
            "left_out": [f"{name}: {why}" for name, why in left_out],
            "restart_needed": list(waiting),
        }

    # --- stop ---

    def _listen_to_signals(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            return
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._asked_to_stop)
        loop.add_signal_handler(signal.SIGHUP, self._reload.set)

    def _asked_to_stop(self) -> None:
        """The first signal stops in order; the second one, or a thread that hangs in a driver, stops at once."""
        if self._stop.is_set():
            os._exit(FAILED)
        self._stop.set()
        if not self._is_alone:
            return
        guard = threading.Timer(STOP_AT_THE_LATEST_SECONDS + self._backing.stop_seconds, os._exit, (FAILED,))
        guard.daemon = True
        guard.start()

    async def _stopped(self, side: list[asyncio.Task[None]]) -> None:
        self._stopping = True
        notify("STOPPING=1", "STATUS=stopping")
        log.info("stopping")
        await self._backing.stop()  # while the rest goes on: jobs have their grace
        for task in side:  # alerting first: instances that leave the page are not alerts that end
            task.cancel()
        if self._fleet is not None:
            await self._fleet.end()


def _rulebook_of(world: World) -> Rulebook:
    """Imported here, as all of alerting is: a first scrape need not wait for it. Raise ConfigError."""
    importlib.import_module("dbwatch.app.alerting")  # in the thread of who calls, so that the event loop need not
    from dbwatch.app import rulebook

    return rulebook.read(world)
