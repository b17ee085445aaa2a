"""A column in one go or value by value: the quick way must say what the slow one says."""

from __future__ import annotations

from array import array
from math import inf, isfinite, nan
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from dbwatch.core import columns
from dbwatch.core.mapping import Mapper
from dbwatch.core.model import Collector, Column, Family, FamilyType, Lane, Rows

if TYPE_CHECKING:
    from collections.abc import Sequence

PLAIN = Column("dbwatch_things", "things", (("name", "name"),))
VALUES = st.one_of(st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats())


def expected(value: float | None) -> float | None:
    """One value, as the page wants it: neither NULL nor NaN nor an infinity is a sample."""
    return value if value is None or isfinite(value) else None


@given(st.one_of(st.lists(VALUES), st.lists(st.integers(0, 9)), st.lists(st.floats(allow_nan=False))))
def test_every_mixture_gives_each_value_or_its_absence(raw: Sequence[float | None]) -> None:
    assert list(columns.numbers(raw, PLAIN)) == [expected(value) for value in raw]


def test_integers_and_finite_floats_are_packed() -> None:
    assert columns.numbers([1, 2, 3], PLAIN) == array("q", [1, 2, 3])
    assert columns.numbers([1.5, 2.5], PLAIN) == array("d", [1.5, 2.5])


def test_an_infinity_is_absent_and_what_adds_up_to_one_is_not() -> None:
    assert list(columns.numbers([1.0, inf, nan], PLAIN)) == [1.0, None, None]
    assert list(columns.numbers([1e308, 1e308], PLAIN)) == [1e308, 1e308]


def test_labels_are_remembered_only_while_they_are_equal() -> None:
    family = Family("dbwatch_things", FamilyType.GAUGE, "Things.")
    mapper = Mapper(Collector("c", "postgres", "", (PLAIN,), (), 10.0, 1.0, Lane.FAST), {family.name: family})

    def names(*of: object) -> tuple[str, ...]:
        rows = Rows(("name", "things"), (list(of), list(range(len(of)))))
        return next(iter(mapper.blocks(rows, 0.0))).label_values[0]

    first = names("a", "b")
    assert names("a", "b") is first
    assert names("a", "c") == ("a", "c")
    assert names("a", None) == ("a", "")
    assert names("a", b"c") == ("a", "c")
