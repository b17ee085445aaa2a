"""Pipelines of small programs for the tests of jobs, and a look at what they leave behind."""

from __future__ import annotations

import asyncio
import uuid
from typing import TYPE_CHECKING

from dbwatch.engines.backing import Command, Pipeline
from dbwatch.errors import JobError
from dbwatch.jobs import proc, process
from dbwatch.jobs.process import Care

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from pydantic import SecretStr

    from dbwatch.jobs.failing import Ended


def command(*argv: str, **environment: str) -> Command:
    return Command(argv, environment)


def shell(text: str, **environment: str) -> Command:
    """Only tests use one."""
    return command("/bin/sh", "-c", text, **environment)


def pipeline(
    *commands: Command,
    stdin: Path | None = None,
    stdout: Path | None = None,
    secrets: Mapping[Path, SecretStr] | None = None,
    grows: tuple[Path, ...] = (),
) -> Pipeline:
    return Pipeline("dump of town", commands, stdin, stdout, secrets or {}, grows)


def care(stalled_after_seconds: float | None = None) -> Care:
    return Care(f"test-{uuid.uuid4().hex}", stalled_after_seconds=stalled_after_seconds, grace_seconds=0.5)


async def failure(asked: Pipeline, carefully: Care | None = None) -> JobError:
    """What it fails with; that it succeeds is a failure of the test."""
    try:
        ended: list[Ended] = await process.run(asked, carefully)
    except JobError as error:
        return error
    raise AssertionError(f"it succeeded: {ended}")


def alive(token: str) -> set[int]:
    """The processes that carry this mark, and did not end."""
    return {pid for pid, each in proc.table().items() if each.state != proc.ZOMBIE and proc.token(pid) == token}


async def looks() -> AsyncIterator[None]:
    """Again and again, for half a minute."""
    for _ in range(3000):
        yield
        await asyncio.sleep(0.01)


async def many(token: str, count: int) -> None:
    """Wait until so many carry the mark."""
    await anext(each async for each in looks() if len(alive(token)) >= count)
