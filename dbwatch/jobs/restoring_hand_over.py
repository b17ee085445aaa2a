"""What a person does with a table that was restored beside the original: the statements, with the names filled in."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from dbwatch.core.showing import humanise
from dbwatch.errors import EngineError, JobError
from dbwatch.files import sql_root
from dbwatch.jobs.restoring import selection

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dbwatch.core.backups.restore_plans import RestorePlan
    from dbwatch.engines.backing import Aside, Target
    from dbwatch.jobs.restoring import Source
    from dbwatch.settings.models import Instance

PLAIN = re.compile(r"[a-z_][a-z0-9_]*")
POSTGRES, SIDE = "postgres", "dbwatch_restored"
FILE, READ_FILE = "hand_over.sql", "hand_over_read.sql"
KEYED_FILE = "hand_over_keyed.sql"  # MySQL compares whole rows since 8.0.31 only: not where a key does
KEYED = "A row whose key is there stays as it is."
KEYLESS = (
    "The table has no unique key:\n"
    "-- of a row that was CHANGED since, the former one comes back beside the new one: run the SELECT alone first."
)
DEFERRABLE = (
    "A key of the table may be deferred, so no row can be passed over:\n"
    "-- of a row that was CHANGED since, the former one is refused, and the others with it: run the SELECT alone first."
)
PASSED_OVER = "\nON CONFLICT DO NOTHING"
LEFT_OUT = "\n-- The copy lacks these foreign keys, from it and to it. Where it takes the place of a lost original:"
DANGLING = "\n-- The foreign keys of the copy ({keys}) refer to tables that {into} does not have: it takes no new rows."


async def written(source: Source, planned: RestorePlan, target: Target) -> str:
    """The restore is done: what cannot be asked for this text is told, and fails nothing."""
    manifest = planned.record.manifest
    try:
        async with source.repository.holding(manifest.instance, manifest.kind, planned.record.id) as directory:
            wanted = selection(planned.part)
            aside = await source.engine.aside(manifest, directory, target, wanted, source.opener)
    except (EngineError, JobError) as error:
        return f"the statements that bring its rows back could not be made: {error}"
    return hand_over(planned, aside, target.instance)


def hand_over(planned: RestorePlan, aside: Aside, there: Instance) -> str:
    """To be read, and pasted piece by piece. `there`: the server on which the copy is."""
    engine, names = planned.record.manifest.engine, _names(planned, aside, there)
    if engine == POSTGRES:
        names["reader"] = _reader(names, planned.part.into, there)
    return _filled(engine, KEYED_FILE if aside.is_keyed and engine != POSTGRES else FILE, names)


def _names(planned: RestorePlan, aside: Aside, there: Instance) -> dict[str, str]:
    manifest, part = planned.record.manifest, planned.part
    mark = '"' if manifest.engine == POSTGRES else "`"
    return {
        "database": quoted(part.database, mark),
        "into": quoted(part.into, mark),
        "table": quoted(part.table, mark),
        "side": SIDE,
        "source": ".".join(quoted(name, mark) for name in (part.schema, part.table) if name),
        "told": ".".join(filter(None, (part.schema, part.table))),
        "moment": humanise.moment(manifest.started_at),
        "address": f"{there.name} ({there.address}:{there.port})",
        "connect": part.database if PLAIN.fullmatch(part.database) else _connection(part.database),
        "columns": ", ".join(column.name for column in aside.columns),
        "compared": ", ".join(column.compared for column in aside.columns),
        "given": ", ".join(column.given for column in aside.columns),
        "keys": _keys(aside),
        "conflicts": "" if aside.is_deferrable else PASSED_OVER,
        "foreign_keys": _foreign_keys(aside, manifest.engine, quoted(part.into, mark)),
    }


def _keys(aside: Aside) -> str:
    if aside.is_deferrable:
        return DEFERRABLE
    return KEYED if aside.is_keyed else KEYLESS


def _foreign_keys(aside: Aside, engine: str, into: str) -> str:
    if not aside.foreign_keys:
        return ""
    if engine != POSTGRES:
        return DANGLING.format(keys=", ".join(aside.foreign_keys), into=into)
    return "\n--   ".join((LEFT_OUT, *aside.foreign_keys))


def _reader(names: Mapping[str, str], into: str, there: Instance) -> str:
    """A command for the shell, as a text for psql, which doubles quotes and knows no other escape."""
    user = (there.backup or there.monitor).user
    where = ("-h", there.address, "-p", str(there.port), "-U", user, "-d", _string(into))
    command = ("psql", "-X", *where, "-c", _filled(POSTGRES, READ_FILE, names))
    return "'" + shlex.join(command).replace("'", "''") + "'"


def _connection(database: str) -> str:
    """For psql's own commands: a name that is never read as a connection string itself."""
    return "-reuse-previous=on " + quoted(_string(database), '"')


def _string(database: str) -> str:
    if PLAIN.fullmatch(database):
        return database
    escaped = re.sub(r"(['\\])", r"\\\1", database)
    return f"dbname='{escaped}'"


def _filled(engine: str, name: str, names: Mapping[str, str]) -> str:
    text = (sql_root() / engine / "drills" / name).read_text(encoding="utf-8")
    return re.sub(r"\{(\w+)\}", lambda found: names[found[1]], text).rstrip()


def quoted(name: str, mark: str) -> str:
    """Always: a table may be called `order`."""
    return f"{mark}{name.replace(mark, mark * 2)}{mark}"
