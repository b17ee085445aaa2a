"""One step of a dump: its programs run, its facts are read beside them, and nobody waits for us for long."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NoReturn

import structlog

from dbwatch.core.backups.model import Facts, JobReason, Progress
from dbwatch.core.backups.unread import changed
from dbwatch.errors import EngineError, JobError
from dbwatch.jobs.faults import only

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from dbwatch.core.backups.model import FactsMode, Pairs
    from dbwatch.engines.backing import Output, Pipeline, Source, Step
    from dbwatch.jobs.hands import Hands

log = structlog.get_logger()
DUMPING, READING_FACTS = "dumping", "reading facts"
LOOK_SECONDS = 1.0
FACTS_GRACE_SECONDS = 60.0
MAX_TOLD = 3


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a dump keeps to, and where its progress is seen."""

    max_blocking_seconds: float
    facts_seconds: float
    bytes_done: Callable[[], Awaitable[int]]
    bytes_expected: int | None = None


@dataclass(frozen=True, slots=True)
class Dumped:
    """What one step left."""

    outputs: tuple[Output, ...]
    facts: Facts
    coordinates: Pairs = ()
    commands: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


FORETOLD_SHARE = 0.02  # of all bytes: nothing is foretold before


@dataclass(slots=True)
class Meter:
    """How far the whole dump is: steps add up."""

    hands: Hands
    bounds: Bounds
    began: float = field(default_factory=time.monotonic)
    tables_before: int = 0  # of the steps that ended
    tables_now: int = 0
    blocked: int = 0  # sessions that wait for us now
    held_up: JobError | None = None  # somebody waited for us for too long: what we then ended failed because of it

    async def show(self, source: Source) -> None:
        done, expected = await source.progress()
        self.tables_now = max(self.tables_now, expected or 0)
        size = await self.bounds.bytes_done()
        self.hands.show(
            Progress(
                phase=DUMPING,
                bytes_done=size,
                bytes_expected=self.bounds.bytes_expected,
                tables_done=None if done is None else self.tables_before + done,
                tables_expected=None if expected is None else self.tables_before + expected,
                seconds_left=self._seconds_left(size),
                blocked_sessions=self.blocked,
            )
        )

    def step_ended(self) -> None:
        self.tables_before, self.tables_now = self.tables_before + self.tables_now, 0

    def _seconds_left(self, size: int) -> float | None:
        expected, took = self.bounds.bytes_expected, time.monotonic() - self.began
        if not expected or size >= expected or size < FORETOLD_SHARE * expected:
            return None
        return took * (expected - size) / size


async def dump(hands: Hands, step: Step, meter: Meter) -> Dumped:
    """Raise JobError or EngineError; whatever was started is ended by then."""
    async with step.opened() as source:
        pipelines = tuple(source.pipelines)
        try:
            found = await _run(hands, step.name, source, pipelines, meter)
        except BaseExceptionGroup as group:
            raise (meter.held_up or only(group)) from group
        coordinates, is_exact, evidence = await source.finished()
        outputs = tuple(source.outputs)
    meter.step_ended()
    facts, warning = _settled(found, step.name, is_exact=is_exact, evidence=evidence)
    warnings = (*((warning,) if warning else ()), *changed(facts.tables))
    return Dumped(outputs, facts, coordinates, _told(pipelines), warnings)


async def _run(
    hands: Hands, name: str, source: Source, pipelines: Sequence[Pipeline], meter: Meter
) -> Facts | EngineError:
    async with asyncio.TaskGroup() as group:
        # Apart: a disk that hangs must not keep us from seeing who waits.
        beside = [
            group.create_task(_watch(source, meter), name=f"watch on the dump of {name}"),
            group.create_task(_show(source, meter), name=f"progress of the dump of {name}"),
        ]
        facts = group.create_task(_facts(source, meter.bounds.facts_seconds), name=f"facts of {name}")
        for number, pipeline in enumerate(pipelines):
            await hands.run(pipeline, on_started=source.dump_started if number == 0 else None)
        found = await facts
        for task in beside:
            task.cancel()
    return found


async def _facts(source: Source, seconds: float) -> Facts | EngineError:
    """A dump without them is worth more than none: it is kept, with a lower proof and a warning."""
    try:
        async with asyncio.timeout(seconds + FACTS_GRACE_SECONDS):
            return await source.facts()
    except EngineError as error:
        return error
    except TimeoutError:
        return Facts(evidence="there was no time to read them")


async def _watch(source: Source, meter: Meter) -> None:
    """Each second: the application comes first, so a dump that it waits for is given up. Raise JobError."""
    limit, pause_seconds = meter.bounds.max_blocking_seconds, 0.0
    seen_at = time.monotonic()
    while True:
        await asyncio.sleep(pause_seconds)
        pause_seconds = LOOK_SECONDS
        try:
            blocking = await source.blocking()
        except EngineError as error:
            if time.monotonic() - seen_at > limit:  # somebody may have waited all the time
                what = f"for {limit:g} s it could not be seen who waits for the dump: {error.message}"
                raise JobError(JobReason.LOST, what) from None
            continue
        seen_at, meter.blocked = time.monotonic(), blocking.sessions
        meter.held_up = blocking.too_long(limit)
        if meter.held_up:
            await _let_go(source, meter.held_up)
        pause_seconds = blocking.look_again_seconds(limit, LOOK_SECONDS)


async def _show(source: Source, meter: Meter) -> None:
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        await meter.show(source)


async def _let_go(source: Source, why: JobError) -> NoReturn:
    """Our programs may take their time to end, and their sessions longer."""
    with suppress(EngineError):
        await source.let_go()
    raise why


def _settled(found: Facts | EngineError, name: str, *, is_exact: bool, evidence: str) -> tuple[Facts, str]:
    if isinstance(found, EngineError):
        why = f"no facts of {name}: {found.message}"
        return Facts(evidence=why), f"{why}; what is restored can only be looked at, not compared"
    if not is_exact and (found.comparable or evidence != found.evidence):
        return _inexact(found, evidence), ""
    return replace(found, comparable=found.comparable and is_exact, evidence=evidence or found.evidence), ""


def _inexact(found: Facts, evidence: str) -> Facts:
    """It came out later that they are of another moment: what differs is then no fault of the dump, so none is kept."""
    databases = tuple(replace(each, inventory=(), inventory_digest="", objects=()) for each in found.databases)
    return replace(found, comparable=False, evidence=evidence, databases=databases, tables=())


def _told(pipelines: Sequence[Pipeline]) -> tuple[str, ...]:
    return tuple(" | ".join(" ".join(command.argv) for command in each.commands) for each in pipelines)


def merged(parts: Sequence[Facts], mode: FactsMode) -> Facts:
    """The facts of all steps as those of the set: exact only where each is. Else the evidence is why they are not."""
    is_exact = bool(parts) and all(part.comparable for part in parts)
    return Facts(
        mode=mode,
        comparable=is_exact,
        evidence=_joined([part.evidence for part in parts if part.evidence and part.comparable is is_exact]),
        databases=tuple(database for part in parts for database in part.databases),
        tables=tuple(table for part in parts for table in part.tables),
        roles=tuple(sorted({role for part in parts for role in part.roles})),
    )


def _joined(evidence: Sequence[str]) -> str:
    told = list(dict.fromkeys(evidence))
    more = f"; and {len(told) - MAX_TOLD} more" if len(told) > MAX_TOLD else ""
    return "; ".join(told[:MAX_TOLD]) + more
