"""Sends a body of any size in small writes: the loop goes on, a slow reader is cut off, memory stays bounded."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

WRITE_BYTES = 128 * 1024
YIELD_BYTES = 1024 * 1024
SEND_SECONDS = 30.0  # three times Prometheus's own default of 10 s for a whole scrape
AT_ONCE = 16  # each holds references to the page that it sends


class Sender:
    """Answers with a page; at most so many at once."""

    def __init__(self, *, at_once: int = AT_ONCE, seconds: float = SEND_SECONDS) -> None:
        self._free = at_once
        self._seconds = seconds

    async def send(
        self, request: web.Request, headers: Mapping[str, str], chunks: Sequence[bytes]
    ) -> web.StreamResponse:
        """Send it all, or cut the connection of a client that does not read."""
        if self._free <= 0:
            return web.Response(status=503, text="too many scrapes at once\n", headers={"Retry-After": "5"})
        self._free -= 1
        try:
            return await self._send(request, headers, chunks)
        finally:
            self._free += 1

    async def _send(
        self, request: web.Request, headers: Mapping[str, str], chunks: Sequence[bytes]
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers=dict(headers))
        response.content_length = sum(map(len, chunks))
        try:
            async with asyncio.timeout(self._seconds):
                await response.prepare(request)
                if request.method != "HEAD":
                    await _write(response, chunks)
                await response.write_eof()
        except TimeoutError:
            if request.transport is not None:
                request.transport.abort()
        except ConnectionError:
            pass  # the client went away: nobody is left to be told
        return response


async def _write(response: web.StreamResponse, chunks: Iterable[bytes]) -> None:
    unyielded_bytes = 0
    for piece in pieces(chunks):
        await response.write(piece)
        unyielded_bytes += len(piece)
        if unyielded_bytes >= YIELD_BYTES:  # a reader as fast as we are never lets write() pause
            await asyncio.sleep(0)
            unyielded_bytes = 0


def pieces(chunks: Iterable[bytes]) -> Iterator[bytes | memoryview]:
    """Large chunks in slices, small ones gathered: each of about WRITE_BYTES."""
    pending: list[bytes] = []
    pending_bytes = 0
    for chunk in chunks:
        if len(chunk) >= WRITE_BYTES:
            if pending:
                yield b"".join(pending)
                pending, pending_bytes = [], 0
            yield from _slices(chunk)
            continue
        pending.append(chunk)
        pending_bytes += len(chunk)
        if pending_bytes >= WRITE_BYTES:
            yield b"".join(pending)
            pending, pending_bytes = [], 0
    if pending:
        yield b"".join(pending)


def _slices(chunk: bytes) -> Iterator[memoryview]:
    view = memoryview(chunk)
    for begin in range(0, len(view), WRITE_BYTES):
        yield view[begin : begin + WRITE_BYTES]
