"""Values as Prometheus computes them; tests/system compares with promtool, here is what each rule of it says."""

from __future__ import annotations

import math

import pytest

from dbwatch.core.promql import Present, Ring, Sample, evaluate, parse
from dbwatch.errors import EvaluationError
from tests.promtool_files import SeriesSource, series_of

NOW = 600.0


def source(*series: str) -> SeriesSource:
    """`name{label="value"} value` at this moment."""
    parts = [each.rpartition(" ") for each in series]
    return SeriesSource([series_of(selector, value, 1.0) for selector, _, value in parts], now=0.0)


def of(text: str, *series: str) -> list[tuple[dict[str, str], float]]:
    value = evaluate(parse(text, text), source(*series), NOW)
    assert isinstance(value, list)
    return [(dict(labels), number) for labels, number in value]


def number(text: str) -> float:
    value = evaluate(parse(text, text), source(), NOW)
    assert isinstance(value, float)
    return value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 + 2 * 3", 7.0),
        ("2 ^ 3 ^ 2", 512.0),
        ("-7 % 4", -3.0),
        ("7 % -4", 3.0),
        ("1 / 0", math.inf),
        ("-1 / 0", -math.inf),
        ("1 / -0", -math.inf),
        ("10 ^ 400", math.inf),
        ("(-10) ^ 401", -math.inf),
        ("0 ^ -1", math.inf),
        ("1 > bool 2", 0.0),
        ("1 < bool 2", 1.0),
        ("time()", NOW),
        ("-(time() - 1)", -599.0),
    ],
)
def test_numbers_behave_as_those_of_go(text: str, value: float) -> None:
    assert value == number(text)


@pytest.mark.parametrize("text", ["0 / 0", "1 % 0", "Inf % 2", "(-1) ^ 0.5", "Inf - Inf", "NaN / 0"])
def test_what_is_no_number_is_nan_and_no_error(text: str) -> None:
    assert math.isnan(number(text))


def test_nan_compares_false() -> None:
    assert [] == of("a > 1 or a <= 1 or a == a", "a NaN")
    assert [({}, 1.0)] == of("a != bool a", "a NaN")


def test_a_filter_keeps_the_value_and_labels_of_its_left_side() -> None:
    assert [({"x": "1"}, 3.0)] == of("a > 2", 'a{x="1"} 3', 'a{x="2"} 2')
    assert [({"x": "1"}, 3.0)] == of("2 < a", 'a{x="1"} 3', 'a{x="2"} 2')


def test_bool_gives_zero_and_one_in_place_of_filtering() -> None:
    assert [({"x": "1"}, 1.0), ({"x": "2"}, 0.0)] == of("a > bool 2", 'a{x="1"} 3', 'a{x="2"} 2')


def test_series_pair_by_all_labels_or_by_those_named() -> None:
    series = 'a{x="1",y="p"} 6', 'b{x="1",y="p"} 3', 'b{x="1",y="q"} 2'

    assert [({"x": "1", "y": "p"}, 2.0)] == of("a / b", *series)
    assert [({"x": "1"}, 3.0)] == of('a / on (x) b{y="q"}', *series)
    assert [({"x": "1"}, 3.0)] == of('a / ignoring (y) b{y="q"}', *series)


def test_group_left_keeps_the_many_sides_labels_and_takes_those_asked_for() -> None:
    series = 'a{x="1",y="p"} 6', 'a{x="1",y="q"} 4', 'b{x="1",z="r"} 2'

    halved = [({"x": "1", "y": "p"}, 3.0), ({"x": "1", "y": "q"}, 2.0)]
    assert halved == of("a / on (x) group_left () b", *series)
    assert [{"x": "1", "y": "p", "z": "r"}, {"x": "1", "y": "q", "z": "r"}] == [
        labels for labels, _ in of("a / on (x) group_left (z) b", *series)
    ]
    assert [({"x": "1", "y": "q"}, 2.0)] == of("b < on (x) group_right () (a < 5)", *series)


def test_a_label_that_the_one_side_lacks_goes() -> None:
    assert [({"x": "1"}, 8.0)] == of("a + on (x) group_left (y) b", 'a{x="1",y="p"} 6', 'b{x="1"} 2')


@pytest.mark.parametrize(
    "text",
    [
        "a + on (x) b",  # two on the left
        "b + on (x) a",  # two on the right
        "b + on (x) group_left () a",
        "a + on (x) group_right () b",
        "a + on (x) group_left (y) b",  # both would become the same series
    ],
)
def test_pairs_that_are_not_clear_are_an_error_as_in_prometheus(text: str) -> None:
    with pytest.raises(EvaluationError, match=r"same labels|match"):
        of(text, 'a{x="1",y="p"} 1', 'a{x="1",y="q"} 2', 'b{x="1",y="r"} 3')


def test_a_pair_that_is_filtered_out_is_none() -> None:
    assert [({"x": "1"}, 2.0)] == of("a > on (x) b", 'a{x="1",y="p"} 1', 'a{x="1",y="q"} 2', 'b{x="1"} 1.5')


def test_where_one_side_is_empty_there_is_nothing_to_be_unclear() -> None:
    assert [] == of("a + on () b", 'b{x="1"} 1', 'b{x="2"} 1')


def test_series_that_differ_by_their_name_only_are_an_error_once_it_is_dropped() -> None:
    series = 'a{x="1",y="p"} 1', 'b{x="1",y="q"} 1', 'c{x="1",y="r"} 2'
    both = "(a or b) < on (x) group_left (y) c"

    assert [({}, 2.0)] == of(f"count({both})", *series)
    for text in (both, f"-({both})", f"({both}) * 2", f"({both}) == bool 1"):
        with pytest.raises(EvaluationError, match="name"):
            of(text, *series)


def test_and_or_unless_look_at_labels_only() -> None:
    series = 'a{x="1"} 1', 'a{x="2"} 2', 'b{x="2"} 0', 'b{x="3"} 0'

    assert [({"x": "2"}, 2.0)] == of("a and b", *series)
    assert [({"x": "1"}, 1.0)] == of("a unless b", *series)
    assert [({"x": "1"}, 1.0), ({"x": "2"}, 2.0), ({"x": "3"}, 0.0)] == of("a or b", *series)
    assert [({"x": "1"}, 1.0), ({"x": "2"}, 2.0)] == of("a and on () b", *series)
    assert [({"x": "3"}, 0.0)] == of("nothing or b > bool 0 unless on (x) a", *series)


def test_aggregations_group_by_what_is_left() -> None:
    series = 'a{x="1",y="p"} 1', 'a{x="1",y="q"} 2', 'a{x="2",y="p"} 4'

    assert [({"x": "1"}, 3.0), ({"x": "2"}, 4.0)] == of("sum by (x, z) (a)", *series)
    assert [({"x": "1"}, 2.0), ({"x": "2"}, 4.0)] == of("max without (y) (a)", *series)
    assert [({}, 1.0)] == of("min(a)", *series)
    assert [({}, 3.0)] == of("count(a)", *series)
    assert [] == of("sum(nothing)", *series)


def test_sums_lose_nothing_on_the_way() -> None:
    assert [({}, 2.0)] == of("sum(a)", 'a{x="1"} 1', 'a{x="2"} 1e100', 'a{x="3"} 1', 'a{x="4"} -1e100')
    assert [({}, math.inf)] == of("sum(a)", 'a{x="1"} Inf', 'a{x="2"} 1')


def test_nan_is_the_greatest_only_where_there_is_nothing_else() -> None:
    assert [({}, 1.0)] == of("max(a)", 'a{x="1"} NaN', 'a{x="2"} 1')
    assert math.isnan(of("min(a)", 'a{x="1"} NaN')[0][1])


def test_what_is_present_is_read_once_a_step() -> None:
    asked: list[str] = []

    def read(name: str) -> list[Sample]:
        asked.append(name)
        return [Sample({"x": "1", "name": "limit"}, 5.0), Sample({"x": "2", "name": "limit"}, 6.0), Sample({}, 7.0)]

    present = Present(read, Ring([]))
    text = 'a{name="limit"} > 5 or a{name="limit",x!="2"} or a{name=""} or a{name="no"}'

    assert [6.0, 5.0, 7.0] == [value for _, value in of_present(text, present)]
    assert ["a"] == asked


def of_present(text: str, present: Present) -> list[Sample]:
    value = evaluate(parse(text, text), present, NOW)
    assert isinstance(value, list)
    return value
