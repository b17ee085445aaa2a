"""The watchdog in virtual time: it is fed while every supervised task makes progress, and only then."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, cast

import pytest

from dbwatch.app import pulse
from dbwatch.app.notify import notify, watchdog_seconds
from dbwatch.poller.poller import InstancePoller, Surroundings
from dbwatch.settings.models import Credentials, PostgresInstance
from dbwatch.store import Store
from dbwatch.tasks import Heartbeats
from tests.fakes import FakeEngine
from tests.fix_life import Notifications, Stopwatch, notifications
from tests.unit.test_poller import small_catalogue
from tests.virtual_time import VirtualLoop, run

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from dbwatch.core.model import Lane
    from dbwatch.engines.base import Purpose
    from dbwatch.settings.models import Instance
    from tests.fakes import FakeSession

PERIOD_SECONDS = 20.0


class HungEngine(FakeEngine):
    """Its login never ends, deadline or not: what a deadlock in our own code looks like from outside."""

    hangs = False

    async def connect(
        self, instance: Instance, lane: Lane, *, database: str | None = None, purpose: Purpose = "monitor"
    ) -> FakeSession:
        if self.hangs:
            await asyncio.Event().wait()
        return await super().connect(instance, lane, database=database, purpose=purpose)


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Notifications]:
    monkeypatch.setenv("WATCHDOG_USEC", str(int(PERIOD_SECONDS * 1e6)))
    with notifications(str(tmp_path / "notify")) as ear:
        monkeypatch.setenv("NOTIFY_SOCKET", ear.address)
        yield ear


@asynccontextmanager
async def fed(engine: FakeEngine) -> AsyncIterator[Heartbeats]:
    """One instance under a real poller, and the watchdog fed for it."""
    loop = cast("VirtualLoop", asyncio.get_running_loop())
    heartbeats, known = Heartbeats(loop.monotonic), small_catalogue()
    around = Surroundings(
        store=Store(known.families),
        clock=loop,
        logins=asyncio.Semaphore(8),
        heartbeats=heartbeats,
        on_lateness=lambda _: None,
        on_crash=lambda _: None,
        in_maintenance=lambda _: False,
    )
    instance = PostgresInstance(name="pg1", engine="postgres", monitor=Credentials(user="dbwatch"))
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(InstancePoller(instance, engine, known, around).run(), name="poller"),
            group.create_task(pulse.feed_watchdog(heartbeats), name="watchdog"),
        ]
        yield heartbeats
        for task in tasks:
            task.cancel()


async def pass_time(seconds: float, ear: Notifications) -> int:
    """Let time pass, and read as systemd does: how often the watchdog has been fed by now."""
    for _ in range(round(seconds / PERIOD_SECONDS)):
        await asyncio.sleep(PERIOD_SECONDS)
        ear.heard()
    return ear.lines().count("WATCHDOG=1")


def test_the_watchdog_is_fed_twice_a_period_while_all_goes_well(systemd: Notifications) -> None:
    async def scene() -> None:
        async with fed(FakeEngine()):
            assert 3600 / PERIOD_SECONDS * 2 == pytest.approx(await pass_time(3600, systemd), abs=2)

    run(scene())


def test_a_server_that_is_silent_or_refuses_is_no_reason_to_be_restarted(systemd: Notifications) -> None:
    async def scene() -> None:
        engine = FakeEngine()
        async with fed(engine) as heartbeats:
            await pass_time(600, systemd)
            engine.silent = True
            assert 4200 / PERIOD_SECONDS * 2 == pytest.approx(await pass_time(3600, systemd), abs=2)
            assert [] == heartbeats.late()

    run(scene())


def test_a_supervised_task_that_hangs_starves_the_watchdog(systemd: Notifications) -> None:
    async def scene() -> None:
        engine = HungEngine()
        async with fed(engine) as heartbeats:
            assert 0 < await pass_time(120, systemd)
            engine.hangs = True
            before = await pass_time(120, systemd)
            assert "pg1/probe" in heartbeats.late()
            assert before == await pass_time(600, systemd)

    run(scene())


def test_without_systemd_nothing_is_asked_and_nothing_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    monkeypatch.delenv("WATCHDOG_USEC", raising=False)

    notify("READY=1")

    assert None is watchdog_seconds()


@pytest.mark.parametrize("usec", ["", "0", "-5", "soon", "1.5"])
def test_a_period_that_is_none_switches_the_watchdog_off(usec: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", usec)

    assert None is watchdog_seconds()


def test_a_listener_that_never_reads_stops_the_loop_for_a_tenth_of_a_second_at_most(systemd: Notifications) -> None:
    watch = Stopwatch()

    for _ in range(2000):
        notify("STATUS=" + "x" * 1000)
        if watch.seconds > 0.1:
            break

    assert watch.seconds < 2.0
    assert systemd.heard()
