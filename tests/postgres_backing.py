"""Back a real PostgreSQL up and restore it, without a daemon: our engine, our processes, a manifest of it."""

from __future__ import annotations

import asyncio
import os
import shutil
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import asyncpg

from dbwatch.core.backups.model import BackupKind, Facts, Manifest, Member
from dbwatch.engines.backing import DumpOptions, Selection, Target
from dbwatch.engines.postgres_backup import PostgresBackup
from dbwatch.jobs import process, serving
from tests.fix_postgres import PASSWORD
from tests.postgres_asking import instance, ours

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine
    from pathlib import Path

    from dbwatch.engines.backing import Command, Pipeline, Source, Step
    from dbwatch.engines.preflight import Preflight
    from dbwatch.settings.models import PostgresInstance
    from tests.fix_postgres import Postgres

    Meanwhile = Callable[[Source], Coroutine[None, None, None]]

BACKUP, APPLICATION = "dbwatch_backup", "dbwatch/bk/test"
WAIT_SECONDS = 60.0


def engine() -> PostgresBackup:
    return PostgresBackup(ours())


def described(server: Postgres, *, password: str = PASSWORD, **overrides: object) -> PostgresInstance:
    return instance(server.instance(), backup={"user": BACKUP, "password": password}, **overrides)


def as_superuser(server: Postgres) -> PostgresInstance:
    """Over the socket, where the tests' servers trust everybody."""
    return instance(server.instance(), host=str(server.directory), backup={"user": "postgres"})


async def nothing(_source: Source) -> None:
    """Meanwhile."""


@dataclass
class Taken:
    """One set, unpublished."""

    directory: Path
    manifest: Manifest
    preflight: Preflight
    facts: list[Facts] = field(default_factory=list)


async def take(
    server: PostgresInstance, directory: Path, options: DumpOptions, meanwhile: Meanwhile = nothing
) -> Taken:
    """Every step of a dump, as the jobs take it."""
    backing = engine()
    known = await backing.preflight(server, options)
    assert known.faults == ()
    await asyncio.to_thread(directory.mkdir, parents=True)
    steps = backing.steps(server, known, options, directory, private=directory.parent, application=APPLICATION)
    outputs, facts = [], []
    comparable, coordinates = True, []
    for step in steps:
        async with step.opened() as source:
            outputs += list(source.outputs)
            facts.append(await _run(source, step, meanwhile))
            told, still, _ = await source.finished()
            comparable = comparable and still
            coordinates += list(told)
    members = tuple(
        Member(str(path.relative_to(directory)), path.stat().st_size, "", output.role, output.codec, output.database)
        for output in outputs
        for path in (sorted(output.path.iterdir()) if output.path.is_dir() else [output.path])
    )
    merged = Facts(
        options.facts,
        comparable and all(each.comparable for each in facts),
        "",
        tuple(known for each in facts for known in each.databases),
        tuple(known for each in facts for known in each.tables),
        tuple(known for each in facts for known in each.roles),
    )
    manifest = Manifest(
        id="test",
        sequence=1,
        kind=BackupKind.LOGICAL,
        instance="db",
        engine="postgres",
        server=known.server,
        started_at=0.0,
        ended_at=1.0,
        seconds=1.0,
        members=members,
        facts=merged,
        coordinates=tuple(coordinates),
        tools=tuple((program.name, program.version_text) for program in known.programs),
        format=known.format,
    )
    return Taken(directory, manifest, known, facts)


async def _run(source: Source, step: Step, meanwhile: Meanwhile) -> Facts:
    async with asyncio.TaskGroup() as group:
        facts = group.create_task(source.facts(), name=f"facts of {step.name}")
        group.create_task(meanwhile(source), name="meanwhile")
        for pipeline in source.pipelines:
            await process.run(pipeline, on_started=source.dump_started)
    return facts.result()


async def run(pipelines: list[Pipeline] | tuple[Pipeline, ...]) -> None:
    for pipeline in pipelines:
        await process.run(pipeline)


@asynccontextmanager
async def scratch(taken: Taken, directory: Path, *first: Path) -> AsyncIterator[Target]:
    """A server to restore into, of whichever installation can."""
    backing = engine()
    programs = await backing.scratch_programs(taken.manifest, first)
    account = "nobody" if os.getuid() == 0 else None
    await asyncio.to_thread(_private, directory, account)
    made = backing.scratch(directory, programs, account)
    await run(made.initialise)
    for path, text in made.files.items():
        await asyncio.to_thread(path.write_text, text)
    async with serving.serving(made.serve, log=made.log, stop_signal=made.stop_signal, name="scratch"):
        await backing.wait_ready(made.instance, WAIT_SECONDS)
        yield Target(made.instance, directory, programs, is_scratch=True)


def _private(directory: Path, account: str | None) -> None:
    directory.mkdir(mode=0o700)
    if account:
        shutil.chown(directory, account)


async def restore(
    taken: Taken, target: Target, selection: Selection | None = None, opener: Command | None = None
) -> None:
    chosen = selection or Selection()
    await run(list(await engine().restoring(taken.manifest, taken.directory, target, chosen, opener)))


async def restored_facts(taken: Taken, target: Target) -> Facts:
    names = {known.name: known.name for known in taken.manifest.facts.databases}
    return await engine().facts_of(target, taken.manifest, names, 60.0)


def content(facts: Facts) -> Facts:
    """What must be equal; sizes are each server's own."""
    databases = tuple(replace(known, size_bytes=0, extensions=()) for known in facts.databases)
    tables = tuple(sorted((replace(known, bytes=None) for known in facts.tables), key=lambda known: known.key))
    return replace(facts, databases=databases, tables=tables, evidence="")


async def session(target: Target, database: str) -> asyncpg.Connection[Any]:
    """A superuser's session on what was restored; the caller closes."""
    opened: asyncpg.Connection[Any] = await asyncpg.connect(
        host=target.instance.host, port=target.instance.port, user="postgres", database=database
    )
    return opened


async def settings_of(target: Target, database: str) -> set[str]:
    """What ALTER DATABASE ... SET said."""
    opened = await session(target, database)
    try:
        rows = await opened.fetch(
            "SELECT unnest(setconfig) AS one FROM pg_db_role_setting WHERE setrole = 0 AND setdatabase = "
            "(SELECT oid FROM pg_database WHERE datname = current_database())"
        )
    finally:
        await opened.close()
    return {row["one"] for row in rows}
