"""What a restart must not resolve: alerts are restored before anybody was asked, and while answers come in."""

from __future__ import annotations

import asyncio
from itertools import count
from typing import TYPE_CHECKING

import pytest

from dbwatch.alerts.ruling import Ruling
from dbwatch.core.alerting.model import AlertState
from dbwatch.core.catalogue import Catalogue
from dbwatch.core.model import Block, Family, FamilyType, Identity, Snapshot
from dbwatch.core.rule_files import read
from dbwatch.core.rules import where_it_runs
from dbwatch.store import CollectorStatus, InstanceState, Store

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dbwatch.alerts.values import OwnSamples
    from dbwatch.core.alerting.model import Alert

FAMILIES = {
    "t_up": Family("t_up", FamilyType.GAUGE, "A test's."),
    "t_role": Family("t_role", FamilyType.GAUGE, "A test's.", ("role",)),
    "t_success": Family("t_success", FamilyType.GAUGE, "A test's.", ("collector",)),
}
OWN = {"own_waiting": None}
RULE = """
groups:
- name: test
  rules:
  - alert: Test
    expr: {expression}
    labels: {{severity: critical, category: test}}
    annotations: {{summary: "A test's.", runbook_url: docs/runbooks/Test.md}}
"""
DOWN = "max without (job, instance) (t_up == 0)"
DOWN_TOGETHER = "max by (engine) (t_up == 0)"
NO_PRIMARY = 'sum by (engine) (t_role{role="primary"}) == 0'
FAILING = "max without (job, instance) (t_success == 0)"
CHANGING = "max without (job, instance) (changes(t_up[5m]) > 0)"
NAMES = ("one", "two")
LONG = 1e6


def told(store: Store, name: str, *, up: bool, role: float | None = None, success: float | None = None) -> None:
    """As the poller does: the state, then its series, with no turn of the event loop between."""
    status = CollectorStatus("sizes", "fast", 60.0, succeeded=None if success is None else bool(success))
    store.put_state(InstanceState(Identity(name, "postgres"), up=up, collectors={"sizes": status}))
    blocks = [Block("t_up", (), (), (float(up),))]
    if role is not None:
        blocks.append(Block("t_role", ("role",), (("primary",),), (role,)))
    if success is not None:
        blocks.append(Block("t_success", ("collector",), (("sizes",),), (success,)))
    store.put(Snapshot(name, "self", 0.0, 0.0, tuple(blocks)), {})


def unasked() -> Store:
    """As a start finds it."""
    store = Store(FAMILIES)
    for name in NAMES:
        status = CollectorStatus("sizes", "fast", 60.0)
        store.put_state(InstanceState(Identity(name, "postgres"), collectors={"sizes": status}))
    return store


def ruling(store: Store, expression: str, own: OwnSamples = list) -> Ruling:
    made = Ruling(store, own)
    catalogue = Catalogue(families=FAMILIES, collectors={})
    made.become([where_it_runs(rule, catalogue, OWN) for rule in read([("t.yml", RULE.format(expression=expression))])])
    assert made.count == 1
    return made


def look(made: Ruling, known: Mapping[str, Alert], now: float, age_seconds: float) -> dict[str, Alert]:
    return asyncio.run(made.look(known, now, age_seconds))


def states(alerts: Mapping[str, Alert]) -> set[AlertState]:
    return {alert.state for alert in alerts.values()}


def fired(expression: str, role: float | None = None, success: float | None = None) -> dict[str, Alert]:
    """Before the restart: servers that are up say something, the others do not answer."""
    store, is_up = unasked(), (role, success) != (None, None)
    for name in NAMES:
        told(store, name, up=is_up, role=role, success=success)
    firing = look(ruling(store, expression), {}, 100.0, LONG)
    assert states(firing) == {AlertState.FIRING}
    return firing


def test_an_alert_of_many_instances_waits_until_each_of_them_was_asked() -> None:
    firing, store = fired(DOWN_TOGETHER), unasked()
    made = ruling(store, DOWN_TOGETHER)
    nobody = look(made, firing, 200.0, 1.0)
    told(store, "one", up=True)
    half = look(made, nobody, 201.0, 2.0)
    told(store, "two", up=True)
    everybody = look(made, half, 202.0, 3.0)

    assert [nobody, half] == [firing, firing]
    assert states(everybody) == {AlertState.RESOLVED}


@pytest.mark.parametrize("expression", [DOWN, DOWN_TOGETHER])
def test_an_alert_that_is_still_true_after_a_restart_has_never_ended(expression: str) -> None:
    firing, store = fired(expression), unasked()
    made, alerts = ruling(store, expression), firing
    for step, name in enumerate(("", *NAMES)):
        if name:
            told(store, name, up=False)
        alerts = look(made, alerts, 200.0 + step, 1.0 + step)

        assert states(alerts) == {AlertState.FIRING}
    assert {alert.fired_at for alert in alerts.values()} == {100.0}


@pytest.mark.parametrize(("expression", "reads"), [(DOWN, 1), (DOWN_TOGETHER, 2)])
def test_what_was_answered_while_the_rules_were_looked_at_was_not_read(expression: str, reads: int) -> None:
    firing, store, read_own = fired(expression), unasked(), count(1)

    def own() -> Iterator[tuple[str, Mapping[str, str], float]]:
        """The process's own samples are read after those of all instances: then the answers come."""
        if next(read_own) == reads:
            for name in NAMES:
                told(store, name, up=False)
        yield from ()

    made = ruling(store, expression, own)
    first = look(made, firing, 200.0, 1.0)
    second = look(made, first, 201.0, 2.0)

    assert [states(first), states(second)] == [{AlertState.FIRING}] * 2
    assert {alert.fired_at for alert in second.values()} == {100.0}


def test_a_server_that_is_up_but_has_not_said_its_role_is_not_judged_by_it() -> None:
    firing, store = fired(NO_PRIMARY, role=0.0), unasked()
    made = ruling(store, NO_PRIMARY)
    for name in NAMES:
        told(store, name, up=True)
    held = look(made, firing, 200.0, 1.0)
    told(store, "one", up=True, role=1.0)
    half = look(made, held, 201.0, 2.0)
    told(store, "two", up=True, role=0.0)
    judged = look(made, half, 202.0, 3.0)

    assert [states(held), states(half), states(judged)] == [*[{AlertState.FIRING}] * 2, {AlertState.RESOLVED}]


def test_what_is_never_said_after_a_restart_does_not_hold_an_alert_for_ever() -> None:
    firing, store = fired(NO_PRIMARY, role=0.0), unasked()
    for name in NAMES:
        told(store, name, up=False)
    made = ruling(store, NO_PRIMARY)

    assert states(look(made, firing, 200.0, 104.0)) == {AlertState.FIRING}
    assert states(look(made, firing, 200.0, 106.0)) == {AlertState.RESOLVED}


def test_an_alert_on_a_collector_waits_until_that_collector_has_run() -> None:
    firing, store = fired(FAILING, success=0.0), unasked()
    made = ruling(store, FAILING)
    for name in NAMES:
        told(store, name, up=True)
        block = Block("t_success", ("collector",), (("another",),), (1.0,))
        store.put(Snapshot(name, "self", 0.0, 0.0, (block,)), {})
    held = look(made, firing, 200.0, 1.0)
    for name in NAMES:
        told(store, name, up=True, success=1.0)

    assert states(held) == {AlertState.FIRING}
    assert states(look(made, held, 201.0, 2.0)) == {AlertState.RESOLVED}


def test_a_rule_that_looks_back_is_judged_once_it_can_look_back_so_far() -> None:
    store = unasked()
    made, firing = ruling(store, CHANGING), dict[str, "Alert"]()
    for step, up in enumerate((True, False, True)):
        for name in NAMES:
            told(store, name, up=up)
        firing = look(made, firing, 100.0 + 15 * step, LONG)
    began_again = ruling(store, CHANGING)

    assert states(firing) == {AlertState.FIRING}
    assert states(look(began_again, firing, 200.0, 299.0)) == {AlertState.FIRING}
    assert states(look(began_again, firing, 201.0, 300.0)) == {AlertState.RESOLVED}


def test_what_the_process_says_of_itself_may_come_late() -> None:
    said = [("own_waiting", dict[str, str](), 1.0)]

    def own() -> Iterator[tuple[str, Mapping[str, str], float]]:
        yield from said

    store = unasked()
    for name in NAMES:
        told(store, name, up=True)
    made = ruling(store, "max without (job, instance) (own_waiting > 0)", own)
    firing = look(made, {}, 100.0, LONG)
    said.clear()

    assert states(firing) == {AlertState.FIRING}
    assert states(look(made, firing, 200.0, 1.0)) == {AlertState.FIRING}
    assert states(look(made, firing, 200.0, 106.0)) == {AlertState.RESOLVED}
