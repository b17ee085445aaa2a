"""Takes the mails of the demonstration on a loopback port, so that none leaves this machine, and shows them."""

from __future__ import annotations

import asyncio
import contextlib
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING

from aiohttp import web
from aiosmtpd.smtp import SMTP

from dbwatch.demo.mail_box import MailBox, list_page, mail_page
from dbwatch.http.routes import STATIC

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiosmtpd.smtp import Envelope, Session

    from dbwatch.demo.mail_box import Mail

HOST, PORT = "127.0.0.1", 10433
REFRESH_SECONDS = 5
STOP_SECONDS = 0.3
PAGE_POLICY = "default-src 'none'; style-src 'self'; img-src 'self'; frame-src 'self'; base-uri 'none'"
# What a mail holds is shown as a careful mail program shows it: no script, nothing fetched, no way out of its frame.
MAIL_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"


@dataclass(frozen=True, slots=True)
class Catcher:
    """Where mails go, and where they are read."""

    box: MailBox
    smtp_port: int
    url: str


@asynccontextmanager
async def mail_catcher(page_port: int = PORT) -> AsyncIterator[Catcher]:
    """Catch while the context is open; the page takes any port where that one is taken."""
    box = MailBox()
    loop = asyncio.get_running_loop()
    handler = _handler(box)
    smtp = await loop.create_server(
        lambda: SMTP(handler, hostname="localhost", ident="dbwatch demo", enable_SMTPUTF8=True, loop=loop), HOST, 0
    )
    runner = web.AppRunner(_application(box), access_log=None, shutdown_timeout=STOP_SECONDS)
    try:
        await runner.setup()
        port = await _listening(runner, page_port)
        yield Catcher(box, int(smtp.sockets[0].getsockname()[1]), f"http://{HOST}:{port}/")
    finally:
        smtp.close()
        await runner.cleanup()


async def _listening(runner: web.AppRunner, wanted: int) -> int:
    for port in (wanted, 0):
        with contextlib.suppress(OSError):
            await web.TCPSite(runner, HOST, port).start()
            return int(runner.addresses[0][1])
    return wanted


def _handler(box: MailBox) -> SimpleNamespace:
    """The library looks for its hooks by name, and the name is the SMTP command's."""

    async def caught(_server: SMTP, _session: Session, envelope: Envelope) -> str:
        content = envelope.content if isinstance(envelope.content, bytes) else (envelope.content or "").encode()
        box.put(content, time.time(), envelope.mail_from or "", tuple(envelope.rcpt_tos))
        return "250 caught"

    return SimpleNamespace(handle_DATA=caught)


def _application(box: MailBox) -> web.Application:
    async def everything(_request: web.Request) -> web.Response:
        return _html(list_page(box, time.time(), REFRESH_SECONDS))

    async def one(request: web.Request) -> web.Response:
        return _html(mail_page(_found(box, request)))

    async def html_part(request: web.Request) -> web.Response:
        return _html(_found(box, request).part("html"), MAIL_POLICY)

    async def raw(request: web.Request) -> web.Response:
        return web.Response(body=_found(box, request).raw, content_type="text/plain", charset="utf-8")

    async def style(_request: web.Request) -> web.FileResponse:
        return web.FileResponse(STATIC / "style.css")

    async def icon(_request: web.Request) -> web.FileResponse:
        return web.FileResponse(STATIC / "icon.svg")

    application = web.Application()
    application.add_routes(
        [
            web.get("/", everything),
            web.get("/mails/{number}", one),
            web.get("/mails/{number}/html", html_part),
            web.get("/mails/{number}/raw", raw),
            web.get("/static/style.css", style),
            web.get("/static/icon.svg", icon),
        ]
    )
    return application


def _found(box: MailBox, request: web.Request) -> Mail:
    mail = box.get(request.match_info["number"])
    if mail is None:
        raise web.HTTPNotFound(text="no such mail: the list is at /\n")
    return mail


def _html(text: str, content_policy: str = PAGE_POLICY) -> web.Response:
    headers = {
        "Content-Security-Policy": content_policy,
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
    }
    return web.Response(text=text, content_type="text/html", headers=headers)
