"""What can be said of every file of sql/ without a server: its form, the versions it covers, the families it feeds."""

from __future__ import annotations

import inspect
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from dbwatch import library
from dbwatch.core import conditions, mapping
from dbwatch.core.heads import HEAD
from dbwatch.core.model import Facts, Lane, Origin, Role
from dbwatch.files import sql_root
from dbwatch.host.machine import COLUMNS
from dbwatch.jobs import metrics
from dbwatch.poller import self_metrics

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dbwatch.core.model import Collector, Probe, Question, Variant

CATALOGUE = library.load()
COLLECTORS = {f"{engine}/metrics/{name}": item for (engine, name), item in CATALOGUE.collectors.items()}
PROBES = {f"{engine}/probes/{name}": item for (engine, name), item in CATALOGUE.probes.items()}
QUESTIONS = {f"{engine}/jobs/{name}": item for (engine, name), item in CATALOGUE.questions.items()}
EVERY: dict[str, Collector | Probe | Question] = {**COLLECTORS, **PROBES, **QUESTIONS}
SUPPORTED: dict[str, dict[str, tuple[tuple[int, ...], ...]]] = {
    "postgres": {"postgres": ((13, 0), (14, 0), (15, 0), (16, 0), (17, 0), (18, 0))},
    "mysql": {
        "mysql": ((8, 0, 22), (8, 0, 44), (8, 4, 0), (9, 0, 0), (9, 7, 4)),
        "percona": ((8, 0, 22), (8, 4, 0)),
        "mariadb": ((10, 6, 0), (10, 11, 19), (11, 0, 2), (11, 1, 2), (11, 4, 2), (11, 8, 6)),
    },
}
# pg_stat_statements as each PostgreSQL brings it.
EXTENSION_OF = {13: (1, 8), 14: (1, 9), 15: (1, 10), 16: (1, 10), 17: (1, 11), 18: (1, 12)}
# On purpose: who has no such thing is not asked for it.
NOTHING_TO_ASK = {
    ("mysql/jobs/backup_calling_views", "mysql"),  # which wants no EXECUTE to list the columns of a view
    ("mysql/jobs/backup_calling_views", "percona"),
    ("mysql/jobs/backup_roles", "mysql"),  # whose ALL holds ROLE_ADMIN
    ("mysql/jobs/backup_roles", "percona"),
    ("mysql/jobs/backup_roles_held", "mysql"),  # who makes a role does not hold it there
    ("mysql/jobs/backup_roles_held", "percona"),
    ("mysql/metrics/settings_pending", "mariadb"),  # persists no settings
    ("mysql/metrics/error_log", "mariadb"),  # keeps it in a file only
    ("mysql/metrics/errors_raised", "mariadb"),  # does not count them
    ("mysql/metrics/group_replication", "mariadb"),
    ("mysql/metrics/galera", "mysql"),
    ("mysql/probes/performance_schema", "mariadb"),  # watched without it, for it is off by default
}
# Nothing before that version.
ASKED_SINCE = {
    ("mysql/metrics/replication_applied", "mariadb"): (11, 8),  # no time of what was applied
    ("postgres/metrics/shared_buffers", "postgres"): (16,),  # pg_buffercache 1.4
}
# The first variant that fits is taken; only here do two of them fit.
# A backup holds a moment, looks at pages, ends its own sessions, and makes the administrator of a throw-away server.
ACTS_OF_BACKUPS = {
    f"mysql/jobs/backup_{name}"
    for name in (
        *("accounts_begin", "check_begin", "check_table", "kill", "lock", "release", "savepoint", "scratch_account"),
        *("restore_begin", "session", "snapshot", "unlock"),
    )
}
# Accounts and their rights stand in tables of their own; on both servers only an administrator can write them.
ACCOUNTS = ("mysql.user", "mysql.tables_priv", "mysql.procs_priv", "mysql.proc")
IN_ORDER = {"mysql/jobs/session", "mysql/metrics/sessions"}
SOURCE = re.compile(r"\b(?:FROM|JOIN)\s+(?!\()(?:LATERAL\s+)?([\w.]+|`[^`]+`)\s*(\()?")
WITH = re.compile(r"(?:WITH(?: RECURSIVE)?|\),)\s+(?:--[^\n]*\n\s*)*(\w+)(?:\s*\([\w, ]+\))?\s+AS\b")
OPERATORS_OF_FROM = re.compile(r"\b(?:extract\s*\(\s*epoch|DISTINCT)\s+FROM\b", re.IGNORECASE)


def engine_of(path: str) -> str:
    return path.partition("/")[0]


def servers(engine: str) -> Iterator[Facts]:
    """Every kind of server that the file is for, as a healthy one tells of itself."""
    for flavour, versions in SUPPORTED[engine].items():
        for version in versions:
            text = ".".join(map(str, version))
            told = {"performance_schema": "ON", "log_bin": "ON", "logging_collector": "on"}
            probes = {name: True for of, name in CATALOGUE.probes if of == engine}
            extensions = {"pg_stat_statements": EXTENSION_OF.get(version[0], ()), "pg_buffercache": (1, 6)}
            yield Facts(flavour, version, text, Role.PRIMARY, settings=told, probes=probes, extensions=extensions)


def as_shipped(facts: Facts) -> Facts:
    """MariaDB's performance_schema is off by default."""
    off = {"performance_schema": "OFF"} if facts.flavour == "mariadb" else {}
    return replace(facts, settings={**facts.settings, **off})


def fitting(variants: tuple[Variant, ...], facts: Facts) -> list[Variant]:
    return [each for each in variants if all(term.holds(facts) for term in conditions.parse(each.condition))]


def text_of(path: str) -> str:
    return (sql_root() / f"{path}.sql").read_text(encoding="utf-8")


def comments(path: str) -> list[str]:
    """The comments below the head, each as one text; a condition is none."""
    body = HEAD.sub("", text_of(path), count=1)
    lines = [line.strip() if line.strip().startswith("--") else "" for line in body.splitlines()]
    lines = ["" if line.startswith("-- @when") else line for line in lines]
    return [block.replace("\n-- ", " ") for block in re.split(r"\n\n+", "\n".join(lines).strip()) if block]


def wanted(path: str, flavour: str, version: tuple[int, ...]) -> int:
    """How many variants should fit."""
    key = path, flavour
    return 0 if key in NOTHING_TO_ASK or version < ASKED_SINCE.get(key, ()) else 1


@pytest.mark.parametrize("path", EVERY)
def test_a_supported_server_finds_exactly_one_variant_or_deliberately_none(path: str) -> None:
    item = EVERY[path]
    found = {(facts.flavour, facts.version): len(fitting(item.variants, facts)) for facts in servers(engine_of(path))}
    wrong = {
        server: number
        for server, number in found.items()
        if number != wanted(path, *server) and not (path in IN_ORDER and number)
    }

    assert {} == wrong


@pytest.mark.parametrize("path", EVERY)
def test_no_variant_is_for_nobody(path: str) -> None:
    variants = EVERY[path].variants
    told = [each for facts in servers(engine_of(path)) for each in (facts, as_shipped(facts))]
    chosen = {conditions.choose(variants, facts) for facts in told}

    assert {each.sql for each in variants} == chosen - {None}


@pytest.mark.parametrize("path", EVERY)
def test_it_says_what_it_is_for(path: str) -> None:
    description = EVERY[path].description

    assert description[:1].isupper() or description.startswith("InnoDB")
    assert description.endswith((".", ")."))
    assert len(description) <= 120


@pytest.mark.parametrize("path", EVERY)
def test_its_comments_are_sentences(path: str) -> None:
    assert [] == [each for each in comments(path) if not re.fullmatch(r"-- .*[.:]\)?", each)]


@pytest.mark.parametrize("path", EVERY)
def test_its_text_is_tidy(path: str) -> None:
    lines = text_of(path).splitlines(keepends=True)

    assert [] == [line for line in lines if "\t" in line or line != line.rstrip() + "\n" or len(line) > 131]


@pytest.mark.parametrize("path", EVERY)
def test_it_names_the_columns_that_it_wants(path: str) -> None:
    assert [] == [each.condition for each in EVERY[path].variants if re.search(r"\bSELECT\s+\*|\w\.\*", each.sql)]


@pytest.mark.parametrize("path", EVERY)
def test_it_only_reads(path: str) -> None:
    verbs = {each.sql.lstrip("( \n").split()[0] for each in EVERY[path].variants}
    allowed = {"SELECT", "WITH", "SHOW"} | ({"SET"} if path.startswith("mysql/jobs/session") else set())
    if path in ACTS_OF_BACKUPS:
        return

    assert verbs <= allowed


@pytest.mark.parametrize("path", EVERY)
def test_it_reads_nothing_that_a_user_could_have_put_there(path: str) -> None:
    """MySQL has no catalogue that is searched by itself; PostgreSQL looks for pg_ names in its own first."""
    for variant in EVERY[path].variants:
        sql = OPERATORS_OF_FROM.sub("", variant.sql)
        known = set(WITH.findall(sql))
        names = {name for name, call in SOURCE.findall(sql) if not call and name not in known}
        ours = ("performance_schema.", "information_schema.", *ACCOUNTS) if path.startswith("mysql") else ("pg_",)
        assert [] == sorted(name for name in names if not name.startswith(ours))


@pytest.mark.parametrize("path", COLLECTORS)
def test_every_variant_gives_every_column_that_the_head_reads(path: str) -> None:
    collector = COLLECTORS[path]
    wanted = {name.lower() for name in mapping.columns_read(collector)} - ({"database"} if collector.scope else set())
    if path in ("mysql/metrics/replication", "mysql/metrics/binlogs"):
        return  # SHOW has no column list: the engine gives its own names, and tests on real servers look at them
    if collector.source is Origin.HOST:  # dbwatch gives these columns: the server says where to look
        assert wanted <= set(COLUMNS)
        wanted = {"fact", "purpose", "value"}
    for variant in collector.variants:
        words = set(re.findall(r"\w+", variant.sql.lower()))
        assert set() == wanted - words


@pytest.mark.parametrize("path", COLLECTORS)
def test_it_can_answer_within_its_interval(path: str) -> None:
    collector = COLLECTORS[path]

    assert collector.timeout_seconds < collector.interval_seconds
    assert collector.lane is not Lane.FAST or collector.timeout_seconds <= 1


@pytest.mark.parametrize("path", PROBES)
def test_a_probe_names_the_statement_that_mends_it_for_every_flavour(path: str) -> None:
    engine = engine_of(path)
    grants = dict(PROBES[path].grants)

    assert [] == [text for text in grants.values() if not text.endswith(";")]
    assert "any" in grants or set(SUPPORTED[engine]) <= set(grants)


@pytest.mark.parametrize("name", CATALOGUE.families)
def test_a_family_is_fed_by_every_engine_that_it_lists_or_is_the_daemons_own(name: str) -> None:
    family = CATALOGUE.families[name]
    feeding = {engine for (engine, _), item in CATALOGUE.collectors.items() if name in item.families}
    is_own = any(f'"{name}"' in inspect.getsource(module) for module in (self_metrics, metrics))

    assert set(family.engines) == feeding
    assert is_own is not bool(feeding)


@pytest.mark.parametrize("name", CATALOGUE.families)
def test_every_label_of_a_family_is_given_by_somebody(name: str) -> None:
    family = CATALOGUE.families[name]
    given = {label for item in CATALOGUE.collectors.values() for column in item.metrics if column.family == name
             for label in (*dict(column.labels), *((column.state_label,) if column.states else ()))}  # fmt: skip
    if any(item.scope == "database" and name in item.families for item in CATALOGUE.collectors.values()):
        given.add("database")

    assert not family.engines or set(family.labels) == given
