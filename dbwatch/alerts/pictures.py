"""The picture of the second in which an alert fired: who holds what and who waits, kept in a file that mails cite.

It shows fingerprints of statements, never their text, and no client's address. A file is for the daemon's account and
its group; the newest ones are kept.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import structlog

from dbwatch.core.showing import activity
from dbwatch.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable
    from pathlib import Path

    from dbwatch.core.alerting.model import Alert
    from dbwatch.core.model import Rows

    Look = Callable[[str, str], Awaitable[Rows]]  # instance, question; raises EngineError

log = structlog.get_logger()
DIRECTORY = "pictures"
ANNOTATION = "picture"
WIDTH = 160
KEPT = 500
GROUP_MAY_READ = 0o640


@dataclass(frozen=True, slots=True)
class Photographer:
    """Takes pictures through `look` and keeps them in `directory`."""

    look: Look
    directory: Path
    deadline_seconds: float = 3.0

    async def taken(self, alerts: Iterable[Alert], now: float) -> list[Alert]:
        """The alerts that could be given a picture, with where it is. One picture serves all alerts of an instance."""
        wanted: dict[tuple[str, str], list[Alert]] = {}
        for alert in alerts:
            kind = alert.annotation(ANNOTATION)
            if kind in activity.VIEWS and alert.label("db_instance"):
                wanted.setdefault((alert.label("db_instance"), kind), []).append(alert)
        async with asyncio.TaskGroup() as group:
            tasks = {
                place: group.create_task(self._picture(*place, now), name=f"picture {place[0]}") for place in wanted
            }
        made = {place: path for place, task in tasks.items() if (path := task.result())}
        return [replace(alert, picture=path) for place, path in made.items() for alert in wanted[place]]

    async def _picture(self, instance: str, kind: str, now: float) -> str:
        """Its path; '' where there is none, for a letter must not wait for it."""
        try:
            async with asyncio.timeout(self.deadline_seconds):
                rows = await self.look(instance, kind)
        except (EngineError, TimeoutError) as error:
            log.warning("picture_missing", instance=instance, kind=kind, problem=str(error) or "no answer in time")
            return ""
        lines = [f"{instance}: {kind} at {_stamp(now)}", "", *activity.VIEWS[kind](rows, WIDTH), ""]
        try:
            return await asyncio.to_thread(_kept, self.directory, f"{_stamp(now)}-{instance}-{kind}.txt", lines)
        except OSError as error:
            log.warning("picture_missing", instance=instance, kind=kind, problem=error.strerror)
            return ""


def _stamp(now: float) -> str:
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))


def _kept(directory: Path, name: str, lines: list[str]) -> str:
    """Write it, and let the oldest go."""
    directory.mkdir(mode=0o750, exist_ok=True)
    path = directory / name
    partial = path.with_suffix(".partial")
    partial.touch(GROUP_MAY_READ)
    partial.chmod(GROUP_MAY_READ)
    partial.write_text("\n".join(lines), encoding="utf-8")
    partial.rename(path)
    for old in sorted(directory.glob("*.txt"))[:-KEPT]:
        with suppress(FileNotFoundError):
            old.unlink()
    return str(path)
