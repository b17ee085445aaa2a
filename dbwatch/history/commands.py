"""What the control socket can do with the history; the command line runs the same when no daemon does."""

from __future__ import annotations

import difflib
import time
from dataclasses import asdict
from typing import TYPE_CHECKING

from dbwatch.errors import UsageError
from dbwatch.history.maintenance import Window

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Mapping

    from dbwatch.history.maintenance import History
    from dbwatch.settings.models import Settings

    Command = Callable[[dict[str, object]], Awaitable[object]]

LONGEST_SECONDS = 366 * 86400.0
LONGEST_TEXT = 500


def commands(
    history: History, settings: Callable[[], Settings], clock: Callable[[], float] = time.time
) -> Mapping[str, Command]:
    """The handlers by name: JSON in, JSON out. They raise UsageError for what cannot be, DbwatchError for the disk."""

    async def start(arguments: dict[str, object]) -> object:
        asked = window(arguments, settings().instances, clock())
        ended = [asdict(each) for each in history.windows(asked.starts_at) if each.instance == asked.instance]
        begun = asdict(await history.start(asked))
        return {**begun, "replaced": ended} if ended else begun

    async def stop(arguments: dict[str, object]) -> object:
        name = text(arguments, "instance")
        count = await history.stop(name, clock())
        if not count:
            raise UsageError(f"no maintenance window is open for {name!r}")
        return {"instance": name, "stopped": count}

    async def listed(arguments: dict[str, object]) -> object:
        name = text(arguments, "instance")
        return [asdict(each) for each in history.windows(clock()) if name in ("", each.instance)]

    return {"maintenance_start": start, "maintenance_stop": stop, "maintenance_list": listed}


def window(arguments: Mapping[str, object], instances: Collection[str], now: float) -> Window:
    """The window that is asked for. Raise UsageError where it makes no sense."""
    name = text(arguments, "instance")
    if name not in instances:
        near = difflib.get_close_matches(name, instances, 1)
        hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(sorted(instances)) or 'none'}"
        raise UsageError(f"no instance {name!r} in the configuration: {hint}")
    seconds = arguments.get("seconds")
    if seconds is not None and not _is_duration(seconds):
        raise UsageError("a window lasts a positive number of seconds, a year at the most")
    ends_at = now + float(str(seconds)) if seconds is not None else None
    return Window(name, now, ends_at, text(arguments, "reason"), text(arguments, "who"))


def _is_duration(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= LONGEST_SECONDS


def text(arguments: Mapping[str, object], name: str) -> str:
    """A short text, or nothing. Raise UsageError for anything else."""
    value = arguments.get(name) or ""
    if not isinstance(value, str) or len(value) > LONGEST_TEXT:
        raise UsageError(f"{name} is a text of at most {LONGEST_TEXT} characters")
    return value
