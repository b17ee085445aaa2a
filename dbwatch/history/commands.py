"""What the control socket can do with the history; the command line runs the same when no daemon does."""

from __future__ import annotations

import difflib
import time
from dataclasses import asdict
from typing import TYPE_CHECKING

from dbwatch.errors import UsageError
from dbwatch.history import alert_commands
from dbwatch.history.arguments import duration, text
from dbwatch.history.maintenance import Window

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Mapping

    from dbwatch.history.maintenance import History
    from dbwatch.settings.models import Settings

    Command = Callable[[dict[str, object]], Awaitable[object]]


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

    windows: Mapping[str, Command] = {
        "maintenance_start": start,
        "maintenance_stop": stop,
        "maintenance_list": listed,
    }
    return {**windows, **alert_commands.commands(history, clock)}


def window(arguments: Mapping[str, object], instances: Collection[str], now: float) -> Window:
    """The window that is asked for. Raise UsageError where it makes no sense."""
    name = text(arguments, "instance")
    if name not in instances:
        near = difflib.get_close_matches(name, instances, 1)
        hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(sorted(instances)) or 'none'}"
        raise UsageError(f"no instance {name!r} in the configuration: {hint}")
    seconds = duration(arguments, "a window")
    ends_at = now + seconds if seconds is not None else None
    return Window(name, now, ends_at, text(arguments, "reason"), text(arguments, "who"))
