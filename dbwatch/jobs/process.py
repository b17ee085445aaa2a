"""Pipelines of programs: every exit code counts, nothing is left behind, and no byte of a dump passes through here."""

from __future__ import annotations

import asyncio
import os
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dbwatch.errors import JobError
from dbwatch.jobs import failing, leftovers
from dbwatch.jobs.disk import opened, secret_files, whole
from dbwatch.jobs.failing import Ended
from dbwatch.jobs.faults import disk_error, only
from dbwatch.jobs.launching import KILL_SECONDS, NICE, Child, Ends, end_all, gone, launch
from dbwatch.jobs.watchdog import Watchdog

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
    from pathlib import Path

    from dbwatch.engines.backing import Command, Pipeline
    from dbwatch.jobs.leftovers import Mark

    Hook = Callable[[], Awaitable[None]]

__all__ = ["Care", "Ended", "run"]

NEIGHBOUR_SECONDS = 2.0  # for the others of a pipeline to end by themselves once one has failed
LISTEN = -1


async def _nothing(_mark: Mark) -> None: ...


def _unheard(_bytes: int) -> None: ...


@dataclass(slots=True, eq=False)
class Care:
    """What a run wants for its processes. `leaders`: those that live now, servers included."""

    token: str = ""
    remember: Callable[[Mark], Awaitable[None]] = _nothing
    forget: Callable[[Mark], Awaitable[None]] = _nothing
    stalled_after_seconds: float | None = None
    on_bytes: Callable[[int], None] = _unheard
    nice: int = NICE
    grace_seconds: float = KILL_SECONDS  # from being asked to end to being killed
    leaders: set[int] = field(default_factory=set)

    @asynccontextmanager
    async def noted(self, children: Sequence[Child]) -> AsyncIterator[None]:
        """In the journal, as long as the context is open."""
        marks = [leftovers.mark(self.token, child.pid, child.program) for child in children]
        self.leaders.update(child.pid for child in children)
        try:
            for each in filter(None, marks):
                await self.remember(each)
            yield
        finally:
            self.leaders.difference_update(child.pid for child in children)
            for each in filter(None, marks):
                await self.forget(each)


async def run(
    pipeline: Pipeline, care: Care | None = None, *, on_started: Hook | None = None, keep_output: bool = False
) -> list[Ended]:
    """Run it to its end. Raise JobError where any process failed, hangs, or cannot be started.

    `on_started` runs beside them once all were started; `keep_output`: the end of what the last one prints.
    """
    care = care or Care()
    children: list[Child] = []
    secrets = {word for each in pipeline.secrets.values() for word in failing.secrets_in(each.get_secret_value())}
    async with secret_files(pipeline.secrets):
        try:
            await _start(pipeline, care, children, secrets, keep_output=keep_output)
            async with care.noted(children):
                await _beside(pipeline, care, children, on_started)
        finally:
            await end_all(children, care.grace_seconds)
    return _judged(pipeline, [child.over.result() for child in children])


async def _beside(pipeline: Pipeline, care: Care, children: Sequence[Child], on_started: Hook | None) -> None:
    """Wait for the processes, and beside them look whether they get on."""
    watchdog = Watchdog(pipeline.name, pipeline.grows, care.leaders, care.stalled_after_seconds, care.on_bytes)
    try:
        async with asyncio.TaskGroup() as group:
            side = [group.create_task(watchdog.run(), name=f"watchdog of {pipeline.name}")]
            if on_started is not None:
                side.append(group.create_task(_hooked(on_started), name=f"start of {pipeline.name}"))
            is_well = await _over(pipeline.commands, children)
            for task in side[: 1 if is_well else None]:
                task.cancel()
    except BaseExceptionGroup as several:
        raise only(several) from None
    await watchdog.look()


async def _hooked(hook: Hook) -> None:
    await hook()


async def _over(commands: Sequence[Command], children: Sequence[Child]) -> bool:
    """Wait until all have ended; where one failed, the others are not waited for long."""
    waiting = {child.over: command for child, command in zip(children, commands, strict=True)}
    while waiting:
        done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        if any(each.result().returncode not in waiting.pop(each).accepted for each in done):
            await gone(children, NEIGHBOUR_SECONDS)
            await end_all(children)
            return False
    return True


def _judged(pipeline: Pipeline, ended: list[Ended]) -> list[Ended]:
    pairs = zip(ended, pipeline.commands, strict=True)
    failed = [each for each, command in pairs if each.returncode not in command.accepted]
    if failed:
        culprit = failing.culprit(failed)
        raise JobError(failing.reason(culprit), f"{pipeline.name}: {failing.sentence(culprit)}")
    return ended


# --- how they are chained ---


@dataclass(slots=True)
class Descriptors:
    """Ours, until every process has its own copies."""

    held: list[int] = field(default_factory=list)

    def hold(self, path: Path, flags: int) -> int:
        try:
            self.held.append(opened(path, flags))
        except OSError as error:
            raise disk_error(error, path) from None
        return self.held[-1]

    def pipe(self) -> tuple[int, int]:
        reading, writing = os.pipe()
        self.held += [reading, writing]
        return reading, writing

    def close(self) -> None:
        for each in self.held:
            with suppress(OSError):
                os.close(each)


async def _start(
    pipeline: Pipeline, care: Care, children: list[Child], secrets: set[str], *, keep_output: bool
) -> None:
    """Start them all; `children` has those that were started, also where one could not be."""
    files = Descriptors()
    try:
        first, last = await whole(_outer, pipeline, files, keep_output=keep_output)
        count, reading = len(pipeline.commands), first
        for number, command in enumerate(pipeline.commands, 1):
            following, writing = files.pipe() if number < count else (-1, last)
            ends = Ends(reading, writing, LISTEN)
            children.append(launch(command, ends, care.token, secrets=secrets, nice=care.nice))
            reading = following
    finally:
        files.close()


def _outer(pipeline: Pipeline, files: Descriptors, *, keep_output: bool) -> tuple[int, int]:
    """What the first one reads and the last one writes."""
    nothing = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    files.held.append(nothing)
    first = files.hold(pipeline.stdin, os.O_RDONLY) if pipeline.stdin else nothing
    if pipeline.stdout is not None:
        return first, files.hold(pipeline.stdout, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    return first, LISTEN if keep_output else nothing
