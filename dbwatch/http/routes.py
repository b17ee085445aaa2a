"""Every address that the TCP side answers, and what it answers."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import web

from dbwatch import files
from dbwatch.errors import ConfigError, DbwatchError
from dbwatch.http import api
from dbwatch.http.alerts_api import Wanted, alerts_json
from dbwatch.http.alerts_page import alerts_page
from dbwatch.http.backups_api import backups_json
from dbwatch.http.detail import detail
from dbwatch.http.frame import ENGLISH, FRENCH, Frame
from dbwatch.http.negotiation import accepts_gzip, page_format
from dbwatch.http.overview import overview
from dbwatch.http.runbook_page import is_name, runbook_page
from dbwatch.http.selection import Selection
from dbwatch.http.view import worst_first

if TYPE_CHECKING:
    from dbwatch.core.alerting.view import AlertBoard
    from dbwatch.http.doors import Doors
    from dbwatch.http.own_metrics import OwnMetrics
    from dbwatch.http.page import Pages
    from dbwatch.http.sending import Sender
    from dbwatch.http.viewer import Viewer
    from dbwatch.settings.models import Http
    from dbwatch.store import Store

STATIC = Path(__file__).with_name("static")
STATIC_TYPES = {"style.css": "text/css", "icon.svg": "image/svg+xml"}
REFRESH_SECONDS, REFRESH_MAX_SECONDS = 10, 3600
REFRESH_PATTERN = re.compile(r"[0-9]{1,9}")  # int() refuses thousands of digits by an error
# What a Host header may hold before it is handed on to Prometheus as a target.
HOST_PATTERN = re.compile(r"[A-Za-z0-9._-]{1,253}(:\d{1,5})?|\[[0-9A-Fa-f:.]+\](:\d{1,5})?")


@dataclass(frozen=True, slots=True)
class Site:
    """What the handlers need."""

    http: Http
    store: Store
    doors: Doors
    pages: Pages
    sender: Sender
    viewer: Viewer
    own: OwnMetrics

    def routes(self) -> list[web.RouteDef]:
        """GET answers HEAD too; the names are the `handler` label of the request metrics."""
        return [
            web.get("/", self.overview, name="overview"),
            web.get("/instances/{name}", self.detail, name="detail"),
            web.get("/alerts", self.alerts, name="alerts"),
            web.get("/runbooks/{name}", self.runbook, name="runbook"),
            web.get("/static/{name}", self.static, name="static"),
            web.get(self.http.telemetry_path, self.metrics, name="metrics"),
            web.get("/api/v1/instances", self.instances, name="api_instances"),
            web.get("/api/v1/instances/{name}", self.instance, name="api_instance"),
            web.get("/api/v1/alerts", self.alerts_json, name="api_alerts"),
            web.get("/api/v1/backups", self.backups_json, name="api_backups"),
            web.get("/sd/prometheus", self.targets, name="service_discovery"),
            web.get("/-/healthy", self.healthy, name="healthy"),
            web.get("/-/ready", self.ready, name="ready"),
            web.post("/-/reload", self.reload, name="reload"),
            web.put("/-/reload", self.reload),
        ]

    async def metrics(self, request: web.Request) -> web.StreamResponse:
        """Never waits for a database."""
        selection = Selection.of(request.query)
        if fault := selection.fault(self.store.states()):
            return line(404, fault)
        wanted = page_format(request.headers.get("Accept", ""))
        headers = {
            "Content-Type": wanted.content_type,
            "Vary": "Accept, Accept-Encoding",
            "Cache-Control": "no-store",
        }
        if not accepts_gzip(request.headers.get("Accept-Encoding", "")):
            return await self.sender.send(request, headers, self.pages.chunks(wanted, selection))
        if selection.is_everything:
            body = await self.pages.compressed(wanted)
        else:
            body = await self.pages.compressed_selection(wanted, selection)
        return await self.sender.send(request, headers | {"Content-Encoding": "gzip"}, [body])

    async def overview(self, request: web.Request) -> web.Response:
        views = await self.viewer.all()
        board, backups = self.doors.alerts(), self.doors.backups()
        frame = self._frame(request, board)
        return _page(await self.viewer.aside(lambda: overview(worst_first(views), frame, board, backups)))

    async def detail(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        try:
            view = self.viewer.one(name)
        except KeyError:
            return _no_instance(name)
        board = self.doors.alerts()
        return _page(detail(view, self._frame(request, board), board, self.doors.backups()))

    async def alerts(self, request: web.Request) -> web.Response:
        board = self.doors.alerts()
        frame = self._frame(request, board)
        return _page(await self.viewer.aside(lambda: alerts_page(board, frame)))

    async def runbook(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        text = runbook_text(name)
        if not text:
            return line(404, f"no runbook {name!r} came with dbwatch")
        frame = replace(self._frame(request, self.doors.alerts()), is_live=False)
        return _page(await self.viewer.aside(lambda: runbook_page(name, text, frame)))

    async def static(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        if name not in STATIC_TYPES:
            raise web.HTTPNotFound
        return web.FileResponse(
            STATIC / name, headers={"Content-Type": STATIC_TYPES[name], "Cache-Control": "max-age=300"}
        )

    async def instances(self, _request: web.Request) -> web.Response:
        views = await self.viewer.all()
        now = self.viewer.now()
        text = await self.viewer.aside(lambda: json.dumps(api.instances_json(views, now)))
        return web.json_response(text=text)

    async def instance(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        try:
            view = self.viewer.one(name)
        except KeyError:
            return _no_instance(name)
        return web.json_response(api.instance_json(view))

    async def alerts_json(self, request: web.Request) -> web.Response:
        wanted, board, now = Wanted.of(request.query), self.doors.alerts(), self.viewer.now()
        if wanted.fault:
            return line(400, wanted.fault)
        if wanted.is_unknown(board, [state.identity.db_instance for state in self.store.states()]):
            return _no_instance(wanted.instance)
        text = await self.viewer.aside(lambda: json.dumps(alerts_json(board, wanted, now)))
        return web.json_response(text=text)

    async def backups_json(self, request: web.Request) -> web.Response:
        instance, board, now = request.query.get("instance", ""), self.doors.backups(), self.viewer.now()
        if instance and instance not in {state.identity.db_instance for state in self.store.states()}:
            return _no_instance(instance)
        text = await self.viewer.aside(lambda: json.dumps(backups_json(board, now, instance)))
        return web.json_response(text=text)

    async def targets(self, request: web.Request) -> web.Response:
        per = request.query.get("per", "")
        if per not in ("", "instance"):
            return line(400, "per can only be `instance`")
        if not HOST_PATTERN.fullmatch(request.host):
            return line(400, "the Host header is not a host and port")
        identities = [state.identity for state in self.store.states()]
        found = api.targets_json(
            identities,
            request.host,
            path=self.http.telemetry_path,
            scheme=request.scheme,
            is_split=per == "instance",
        )
        return web.json_response(found)

    async def healthy(self, _request: web.Request) -> web.Response:
        wrong = self.doors.healthy()
        return line(503, wrong) if wrong else line(200, "dbwatch is healthy")

    async def ready(self, _request: web.Request) -> web.Response:
        wrong = self.doors.ready()
        return line(503, wrong) if wrong else line(200, "dbwatch is ready")

    async def reload(self, request: web.Request) -> web.Response:
        if not self.http.enable_lifecycle:
            return line(403, "reload over HTTP is off: set http.enable_lifecycle, or send the process SIGHUP")
        if _is_from_another_site(request):
            return line(403, "a page of another site may not reload dbwatch")
        try:
            waiting = await self.doors.reload()
        except ConfigError as error:
            return line(500, f"the old configuration is still in use; the new one has faults:\n{error}")
        return line(
            200, f"reloaded; changed, and not in use before a restart: {', '.join(waiting)}" if waiting else "reloaded"
        )

    def _frame(self, request: web.Request, board: AlertBoard) -> Frame:
        asked = request.query.get("refresh", "")
        refresh = min(int(asked), REFRESH_MAX_SECONDS) if REFRESH_PATTERN.fullmatch(asked) else REFRESH_SECONDS
        return Frame(
            self.viewer.now(),
            self.http.telemetry_path,
            request.path,
            refresh,
            last_reload_failed=self.own.last_reload_failed,
            language=FRENCH if request.query.get("lang") == FRENCH else ENGLISH,
            has_alerts=board.is_started,
        )


def runbook_text(name: str) -> str:
    """'' where dbwatch brings none of that name."""
    try:
        return (files.runbooks_root() / f"{name}.md").read_text(encoding="utf-8") if is_name(name) else ""
    except (OSError, DbwatchError):
        return ""


def line(status: int, text: str) -> web.Response:
    """A plain answer."""
    return web.Response(status=status, text=text.rstrip("\n") + "\n")


def _no_instance(name: str) -> web.Response:
    return line(404, f"no instance {name!r} is configured")


def _page(html: str) -> web.Response:
    return web.Response(text=html, content_type="text/html", headers={"Cache-Control": "no-store"})


def _is_from_another_site(request: web.Request) -> bool:
    """A browser says where a form was sent from; scripts and Prometheus say nothing."""
    origin = request.headers.get("Origin")
    return origin is not None and origin.partition("://")[2] != request.host
