from __future__ import annotations

import asyncio
import contextlib
import smtplib
from email.message import EmailMessage
from typing import TYPE_CHECKING

import pytest

from dbwatch.demo.mail_box import KEPT, MailBox, list_page, mail_page
from dbwatch.demo.mail_catcher import MAIL_POLICY, mail_catcher
from tests.fix_http import curl

if TYPE_CHECKING:
    from dbwatch.demo.mail_catcher import Catcher

NOW = 1_780_000_000.0
EVIL = "<script>alert(1)</script>"


def a_mail(subject: str, name: str = "a.0", *, root: str = "", html: str = "<p>Bonjour à tous</p>") -> EmailMessage:
    message = EmailMessage()
    message["Subject"] = subject
    message["From"] = "dbwatch <dbwatch@marseille.example>"
    message["To"] = "astreinte@marseille.example"
    message["Message-ID"] = f"<{name}@dbwatch.example>"
    if root:
        message["In-Reply-To"] = message["References"] = f"<{root}@dbwatch.example>"
    message.set_content("Bonjour à tous\n")
    if html:
        message.add_alternative(html, subtype="html")
    return message


def a_box(*messages: EmailMessage) -> MailBox:
    box = MailBox()
    for message in messages:
        box.put(message.as_bytes(), NOW, "dbwatch@marseille.example", ("astreinte@marseille.example",))
    return box


def test_an_answer_stands_below_what_it_answers() -> None:
    box = a_box(a_mail("CRITIQUE a"), a_mail("CRITIQUE b", "b.0"), a_mail("RÉSOLU a", "a.1", root="a.0"))

    assert [["CRITIQUE a", "RÉSOLU a"], ["CRITIQUE b"]] == [[each.subject for each in mails] for mails in box.threads()]
    assert "↳ " in list_page(box, NOW, 5)


def test_a_mail_is_shown_with_both_parts_and_every_header() -> None:
    box = a_box(a_mail("CRITIQUE état civil"))
    html = mail_page(box.mails()[0])

    assert '<iframe src="/mails/1/html" sandbox=""' in html
    assert "Bonjour à tous" in html
    assert "Message-ID" in html
    assert "<p>Bonjour à tous</p>" == box.mails()[0].part("html").strip()


def test_what_a_mail_holds_cannot_become_markup() -> None:
    box = a_box(a_mail(EVIL, html=EVIL))
    for html in (list_page(box, NOW, 5), mail_page(box.mails()[0])):
        assert "<script" not in html


def test_a_mail_without_html_or_without_anything_is_shown() -> None:
    box = a_box(a_mail("plain", html=""))
    box.put(b"", NOW, "", ())

    assert "It has no HTML part." in mail_page(box.mails()[0])
    assert "(no subject)" in list_page(box, NOW, 5)
    assert "It has none." in mail_page(box.mails()[1])


def test_only_so_many_mails_are_kept() -> None:
    box = MailBox()
    for _ in range(KEPT + 2):
        box.put(b"Subject: x\n\n", NOW, "", ())

    assert KEPT == len(box)
    assert box.get("1") is None
    assert box.get(str(KEPT + 2)) is not None


def send(catcher: Catcher, message: EmailMessage) -> None:
    with smtplib.SMTP("127.0.0.1", catcher.smtp_port, timeout=20) as client:
        client.send_message(message)


async def test_what_is_sent_can_be_read_in_the_browser() -> None:
    async with mail_catcher(0) as catcher:
        empty = await curl(catcher.url)
        await asyncio.to_thread(send, catcher, a_mail("CRITIQUE état civil", html=f"<p>à lire</p>{EVIL}"))
        listed = await curl(catcher.url)
        one = await curl(f"{catcher.url}mails/1")
        html = await curl(f"{catcher.url}mails/1/html")
        raw = await curl(f"{catcher.url}mails/1/raw")
        style = await curl(f"{catcher.url}static/style.css")
        absent = await curl(f"{catcher.url}mails/2")

    assert "No mail yet." in empty.text
    assert "CRITIQUE état civil" in listed.text
    assert "astreinte@marseille.example" in one.text
    assert MAIL_POLICY == html.headers["content-security-policy"]
    assert "<p>à lire</p>" in html.text
    assert raw.body.startswith(b"Subject:")
    assert ([200] * 5, 404) == ([each.status for each in (listed, one, html, raw, style)], absent.status)


async def test_a_page_whose_port_is_taken_takes_another() -> None:
    async with mail_catcher(0) as first:
        taken = int(first.url.rstrip("/").rpartition(":")[2])
        async with mail_catcher(taken) as second:
            assert first.url != second.url
            assert 200 == (await curl(second.url)).status


async def test_nobody_listens_when_it_is_over() -> None:
    async with mail_catcher(0) as catcher:
        pass
    with pytest.raises(OSError, match="refused"), contextlib.closing(smtplib.SMTP()) as client:
        await asyncio.to_thread(client.connect, "127.0.0.1", catcher.smtp_port)
