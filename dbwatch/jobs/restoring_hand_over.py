"""What a person does with a table that was restored beside the original: the statements, with the names filled in."""

from __future__ import annotations

import asyncio
import re
import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

from dbwatch.core.quoting import CONTROL, MYSQL_MARK, POSTGRES_MARK, connection, marked, psql_connection
from dbwatch.core.showing import humanise
from dbwatch.core.showing.tables import printable
from dbwatch.errors import EngineError, JobError
from dbwatch.files import sql_root
from dbwatch.jobs.restoring import selection

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from dbwatch.core.backups.restore_plans import RestorePlan
    from dbwatch.engines.backing import Aside, Target
    from dbwatch.jobs.restoring import Source
    from dbwatch.settings.models import Instance

PAUSES_SECONDS = (1.0, 5.0)
LOGIN_SECONDS = 15.0
POSTGRES = "postgres"
FILE, READ_FILE, COUNT_FILE = "hand_over.sql", "hand_over_read.sql", "hand_over_count.sql"
INSERT_FILE, KEYED_INSERT_FILE = "hand_over_insert.sql", "hand_over_insert_keyed.sql"
CUT_INSERT_FILE = "hand_over_insert_cut.sql"
PLAIN_TABLE, PARTITIONED_TABLE = "'r'", "'p'"  # in pg_class
KEYED = "Rows are known by the key: one whose key is there stays as it is."
KEYED_CUT = (
    "Rows are known by what a dump keeps of the key: one whose key is there, or cut to the same, stays as it is."
)
KEYLESS = "The table has no unique key: where rows are new or were CHANGED since, an ERROR asks what is to be done."
UNCHANGED = "as they were"
CUT = "with what a dump keeps of {columns} (six digits of a FLOAT; an ENUM or SET beside its members is empty)"
LEFT_OUT = "\n-- The copy lacks these foreign keys, from it and to it. Where it takes the place of a lost original:"
KEYS = {INSERT_FILE: KEYLESS, KEYED_INSERT_FILE: KEYED, CUT_INSERT_FILE: KEYED_CUT}
DANGLING = "\n-- The foreign keys of the copy ({keys}) refer to tables that {into} does not have: it takes no new rows."


async def written(
    source: Source, planned: RestorePlan, target: Target, pauses_seconds: Sequence[float] = PAUSES_SECONDS
) -> str:
    """The restore is done: what cannot be asked for this text is told, and fails nothing."""
    try:
        aside = await repeated(lambda: _asked(source, planned, _patient(target)), pauses_seconds)
    except (EngineError, JobError) as error:
        return f"the statements that bring its rows back could not be made: {error} -> {_mended(planned, target)}"
    return not_to_be_pasted(planned, aside) or hand_over(planned, aside, target.instance)


def not_to_be_pasted(planned: RestorePlan, aside: Aside) -> str:
    """Why; '': it can be. A line break in a name would end a command or a comment, and what follows would be run."""
    part = planned.part
    columns = (text for column in aside.columns for text in (column.name, column.type))
    names = (part.database, part.schema, part.table, part.into, *columns, *aside.foreign_keys)
    found = next((name for name in names if CONTROL.search(name)), "")
    what = f"statements with the name {printable(found)} cannot be pasted: it holds a line break or the like (?)"
    return f"{what} -> take the rows from {printable(part.into)} yourself" if found else ""


async def _asked(source: Source, planned: RestorePlan, target: Target) -> Aside:
    manifest = planned.record.manifest
    async with source.repository.holding(manifest.instance, manifest.kind, planned.record.id) as directory:
        return await source.engine.aside(manifest, directory, target, selection(planned.part), source.opener)


async def repeated(ask: Callable[[], Awaitable[Aside]], pauses_seconds: Sequence[float]) -> Aside:
    """A server that was just filled may be slow for a moment. Raise what the last time raised."""
    for pause in pauses_seconds:
        try:
            return await ask()
        except EngineError:
            await asyncio.sleep(pause)
    return await ask()


def _patient(target: Target) -> Target:
    """Somebody waits for it who has waited for the whole restore."""
    instance = target.instance
    longer = {"connect_timeout": max(instance.connect_timeout, LOGIN_SECONDS)}
    return replace(target, instance=instance.model_copy(update=longer))


def _mended(planned: RestorePlan, target: Target) -> str:
    into = marked(planned.part.into, '"')
    return f"drop the database {into} once {target.instance.name} answers, and restore the table again, to have them"


def hand_over(planned: RestorePlan, aside: Aside, there: Instance) -> str:
    """To be read, and pasted piece by piece. `there`: the server on which the copy is."""
    engine, names = planned.record.manifest.engine, _names(planned, aside, there)
    if engine == POSTGRES:
        names |= _of_postgres(planned, aside, names)
        names["reader"] = _reader(READ_FILE, names, planned.part.into, there)
        names["counter"] = _reader(COUNT_FILE, names, planned.part.into, there)
    names["insert"] = _filled(engine, _insert_file(aside), names)
    return _filled(engine, FILE, names)


def _names(planned: RestorePlan, aside: Aside, there: Instance) -> dict[str, str]:
    manifest, part = planned.record.manifest, planned.part
    mark = POSTGRES_MARK if manifest.engine == POSTGRES else MYSQL_MARK
    return {
        "database": marked(part.database, mark),
        "into": marked(part.into, mark),
        "table": marked(part.table, mark),
        "source": ".".join(marked(name, mark) for name in (part.schema, part.table) if name),
        "told": ".".join(filter(None, (part.schema, part.table))),
        "moment": humanise.moment(manifest.started_at),
        "address": f"{there.name} ({there.address}:{there.port})",
        "connect": psql_connection(part.database),
        "columns": ", ".join(column.name for column in aside.columns),
        "compared": ", ".join(column.compared for column in aside.columns),
        "given": ", ".join(column.given for column in aside.columns),
        "matched": " AND ".join(column.matched for column in aside.columns if column.matched),
        "keys": KEYS[_insert_file(aside)],
        "unchanged": _unchanged(aside),
        "foreign_keys": _foreign_keys(aside, manifest.engine, marked(part.into, mark)),
        "database_hex": part.database.encode().hex(),
        "table_hex": part.table.encode().hex(),
        "into_hex": part.into.encode().hex(),
    }


def _insert_file(aside: Aside) -> str:
    key = [column for column in aside.columns if column.matched]
    if not key:
        return INSERT_FILE
    return CUT_INSERT_FILE if any(column.is_cut for column in key) else KEYED_INSERT_FILE


def _unchanged(aside: Aside) -> str:
    cut = ", ".join(column.name for column in aside.columns if column.is_cut)
    return CUT.format(columns=cut) if cut else UNCHANGED


def _of_postgres(planned: RestorePlan, aside: Aside, names: Mapping[str, str]) -> dict[str, str]:
    """Rows of tables that inherit from it are not its own; a partitioned one has none but theirs."""
    pairs = (f"({_text(column.name)}, {_text(column.type)})" for column in aside.columns)
    return {
        "rows": names["source"] if aside.is_partitioned else f"ONLY {names['source']}",
        "relkind": PARTITIONED_TABLE if aside.is_partitioned else PLAIN_TABLE,
        "source_text": _text(names["source"]),
        "database_text": _text(planned.part.database),
        "types": ", ".join(pairs),
    }


def _text(value: str) -> str:
    return marked(value, "'")


def _foreign_keys(aside: Aside, engine: str, into: str) -> str:
    if not aside.foreign_keys:
        return ""
    if engine != POSTGRES:
        return DANGLING.format(keys=", ".join(aside.foreign_keys), into=into)
    return "\n--   ".join((LEFT_OUT, *aside.foreign_keys))


def _reader(file: str, names: Mapping[str, str], into: str, there: Instance) -> str:
    """A command for the shell, as a text for psql, which doubles quotes and knows no other escape, on one line."""
    user = (there.backup or there.monitor).user
    where = ("-h", there.address, "-p", str(there.port), "-U", user, "-d", connection(into))
    command = ("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", *where, "-c", _filled(POSTGRES, file, names, " "))
    return _text(shlex.join(command))


def _filled(engine: str, name: str, names: Mapping[str, str], line_end: str = "\n") -> str:
    text = (sql_root() / engine / "drills" / name).read_text(encoding="utf-8").rstrip().replace("\n", line_end)
    return re.sub(r"\{(\w+)\}", lambda found: names[found[1]], text)
