"""What holds for every request: who may ask, what is counted, how an error looks, which headers go out."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from aiohttp import hdrs, web

from dbwatch.http.routes import line

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from aiohttp.typedefs import Handler, Middleware

    from dbwatch.http.auth import Gate
    from dbwatch.http.own_metrics import OwnMetrics

SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Server": "dbwatch",
}


def counting(own: OwnMetrics) -> Middleware:
    """Counts every answer, refused ones too."""

    @web.middleware
    async def count(request: web.Request, handler: Handler) -> web.StreamResponse:
        began, code = time.perf_counter(), 500
        try:
            response = await handler(request)
            code = response.status
        finally:
            own.answered(_handler_name(request), code, time.perf_counter() - began)
        return response

    return count


def _handler_name(request: web.Request) -> str:
    """The name of a route: a closed set, whatever the client asks for."""
    resource = request.match_info.route.resource
    return (resource.name if resource is not None else None) or "other"


@web.middleware
async def plain_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Errors that aiohttp raises, as one line."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        text = (
            "no such page; what there is begins at /" if error.status == web.HTTPNotFound.status_code else error.reason
        )
        response = line(error.status, f"{error.status}: {text}")
        if hdrs.ALLOW in error.headers:
            response.headers[hdrs.ALLOW] = error.headers[hdrs.ALLOW]
        return response


def guarding(gate: Gate) -> Middleware:
    """Basic auth before anything else, health checks included: as in exporter-toolkit."""

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        if await gate.admits(request.headers.get(hdrs.AUTHORIZATION, "")):
            return await handler(request)
        response = line(401, "401: name and password, please")
        response.headers[hdrs.WWW_AUTHENTICATE] = 'Basic realm="dbwatch", charset="UTF-8"'
        return response

    return guard


def header_writer(
    configured: Callable[[], Mapping[str, str]],
) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    """Adds our headers to every answer; those of the web configuration win."""

    async def write(_request: web.Request, response: web.StreamResponse) -> None:
        response.headers.update(SECURITY_HEADERS)
        response.headers.update(configured())

    return write
