"""A mail server that takes everything: what it got, as mails."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest
from aiosmtpd.controller import Controller

from tests.fix_process import eventually, free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from email.message import EmailMessage

    from aiosmtpd.smtp import SMTP, Envelope, Session


READER = "astreinte@marseille.example"
READY_SECONDS = 60.0


@dataclass
class Mailbox:
    """`mails` in the order in which they came, each with the moment (monotonic) in `at`; `reader`: only those to it."""

    port: int
    reader: str = ""
    mails: list[EmailMessage] = field(default_factory=list)
    at: list[float] = field(default_factory=list)

    async def take(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        """Take one mail, and keep it where it is for the reader."""
        content = cast("bytes", envelope.content)
        if self.reader not in ("", *envelope.rcpt_tos):
            return "250 taken"
        self.at.append(time.monotonic())  # first: who sees a mail asks when it came
        self.mails.append(message_from_bytes(content, policy=policy.default))
        return "250 taken"

    def subjects(self) -> list[str]:
        return [str(mail["Subject"]) for mail in self.mails]

    def wait_for(self, is_it: Callable[[EmailMessage], bool], timeout_seconds: float = 60.0) -> EmailMessage:
        """The first mail that is it."""
        return eventually(lambda: [mail for mail in self.mails if is_it(mail)], timeout_seconds=timeout_seconds)[0]

    def relay(self) -> dict[str, object]:
        """As an entry of `mail.relays`."""
        return {"host": "127.0.0.1", "port": self.port, "security": "none"}


def text_of(mail: EmailMessage) -> str:
    """The plain part."""
    part = mail.get_body(("plain",))
    return str(part.get_content()) if part else ""


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    box = Mailbox(free_port())
    handler = SimpleNamespace(handle_DATA=box.take)
    controller = Controller(handler, hostname="127.0.0.1", port=box.port, ready_timeout=READY_SECONDS)
    controller.start()
    try:
        yield box
    finally:
        controller.stop()
