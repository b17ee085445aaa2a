"""`run`, `demo` and `reload`: what touches a daemon."""

from __future__ import annotations

import asyncio
import functools
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dbwatch.cli import logs
from dbwatch.errors import ControlError, UsageError
from dbwatch.settings.load import examine, load

if TYPE_CHECKING:
    from pathlib import Path

LEVELS = ("debug", "info", "warning", "error")
FORMATS = ("auto", "console", "json")


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line of `run` says; None: as configured."""

    config: Path
    listen: tuple[str, ...] = ()
    telemetry_path: str | None = None
    web_config: Path | None = None
    lifecycle: bool | None = None
    log_level: str | None = None
    log_format: str | None = None


def run(options: Options) -> int:
    """The daemon, until a signal ends it. Raise ConfigError, UsageError or DbwatchError where it cannot start."""
    one_of(options.log_level, LEVELS, "--log.level")
    one_of(options.log_format, FORMATS, "--log.format")
    configured = load(options.config, os.environ).logging
    logs.set_up(options.log_format or configured.format, options.log_level or configured.level)

    from dbwatch import app
    from dbwatch.app.world import Flags

    flags = Flags(options.listen, options.telemetry_path, options.web_config, options.lifecycle)
    return asyncio.run(app.run(options.config, flags=flags))


def one_of(value: str | None, known: tuple[str, ...], option: str) -> None:
    """Raise UsageError where the option's value is none of those known."""
    if value is not None and value not in known:
        raise UsageError(f"{option}: {value!r} is none of {', '.join(known)}")


def demo(seconds: float | None, scale: float) -> int:
    """The demonstration, until Ctrl-C or for so many seconds."""
    logs.set_up("auto", "warning")

    from dbwatch.demo import command

    return command.run(seconds, scale, functools.partial(print, flush=True))


def reload(config: Path) -> str:
    """Ask the daemon to read its configuration again. Raise ControlError with its faults where it refuses."""
    from dbwatch.http import control_client

    found = examine(config, os.environ)  # a broken file too says where the daemon is
    try:
        answer = asyncio.run(control_client.call(found.settings.control_socket, "reload"))
    except ControlError as error:
        unsaid = [text for text in map(str, found.faults) if text not in str(error)]
        raise ControlError("\n".join([str(error), *unsaid])) from None
    return reloaded(answer)


def reloaded(answer: object) -> str:
    """What the daemon answers, in words."""
    told = answer if isinstance(answer, dict) else {}
    if "instances" not in told:
        return "reloaded"
    left_out, waiting = told.get("left_out") or [], told.get("restart_needed") or []
    parts = [f"reloaded: {_counted(told['instances'], 'instance')}"]
    parts += [f"{_counted(len(left_out), 'rule')} left out: {'; '.join(left_out)}"] if left_out else []
    parts += [f"changed, and not in use before a restart: {', '.join(waiting)}"] if waiting else []
    return "; ".join(parts)


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
