"""What must be known before a byte of a MySQL or MariaDB is dumped: the rights, what they hide, the client."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from dbwatch.core.backups.model import JobReason, ServerIdentity
from dbwatch.core.backups.unread import some
from dbwatch.core.conditions import parse_version
from dbwatch.engines import mysql_backup_accounts as accounts_of
from dbwatch.engines import mysql_backup_events as events
from dbwatch.engines import mysql_backup_facts as remembered
from dbwatch.engines import mysql_backup_privileges as privileges
from dbwatch.engines import mysql_backup_programs as programs_of
from dbwatch.engines import mysql_backup_rounding as rounding
from dbwatch.engines import mysql_backup_unseen as unseen
from dbwatch.engines import mysql_backup_views as views
from dbwatch.engines.mysql_backup_programs import MARIADB, MYSQL
from dbwatch.engines.mysql_backup_session import asker
from dbwatch.engines.preflight import Preflight, PreflightFault

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from dbwatch.engines.backing import DumpOptions
    from dbwatch.engines.base import Questions
    from dbwatch.engines.mysql_backup_session import Asker
    from dbwatch.settings.models import Instance

FORMAT = "sql"
LOOKING = "dbwatch/looking"


@dataclass(frozen=True, slots=True)
class _Found:
    """What the server told before a dump."""

    identity: Mapping[str, str]
    flavour: str
    listed: Sequence[Mapping[str, Any]]
    tables: Sequence[remembered.Table]
    held: Sequence[tuple[str, str]]
    unseen: Sequence[PreflightFault]  # those that no list of rights shows
    sees_any: bool

    @property
    def version(self) -> tuple[int, ...]:
        return parse_version(self.identity["version"])

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(str(row["name"]) for row in self.listed)


async def preflight(instance: Instance, options: DumpOptions, questions: Questions) -> Preflight:
    """Raise EngineError, and JobError where no client fits."""
    async with asker(instance, questions, LOOKING) as opened:
        found = await _look(opened, options)
        faults = _faults(found, options)
        warnings = _warnings(found, options)
        for each in () if faults else (accounts_of, rounding, events):
            warnings += await each.warnings(opened, found.names)
    programs = await programs_of.client(found.flavour, found.version, options.program_directories)
    dump = programs[0]
    await programs_of.flags(dump, found.flavour, found.version)
    codec = programs_of.chosen_codec(options.codec, dump.codecs)
    return Preflight(
        server=_identity(found),
        databases=tuple((str(row["name"]), int(row["bytes"])) for row in found.listed),
        programs=programs,
        codec=codec,
        format=FORMAT,
        faults=tuple(faults),
        warnings=tuple(warnings),
    )


def flavour_of(told: str) -> str:
    return MARIADB if told == MARIADB else MYSQL


async def _look(opened: Asker, options: DumpOptions) -> _Found:
    identity = {str(row["name"]): str(row["value"]) for row in await opened.ask("identity")}
    every = {str(row["name"]): row for row in await opened.ask("databases")}
    listed = {name: row for name, row in every.items() if _is_wanted(name, options)}
    tables = await remembered.tables(opened, {name: name for name in listed})
    held = [(str(row["privilege"]), str(row["database"])) for row in await opened.ask("privileges")]
    hidden = [name for name in await unseen.databases(opened, held, every) if _is_wanted(name, options)]
    faults = privileges.unseen(hidden, identity["account"])
    faults += await views.faults(opened, listed, identity["account"])
    return _Found(identity, flavour_of(opened.hello.flavour), tuple(listed.values()), tables, held, faults, bool(every))


def _is_wanted(database: str, options: DumpOptions) -> bool:
    wanted = any(fnmatchcase(database, pattern) for pattern in options.include)
    return wanted and not any(fnmatchcase(database, pattern) for pattern in options.exclude)


def _identity(found: _Found) -> ServerIdentity:
    told = found.identity
    flavour = "percona" if "percona" in told["version_comment"].lower() else found.flavour
    return ServerIdentity(flavour, found.version, told["version"], told["identifier"])


def _faults(found: _Found, options: DumpOptions) -> list[PreflightFault]:
    account = found.identity["account"]
    faults = [*privileges.missing(found.held, found.names, found.flavour, account), *found.unseen]
    if not found.names:
        what = "no database matches `include` and `exclude`, or the account may see none"
        is_blind = not found.sees_any and not privileges.sees_all(found.held)
        none = PreflightFault(JobReason.PERMISSION, what)
        faults.append(privileges.nothing_seen(what, account) if is_blind else none)
    moving = [table.label for table in found.tables if table.moving]
    if moving and not options.accept_non_transactional:
        mend = "convert them to InnoDB, exclude their databases, or set non_transactional: accept"
        line = f"{some(moving)} know no transactions, and may change meanwhile: {mend}"
        faults.append(PreflightFault(JobReason.OTHER, line))
    return faults


def _warnings(found: _Found, options: DumpOptions) -> list[str]:
    moving = [table.label for table in found.tables if table.moving]
    versioned = [table.label for table in found.tables if table.versioned]
    lines = []
    if moving and options.accept_non_transactional:
        lines.append(f"{some(moving)}: without transactions, not of the same moment as the rest, and not compared")
    if not privileges.sees_all(found.held) and any("*" in pattern for pattern in options.include):
        lines.append(privileges.maybe_unseen(found.identity["account"]))
    if versioned:
        lines.append(f"{some(versioned)}: of system-versioned tables a dump holds what is current, not the history")
    if found.identity["log_bin"] != "ON":
        lines.append("the binary log is off: nothing after the dump can be brought back")
    return lines
