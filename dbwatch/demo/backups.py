"""The demonstration's backups: where they are kept, and the first ones, asked for as soon as the daemon is up."""

from __future__ import annotations

import asyncio
import pwd
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from dbwatch.core.showing import humanise
from dbwatch.errors import ControlError
from dbwatch.http import control_client

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from dbwatch.demo.ground import Ground
    from dbwatch.demo.model import DemoEstate

LOOK_EVERY_SECONDS = 1.0
START_TRIES = 30
ENDED = frozenset({"succeeded", "failed", "cancelled", "orphaned"})


def section(estate: DemoEstate, directory: Path, scratch: Ground) -> dict[str, object]:
    """What all instances share. Servers that a restore is proven on run in `scratch`, as the demonstration's own do."""
    servers = estate.servers
    return {
        "directory": str(directory / "backups"),
        "scratch_directory": str(scratch.directory),
        "scratch_account": scratch.account and pwd.getpwuid(scratch.account.uid).pw_name,
        "reports_directory": str(directory / "reports"),
        "stop_grace": 1,
        "reserve_ratio": 0,
        "reserve_bytes": 512 * 1024**2,
        "postgres_programs": [str(each.address.programs) for each in servers if each.engine == "postgres"],
    }


def of_instance() -> dict[str, object]:
    """As a town hall would have it, at an hour at which nobody books an appointment."""
    return {"logical": {"schedule": "30 1 * * *", "retention": {"daily": 7, "weekly": 4, "monthly": 12}}}


async def first(control_socket: Path, names: Iterable[str], say: Callable[[str], None]) -> None:
    """One backup of each, made, restored and compared; told as it ends."""
    async with asyncio.TaskGroup() as group:
        for name in names:
            group.create_task(_one(control_socket, name, say), name=f"demo-backup-{name}")


async def _one(control_socket: Path, name: str, say: Callable[[str], None]) -> None:
    try:
        run = await _started(control_socket, name)
        while run.get("state") not in ENDED:
            await asyncio.sleep(LOOK_EVERY_SECONDS)
            run = _run(await control_client.call(control_socket, "job_status", {"id": run["id"]}))
    except ControlError as error:
        say(f"backup of {name}: {error}")
        return
    took = humanise.duration(float(run.get("seconds") or 0.0))
    say(f"backup:  {name}: {run.get('state')} in {took}: {run.get('detail')}")


async def _started(control_socket: Path, name: str) -> dict[str, Any]:
    """A daemon that has just started looks first at what an earlier one may have left."""
    for _ in range(START_TRIES):
        with suppress(ControlError):
            return _run(await control_client.call(control_socket, "backup_start", {"instance": name, "who": "demo"}))
        await asyncio.sleep(LOOK_EVERY_SECONDS)
    return _run(await control_client.call(control_socket, "backup_start", {"instance": name, "who": "demo"}))


def _run(answer: object) -> dict[str, Any]:
    return dict(answer) if isinstance(answer, dict) else {}
