"""Rules over a store: what they see, what they do on missing data, and what a restart must not resolve."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from dbwatch.alerts.judging import Judge, Seen
from dbwatch.alerts.ruling import Ruling
from dbwatch.alerts.values import Reader, wanted
from dbwatch.core.alerting.model import AlertState
from dbwatch.core.catalogue import Catalogue
from dbwatch.core.model import Block, Collector, Column, Family, FamilyType, Identity, Lane, Snapshot, Variant
from dbwatch.core.promql import parse
from dbwatch.core.promql.syntax import is_local, selectors
from dbwatch.core.rule_files import read
from dbwatch.core.rules import Feed, WhereItRuns, where_it_runs
from dbwatch.store import CollectorStatus, InstanceState, Store

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dbwatch.core.alerting.model import Alert

FAMILIES = {
    name: Family(name, FamilyType.GAUGE, "A test's.", ("database",)) for name in ("t_size", "t_limit", "t_total")
}
COLLECTOR = Collector(
    "sizes", "postgres", "", tuple(Column(name, "=1") for name in FAMILIES), (Variant("", ""),), 60.0, 1.0, Lane.FAST
)
CATALOGUE = Catalogue(families=FAMILIES, collectors={("postgres", "sizes"): COLLECTOR})
RULE = """
groups:
- name: test
  rules:
  - alert: TooLarge
    expr: {expression}
    for: {wait}
    labels: {{severity: warning, category: test}}
    annotations: {{summary: "{{{{ $labels.database }}}} has {{{{ $value }}}}", runbook_url: docs/runbooks/TooLarge.md}}
"""
PLAIN = "max without (job, instance) (t_size > 10)"


def store_with(sizes: Mapping[str, float], family: str = "t_size") -> Store:
    store = Store(FAMILIES)
    put(store, sizes, family)
    state(store, up=True)
    return store


def put(store: Store, sizes: Mapping[str, float], family: str = "t_size") -> None:
    block = Block(family, ("database",), (tuple(sizes),), tuple(sizes.values()))
    store.put(Snapshot("pg", "sizes", 0.0, 0.1, (block,)), {})


def state(store: Store, *, up: bool | None, succeeded_at: float | None = 1.0) -> None:
    status = CollectorStatus("sizes", "fast", 60.0, succeeded=succeeded_at is not None, last_success_at=succeeded_at)
    identity = Identity("pg", "postgres", env="prod")
    store.put_state(InstanceState(identity, up=up, collectors={"sizes": status}))


def ruling(store: Store, expression: str = PLAIN, wait: str = "30s") -> Ruling:
    made = Ruling(store, list)
    made.become(judged([("test.yml", RULE.format(expression=expression, wait=wait))]))
    return made


def judged(files: list[tuple[str, str]]) -> list[WhereItRuns]:
    return [where_it_runs(rule, CATALOGUE, {}) for rule in read(files)]


def look(made: Ruling, known: Mapping[str, Alert], now: float, age_seconds: float = 1e6) -> dict[str, Alert]:
    return asyncio.run(made.look(known, now, age_seconds))


def states(alerts: Mapping[str, Alert]) -> dict[str, AlertState]:
    return {alert.label("database"): alert.state for alert in alerts.values()}


def test_a_rule_sees_the_stores_values_with_the_labels_of_their_instance() -> None:
    made = ruling(store_with({"rdv": 11, "etat_civil": 9, "": 12}))
    alerts = look(made, {}, 100.0)
    found = {alert.labels for alert in alerts.values()}

    common = {"alertname": "TooLarge", "severity": "warning", "category": "test"}
    common |= {"db_instance": "pg", "engine": "postgres", "env": "prod"}
    assert found == {tuple(sorted({**common, "database": "rdv"}.items())), tuple(sorted(common.items()))}
    assert {"rdv has 11", " has 12"} == {alert.annotation("summary") for alert in alerts.values()}


def test_an_alert_is_pending_then_fires_then_resolves() -> None:
    store = store_with({"rdv": 11})
    made = ruling(store)
    first = look(made, {}, 100.0)
    second = look(made, first, 115.0)
    third = look(made, second, 130.0)
    put(store, {"rdv": 3})
    fourth = look(made, third, 145.0)

    seen = [states(each)["rdv"] for each in (first, second, third, fourth)]
    assert seen == [AlertState.PENDING, AlertState.PENDING, AlertState.FIRING, AlertState.RESOLVED]
    assert [alert.is_measured for alert in fourth.values()] == [True]


def test_an_alert_whose_values_are_gone_ends_and_says_so() -> None:
    store = store_with({"rdv": 11})
    made = ruling(store, wait="0s")
    firing = look(made, {}, 100.0)
    store.remove("pg", "sizes")
    state(store, up=False)
    ended = look(made, firing, 115.0)

    assert states(ended) == {"rdv": AlertState.RESOLVED}
    assert [alert.is_measured for alert in ended.values()] == [False]


@pytest.mark.parametrize("up", [None, True, False])
def test_a_restart_resolves_nothing_before_the_instance_was_asked(*, up: bool | None) -> None:
    firing = look(ruling(store_with({"rdv": 11}), wait="0s"), {}, 100.0)
    store = Store(FAMILIES)
    state(store, up=up, succeeded_at=None)
    made = ruling(store, wait="0s")
    held = look(made, firing, 200.0, age_seconds=10.0)
    state(store, up=True, succeeded_at=205.0)
    put(store, {"rdv": 1})
    judged = look(made, held, 215.0, age_seconds=25.0)

    assert states(held) == {"rdv": AlertState.FIRING}
    assert states(judged) == {"rdv": AlertState.RESOLVED}


def test_a_collector_that_fails_since_the_start_does_not_hold_an_alert_for_ever() -> None:
    store = Store(FAMILIES)
    state(store, up=True, succeeded_at=None)
    feeds = (Feed("t_size", "postgres", "sizes", 60.0),)
    labels = {"db_instance": "pg"}

    seen = Seen.of(store)

    assert not Judge(store, seen, feeds, 200.0).can_judge(labels)
    assert Judge(store, seen, feeds, 241.0).can_judge(labels)
    assert Judge(store, seen, feeds, 1.0).can_judge({"db_instance": "gone"})
    assert not Judge(store, seen, feeds, 1.0).can_measure({"db_instance": "gone"})


def test_alerts_of_a_rule_that_a_reload_removed_end_unmeasured() -> None:
    made = ruling(store_with({"rdv": 11}), wait="0s")
    firing = look(made, {}, 100.0)
    made.become(())
    ended = look(made, firing, 115.0)

    assert states(ended) == {"rdv": AlertState.RESOLVED}
    assert [alert.is_measured for alert in ended.values()] == [False]


def test_a_rule_that_cannot_be_evaluated_keeps_its_alerts_is_counted_and_stops_no_other() -> None:
    store = store_with({"rdv": 11})
    made = ruling(store, wait="0s")
    firing = look(made, {}, 100.0)
    many = "max without (job, instance) (t_size > on (engine) t_size)"
    made.become(judged([("test.yml", RULE.format(expression=many, wait="0s"))]))
    put(store, {"rdv": 11, "etat_civil": 12})
    after = look(made, firing, 115.0)

    assert after == firing
    assert made.failures["TooLarge"] == 1
    assert "TooLarge" in made.failing


def test_a_rule_that_reads_what_is_no_metric_is_left_out() -> None:
    made = ruling(store_with({"rdv": 11}), "max without (job, instance) (t_unheard_of > 10)")

    assert made.count == 0
    assert {"TooLarge": "t_unheard_of is no metric of dbwatch"} == made.left_out
    assert look(made, {}, 100.0) == {}
    made.become(())
    assert {} == made.left_out


def test_a_range_goes_on_over_a_reload_of_the_rules() -> None:
    store = store_with({"rdv": 0}, "t_total")
    grew = "max without (job, instance) (increase(t_total[5m]) > 5)"
    made = ruling(store, grew, wait="0s")
    alerts: dict[str, Alert] = {}
    for step in range(8):
        put(store, {"rdv": 10.0 * step}, "t_total")
        if step == 4:
            made.become(judged([("test.yml", RULE.format(expression=grew, wait="0s"))]))
        alerts = look(made, alerts, 1000.0 + 15 * step)

    assert states(alerts) == {"rdv": AlertState.FIRING}
    assert [alert.value > 60 for alert in alerts.values()] == [True]


def test_the_process_watches_itself_with_the_same_rules() -> None:
    reader = Reader(Store({}), lambda: [("own_total", {"task": "x"}, 2.0), ("other", {}, 1.0)])

    taken = reader.read(reader.places(), {"own_total": None})

    assert taken.samples("own_total") == [({"task": "x"}, 2.0)]
    assert taken.samples("other") == []


def test_an_instance_that_went_while_others_were_read_has_nothing() -> None:
    assert Reader(Store({}), list).read(["gone"], {"t_size": None}).samples("t_size") == []


@pytest.mark.parametrize(
    ("expression", "is_apart"),
    [
        (PLAIN, True),
        ("t_size / on (job, instance, db_instance) group_left () t_limit > 1", True),
        ("t_size / t_limit > 1", True),
        ("t_size / ignoring (database) group_left () t_limit > 1", True),
        ("t_size / ignoring (db_instance) group_left () t_limit > 1", False),
        ("t_size / on (engine) group_left () t_limit > 1", False),
        ("sum by (db_instance) (t_size) > 1", True),
        ("sum by (engine) (t_size) > 1", False),
        ("sum(t_size) > 1", False),
        ("max without (db_instance) (t_size)", False),
        ("t_size unless on (db_instance) t_limit", True),
        ("t_size unless on (engine) t_limit", False),
        ("time() - 5", False),
        ("-increase(t_size[5m]) > time()", True),
    ],
)
def test_a_rule_is_evaluated_by_batches_only_where_no_instance_meets_another(
    expression: str, *, is_apart: bool
) -> None:
    assert is_apart is is_local(parse(expression, "test"), "db_instance")


def test_many_instances_are_told_apart_and_seen_together() -> None:
    store = Store(FAMILIES)
    for number in range(40):
        name = f"pg{number}"
        block = Block("t_size", ("database",), (("rdv",),), (float(number),))
        store.put(Snapshot(name, "sizes", 0.0, 0.1, (block,)), {})
        store.put_state(InstanceState(Identity(name, "postgres"), up=True))
    local = look(ruling(store, "max without (job, instance) (t_size > 30)", "0s"), {}, 100.0)
    together = look(ruling(store, "sum by (engine) (t_size) > 30", "0s"), {}, 100.0)

    assert {f"pg{number}" for number in range(31, 40)} == {alert.label("db_instance") for alert in local.values()}
    assert [780.0] == [alert.value for alert in together.values()]


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (['t_size{database="a"}', 't_size{database="b"}'], ("database", frozenset({"a", "b"}))),
        (['t_size{database="a"}', "t_size"], None),
        (['t_size{database="a"}', 't_size{env="prod"}'], None),
        (['t_size{database=""}'], None),
        (['t_size{database=~"a|b"}', 't_size{database="c"}'], ("database", frozenset({"a", "b", "c"}))),
        (['t_size{database=~"a.*"}'], None),
        (['t_size{database!="a"}'], None),
    ],
)
def test_only_the_rows_that_rules_name_are_read(texts: list[str], expected: tuple[str, frozenset[str]] | None) -> None:
    found = wanted(selector for text in texts for selector in selectors(parse(text, "test")))
    rows = Reader(store_with({"a": 1, "b": 2, "c": 3, "": 4}), list).read(["pg"], found).samples("t_size")

    assert found == {"t_size": expected}
    assert len(rows) == (len(expected[1]) if expected else 4)
