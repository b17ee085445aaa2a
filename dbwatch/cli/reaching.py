"""Who carries a command out: the daemon, or we ourselves, under its lock, where none runs."""

from __future__ import annotations

import os
import time
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from dbwatch import history, library
from dbwatch.errors import ControlError, DbwatchError, UsageError
from dbwatch.http import control_client
from dbwatch.settings.load import load

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
    from pathlib import Path

    from dbwatch.history import History
    from dbwatch.settings.models import Settings

LONG_SECONDS = 600.0  # a large repository that is read anew
PROBE = "jobs_list"


@dataclass(frozen=True, slots=True)
class Reached:
    """`ask` a command by name; `is_daemon`: what it starts outlives us."""

    ask: Callable[[str, Mapping[str, object]], Awaitable[object]]
    is_daemon: bool


@asynccontextmanager
async def reached(config: Path) -> AsyncIterator[Reached]:
    """Raise DbwatchError where no daemon answers and its history is not free."""
    settings = load(config, os.environ)
    try:
        await control_client.call(settings.control_socket, PROBE)
    except ControlError as refused:
        async with _ourselves(settings, refused) as own:
            yield own
    else:
        ask = partial(control_client.call, settings.control_socket, timeout_seconds=LONG_SECONDS)
        yield Reached(ask, is_daemon=True)


@asynccontextmanager
async def _ourselves(settings: Settings, refused: ControlError) -> AsyncIterator[Reached]:
    from dbwatch.clock import SystemClock
    from dbwatch.jobs import commands, office

    async with AsyncExitStack() as stack:
        past = await _history(stack, settings, refused)
        catalogue = library.load_for(settings)
        desk = await stack.enter_async_context(office.in_process(settings, catalogue, past, SystemClock()))
        handlers = commands.commands(lambda: desk)

        async def ask(command: str, arguments: Mapping[str, object]) -> object:
            return await handlers[command](dict(arguments))

        yield Reached(ask, is_daemon=False)


async def _history(stack: AsyncExitStack, settings: Settings, refused: ControlError) -> History:
    try:
        return await stack.enter_async_context(history.opened(settings.state_directory))
    except UsageError:
        raise
    except DbwatchError as error:
        raise ControlError(f"{refused}\nnor can it be done without: {error}") from None


def mapping(answer: object) -> Mapping[str, object]:
    return answer if isinstance(answer, dict) else {}


def mappings(answer: object) -> list[Mapping[str, object]]:
    return [mapping(each) for each in answer] if isinstance(answer, list) else []


def text(row: Mapping[str, object], name: str) -> str:
    """'' for what is not known."""
    value = row.get(name)
    return "" if value is None else str(value)


def number(row: Mapping[str, object], name: str) -> float | None:
    value = row.get(name)
    return None if value is None else float(str(value))


def since(unix_seconds: float) -> float:
    return max(time.time() - unix_seconds, 0.0)
