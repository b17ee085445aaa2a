"""The control socket: commands that act, for whoever may open a file of our user and group. Never over TCP."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from aiohttp import web

from dbwatch.errors import ConfigError, DbwatchError, UsageError
from dbwatch.http import listen

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from dbwatch.http.doors import Command

BODY_MAX_BYTES = 1024 * 1024
STOP_SECONDS = 0.3


@asynccontextmanager
async def serve_control(path: Path, commands: Mapping[str, Command]) -> AsyncIterator[None]:
    """Answer `POST /v1/COMMAND` while the context is open. Raise DbwatchError where the socket cannot be made."""
    made = listen.bind_unix(path)
    runner = web.AppRunner(_application(commands), access_log=None, shutdown_timeout=STOP_SECONDS)
    try:
        await runner.setup()
        await web.SockSite(runner, made).start()
        yield
    finally:
        await runner.cleanup()
        listen.remove_unix(path, made)


def _application(commands: Mapping[str, Command]) -> web.Application:
    async def run(request: web.Request) -> web.Response:
        command = commands.get(request.match_info["command"])
        if command is None:
            known = ", ".join(sorted(commands)) or "none"
            return _failed(404, f"the daemon knows no command {request.match_info['command']!r}, only: {known}")
        try:
            result = await command(_arguments(await request.text()))
        except DbwatchError as error:
            is_usage = isinstance(error, UsageError)
            return _failed(400 if is_usage or isinstance(error, ConfigError) else 500, str(error), usage=is_usage)
        return web.json_response({"result": result})

    application = web.Application(client_max_size=BODY_MAX_BYTES)
    application.add_routes([web.post("/v1/{command}", run)])
    return application


def _arguments(text: str) -> dict[str, object]:
    try:
        body = json.loads(text) if text.strip() else {}
    except ValueError:
        raise UsageError("the body is no JSON") from None
    if not isinstance(body, dict):
        raise UsageError("the body is no JSON object")
    return body


def _failed(status: int, error: str, *, usage: bool = False) -> web.Response:
    """`usage`: who asked was mistaken, which has an exit code of its own."""
    return web.json_response({"error": error} | ({"usage": True} if usage else {}), status=status)
