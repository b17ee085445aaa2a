"""Starts and stops everything that listens: the read-only TCP side and the control socket."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Never

import structlog
from aiohttp import web

from dbwatch.http import control, figures, listen
from dbwatch.http.auth import Gate
from dbwatch.http.live_config import LiveConfig
from dbwatch.http.malformed import quieten
from dbwatch.http.middleware import counting, guarding, header_writer, plain_errors
from dbwatch.http.page import Pages
from dbwatch.http.routes import Site
from dbwatch.http.sending import Sender
from dbwatch.http.viewer import Viewer

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from dbwatch.http.doors import Doors
    from dbwatch.http.own_metrics import OwnMetrics
    from dbwatch.settings.models import Http
    from dbwatch.store import Store

STOP_SECONDS = 0.3  # given twice: to answers under way, then to their cancellation
CONFIG_CHECK_SECONDS = 2.0
# A connection without a whole request for so long is closed: above 15, so that the usual scrape keeps its connection.
IDLE_SECONDS = 75.0  # longer than a minute, so that a scrape each minute keeps its connection

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Served:
    """What is being served, and where: addresses as bound (a port 0 is told)."""

    addresses: tuple[str, ...]
    scheme: str


@asynccontextmanager
async def serve(
    http: Http,
    store: Store,
    doors: Doors,
    own: OwnMetrics,
    *,
    control_socket: Path | None = None,
    config_check_seconds: float = CONFIG_CHECK_SECONDS,
) -> AsyncIterator[Served]:
    """Listen while the context is open. Raise ConfigError or DbwatchError where that cannot be."""
    quieten()
    addresses = [listen.parse(text) for text in http.listen_addresses]
    live = LiveConfig(http.web_config_file)
    definitions = figures.load(figures.FIGURES_FILE.read_text(), store.families)
    async with AsyncExitStack() as stack:
        pages = Pages(store, own)
        stack.callback(pages.close)
        _listen_to(store, pages, stack)
        gate = Gate(live.users)
        stack.callback(gate.close)
        viewer = Viewer(store, figures.Figures(definitions))
        stack.callback(viewer.close)
        site = Site(http, store, doors, pages, Sender(), viewer, own)
        listeners = Listeners(_application(site, live, gate, own), live)
        stack.push_async_callback(listeners.close)
        await listeners.open(addresses)
        if control_socket is not None:
            await stack.enter_async_context(control.serve_control(control_socket, doors.commands))
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(pages.run(), name="http-pages"),
                group.create_task(listeners.follow(config_check_seconds), name="http-web-config"),
            ]
            try:
                yield Served(listeners.addresses, listeners.scheme)
            finally:
                for task in tasks:
                    task.cancel()


def _listen_to(store: Store, pages: Pages, stack: AsyncExitStack) -> None:
    """Who listened to the store before goes on being told."""
    before = store.on_change

    def changed() -> None:
        before()
        pages.changed()

    store.on_change = changed
    stack.callback(setattr, store, "on_change", before)


def _application(site: Site, live: LiveConfig, gate: Gate, own: OwnMetrics) -> web.Application:
    application = web.Application(middlewares=[counting(own), plain_errors, guarding(gate)], client_max_size=1024)
    application.on_response_prepare.append(header_writer(live.headers))
    application.add_routes(site.routes())
    return application


class Listeners:
    """The TCP sockets, served with the TLS context of the moment."""

    def __init__(self, application: web.Application, live: LiveConfig) -> None:
        self._runner = web.AppRunner(
            application, access_log=None, shutdown_timeout=STOP_SECONDS, keepalive_timeout=IDLE_SECONDS
        )
        self._live = live
        self._sockets: list[socket.socket] = []
        self._paths: list[Path] = []
        self._sites: list[web.SockSite] = []

    @property
    def addresses(self) -> tuple[str, ...]:
        return tuple(map(listen.written, self._sockets))

    @property
    def scheme(self) -> str:
        return "https" if self._live.context else "http"

    async def open(self, addresses: Sequence[listen.Address]) -> None:
        for address in addresses:
            self._sockets += await listen.bind(address)
            if address.path is not None:
                self._paths.append(address.path)
        await self._runner.setup()
        await self._start()
        log.info("listening", addresses=list(self.addresses), scheme=self.scheme)

    async def _start(self) -> None:
        """Each site gets a copy of the socket, so that it may close it."""
        for each in self._sockets:
            site = web.SockSite(self._runner, each.dup(), ssl_context=self._live.context)
            await site.start()
            self._sites.append(site)

    async def follow(self, check_seconds: float) -> Never:
        """Serve a changed web configuration; connections that are open go on as they began."""
        while True:
            await asyncio.sleep(check_seconds)
            before = self._live.context
            if self._live.refresh() and (before or self._live.context):
                for site in self._sites:
                    await site.stop()
                self._sites.clear()
                await self._start()

    async def close(self) -> None:
        await self._runner.cleanup()
        listen.close(self._sockets)
        for path in self._paths:
            path.unlink(missing_ok=True)
