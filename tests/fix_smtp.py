"""A mail server that does what a test tells it: refuses, hangs, hangs up, asks for TLS or for a login."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

from tests.fix_process import free_port

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator
    from email.message import EmailMessage

    from aiosmtpd.smtp import Envelope, Session

USER, PASSWORD = "dbwatch", "canary-of-the-relay"


@dataclass
class Script:
    """What it answers next. An empty list: all is well."""

    data: list[str] = field(default_factory=list)  # to DATA, in turn: "451 busy"; "drop": takes it, then hangs up
    recipients: dict[str, str] = field(default_factory=dict)  # to RCPT TO, always
    mails: list[bytes] = field(default_factory=list)  # what it took, also where it hung up then
    envelopes: list[list[str]] = field(default_factory=list)
    connections: int = 0
    hangs: bool = False

    async def on_mail(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.hangs:
            await asyncio.Event().wait()
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 go on"

    async def on_rcpt(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address in self.recipients:
            return self.recipients[address]
        envelope.rcpt_tos.append(address)
        return "250 go on"

    async def on_data(self, server: SMTP, _session: Session, envelope: Envelope) -> str:
        answer = self.data.pop(0) if self.data else "250 taken"
        if answer in {"drop", "250 taken"}:
            self.mails.append(cast("bytes", envelope.content))
            self.envelopes.append(list(envelope.rcpt_tos))
        if answer == "drop":
            cast("asyncio.Transport", server.transport).abort()
        return answer

    def handler(self) -> SimpleNamespace:
        """Under the names that aiosmtpd calls."""
        return SimpleNamespace(handle_MAIL=self.on_mail, handle_RCPT=self.on_rcpt, handle_DATA=self.on_data)

    @property
    def messages(self) -> list[EmailMessage]:
        return [message_from_bytes(each, policy=policy.default) for each in self.mails]


@asynccontextmanager
async def smtp_server(
    script: Script, *, port: int = 0, tls: ssl.SSLContext | None = None, login: bool = False, at_once: bool = False
) -> AsyncIterator[int]:
    """The server's port. `at_once`: TLS from the first byte, else by STARTTLS."""

    def made() -> SMTP:
        script.connections += 1
        return SMTP(
            script.handler(),
            hostname="relay.example",
            tls_context=None if at_once else tls,
            require_starttls=tls is not None and not at_once,
            auth_required=login,
            auth_require_tls=True,
            authenticator=_authenticated if login else None,
            enable_SMTPUTF8=False,
            loop=asyncio.get_running_loop(),
        )

    loop = asyncio.get_running_loop()
    chosen = port or free_port()
    server = await loop.create_server(made, "127.0.0.1", chosen, ssl=tls if at_once else None)
    try:
        yield chosen
    finally:
        server.close()


def _authenticated(_server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: object) -> AuthResult:
    is_right = isinstance(data, LoginPassword) and (data.login, data.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=is_right, handled=False)
