"""One poll without a daemon, and what `ask` and `doctor` make of it; on a server that is a fake."""

from __future__ import annotations

import json

import pytest

from dbwatch import library
from dbwatch.cli import ask, doctor
from dbwatch.core import catalogue
from dbwatch.core.catalogue import Source
from dbwatch.core.model import Facts, Role, Rows
from dbwatch.errors import EngineError, Reason, UsageError
from dbwatch.poller import advice
from dbwatch.poller.once import Target, ask_once, poll_once
from dbwatch.settings.models import PostgresInstance
from tests.fakes import FakeEngine, rows

FAMILIES = """
dbwatch_things: {type: gauge, help: Things., engines: [postgres]}
dbwatch_secrets: {type: gauge, help: Secrets., engines: [postgres]}
dbwatch_replays: {type: gauge, help: Replays., engines: [postgres]}
dbwatch_tables: {type: gauge, help: Tables., labels: [database], engines: [postgres]}
"""
METRICS = {
    "things": ("interval: 10s", "dbwatch_things: {value: n}"),
    "secrets": ("interval: 10s\nneeds: [pg_monitor]", "dbwatch_secrets: {value: n}"),
    "replays": ("interval: 10s\nrole: primary", "dbwatch_replays: {value: n}"),
    "tables": ("interval: 300s\nscope: database", "dbwatch_tables: {value: n, labels: {database: database}}"),
}
QUESTION = "/* ---\ndescription: Q.\nneeds: [{}]\n--- */\nSELECT 1\n"
PROBE = '/* ---\ndescription: P.\ngrant: {any: "GRANT pg_monitor TO {user};"}\n--- */\nSELECT true\n'
GRANT = "GRANT pg_monitor TO dbwatch;"
YES, NO = rows("granted", of=[(True,)]), rows("granted", of=[(False,)])
SEVEN = rows("n", of=[(7,)])
OLD = Facts(flavour="postgres", version=(9, 6), version_text="9.6", role=Role.REPLICA)


def small_catalogue() -> catalogue.Catalogue:
    head = "/* ---\ndescription: C.\n{}\nmetrics:\n  {}\n--- */\nSELECT 1\n"
    sources = [
        Source("postgres", "metrics", name, f"{name}.sql", head.format(options, metric))
        for name, (options, metric) in METRICS.items()
    ]
    sources += [Source("postgres", "jobs", name, name, QUESTION.format("")) for name in ("facts", "databases")]
    sources.append(Source("postgres", "jobs", "sessions", "sessions", QUESTION.format("pg_monitor")))
    sources.append(Source("postgres", "probes", "pg_monitor", "pg_monitor.sql", PROBE))
    own = {name: family for name, family in library.load().families.items() if not family.engines}
    return catalogue.build(catalogue.families(FAMILIES, "families.yml") | own, sources)


CATALOGUE = small_catalogue()


def server(**answers: Rows | EngineError) -> FakeEngine:
    """It has two databases and tells seven of everything."""
    known: dict[str, Rows | EngineError] = {"probe_pg_monitor": YES, **dict.fromkeys(METRICS, SEVEN)}
    return FakeEngine(
        answers=known | {"databases": rows("name", "remedy", of=[("rdv", None), ("état", None)])} | answers
    )


def target(engine: FakeEngine, **settings: object) -> Target:
    options = {"name": "pg1", "engine": "postgres", "monitor": {"user": "dbwatch"}} | settings
    return Target(PostgresInstance.model_validate(options), engine, CATALOGUE)


async def test_the_collectors_that_were_named_are_asked_and_no_other() -> None:
    engine = server()

    poll = await poll_once(target(engine), ["things"])

    assert ["things"] == list(poll.state.collectors)
    assert {"facts", "things"} == engine.asked.keys()


async def test_no_session_is_left_open() -> None:
    engine = server()

    await poll_once(target(engine))

    assert [] == engine.sessions


async def test_a_server_that_is_down_is_told_with_its_reason() -> None:
    engine = FakeEngine(refuses=EngineError(Reason.REFUSED, "nothing listens"))

    poll = await poll_once(target(engine))

    assert (False, Reason.REFUSED) == (poll.state.up, poll.state.reason)
    assert {"dbwatch_up", "dbwatch_up_reason"} <= {block.family for block in poll.all_blocks}


async def test_a_collector_without_its_privilege_is_not_asked_and_names_the_grant() -> None:
    engine = server(probe_pg_monitor=NO)

    status = (await poll_once(target(engine))).state.collectors["secrets"]

    assert (False, Reason.PERMISSION, GRANT) == (status.succeeded, status.reason, status.remedy)
    assert 0 == engine.asked["secrets"]


async def test_a_session_that_broke_is_replaced_for_the_next_collector() -> None:
    engine = server(secrets=EngineError(Reason.LOST, "cut"))

    poll = await poll_once(target(engine), ["secrets", "things"])

    succeeded = {name: status.succeeded for name, status in poll.state.collectors.items()}
    assert {"secrets": False, "things": True} == succeeded


async def test_a_server_that_falls_silent_costs_each_deadline_once_and_is_told() -> None:
    engine = server()
    engine.silent = True

    poll = await poll_once(target(engine, connect_timeout=0.05))

    assert Reason.TIMEOUT is poll.state.reason


async def test_each_database_is_asked_and_named() -> None:
    poll = await poll_once(target(server()), ["tables"])

    samples = [sample for block in poll.blocks["tables"] for sample in block.samples()]
    assert [({"database": "rdv"}, 7), ({"database": "état"}, 7)] == samples
    assert 2 == poll.state.collectors["tables"].series


async def test_databases_that_are_left_out_are_not_entered() -> None:
    engine = server()

    await poll_once(target(engine, databases={"exclude": ["é*"]}), ["tables"])

    assert 1 == engine.asked["tables"]


async def test_databases_that_cannot_be_listed_fail_what_is_asked_in_them() -> None:
    poll = await poll_once(target(server(databases=EngineError(Reason.TIMEOUT, "slow"))), ["tables"])

    assert Reason.TIMEOUT is poll.state.collectors["tables"].reason


async def test_an_instance_without_databases_gives_none_and_fails_nothing() -> None:
    poll = await poll_once(target(server(databases=rows("name", "remedy", of=[]))), ["tables"])

    assert (True, 0) == (poll.state.collectors["tables"].succeeded, poll.state.collectors["tables"].series)


async def test_a_collector_that_does_not_exist_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(UsageError, match="no collector 'nonsense' for postgres"):
        await poll_once(target(server()), ["nonsense"])


async def test_a_collector_that_is_switched_off_is_asked_when_it_is_named() -> None:
    off = {"collectors": {"things": {"enabled": False}}}
    engine = server()

    await poll_once(target(engine, **off))
    assert 0 == engine.asked["things"]
    await poll_once(target(engine, **off), ["things"])
    assert 1 == engine.asked["things"]


async def test_a_question_without_its_privilege_is_answered_with_the_grant() -> None:
    with pytest.raises(EngineError, match=GRANT):
        await ask_once(target(server(probe_pg_monitor=NO)), CATALOGUE.question("postgres", "sessions"))


async def test_ask_shows_the_same_poll_in_three_ways() -> None:
    asked = target(server())

    table, _ = await ask.poll_text(asked, ["things"], "table", 120)
    page, _ = await ask.poll_text(asked, ["things"], "prometheus", 120)
    document, _ = await ask.poll_text(asked, ["things"], "json", 120)

    assert any(line.split() == ["dbwatch_things", "7"] for line in table.splitlines())
    assert "# TYPE dbwatch_things gauge\n" in page
    assert {"family": "dbwatch_things", "labels": {}, "value": 7} in json.loads(document)["samples"]


async def test_ask_complains_of_what_gave_nothing() -> None:
    asked = target(server(things=EngineError(Reason.TIMEOUT, "too slow")))

    _, complaints = await ask.poll_text(asked, ["things"], "table", 120)

    assert "things: timeout: too slow" == complaints[0]


async def test_doctor_says_what_is_fine_missing_failed_and_left_out() -> None:
    engine = server(probe_pg_monitor=NO, tables=EngineError(Reason.TIMEOUT, "too slow"))
    engine.hello = OLD

    found = await doctor.examine(target(engine))

    lines = "\n".join(found.lines)
    assert lines.startswith("pg1: postgres 9.6, replica at localhost:5432")
    assert "ok       things: 1 series" in lines
    assert f"MISSING  secrets: our account lacks pg_monitor\n           {GRANT}" in lines
    assert "FAILED   tables: timeout: database rdv: too slow" in lines
    assert "left out replays: not for this role" in lines
    assert not found.healthy


async def test_doctor_is_content_where_nothing_is_missing() -> None:
    found = await doctor.examine(target(server()))

    assert found.healthy
    assert [] == doctor.remedies([found])


async def test_doctor_gives_each_grant_once() -> None:
    found = await doctor.examine(target(server(probe_pg_monitor=NO)))

    assert (GRANT,) == found.grants
    assert ["-- on pg1", GRANT] == doctor.remedies([found])[-2:]


async def test_doctor_tells_where_the_password_came_from_but_never_what_it_is() -> None:
    engine = FakeEngine(refuses=EngineError(Reason.AUTH, "refused"))
    secret = {"monitor": {"user": "dbwatch", "password": "c4nary"}}

    found = await doctor.examine(target(engine, **secret))

    assert any("logged in as dbwatch with password in the settings" in line for line in found.lines)
    assert not any("c4nary" in line for line in found.lines)


async def test_doctor_says_nothing_of_another_try_which_is_the_daemons() -> None:
    refused = EngineError(Reason.AUTH, "refused")
    nowhere = EngineError(Reason.MISSING, 'database "nope" does not exist')

    told = [(await doctor.examine(target(FakeEngine(refuses=error)))).lines for error in (refused, nowhere)]

    assert "10 minutes" in advice.of(refused)
    assert "10 minutes" not in "".join(told[0])
    assert (
        "  -> We log in to a database that is not there: check `database`, `postgres` where it is not given." in told[1]
    )


async def test_doctor_tells_which_tls_mode_failed() -> None:
    engine = FakeEngine(refuses=EngineError(Reason.TLS, "certificate"))

    found = await doctor.examine(target(engine, host="db1.example", tls={"ca_file": "/etc/ca.pem"}))

    assert any("tls.mode is verified, the default; tls.ca_file is /etc/ca.pem" in line for line in found.lines)
