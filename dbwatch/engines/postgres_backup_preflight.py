"""What must be known before a byte of a PostgreSQL is dumped: the client, the databases, the rights."""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from dbwatch.core.backups.model import JobReason, ServerIdentity
from dbwatch.core.backups.unread import some
from dbwatch.engines import postgres_backup_commands as commands
from dbwatch.engines import postgres_backup_programs as programs
from dbwatch.engines.postgres import version_of
from dbwatch.engines.postgres_backup_left_out import left_out
from dbwatch.engines.postgres_backup_session import asker
from dbwatch.engines.preflight import Preflight, PreflightFault, Statement

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import asyncpg

    from dbwatch.engines.backing import DumpOptions, Program
    from dbwatch.engines.base import Questions
    from dbwatch.settings.models import Instance

APPLICATION = "dbwatch/bk/preflight"
SHOWN = 3
NAMED = 20  # of what is named nowhere else
ONLY_SUPERUSERS = "only a superuser's dump has them, and no comparison knows of them"
INHERITED = "what a parent or a view makes is dumped without the comments on it, and no comparison knows of them"


async def preflight(instance: Instance, options: DumpOptions, questions: Questions) -> Preflight:
    """Raise EngineError, and JobError where no client fits."""
    async with asker(instance, questions, APPLICATION) as opened:
        server = await opened.one("backup_server")
        databases = [row for row in await opened.ask("backup_databases") if is_meant(row["name"], options)]
        others = [row for row in await opened.ask("backup_left_out") if is_meant(row["name"], options)]
        limited = await opened.ask("backup_limited")
    without = left_out(others, options, APPLICATION)
    version = version_of(str(server["version_text"]).partition(" ")[0])
    found = await _programs(version[0], options)
    has_zstd = any(program.name == programs.ZSTD for program in found)
    sealed = options.seal is not None
    form = commands.shape(found[0], has_zstd=has_zstd, wanted=options.codec, sealed=sealed)
    closed = _closed(limited, [row["name"] for row in databases], form.sessions(options.parallel))
    looked = Looked(closed) if closed else await _looked(instance, databases, questions, server)
    return Preflight(
        ServerIdentity("postgres", version, str(server["version_text"]), str(server["system_identifier"])),
        tuple((row["name"], int(row["bytes"] or 0)) for row in databases),
        found,
        form.codec,
        form.format,
        faults=(*without.faults(), *looked.faults),
        warnings=(*_warnings(server), *await without.warnings(instance, questions), *looked.told()),
    )


def is_meant(database: str, options: DumpOptions) -> bool:
    wanted = any(fnmatchcase(database, pattern) for pattern in options.include)
    return wanted and not any(fnmatchcase(database, pattern) for pattern in options.exclude)


async def _programs(major: int, options: DumpOptions) -> tuple[Program, ...]:
    """The dump program first."""
    client = await programs.client(major, options.program_directories)
    beside = [await programs.companion(client, name) for name in ("pg_dumpall", "pg_restore")]
    zstd = await programs.on_path(programs.ZSTD)
    return (client, *beside, *([zstd] if zstd else []))


@dataclass
class Looked:
    """What was found in the databases."""

    faults: list[PreflightFault] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    unlogged: list[str] = field(default_factory=list)

    def told(self) -> Iterator[str]:
        yield from self.warnings
        if self.unlogged:
            yield f"taken from a standby: what is unlogged is empty there: {some(self.unlogged, NAMED)}"


async def _looked(
    instance: Instance, databases: Sequence[asyncpg.Record], questions: Questions, server: asyncpg.Record
) -> Looked:
    if not databases:
        return Looked(
            [PreflightFault(JobReason.INCOMPLETE, "no database is left to dump: look at include and exclude")]
        )
    found = Looked()
    for row in databases:
        if not row["may_connect"]:
            found.faults.append(_shut(row["name"], row["remedy"]))
            continue
        async with asker(instance, questions, APPLICATION, row["name"]) as opened:
            found.faults += _missing(row["name"], await opened.ask("backup_unreadable"))
            found.warnings += _unkept(row["name"], await opened.ask("backup_unkept"), ONLY_SUPERUSERS)
            found.warnings += _unkept(row["name"], await opened.ask("backup_uncommented"), INHERITED)
            found.warnings += _without_identity(row["name"], await opened.ask("backup_identities"))
            unlogged = await opened.ask("backup_unlogged") if server["is_standby"] else []
            found.unlogged += [f"{row['name']}.{each['name']}" for each in unlogged]
    return found


def _shut(database: str, remedy: str) -> PreflightFault:
    line = f"{database}: may not be entered -> {remedy}"
    return PreflightFault(
        JobReason.PERMISSION, line, (Statement(remedy),), hides=f"what a dump of {database} would lack"
    )


def _closed(limited: Sequence[asyncpg.Record], databases: Sequence[str], needed: int) -> list[PreflightFault]:
    """Where not all of our sessions would be let in."""
    meant = [row for row in limited if row["name"] is None or row["name"] in databases]
    few = [row for row in meant if row["allowed"] < row["used"] + needed]
    return [_too_few(row, needed) for row in few]


def _too_few(row: asyncpg.Record, needed: int) -> PreflightFault:
    """Nobody looks into the databases before: that takes a session too."""
    what = f"{row['name'] or 'the account'}: allows {row['allowed']} sessions at a time, {row['used']} are in use"
    remedy = f"{row['remedy']}{row['used'] + needed};"
    line = f"{what}, and a dump takes up to {needed} -> {remedy}"
    return PreflightFault(JobReason.UNREACHABLE, line, (Statement(remedy),), hides="what a dump would lack")


def _unkept(database: str, rows: Sequence[asyncpg.Record], why: str) -> list[str]:
    """A dump that a restore cannot be told from: both lack it."""
    if not rows:
        return []
    names = some([f"{row['kind']} {row['name']}" for row in rows], NAMED)
    return [f"{database}: NOT in the dump: {names} ({why}) -> write their statements down elsewhere"]


def _without_identity(database: str, rows: Sequence[asyncpg.Record]) -> list[str]:
    """What no restore brings back, so that each one differs from its source: by the dump's order, not by a damage."""
    if not rows:
        return []
    names, parents = (some(list(dict.fromkeys(row[key] for row in rows)), NAMED) for key in ("name", "parent"))
    what = f"{database}: no restore makes these GENERATED AS IDENTITY again, and each is told as differing: {names}"
    why = f"a dump attaches partitions by their names, and these come before {parents}, which they are parts of"
    return [f"{what} ({why}) -> rename them, so that each comes after the table that it is a partition of"]


def _missing(database: str, rows: Sequence[asyncpg.Record]) -> list[PreflightFault]:
    """One line a database, with the statements that mend all of it."""
    if not rows:
        return []
    names = some([f"{row['kind']} {row['name']}" for row in rows], SHOWN)
    remedy = "remedy" if len(rows) <= SHOWN else "enough"
    mends = dict.fromkeys(Statement(row[remedy], "" if row["everywhere"] else database) for row in rows)
    line = f"{database}: the dump would lack {names} -> {' '.join(each.text for each in mends)}"
    return [PreflightFault(JobReason.PERMISSION, line, tuple(mends))]


def _warnings(server: asyncpg.Record) -> Iterator[str]:
    if not server["reads_passwords"]:
        yield "roles are dumped without passwords: this account may not read them"
    if server["tablespaces"]:
        yield "tablespaces are not kept: a restore puts everything into the default one"
    if server["is_standby"] and not server["has_feedback"]:
        yield "hot_standby_feedback is off: the primary's clean-up may cancel a long dump"
