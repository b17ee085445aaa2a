"""One instance under a poller, in virtual time: what is true, what stays, what goes, and when."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, cast

from dbwatch.core import catalogue
from dbwatch.core.catalogue import Source
from dbwatch.core.model import Role
from dbwatch.errors import EngineError, Reason
from dbwatch.poller.poller import InstancePoller, Surroundings, configured
from dbwatch.settings.models import Credentials, PostgresInstance
from dbwatch.store import Store
from dbwatch.tasks import Heartbeats
from tests.fakes import FACTS, FakeEngine, rows
from tests.virtual_time import VirtualLoop, run

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from dbwatch.core.model import Facts, Rows

FAMILIES = """
dbwatch_things: {type: gauge, help: Things., labels: [database], engines: [postgres]}
dbwatch_sizes: {type: gauge, help: Sizes., labels: [database], engines: [postgres]}
dbwatch_secrets: {type: gauge, help: Secrets., engines: [postgres]}
dbwatch_replays: {type: gauge, help: Replays., engines: [postgres]}
dbwatch_calls_total: {type: counter, help: Calls., labels: [queryid], engines: [postgres]}
dbwatch_active_session_seconds_total:
  {type: counter, unit: seconds, help: AAS., labels: [wait_class], engines: [postgres]}
"""
SELF_FAMILIES = catalogue.families(
    "\n".join(
        f"{name}: {{type: {kind}, help: Self.}}"
        for name, kind in {
            "dbwatch_up": "gauge",
            "dbwatch_up_reason": "gauge",
            "dbwatch_collector_success": "gauge",
            "dbwatch_collector_permission_missing": "gauge",
            "dbwatch_collector_errors_total": "counter",
            "dbwatch_role": "gauge",
        }.items()
    ),
    "self",
)
METRICS = {
    "things": ("interval: 10s", "dbwatch_things: {value: n, labels: {database: datname}}"),
    "secrets": ("interval: 10s\nneeds: [pg_monitor]", "dbwatch_secrets: {value: n}"),
    "replays": ("interval: 10s\nrole: replica", "dbwatch_replays: {value: n}"),
    "sizes": ("interval: 300s\nscope: database", "dbwatch_sizes: {value: n, labels: {database: database}}"),
    "calls": (
        "interval: 10s\naccumulate: [queryid]\ntop: {key: [queryid], weight: n}",
        "dbwatch_calls_total: {value: n, labels: {queryid: queryid}}",
    ),
    "active": (
        "interval: 1s\nlane: sampler\nneeds: [pg_monitor]",
        "dbwatch_active_session_seconds_total: {value: n, labels: {wait_class: class}, integrate: true}",
    ),
}
MINUTELY = {f"c{number}": ("interval: 60s", f"dbwatch_c{number}: {{value: n}}") for number in range(40)}
QUESTION = "/* ---\ndescription: Q.\n--- */\nSELECT 1\n"
PROBE = '/* ---\ndescription: P.\ngrant: {any: "GRANT pg_monitor TO {user};"}\n--- */\nSELECT true\n'
DATABASES = rows("name", "remedy", of=[("rdv", None), ("etatcivil", None)])
YES, NO = rows("ok", of=[(True,)]), rows("ok", of=[(False,)])
REFUSED = EngineError(Reason.REFUSED, "nothing listens")
DENIED = EngineError(Reason.AUTH, "password authentication failed")
TIMEOUT = EngineError(Reason.TIMEOUT, "canceling statement due to statement timeout")


def small_catalogue(more: Mapping[str, tuple[str, str]] | None = None) -> catalogue.Catalogue:
    head = "/* ---\ndescription: C.\n{}\nmetrics:\n  {}\n--- */\nSELECT 1\n"
    sources = [
        Source("postgres", "metrics", name, f"{name}.sql", head.format(options, metric))
        for name, (options, metric) in (METRICS | dict(more or {})).items()
    ]
    sources += [Source("postgres", "jobs", name, name, QUESTION) for name in ("facts", "databases")]
    sources.append(Source("postgres", "probes", "pg_monitor", "pg_monitor.sql", PROBE))
    families = FAMILIES + "".join(
        f"dbwatch_{name}: {{type: gauge, help: C., engines: [postgres]}}\n" for name in more or ()
    )
    return catalogue.build(catalogue.families(families, "families.yml") | SELF_FAMILIES, sources)


@dataclass
class Scene:
    """A poller at work, and what a test looks at."""

    engine: FakeEngine
    store: Store
    heartbeats: Heartbeats
    crashes: list[str] = field(default_factory=list)
    most_sessions: int = 0
    lateness: list[float] = field(default_factory=list)

    def value(self, family: str, **labels: str) -> float | None:
        found = [
            value
            for of, value in self.store.samples("pg1", family)
            if all(of.get(key) == text for key, text in labels.items())
        ]
        return sum(found) if found else None

    async def after(self, seconds: float) -> None:
        """Let time pass as the daemon does: values older than they may be are dropped each second."""
        for _ in range(round(seconds * 4)):
            await asyncio.sleep(0.25)
            self.most_sessions = max(self.most_sessions, len(self.engine.sessions))
            self.store.expire(asyncio.get_running_loop().time())


def engine() -> FakeEngine:
    return FakeEngine(
        answers={
            "things": rows("datname", "n", of=[("rdv", 5)]),
            "secrets": rows("n", of=[(7,)]),
            "replays": rows("n", of=[(1,)]),
            "sizes": rows("n", of=[(100,)]),
            "databases": DATABASES,
            "active": rows("class", "n", of=[("io", 2)]),
            "probe_pg_monitor": YES,
        }
    )


@asynccontextmanager
async def polled(
    server: FakeEngine, more: Mapping[str, tuple[str, str]] | None = None, **settings: object
) -> AsyncIterator[Scene]:
    loop = cast("VirtualLoop", asyncio.get_running_loop())
    known = small_catalogue(more)
    scene = Scene(server, Store(known.families), Heartbeats(loop.monotonic))
    around = Surroundings(
        store=scene.store,
        clock=loop,
        logins=asyncio.Semaphore(8),
        heartbeats=scene.heartbeats,
        on_lateness=scene.lateness.append,
        on_crash=scene.crashes.append,
        in_maintenance=lambda _: False,
    )
    options = {"name": "pg1", "engine": "postgres", "monitor": Credentials(user="dbwatch")} | settings
    poller = InstancePoller(PostgresInstance.model_validate(options), server, known, around)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(poller.run(), name="poller")
        await scene.after(2)
        yield scene
        task.cancel()
    assert server.sessions == []
    assert scene.store.states() == []
    assert scene.heartbeats.late() == []


def test_everything_is_polled_within_two_seconds_of_the_start() -> None:
    async def story() -> None:
        async with polled(engine()) as scene:
            assert scene.value("dbwatch_up") == 1
            assert scene.value("dbwatch_things", database="rdv") == 5
            assert scene.value("dbwatch_secrets") == 7
            assert scene.value("dbwatch_sizes") == 200
            assert scene.value("dbwatch_role", role="primary") == 1

    run(story())


def test_never_more_than_four_connections_even_while_everything_runs() -> None:
    async def story() -> None:
        async with polled(engine()) as scene:
            await scene.after(1200)
            assert scene.most_sessions <= 4
            assert len(scene.engine.sessions) <= 3

    run(story())


def test_all_down_at_the_start_and_up_when_the_server_comes() -> None:
    async def story() -> None:
        server = engine()
        server.refuses = REFUSED
        async with polled(server) as scene:
            assert scene.value("dbwatch_up") == 0
            assert scene.value("dbwatch_up_reason", reason="refused") == 1
            assert scene.value("dbwatch_things") is None
            server.refuses = None
            await scene.after(35)
            assert scene.value("dbwatch_up") == 1
            assert scene.value("dbwatch_up_reason") is None
            assert scene.value("dbwatch_things") == 5

    run(story())


def test_after_a_timeout_the_last_value_stays_for_three_intervals_then_goes() -> None:
    async def story() -> None:
        server = engine()
        async with polled(server) as scene:
            server.answers["things"] = TIMEOUT
            await scene.after(20)
            assert scene.value("dbwatch_things") == 5
            assert scene.value("dbwatch_collector_success", collector="things") == 0
            await scene.after(15)
            assert scene.value("dbwatch_things") is None
            assert scene.value("dbwatch_secrets") == 7
            server.answers["things"] = rows("datname", "n", of=[("rdv", 6)])
            await scene.after(11)
            assert scene.value("dbwatch_things") == 6
            assert scene.value("dbwatch_collector_success", collector="things") == 1

    run(story())


def test_a_privilege_that_is_revoked_ends_the_values_at_once_and_names_the_grant() -> None:
    async def story() -> None:
        server = engine()
        async with polled(server) as scene:
            server.answers["probe_pg_monitor"] = NO
            await scene.after(11)
            assert scene.value("dbwatch_secrets") is None
            assert scene.value("dbwatch_collector_permission_missing", collector="secrets", privilege="pg_monitor") == 1
            assert scene.store.state("pg1").collectors["secrets"].remedy == "GRANT pg_monitor TO dbwatch;"
            assert scene.value("dbwatch_things") == 5
            server.answers["probe_pg_monitor"] = YES
            await scene.after(11)
            assert scene.value("dbwatch_secrets") == 7
            assert scene.value("dbwatch_collector_permission_missing", collector="secrets") is None

    run(story())


def test_a_missing_object_ends_the_values_at_once_and_is_tried_again_after_a_quarter_of_an_hour() -> None:
    async def story() -> None:
        server = engine()
        async with polled(server) as scene:
            server.answers["things"] = EngineError(Reason.MISSING, "relation does not exist")
            await scene.after(11)
            assert scene.value("dbwatch_things") is None
            asked = server.asked["things"]
            await scene.after(600)
            assert server.asked["things"] == asked
            server.answers["things"] = rows("datname", "n", of=[("rdv", 6)])
            await scene.after(320)
            assert scene.value("dbwatch_things") == 6

    run(story())


def test_a_refused_password_is_not_tried_again_for_ten_minutes() -> None:
    async def story() -> None:
        server = engine()
        server.refuses = DENIED
        async with polled(server) as scene:
            await scene.after(590)
            assert server.logins == 1
            assert scene.value("dbwatch_up_reason", reason="auth") == 1
            await scene.after(20)
            assert server.logins == 2

    run(story())


def test_a_new_password_file_ends_the_pause_after_a_refused_login(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("old")

    async def story() -> None:
        server = engine()
        server.refuses = DENIED
        async with polled(server, monitor={"user": "dbwatch", "password_file": str(secret)}) as scene:
            secret.write_text("new password")
            server.refuses = None
            await scene.after(10)
            assert scene.value("dbwatch_up") == 1

    run(story())


def test_a_password_file_that_is_renewed_during_the_refused_login_ends_the_pause_too(tmp_path: Path) -> None:
    """A rotation changes the account and then the file: the probe may come between the two."""
    secret = tmp_path / "password"
    secret.write_text("old")

    class Rotated(FakeEngine):
        async def wait(self, seconds: float, what: str) -> None:
            await super().wait(seconds, what)
            if self.logins == 1:
                secret.write_text("new password")
            else:
                self.refuses = None

    async def story() -> None:
        server = Rotated(answers=engine().answers, refuses=DENIED)
        async with polled(server, monitor={"user": "dbwatch", "password_file": str(secret)}) as scene:
            await scene.after(10)
            assert scene.value("dbwatch_up") == 1

    run(story())


def test_a_login_that_is_revoked_is_seen_by_the_next_probe_while_open_sessions_go_on() -> None:
    async def story() -> None:
        server = engine()
        async with polled(server) as scene:
            server.refuses = DENIED
            await scene.after(15)
            assert scene.value("dbwatch_up") == 0
            await scene.after(60)
            assert scene.value("dbwatch_things") == 5

    run(story())


def test_a_failover_is_seen_within_two_fast_intervals_and_ends_what_was_true_before() -> None:
    async def story() -> None:
        server = engine()
        async with polled(server) as scene:
            assert scene.value("dbwatch_replays") is None
            server.hello = replace(server.hello, role=Role.REPLICA)
            await scene.after(20)
            assert scene.value("dbwatch_role", role="replica") == 1
            assert scene.value("dbwatch_role", role="primary") == 0
            assert scene.value("dbwatch_replays") == 1

    run(story())


def test_a_restart_ends_the_series_of_before_at_once() -> None:
    async def story() -> None:
        server = engine()
        server.hello = replace(FACTS, started_at=100.0)
        async with polled(server) as scene:
            server.answers["sizes"] = TIMEOUT
            server.hello = replace(FACTS, started_at=500.0)
            await scene.after(11)
            assert scene.value("dbwatch_sizes") is None
            assert scene.value("dbwatch_things") == 5

    run(story())


def test_what_another_server_counted_is_no_growth() -> None:
    async def story() -> None:
        server = engine()
        server.hello = replace(FACTS, started_at=100.0)
        server.answers["calls"] = rows("queryid", "n", of=[("a", 100)])
        async with polled(server) as scene:
            assert scene.value("dbwatch_calls_total", queryid="a") == 100
            server.answers["calls"] = rows("queryid", "n", of=[("a", 90_000), ("b", 70_000)])
            server.hello = replace(FACTS, started_at=500.0)
            await scene.after(25)
            assert scene.value("dbwatch_calls_total", queryid="a") == 100
            server.answers["calls"] = rows("queryid", "n", of=[("a", 90_007), ("b", 70_000)])
            await scene.after(15)
            assert scene.value("dbwatch_calls_total", queryid="a") == 107
            assert scene.value("dbwatch_calls_total", queryid="_other") == 0

    run(story())


def test_a_server_that_falls_silent_is_down_and_costs_no_sessions() -> None:
    async def story() -> None:
        server = engine()
        async with polled(server) as scene:
            server.silent = True
            await scene.after(40)
            assert scene.value("dbwatch_up") == 0
            assert scene.value("dbwatch_up_reason", reason="timeout") == 1
            assert scene.value("dbwatch_things") is None
            assert server.sessions == []
            assert scene.heartbeats.late() == []
            server.silent = False
            await scene.after(40)
            assert scene.value("dbwatch_up") == 1
            assert scene.value("dbwatch_things") == 5

    run(story())


def test_while_nobody_can_log_in_no_collector_is_said_to_succeed_once_its_turn_has_come() -> None:
    async def story() -> None:
        server = engine()
        async with polled(server) as scene:
            server.silent = True
            await scene.after(40)
            assert scene.value("dbwatch_collector_success", collector="things") == 0
            assert scene.value("dbwatch_collector_success", collector="sizes") == 1  # it has not been due
            assert scene.value("dbwatch_sizes") == 200
            await scene.after(300)
            assert scene.value("dbwatch_collector_success", collector="sizes") == 0
            assert scene.value("dbwatch_sizes") == 200  # three intervals long
            server.silent = False
            await scene.after(40)
            assert scene.value("dbwatch_collector_success", collector="sizes") == 1

    run(story())


def test_a_long_round_does_not_hold_up_what_is_asked_often() -> None:
    """The server answers slowly: what comes each minute takes longer than the interval of what comes each 10 s."""

    async def story() -> None:
        server = engine()
        async with polled(server, MINUTELY) as scene:
            await scene.after(60)
            server.seconds_each = 0.4
            before = server.asked["things"]
            await scene.after(60)
            assert server.asked["things"] - before >= 5
            assert server.asked["c39"] >= 2
            assert max(scene.lateness) < 2

    run(story())


def test_a_dropped_database_goes_at_once_and_the_others_stay() -> None:
    async def story() -> None:
        server = engine()
        async with polled(server) as scene:
            server.answers["databases"] = rows("name", "remedy", of=[("etatcivil", None)])
            await scene.after(300)
            assert scene.value("dbwatch_sizes", database="rdv") is None
            assert scene.value("dbwatch_sizes", database="etatcivil") == 100

    run(story())


def test_a_database_that_we_may_not_enter_is_told_with_its_grant_and_not_tried() -> None:
    grant = "GRANT CONNECT ON DATABASE secret TO dbwatch;"

    async def story() -> None:
        server = engine()
        server.answers["databases"] = rows("name", "remedy", of=[("rdv", None), ("secret", grant)])
        async with polled(server) as scene:
            status = scene.store.state("pg1").collectors["sizes"]
            assert (False, Reason.PERMISSION, grant) == (status.succeeded, status.reason, status.remedy)
            assert scene.value("dbwatch_sizes", database="rdv") == 100
            assert scene.value("dbwatch_sizes", database="secret") is None

    run(story())


def test_a_database_whose_logins_hang_is_tried_ever_more_seldom_and_comes_back() -> None:
    """Each login that was given up stays on the server: one more at each round would fill the account's limit."""

    async def story() -> None:
        server = engine()
        async with polled(server) as scene:
            server.hanging = frozenset({"rdv"})
            await scene.after(3600)
            assert 2 <= server.hung <= 4
            assert scene.value("dbwatch_up") == 1
            assert scene.value("dbwatch_sizes", database="rdv") is None
            assert scene.value("dbwatch_sizes", database="etatcivil") == 100
            server.hanging = frozenset()
            await scene.after(3600)
            assert scene.value("dbwatch_sizes", database="rdv") == 100

    run(story())


def test_databases_that_the_filter_leaves_out_are_not_asked() -> None:
    async def story() -> None:
        async with polled(engine(), databases={"include": ["rdv*"], "exclude": []}) as scene:
            assert scene.value("dbwatch_sizes", database="rdv") == 100
            assert scene.value("dbwatch_sizes", database="etatcivil") is None

    run(story())


def test_heavy_work_in_many_databases_lets_the_slow_lane_in_which_is_no_hang() -> None:
    """It takes longer than the values of the slow lane last, and than a lane that hangs is waited for."""
    bloat = ("interval: 600s\nscope: database\nlane: heavy", "dbwatch_bloat: {value: n}")
    often = ("interval: 60s\nlane: slow", "dbwatch_often: {value: n}")
    alone = {"sizes": {"enabled": False}}

    async def story() -> None:
        server = engine()
        server.answers |= {"bloat": rows("n", of=[(1,)]), "often": rows("n", of=[(3,)])}
        server.answers["databases"] = rows("name", "remedy", of=[(f"d{number}", None) for number in range(200)])
        async with polled(server, {"bloat": bloat, "often": often}, collectors=alone) as scene:
            server.seconds_each = 0.4
            before, polls, late = server.asked["bloat"], server.asked["often"], set[str]()
            while server.asked["bloat"] < before + 200:
                await scene.after(5)
                late |= set(scene.heartbeats.late())
                assert scene.value("dbwatch_often") == 3
            assert late == set()
            assert server.asked["often"] > polls
            assert scene.most_sessions <= 4

    run(story())


def test_the_sampler_adds_up_session_seconds() -> None:
    async def story() -> None:
        async with polled(engine()) as scene:
            await scene.after(60)
            first = scene.value("dbwatch_active_session_seconds_total", wait_class="io")
            await scene.after(60)
            second = scene.value("dbwatch_active_session_seconds_total", wait_class="io")
            assert first is not None
            assert second is not None
            assert abs(second - first - 120) <= 4

    run(story())


def test_the_sampler_tells_how_long_it_takes_and_how_often_it_gives_values() -> None:
    """Healthy or not, the interval is one; of what was never asked there is no time."""

    class Slow(FakeEngine):
        async def wait(self, seconds: float, what: str) -> None:
            await super().wait(seconds, what)
            await asyncio.sleep(0.25)

    async def story() -> None:
        for answer, took in ((YES, 0.25), (NO, None)):
            server = Slow(answers=engine().answers)
            server.answers["probe_pg_monitor"] = answer
            async with polled(server) as scene:
                await scene.after(30)
                assert took == scene.store.state("pg1").collectors["active"].seconds
                assert took == scene.value("dbwatch_collector_duration_seconds", collector="active")
                assert scene.value("dbwatch_collector_interval_seconds", collector="active") == 10

    run(story())


def test_a_bug_in_one_task_is_told_and_the_task_starts_again() -> None:
    class Buggy(FakeEngine):
        bugs: int = 1

        def facts(self, hello: Facts, answer: Rows) -> Facts:
            if self.bugs:
                self.bugs -= 1
                raise ZeroDivisionError
            return super().facts(hello, answer)

    async def story() -> None:
        server = Buggy(answers=engine().answers)
        async with polled(server) as scene:
            await scene.after(5)
            assert len(scene.crashes) == 1
            assert scene.value("dbwatch_things") == 5

    run(story())


def test_an_override_switches_a_collector_off() -> None:
    async def story() -> None:
        async with polled(engine(), collectors={"things": {"enabled": False}}) as scene:
            assert scene.value("dbwatch_things") is None
            assert scene.store.state("pg1").collectors["things"].skipped == "disabled"

    run(story())


def test_what_names_a_dropped_database_goes_with_the_next_fast_round() -> None:
    async def story() -> None:
        server = engine()
        server.hello = replace(FACTS, databases=frozenset({"rdv", "etatcivil"}))
        async with polled(server) as scene:
            assert scene.value("dbwatch_sizes", database="etatcivil") == 100
            server.hello = replace(FACTS, databases=frozenset({"rdv"}))
            await scene.after(11)
            assert scene.value("dbwatch_sizes", database="etatcivil") is None
            assert scene.value("dbwatch_sizes", database="rdv") == 100

    run(story())


def test_a_sampler_that_may_not_see_is_no_hang_and_sees_again_soon() -> None:
    async def story() -> None:
        server = engine()
        server.answers["probe_pg_monitor"] = NO
        async with polled(server) as scene:
            for _ in range(40):
                await scene.after(5)
                assert scene.heartbeats.late() == []

    run(story())


def test_fast_interval_is_the_least_whatever_a_collector_says_and_makes_nothing_faster() -> None:
    def intervals(**settings: object) -> dict[str, float]:
        options = {"name": "pg1", "engine": "postgres", "monitor": Credentials(user="dbwatch")} | settings
        instance = PostgresInstance.model_validate(options)
        found = {item.name: item.interval_seconds for item in configured(small_catalogue(), instance)}
        return {name: found[name] for name in ("things", "sizes", "active")}

    often = {"things": {"interval": "2s"}, "active": {"interval": "500ms"}}

    assert {"things": 10.0, "sizes": 300.0, "active": 1.0} == intervals(fast_interval=2)
    assert {"things": 10.0, "sizes": 300.0, "active": 0.5} == intervals(collectors=often)
    assert {"things": 2.0, "sizes": 300.0, "active": 0.5} == intervals(collectors=often, fast_interval=2)
    assert {"things": 400.0, "sizes": 400.0, "active": 1.0} == intervals(fast_interval=400)


def test_an_override_under_fast_interval_is_run_each_fast_interval() -> None:
    async def story() -> None:
        async with polled(engine(), collectors={"things": {"interval": "1s"}}, fast_interval=10) as scene:
            before = scene.engine.asked["things"]
            await scene.after(60)
            assert 6 == scene.engine.asked["things"] - before

    run(story())
