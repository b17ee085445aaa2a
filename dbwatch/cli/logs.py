"""Sets up logging, once: structlog for us, the standard library's records of the drivers through the same pipe."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, TextIO

from dbwatch.cli.lean import without
from dbwatch.cli.redaction import clean

with without("rich"):  # for coloured tracebacks, which we do not print: 3 MiB of every daemon
    import structlog

if TYPE_CHECKING:
    from collections.abc import Sequence

    from structlog.typing import EventDict, Processor, WrappedLogger

FIRST = ("timestamp", "level", "event")
QUIET = ("asyncio", "aiohttp.access", "apscheduler")  # their INFO says nothing that we do not say


def set_up(log_format: str = "auto", level: str = "info", stream: TextIO | None = None) -> None:
    """Route every log line, ours and the libraries', to `stream` (stderr): console for a terminal, JSON otherwise."""
    stream = stream or sys.stderr
    as_json = log_format == "json" or (log_format == "auto" and not stream.isatty())
    shared = _shared()
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_formatter(shared, as_json=as_json, colours=stream.isatty()))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """A processor: no secret leaves in an event, its values or its traceback."""
    ordered = {key: event[key] for key in FIRST if key in event} | dict(event)
    return {key: value if key.startswith("_") else clean(value, key) for key, value in ordered.items()}


def _shared() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]


def _formatter(shared: Sequence[Processor], *, as_json: bool, colours: bool) -> logging.Formatter:
    """The last steps: the traceback becomes text, the text loses its secrets, and only then is it rendered."""
    last: Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if as_json
        else structlog.dev.ConsoleRenderer(colors=colours, exception_formatter=structlog.dev.plain_traceback)
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder(), structlog.stdlib.PositionalArgumentsFormatter()],
        processors=[
            _name_the_library,
            structlog.processors.StackInfoRenderer(),
            structlog.processors.format_exc_info,
            redact,
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            last,
        ],
    )


def _name_the_library(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Lines of a library say whose they are."""
    record = event.get("_record")
    if event.get("_from_structlog") is False and record is not None:
        event["library"] = record.name
    return event
