"""Rules over much data are asked again when something that they read has changed, and only then."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dbwatch.alerts.values import LARGE_ROWS
from dbwatch.core.alerting.model import AlertState
from dbwatch.core.model import Block, Snapshot
from dbwatch.core.promql import parse
from dbwatch.core.promql.syntax import is_timeless
from tests.unit.test_alerts_ruling import look, ruling, store_with

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dbwatch.alerts.ruling import Ruling
    from dbwatch.core.alerting.model import Alert
    from dbwatch.store import Store

BEYOND = "max without (job, instance) (t_size > on (db_instance) group_left () t_limit)"


class Numbers(tuple[float, ...]):
    """Values that tell how often somebody went through them."""

    __slots__ = ()
    walks = 0

    def __iter__(self) -> Iterator[float]:
        type(self).walks += 1
        return super().__iter__()


def put(store: Store, largest: float, rows: int = LARGE_ROWS) -> None:
    names = tuple(f"d{number}" for number in range(rows))
    block = Block("t_size", ("database",), (names,), Numbers([*(0.0,) * (rows - 1), largest]))
    store.put(Snapshot("pg", "sizes", 0.0, 0.1, (block,)), {})


def limit(store: Store, value: float) -> None:
    store.put(Snapshot("pg", "self", 0.0, 0.1, (Block("t_limit", (), (), (value,)),)), {})


def walks_of_a_look(made: Ruling, alerts: Mapping[str, Alert], now: float) -> tuple[dict[str, Alert], int]:
    before = Numbers.walks
    after = look(made, alerts, now)
    return after, Numbers.walks - before


@pytest.mark.parametrize(("rows", "again"), [(LARGE_ROWS, 0), (LARGE_ROWS - 1, 1)])
def test_what_has_not_changed_is_gone_through_once_where_it_is_much(rows: int, again: int) -> None:
    store = store_with({})
    limit(store, 5)
    put(store, 9.0, rows)
    made = ruling(store, BEYOND, wait="0s")
    first, walks = walks_of_a_look(made, {}, 100.0)
    limit(store, 5)  # published anew, and the same
    second, walks_again = walks_of_a_look(made, first, 115.0)

    assert [AlertState.FIRING] == [alert.state for alert in second.values()]
    assert first.keys() == second.keys()
    assert (walks > 0, again) == (True, min(walks_again, 1))


def test_a_changed_value_and_a_changed_limit_are_seen_at_the_next_look() -> None:
    store = store_with({})
    limit(store, 5)
    put(store, 1.0)
    made = ruling(store, BEYOND, wait="0s")
    quiet = look(made, {}, 100.0)
    put(store, 9.0)
    beyond = look(made, quiet, 115.0)
    limit(store, 50)
    within = look(made, beyond, 130.0)
    store.remove("pg", "sizes")
    gone = look(made, within, 145.0)

    assert {} == quiet
    assert [9.0] == [alert.value for alert in beyond.values() if alert.state is AlertState.FIRING]
    assert [] == [alert for alert in within.values() if alert.state is AlertState.FIRING]
    assert [] == [alert for alert in gone.values() if alert.state is AlertState.FIRING]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [("t_size > 1", True), ("time() - t_size > 1", False), ("increase(t_size[5m]) > 1 and t_limit", False)],
)
def test_a_rule_over_the_clock_or_the_past_is_asked_each_time(expression: str, *, expected: bool) -> None:
    assert expected is is_timeless(parse(expression, "test"))
