"""Pushing and the heartbeat against real HTTP servers on loopback: faults are data, and one replica delays no other."""

from __future__ import annotations

import asyncio
import base64
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web

from dbwatch.alertmanager import client
from dbwatch.alertmanager.heartbeat import Pulse
from dbwatch.alertmanager.payload import BATCH, rfc3339
from dbwatch.alertmanager.push import Pusher, Replica
from dbwatch.core.alerting.figures import PushFigures
from dbwatch.core.alerting.model import Alert, AlertState, pairs
from dbwatch.settings.alerting import AlertmanagerPush, Heartbeat

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine
    from pathlib import Path

SECRET = "canaryhunter2"
PATIENCE_SECONDS = 20.0


class Listener:
    """Stands for one Alertmanager, or for a dead man's switch."""

    def __init__(self) -> None:
        self.posts: list[list[dict[str, Any]]] = []
        self.headers: list[dict[str, str]] = []
        self.heard_at = 0.0
        self.status = 200
        self.hangs = False
        self.url = ""

    async def handle(self, request: web.Request) -> web.Response:
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        if request.method == "POST":
            self.heard_at = time.time()
            self.posts.append(await request.json())
        if self.hangs:
            await asyncio.sleep(PATIENCE_SECONDS * 2)
        return web.Response(status=self.status, headers={"Location": self.url} if self.status in {301, 302} else {})

    @property
    def told(self) -> list[str]:
        """`NAME` of what fires and `-NAME` of what ended, in the last post."""
        heard_at = rfc3339(self.heard_at)
        return [
            ("" if each["endsAt"] > heard_at else "-") + each["labels"]["alertname"]
            for each in (self.posts[-1] if self.posts else [])
        ]


@asynccontextmanager
async def listening() -> AsyncIterator[Listener]:
    listener = Listener()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", listener.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    listener.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield listener
    finally:
        await runner.cleanup()


@asynccontextmanager
async def running(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as group:
        task = group.create_task(work, name="under test")
        try:
            yield
        finally:
            task.cancel()


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            if condition():
                return
            await asyncio.sleep(0.01)


def alert(name: str, state: AlertState = AlertState.FIRING, fired_at: float = 100.0) -> Alert:
    resolved_at = time.time() - 2 if state is AlertState.RESOLVED else None
    return Alert(pairs({"alertname": name}), (), state, 1.0, fired_at, time.time(), fired_at, resolved_at)


def pusher(*listeners: Listener | str, **settings: object) -> Pusher:
    urls = [each if isinstance(each, str) else each.url for each in listeners]
    return Pusher(AlertmanagerPush.model_validate({"urls": urls, **settings}), now=time.time)


async def test_every_replica_is_told_at_once_when_something_changes() -> None:
    async with listening() as one, listening() as other:
        push = pusher(one, other, interval="1h")
        async with running(push.run()):
            await until(lambda: one.posts and other.posts)
            assert [[]] == one.posts  # nothing to tell is told, too: it proves that somebody hears
            push.tell([alert("A")])
            await until(lambda: len(one.posts) == len(other.posts) == 2)
            push.tell([alert("A")])  # nothing new
            push.tell([alert("A", AlertState.RESOLVED), alert("B")])
            await until(lambda: len(one.posts) == len(other.posts) == 3)
    assert ["-A", "B"] == one.told == other.told
    assert all(each.last_success_at and not each.failures_total for each in push.figures)


async def test_what_goes_on_is_told_again_each_interval() -> None:
    async with listening() as one:
        push = pusher(one, interval="100ms")
        push.tell([alert("A")])
        async with running(push.run()):
            await until(lambda: len(one.posts) >= 3)
    assert ["A"] == one.told


async def test_what_is_not_told_any_more_has_resolved() -> None:
    async with listening() as one:
        push = pusher(one, interval="1h")
        push.tell([alert("A"), alert("B")])
        push.tell([alert("B")])  # a maintenance window began, or its instance left the configuration
        async with running(push.run()):
            await until(lambda: one.posts)
            assert ["B", "-A"] == sorted(one.told, reverse=True)
            push.tell([alert("B"), alert("A", fired_at=200.0)])
            await until(lambda: len(one.posts) == 2)
    assert {"A", "B"} == set(one.told)


async def test_a_replica_that_is_down_or_hangs_delays_no_other() -> None:
    async with listening() as one, listening() as hanging:
        hanging.hangs = True
        push = pusher("http://127.0.0.1:1", hanging, one, interval="1h", timeout="3s")
        async with running(push.run()):
            await until(lambda: one.posts)
            began = time.monotonic()
            push.tell([alert("A")])
            await until(lambda: ["A"] == one.told)
            assert time.monotonic() - began < 2.5
            await until(lambda: len(push.errors) == 2)
    down, slow, well = push.figures
    assert ("127.0.0.1:1", True, None) == (down.replica, down.failures_total > 0, down.last_success_at)
    assert slow.failures_total
    assert (0, True) == (well.failures_total, well.last_success_at is not None)
    assert {"cannot be reached", "no answer in time"} == set(push.errors.values())


async def test_a_replica_that_refuses_is_a_failure_and_is_tried_again() -> None:
    async with listening() as one:
        one.status = 503
        push = pusher(one, interval="20ms")
        async with running(push.run()):
            await until(lambda: push.figures[0].failures_total >= 2)
            assert ["HTTP 503"] == list(push.errors.values())
            one.status = 200
            await until(lambda: push.figures[0].last_success_at is not None)
    assert {} == push.errors


async def test_a_redirection_is_no_success() -> None:
    async with listening() as one:
        one.status = 302
        push = pusher(one)
        async with running(push.run()):
            await until(lambda: push.errors)
    assert ["HTTP 302"] == list(push.errors.values())
    assert 1 == len(one.headers)


async def test_many_alerts_travel_in_bounded_batches() -> None:
    async with listening() as one:
        push = pusher(one, interval="1h")
        push.tell([alert(f"A{number}") for number in range(BATCH * 3 + 5)])
        async with running(push.run()):
            await until(lambda: push.figures[0].last_success_at)
    assert [BATCH, BATCH, BATCH, 5] == [len(post) for post in one.posts]


def test_after_failures_it_waits_longer_but_never_longer_than_an_interval() -> None:
    replica = Replica("http://x", PushFigures("x"))
    assert 60.0 == replica.pause_seconds(60.0)
    pauses = []
    for _ in range(5):
        replica.failed("HTTP 503")
        pauses.append(replica.pause_seconds(60.0))
    assert [5.0, 10.0, 20.0, 40.0, 60.0] == pauses


async def test_credentials_are_sent_and_read_anew_each_time(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text(f"{SECRET}\n")
    async with listening() as one:
        push = pusher(one, bearer_token_file=token, interval="20ms")
        async with running(push.run()):
            await until(lambda: one.headers)
            assert f"Bearer {SECRET}" == one.headers[0]["authorization"]
            token.write_text("renewed\n")
            await until(lambda: "Bearer renewed" == one.headers[-1]["authorization"])
            token.unlink()
            await until(lambda: push.errors)
        (told,) = push.errors.values()
        assert "bearer_token_file: cannot be read: No such file or directory" == told
        push = pusher(one, basic_auth={"user": "u", "password": SECRET})
        async with running(push.run()):
            await until(lambda: one.headers[-1]["authorization"].startswith("Basic "))
    assert f"u:{SECRET}" == base64.b64decode(one.headers[-1]["authorization"].removeprefix("Basic ")).decode()


async def test_a_certificate_file_that_is_none_is_a_failure_in_words(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    push = pusher("https://127.0.0.1:1", ca_file=tmp_path / "ca.pem")
    async with running(push.run()):
        await until(lambda: push.errors)
    assert ["ca_file: holds no CA certificate in PEM"] == list(push.errors.values())


def pulse(well: list[bool], **settings: object) -> Pulse:
    return Pulse(Heartbeat.model_validate(settings), is_well=lambda: well[0], now=time.time)


async def test_the_heartbeat_is_sent_only_while_all_is_well() -> None:
    well = [False]
    async with listening() as one:
        beating = pulse(well, url=f"{one.url}/{SECRET}", interval="20ms")
        async with running(beating.run()):
            await asyncio.sleep(0.1)
            assert [] == one.headers
            well[0] = True
            await until(lambda: beating.last_success_at)
            well[0] = False
            await asyncio.sleep(0.05)
            count = len(one.headers)
            await asyncio.sleep(0.1)
            assert count == len(one.headers)


async def test_a_heartbeat_that_fails_says_so_without_its_address(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "url"
    file.write_text(f"http://127.0.0.1:1/{SECRET}\n")
    async with listening() as one:
        beating = pulse([True], url_file=file, interval="20ms")
        async with running(beating.run()):
            await until(lambda: beating.error)
            assert "cannot be reached" == beating.error
            file.write_text(f"{SECRET}\n")
            await until(lambda: beating.error == "url_file: is no web address")
            one.status = 404
            file.write_text(f"{one.url}/{SECRET}\n")
            await until(lambda: beating.error == "HTTP 404")
            assert beating.last_success_at is None
            one.status = 200
            await until(lambda: beating.last_success_at)
    told = capsys.readouterr()
    assert SECRET not in told.out + told.err


@pytest.mark.parametrize(
    ("error", "told"),
    [(TimeoutError(), "no answer in time"), (ValueError(SECRET), "the connection broke")],
)
def test_the_words_of_a_failure_hold_no_address(error: Exception, told: str) -> None:
    assert told == client.words(error)
