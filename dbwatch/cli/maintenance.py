"""Maintenance windows from the command line: through the daemon, or on its history file when no daemon runs."""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dbwatch import history
from dbwatch.core import durations
from dbwatch.core.showing import humanise
from dbwatch.core.showing.tables import table
from dbwatch.errors import ControlError, DbwatchError, UsageError
from dbwatch.http import control_client
from dbwatch.settings.load import load

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from dbwatch.settings.models import Settings

COLUMNS = ("instance", "since", "until", "who", "reason")


@dataclass(frozen=True, slots=True)
class Done:
    """What a command answered. `without`: why no daemon did it; empty where one did."""

    answer: object
    without: str = ""

    def later(self) -> list[str]:
        """Who changes something must know that nobody goes by it yet."""
        return [f"{self.without}: this is kept for it, and counts once it runs"] if self.without else []


def start(config: Path, instance: str, lasting: str | None, reason: str) -> str:
    """Open a window. Raise UsageError for an instance or a duration that is none."""
    arguments: dict[str, object] = {
        "instance": instance,
        "seconds": seconds(lasting),
        "reason": reason,
        "who": account(),
    }
    done = asyncio.run(carry_out(load(config, os.environ), "maintenance_start", arguments))
    window = _one(done.answer)
    ended = window.get("replaced")
    replaced = [_one(each) for each in ended] if isinstance(ended, list) else []
    first = f"{instance} is in maintenance until {_until(window)}"
    return "\n".join([*done.later(), first, *map(_replaced, replaced)])


def _replaced(window: Mapping[str, object]) -> str:
    who, reason = window.get("who") or "somebody", window.get("reason") or "no reason given"
    return f"this replaces the window that {who} opened until {_until(window)}: {reason}"


def stop(config: Path, instance: str) -> str:
    """Close it. Raise UsageError where none is open."""
    done = asyncio.run(carry_out(load(config, os.environ), "maintenance_stop", {"instance": instance}))
    return "\n".join([*done.later(), f"{instance} is no longer in maintenance"])


def listed(config: Path, instance: str) -> list[str]:
    """The open windows as a table."""
    answer = asyncio.run(carry_out(load(config, os.environ), "maintenance_list", {"instance": instance})).answer
    windows = [_one(each) for each in answer] if isinstance(answer, list) else []
    return lines(windows, shutil.get_terminal_size((160, 24)).columns)


def lines(windows: Iterable[Mapping[str, object]], width: int) -> list[str]:
    rows = [
        [
            str(each.get("instance")),
            humanise.moment(float(str(each.get("starts_at")))),
            _until(each),
            str(each.get("who") or ""),
            str(each.get("reason") or ""),
        ]
        for each in windows
    ]
    return table(COLUMNS, rows, width) if rows else ["no maintenance window is open"]


def _one(answer: object) -> Mapping[str, object]:
    return answer if isinstance(answer, dict) else {}


def _until(window: Mapping[str, object]) -> str:
    ends_at = window.get("ends_at")
    return "it is stopped" if ends_at is None else humanise.moment(float(str(ends_at)))


def seconds(text: str | None) -> float | None:
    """`2h` in seconds. Raise UsageError."""
    try:
        value = durations.seconds(text)
    except ValueError as error:
        raise UsageError(f"--for: {error}") from None
    return None if value is None else float(str(value))


def account() -> str:
    """Who types: the account behind sudo, else our own."""
    try:
        return os.environ.get("SUDO_USER") or pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


async def carry_out(settings: Settings, command: str, arguments: dict[str, object]) -> Done:
    """Let the daemon do it. Where none answers and its history is free, do it here. Raise DbwatchError."""
    try:
        return Done(await control_client.call(settings.control_socket, command, arguments))
    except ControlError as refused:
        try:
            async with history.opened(settings.state_directory) as past:
                answer = await history.commands(past, lambda: settings, time.time)[command](arguments)
                return Done(answer, str(refused).partition(": is ")[0])
        except UsageError:
            raise
        except DbwatchError:
            raise refused from None
