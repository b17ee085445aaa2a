"""Ask a server through a session: facts, privileges, one collector. Shared by the lanes and by `dbwatch ask`."""

from __future__ import annotations

import fnmatch
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from dbwatch.core import conditions, mapping, quoting
from dbwatch.core.model import Answer, Origin, Query, Role
from dbwatch.errors import EngineError, Reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dbwatch.core.catalogue import Catalogue
    from dbwatch.core.model import Collector, Facts, Probe, Question, Rows
    from dbwatch.engines.base import Engine, Session
    from dbwatch.host.machine import Machine
    from dbwatch.settings.models import DatabaseFilter, Instance

PROBE_TIMEOUT_SECONDS = 1.0
PLAIN_NAME = re.compile(r"[a-z_][a-z0-9_]*")
NEWEST = (999,)
NO_PRIVILEGE = frozenset({Reason.PERMISSION, Reason.MISSING})


async def ask(session: Session, question: Question, facts: Facts) -> Rows:
    """Ask one question of sql/<engine>/jobs. Raise EngineError; `missing` where it has no variant for this server."""
    sql = conditions.choose(question.variants, facts)
    if sql is None:
        raise EngineError(Reason.MISSING, f"{question.name}: nothing to ask of {facts.flavour} {facts.version_text}")
    rows = await session.fetch(Query(question.name, sql, question.timeout_seconds))
    return mapping.pivot(rows, *question.key_value) if question.key_value else rows


async def databases(
    session: Session, catalogue: Catalogue, engine: Engine, facts: Facts, chosen: DatabaseFilter
) -> tuple[list[str], dict[str, EngineError]]:
    """The databases to ask one by one, and those that we may not enter, with the GRANT. Raise EngineError."""
    rows = await ask(session, catalogue.question(engine.name, "databases"), facts)
    found = zip(rows.column("name"), rows.column("remedy"), strict=True)
    remedies = {str(name): remedy for name, remedy in found if wanted(chosen, str(name))}
    closed = {name: no_entry(name, str(remedy)) for name, remedy in remedies.items() if remedy}
    return [name for name in remedies if name not in closed], closed


def no_entry(database: str, remedy: str) -> EngineError:
    return said_of(database, EngineError(Reason.PERMISSION, "our account lacks CONNECT", remedy))


def said_of(database: str, error: EngineError) -> EngineError:
    """The error, told as that of one database of the instance."""
    return EngineError(error.reason, f"database {database}: {error.message}", error.remedy)


def note_of(database: str, note: str) -> str:
    """What is to be said of one database, on one line."""
    return f"database {database}: {' '.join(note.split())}"


def wanted(databases: DatabaseFilter, name: str) -> bool:
    """Whether the instance's filter lets this database in."""
    included = any(fnmatch.fnmatchcase(name, pattern) for pattern in databases.include)
    return included and not any(fnmatch.fnmatchcase(name, pattern) for pattern in databases.exclude)


async def read_facts(engine: Engine, catalogue: Catalogue, session: Session) -> Facts:
    """Version, role, settings and extensions as they are now. Raise EngineError."""
    answer = await ask(session, catalogue.question(engine.name, "facts"), session.hello)
    return engine.facts(session.hello, answer)


async def read_rights(engine: Engine, catalogue: Catalogue, session: Session) -> object:
    """Our grants, to be compared; None where sessions see a change of them without logging in again."""
    question = catalogue.questions.get((engine.name, "privileges"))
    return (await ask(session, question, session.hello)).columns if question else None


async def prove(session: Session, facts: Facts, probes: Iterable[Probe]) -> Facts:
    """The facts with the result of each privilege probe: proven visible, or not. Raise EngineError when cut off."""
    proven = {probe.name: await _proven(session, facts, probe) for probe in probes}
    return replace(facts, probes={**facts.probes, **proven})


async def _proven(session: Session, facts: Facts, probe: Probe) -> bool:
    sql = conditions.choose(probe.variants, facts)
    if sql is None:
        return True  # a server that has no such privilege cannot lack it
    try:
        rows = await session.fetch(Query(f"probe_{probe.name}", sql, PROBE_TIMEOUT_SECONDS))
    except EngineError as error:
        if error.reason in NO_PRIVILEGE:
            return False
        raise
    return bool(len(rows)) and bool(rows.columns[0][0])


def missing_needs(collector: Collector, facts: Facts) -> tuple[str, ...]:
    """The probes that the collector needs and that were not proven."""
    return tuple(need for need in collector.needs if not facts.probes.get(need, False))


def grant(probe: Probe, facts: Facts, user: str) -> str:
    """The statement that gives the privilege, ready to paste: to the account that the server knows us by, there."""
    statements = dict(probe.grants)
    text = statements.get(facts.flavour) or statements.get("any") or next(iter(statements.values()))
    text = text.replace("{database}", facts.settings.get("database", "?"))
    return text.replace("{user}", facts.settings.get("account") or _quoted(user, probe.engine))


def _quoted(user: str, engine: str) -> str:
    """As the engine wants a name that is not a plain word."""
    if PLAIN_NAME.fullmatch(user):
        return user
    return quoting.postgres(user) if engine == "postgres" else quoting.mysql(user)


def left_out(collector: Collector, facts: Facts, instance: Instance | None = None) -> str:
    """Why the collector is not asked of this server, '' where it is: role, version, remote, optional or SETTING_off.

    Optional: it would be asked, had our account a privilege that nobody need grant, or the server an extension.
    """
    if collector.source is Origin.HOST and instance is not None and not instance.is_on_this_machine:
        return "remote"
    if collector.role not in (Role.ANY, facts.role):
        return "role"
    if conditions.choose(collector.variants, facts):
        return ""
    proven = dict.fromkeys(_in_conditions(collector), True)
    extensions = {**dict.fromkeys((*proven, *_in_conditions(collector, "extension")), NEWEST), **facts.extensions}
    all_granted = replace(facts, probes=proven, extensions=extensions)
    if conditions.choose(collector.variants, all_granted):
        return "optional"
    switch = conditions.switched_off(collector.variants, facts)
    return f"{switch}_off" if switch else "version"


def _in_conditions(collector: Collector, kind: str = "probe") -> list[str]:
    """The probes, or extensions, that conditions of its variants name."""
    terms = (term for variant in collector.variants for term in conditions.parse(variant.condition))
    return [term.name for term in terms if term.kind == kind]


def query(collector: Collector, facts: Facts) -> Query:
    """The collector's question for this server. Raise EngineError where there is none."""
    sql = conditions.choose(collector.variants, facts)
    if sql is None:
        raise EngineError(Reason.MISSING, f"nothing to ask of {facts.flavour} {facts.version_text}")
    columns = () if collector.key_value or collector.source is Origin.HOST else mapping.columns_read(collector)
    if collector.scope == "database":
        columns = tuple(name for name in columns if name != "database")
    return Query(collector.name, sql, collector.timeout_seconds, columns)


async def answer(session: Session, collector: Collector, facts: Facts, machine: Machine) -> Answer:
    """Ask the collector's question; of `source: host`, look where the server pointed. Raise EngineError."""
    rows = await session.fetch(query(collector, facts))
    return await machine.look(rows, collector.timeout_seconds) if collector.source is Origin.HOST else Answer(rows)


def wants(collector: Collector, database: str) -> bool:
    """Whether a collector of database scope is meant for this one."""
    return any(fnmatch.fnmatchcase(database, pattern) for pattern in collector.databases)


def needed_probes(catalogue: Catalogue, collectors: Iterable[Collector]) -> list[Probe]:
    """The probes of these collectors, each once; those that a condition names are among them."""
    names: dict[tuple[str, str], None] = {}
    for collector in collectors:
        names |= dict.fromkeys((collector.engine, name) for name in (*collector.needs, *_in_conditions(collector)))
    return [catalogue.probes[name] for name in names if name in catalogue.probes]


def remedy(catalogue: Catalogue, collector: Collector, facts: Facts, user: str) -> str:
    """Every GRANT that the collector lacks, each once, one a line; where it lacks none, those that it could do with."""
    probes: Mapping[tuple[str, str], Probe] = catalogue.probes
    could = (need for need in _in_conditions(collector) if not facts.probes.get(need, False))
    lacking = missing_needs(collector, facts) or could
    return "\n".join(dict.fromkeys(grant(probes[collector.engine, need], facts, user) for need in lacking))
