"""Letters and real mail servers: whatever these do, each letter arrives, or somebody is told why it did not."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import ssl
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dbwatch import history
from dbwatch.history import Record
from dbwatch.mailer.delivery import Delivery
from dbwatch.mailer.pauses import Pauses
from dbwatch.mailer.sender import Sender
from dbwatch.settings.alerting import Mail
from tests.alerting_words import outgoing
from tests.fix_process import free_port
from tests.fix_smtp import PASSWORD, USER, Script, smtp_server
from tests.fix_tls import make_certificates
from tests.patience import Patience

if TYPE_CHECKING:
    from collections.abc import Callable

    from dbwatch.history import History
    from dbwatch.mailer.delivery import Report
    from tests.fix_tls import Certificates

pytestmark = pytest.mark.system
TO = ("a@marseille.example", "b@marseille.example")
MESSAGE = outgoing().message
QUICK = Pauses(0.05, 0.2, 0.2)


def mail(*relays: dict[str, object]) -> Mail:
    plain = {"host": "127.0.0.1", "security": "none", "timeout": "5s"}
    return Mail.model_validate(
        {"from": "dbwatch <dbwatch@marseille.example>", "relays": [{**plain, **each} for each in relays]}
    )


async def delivered(settings: Mail, to: tuple[str, ...] = TO) -> Report:
    delivery = Delivery(settings, "test.example")
    try:
        return await delivery.deliver(to, MESSAGE)
    finally:
        await delivery.close()


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    return make_certificates(tmp_path / "tls")


def server_context(certificates: Certificates) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.server_certificate, certificates.server_key)
    return context


async def test_a_letter_is_taken_for_everybody() -> None:
    script = Script()
    async with smtp_server(script) as port:
        report = await delivered(mail({"port": port}))

    assert (f"127.0.0.1:{port}", {}) == (report.relay, report.refused)
    assert [list(TO)] == script.envelopes


@pytest.mark.parametrize(("answer", "is_permanent"), [("451 busy", False), ("421 later", False), ("550 no", True)])
async def test_what_a_relay_says_to_a_letter_is_kept_with_its_weight(answer: str, *, is_permanent: bool) -> None:
    script = Script(data=[answer])
    async with smtp_server(script) as port:
        report = await delivered(mail({"port": port}))

    assert {(answer, is_permanent)} == {(each.error, each.is_permanent) for each in report.refused.values()}
    assert report.is_reached


async def test_only_who_was_refused_is_told_of() -> None:
    script = Script(recipients={TO[0]: "550 unknown", "c@marseille.example": "450 full"})
    async with smtp_server(script) as port:
        report = await delivered(mail({"port": port}), (*TO, "c@marseille.example"))

    assert {TO[0]: True, "c@marseille.example": False} == {to: each.is_permanent for to, each in report.refused.items()}
    assert [[TO[1]]] == script.envelopes


async def test_the_second_relay_takes_over_and_nobody_gets_it_twice() -> None:
    first, second = Script(recipients={TO[0]: "450 not now"}), Script()
    async with smtp_server(first) as one, smtp_server(second) as two:
        report = await delivered(mail({"port": free_port()}, {"port": one}, {"port": two}))

    assert ({}, f"127.0.0.1:{two}") == (report.refused, report.relay)
    assert [[[TO[1]]], [[TO[0]]]] == [first.envelopes, second.envelopes]


async def test_a_relay_that_hangs_costs_its_timeout_and_no_more() -> None:
    slow, second = Script(hangs=True), Script()
    async with smtp_server(slow) as one, smtp_server(second) as two:
        began = time.monotonic()
        report = await delivered(mail({"port": one, "timeout": "300ms"}, {"port": two}))

        assert {} == report.refused
        assert time.monotonic() - began < 4.5  # of five


async def test_no_relay_at_all_is_told_as_such() -> None:
    report = await delivered(mail({"port": free_port()}))

    assert not report.is_reached
    assert "Connect call failed" in report.error or "refused" in report.error.lower()


async def test_letters_go_over_starttls_and_over_tls(certificates: Certificates) -> None:
    script = Script()
    trusted = {"host": "localhost", "ca_file": str(certificates.ca_file)}
    context = server_context(certificates)
    async with smtp_server(script, tls=context) as one, smtp_server(script, tls=context, at_once=True) as two:
        by_starttls = await delivered(mail({"port": one, "security": "starttls", **trusted}))
        by_tls = await delivered(mail({"port": two, "security": "tls", **trusted}))

    assert [{}, {}] == [by_starttls.refused, by_tls.refused]


async def test_a_certificate_that_nobody_vouches_for_is_refused_unless_told(certificates: Certificates) -> None:
    script = Script()
    other = {"host": "localhost", "security": "starttls", "ca_file": str(certificates.other_ca_file)}
    async with smtp_server(script, tls=server_context(certificates)) as port:
        refused = await delivered(mail({"port": port, **other}))
        told = await delivered(mail({"port": port, **other, "verify": False}))

    assert "its certificate is not accepted" in refused.error
    assert not refused.is_reached
    assert {} == told.refused


async def test_a_relay_without_starttls_gets_nothing_in_the_clear() -> None:
    script = Script()
    async with smtp_server(script) as port:
        report = await delivered(mail({"port": port, "security": "starttls"}))

    assert "STARTTLS" in report.error
    assert ([], False) == (script.mails, report.is_reached)


async def test_a_login_is_right_or_told_without_the_password(certificates: Certificates) -> None:
    script = Script()
    over = {"host": "localhost", "security": "starttls", "ca_file": str(certificates.ca_file), "user": USER}
    async with smtp_server(script, tls=server_context(certificates), login=True) as port:
        right = await delivered(mail({"port": port, **over, "password": PASSWORD}))
        wrong = await delivered(mail({"port": port, **over, "password": "canary-that-is-wrong"}))
        none = await delivered(mail({"port": port, **over, "user": None}))

    assert {} == right.refused
    assert "the login was refused (535)" in wrong.error
    assert "canary" not in wrong.error
    assert "530" in none.error


async def test_a_password_does_not_leave_without_tls() -> None:
    report = await delivered(mail({"host": "relay.example", "user": USER, "password": PASSWORD}))

    assert "a password is not sent without TLS" in report.error


# --- with the outbox ---


async def until(condition: Callable[[], bool], seconds: float = 30) -> None:
    patience = Patience(seconds)
    for _ in itertools.takewhile(lambda _: not condition(), itertools.count()):
        assert not patience.is_over
        await asyncio.sleep(0.01)


def sender_of(past: History, port: int) -> Sender:
    delivery = Delivery(mail({"port": port}), "test.example")
    return Sender(past.outbox, delivery, clock=time.time, jitter=lambda: 0.5, pauses=QUICK)


async def test_a_connection_lost_after_the_letter_was_taken_sends_the_same_one_again(tmp_path: Path) -> None:
    script = Script(data=["drop"])
    async with smtp_server(script) as port, history.opened(tmp_path) as past, asyncio.TaskGroup() as group:
        sender = sender_of(past, port)
        task = group.create_task(sender.run(), name="outbox")
        await sender.post(past.alerts, Record(time.time(), {}, {}, (outgoing(),)))
        await until(lambda: sender.figures.sent_total == 1)
        task.cancel()

    assert 2 == len(script.mails)
    assert 1 == len(set(script.mails))
    assert {outgoing().message_id} == {each["Message-ID"] for each in script.messages}


async def test_a_hundred_letters_leave_over_one_connection_in_order(tmp_path: Path) -> None:
    script = Script()
    letters = [outgoing(sequence=number) for number in range(100)]
    async with smtp_server(script) as port, history.opened(tmp_path) as past, asyncio.TaskGroup() as group:
        sender = sender_of(past, port)
        task = group.create_task(sender.run(), name="outbox")
        await sender.post(past.alerts, Record(time.time(), {}, {}, tuple(letters)))
        await until(lambda: sender.figures.sent_total == 100)
        task.cancel()

    assert [each.message_id for each in letters] == [each["Message-ID"] for each in script.messages]
    assert 1 == script.connections


KILLED = """
import asyncio, os, signal, sys, time
from pathlib import Path
from dbwatch import history
from dbwatch.history import Record
from dbwatch.mailer.delivery import Delivery
from dbwatch.mailer.sender import Sender
from dbwatch.settings.alerting import Mail
from tests.alerting_words import outgoing

class Killed(Delivery):
    async def deliver(self, recipients, message):
        report = await super().deliver(recipients, message)
        os.kill(os.getpid(), signal.SIGKILL)  # the relay has it, and nobody wrote that down

async def main():
    relay = {"host": "127.0.0.1", "port": int(sys.argv[2]), "security": "none"}
    mail = Mail.model_validate({"from": "dbwatch@marseille.example", "relays": [relay]})
    async with history.opened(Path(sys.argv[1])) as past:
        sender = Sender(past.outbox, Killed(mail, "test.example"), clock=time.time, jitter=lambda: 0.5)
        await sender.post(past.alerts, Record(time.time(), {}, {}, (outgoing(),)))
        await sender.send_due()

asyncio.run(main())
"""


async def test_killed_between_the_relays_yes_and_our_commit_the_letter_is_sent_again_with_its_id(
    tmp_path: Path,
) -> None:
    script = Script()
    async with smtp_server(script) as port:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", KILLED, str(tmp_path), str(port), cwd=Path(__file__).parents[2], env=dict(os.environ)
        )
        assert -signal.SIGKILL == await process.wait()
        async with history.opened(tmp_path) as past:
            sender = sender_of(past, port)
            assert 1 == sender.figures.queued
            await sender.send_due()
            assert 0 == sender.figures.queued

    assert 2 == len(script.mails)
    assert 1 == len(set(script.mails))
