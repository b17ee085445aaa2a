"""Tables, units, thresholds, samples and the tree of blockers: text and numbers only."""

from __future__ import annotations

import math
from decimal import Decimal

import pytest

from dbwatch.cli import samples
from dbwatch.cli.ranges import Range, parse
from dbwatch.cli.samples import Sample
from dbwatch.core.model import Block
from dbwatch.core.showing import activity, blocking, tables
from dbwatch.core.showing.blocking import Node
from dbwatch.core.showing.units import value_text
from dbwatch.errors import UsageError
from tests.fakes import rows


def test_columns_are_aligned_and_numbers_stand_on_the_right() -> None:
    lines = tables.table(("name", "n"), [["a", "1"], ["long", "100"]], 80, right=("n",))

    assert ["NAME    N", "a       1", "long  100"] == lines


@pytest.mark.parametrize("width", [40, 60, 100])
def test_a_table_is_never_wider_than_the_terminal(width: int) -> None:
    lines = tables.table(("a", "b", "c"), [["x" * 70, "y" * 50, "z"]], width)

    assert max(map(len, lines)) <= width


def test_a_column_that_holds_nothing_takes_no_place() -> None:
    assert ["A  C", "1  2"] == tables.table(("a", "b", "c"), [["1", "", "2"]], 80)


def test_the_terminal_does_not_obey_what_a_server_sent() -> None:
    assert "a?[31mb?c" == tables.printable("a\x1b[31mb\nc")


@pytest.mark.parametrize(
    ("value", "unit", "family", "expected"),
    [
        (1536, "bytes", "", "1.50 KiB"),
        (0, "seconds", "", "0 s"),
        (252, "seconds", "", "4 min 12 s"),
        (0.832, "ratio", "", "83.2 %"),
        (12.345, "ratio", "", "1,234 %"),
        (12345, "", "", "12,345"),
        (0.25, "", "", "0.25"),
        (0, "seconds", "dbwatch_x_timestamp_seconds", "1970-01-01 00:00:00 UTC"),
        (math.nan, "bytes", "", "nan"),
    ],
)
def test_values_are_read_with_their_unit(value: float, unit: str, family: str, expected: str) -> None:
    assert expected == value_text(value, unit, family)


@pytest.mark.parametrize(
    ("text", "right", "wrong"),
    [
        ("10", [0, 5, 10], [-1, 11]),
        ("10:", [10, 99], [9]),
        ("~:10", [-5, 10], [11]),
        ("10:20", [10, 20], [9, 21]),
        ("@10:20", [9, 21], [10, 15, 20]),
        ("0.8", [0.8], [0.81]),
    ],
)
def test_a_range_alarms_where_the_plugin_guidelines_say(text: str, right: list[float], wrong: list[float]) -> None:
    limit = parse(text)

    assert [False] * len(right) == [limit.alarms(value) for value in right]
    assert [True] * len(wrong) == [limit.alarms(value) for value in wrong]
    assert text == str(limit)


@pytest.mark.parametrize("text", ["", ":", "@", "a", "20:10", "10:20:30", "1e3", "nan"])
def test_what_is_no_range_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="not a threshold"):
        parse(text)


def test_a_share_becomes_numbers() -> None:
    assert Range(0, 80) == parse("0.8").times(100)


def test_samples_are_read_from_a_page() -> None:
    text = '# HELP a b\n# TYPE a gauge\na{x="1",y="q\\"\\\\\\n}"} 2.5\nb 3\n\na_bucket{le="+Inf"} NaN\n'

    first, second, third = samples.from_text(text)

    assert Sample("a", 2.5, {"x": "1", "y": 'q"\\\n}'}) == first
    assert Sample("b", 3.0) == second
    assert ("a_bucket", {"le": "+Inf"}) == (third.name, third.labels)


@pytest.mark.parametrize("odd", ["\r", "\x0b", "\x1c", "\x85", "\u2028"])
def test_only_a_line_feed_ends_a_line_of_a_page(odd: str) -> None:
    """A table or an application may be called so: `check` would then know nothing of the whole instance."""
    (sample,) = samples.from_text(f'a{{x="odd{odd}name"}} 1\n')
    assert f"odd{odd}name" == sample.labels["x"]


@pytest.mark.parametrize("text", ["<html>", "a{", "a 1 2 3", "{}"])
def test_what_is_no_page_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a metrics page|could not convert"):
        list(samples.from_text(text))


def test_blocks_and_pages_give_the_same_samples() -> None:
    block = Block("a", ("x",), (("1", "2"),), (3.0, 4.0), "_sum")

    assert [Sample("a_sum", 3.0, {"x": "1"}), Sample("a_sum", 4.0, {"x": "2"})] == list(samples.from_blocks([block]))


@pytest.mark.parametrize(
    ("value", "expected"), [(None, ()), (12, (12,)), ("12 13", (12, 13)), ("12,13", (12, 13)), ("{12,13}", (12, 13))]
)
def test_blockers_are_read_in_every_engines_way(value: object, expected: tuple[int, ...]) -> None:
    assert expected == blocking.pids(value)


def test_waiters_stand_below_their_blocker() -> None:
    nodes = blocking.trees({2: (1,), 3: (2,), 4: (1,), 1: ()})

    assert [Node(1, 0), Node(2, 1), Node(3, 2), Node(4, 1)] == nodes
    assert ["1", "└─ 2", "   └─ 3", "└─ 4"] == blocking.drawn(nodes)


def test_a_blocker_that_is_not_in_the_list_is_a_root() -> None:
    assert [Node(9, 0), Node(2, 1)] == blocking.trees({2: (9,)})


def test_a_session_behind_two_others_is_told_once_and_referred_to() -> None:
    nodes = blocking.trees({3: (1, 2), 4: (3,)})

    assert [Node(1, 0), Node(3, 1), Node(4, 2), Node(2, 0), Node(3, 1, repeats=True)] == nodes


def test_a_circle_ends() -> None:
    assert [Node(1, 0), Node(2, 1), Node(1, 2, repeats=True)] == blocking.trees({1: (2,), 2: (1,)})


def test_a_session_that_blocks_itself_ends() -> None:
    assert [Node(1, 0), Node(1, 1, repeats=True)] == blocking.trees({1: (1,)})


SESSION = ("pid", "user", "application", "database", "state", "age_seconds", "wait", "blocked_by", "root_blocker")


def test_sessions_come_with_the_oldest_first() -> None:
    young, old = (1, "a", "", "d", "idle", 2.0, None, None, None), (2, "b", "", "d", "active", 90.0, "Lock", "1", 1)

    lines = activity.sessions_lines(rows(*SESSION, of=[young, old]), 200)

    assert ["2", "1"] == [line.split()[0] for line in lines[1:]]
    assert "1 min 30 s" in lines[1]


def test_names_of_a_driver_that_sends_bytes_are_text() -> None:
    lines = activity.sessions_lines(rows("pid", "user", "age_seconds", of=[(1, b"guichet", None)]), 200)

    assert "guichet" in lines[1]
    assert "b'" not in lines[1]


def test_json_holds_the_rows_as_they_came() -> None:
    told = activity.as_json(rows("pid", "user", "age_seconds", of=[(1, b"guichet", 0.5), (2, None, None)]))

    assert [{"pid": 1, "user": "guichet", "age_seconds": 0.5}, {"pid": 2, "user": None, "age_seconds": None}] == told


LOCKED = rows(
    *("pid", "user", "database", "state", "transaction_seconds", "wait_seconds", "relation", "blocked_by"),
    of=[
        (7, "a", "shop", "idle in transaction", 90, None, None, None),
        (8, "b", "shop", "active", None, Decimal("2.5"), "t", "7 9"),
    ],
)


def test_locks_show_who_holds_for_how_long_and_who_waits() -> None:
    lines = activity.locks_lines(LOCKED, 120)

    assert ["7", "a", "shop", "idle", "in", "transaction", "1", "min", "30", "s", "holds"] == lines[1].split()
    assert ["└─", "8", "b", "shop", "active", "2.5", "s", "t"] == lines[2].split()


def test_json_of_locks_holds_numbers_and_lists_and_nothing_for_who_does_not_wait() -> None:
    holder, waiter = activity.as_json(LOCKED)

    assert [[], [7, 9]] == [each["blocked_by"] for each in (holder, waiter)]
    assert [None, 2.5] == [each["wait_seconds"] for each in (holder, waiter)]


def test_prepared_transactions_share_the_pid_0_and_each_has_its_line_and_how_to_end_it() -> None:
    columns = ("pid", "user", "state", "transaction_seconds", "wait_seconds", "blocked_by", "gid")
    held = [(0, "a", "prepared", 90, None, None, "first"), (0, "b", "prepared", 30, None, None, "sec\nond")]
    lines = activity.locks_lines(rows(*columns, of=[*held, (8, "c", "active", None, 2.5, "0", None)]), 120)

    assert ["0", "a", "prepared", "1", "min", "30", "s", "holds", "first"] == lines[1].split()
    assert ["0", "b", "prepared", "30", "s", "holds", "sec?ond"] == lines[2].split()
    assert ["└─", "8", "c", "active", "2.5", "s"] == lines[3].split()
    assert "ROLLBACK PREPARED" in lines[5]


def test_a_session_behind_a_prepared_transaction_is_told_what_0_is() -> None:
    blocked = (1, "a", "", "d", "active", 2.0, "Lock", "0", 0)

    assert "prepared transaction" in activity.sessions_lines(rows(*SESSION, of=[blocked]), 200)[-1]


def test_nothing_is_said_of_prepared_transactions_where_there_is_none() -> None:
    blocked = (1, "a", "", "d", "active", 2.0, "Lock", "10", 10)

    assert 2 == len(activity.sessions_lines(rows(*SESSION, of=[blocked]), 200))
    assert not any("prepared" in line for line in activity.locks_lines(LOCKED, 120))
