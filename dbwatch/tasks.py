"""The one place where any exception may be caught: a task that must outlive its own bugs."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING

import structlog

from dbwatch.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

RESTART_FIRST_SECONDS = 1.0
RESTART_MAX_SECONDS = 60.0

log = structlog.get_logger()


@contextmanager
def config_errors_alone() -> Iterator[None]:
    """A ConfigError that leaves task groups is no group of exceptions any more: whoever started reads its lines."""
    try:
        yield
    except ExceptionGroup as group:
        refused, others = group.split(ConfigError)
        if refused is None or others is not None:
            raise
        raise ConfigError(fault for error in _leaves(refused) for fault in error.faults) from None


def _leaves(group: ExceptionGroup[ConfigError]) -> Iterator[ConfigError]:
    for error in group.exceptions:
        if isinstance(error, ExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


class Heartbeats:
    """When each supervised task last made progress: the systemd watchdog is fed only while all did."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._deadlines: dict[str, float] = {}

    def beat(self, name: str, within_seconds: float) -> None:
        """The task `name` lives, and promises the next beat within so many seconds."""
        self._deadlines[name] = self._clock() + within_seconds

    def forget(self, name: str) -> None:
        self._deadlines.pop(name, None)

    def late(self) -> list[str]:
        """The tasks that broke their promise."""
        now = self._clock()
        return sorted(name for name, deadline in self._deadlines.items() if deadline < now)


def times_cancelled() -> int:
    """How often the task that asks was asked to end."""
    task = asyncio.current_task()
    return task.cancelling() if task is not None else 0


async def supervise(name: str, work: Callable[[], Awaitable[None]], on_crash: Callable[[str], None]) -> None:
    """Run `work` for ever: an unexpected exception is a bug, told with its traceback, and the work starts again."""
    pause_seconds = RESTART_FIRST_SECONDS
    while True:
        try:
            await work()
        except Exception:
            log.exception("task_crashed", task=name, restart_in_seconds=pause_seconds)
            on_crash(name)
            if times_cancelled():  # a bug on the way out; before Python 3.13 a group of tasks forgets the rest
                raise asyncio.CancelledError from None
        else:
            return
        await asyncio.sleep(pause_seconds)
        pause_seconds = min(pause_seconds * 2, RESTART_MAX_SECONDS)
