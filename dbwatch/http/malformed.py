"""Requests that are no HTTP: anyone can send them, so they may not fill the log with tracebacks."""

from __future__ import annotations

import logging

import structlog
from aiohttp import web_response
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.log import server_logger

log = structlog.get_logger()


class Malformed(logging.Filter):
    """Turns aiohttp's traceback for a request that cannot be parsed into one debug line; it was answered with 400."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if not isinstance(error, HttpProcessingError):
            return True
        remote = record.args[0] if isinstance(record.args, tuple) and record.args else None
        log.debug("malformed_request", remote=remote, error=type(error).__name__)
        return False


MALFORMED = Malformed()


def quieten() -> None:
    """May be called again: a logger takes a filter once. An answer to such a request passes none of our middlewares."""
    server_logger.addFilter(MALFORMED)
    vars(web_response)["SERVER_SOFTWARE"] = "dbwatch"  # not which versions of what
