"""What of PromQL is read, and that the rest is refused in one clear line."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dbwatch.core.promql import parse
from dbwatch.core.promql.syntax import (
    Aggregation,
    Binary,
    Cardinality,
    Matcher,
    Matching,
    Negation,
    Number,
    OverRange,
    RangeSelector,
    Selector,
    Time,
    can_carry,
    selectors,
)
from dbwatch.errors import ConfigError

A, B = Selector("a"), Selector("b")


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a", A),
        ("((a))", A),
        ('a{x="1",y!="2"}', Selector("a", (Matcher("x", "=", "1"), Matcher("y", "!=", "2")))),
        ("a # why [x] offset", A),
        ('a{x="[1] offset"}', Selector("a", (Matcher("x", "=", "[1] offset"),))),
        ("-2 ^ 2", Negation(Binary("^", Number(2), Number(2)))),
        ("1 - 2 - 3", Binary("-", Binary("-", Number(1), Number(2)), Number(3))),
        ("time()", Time()),
        ("a > bool 1", Binary(">", A, Number(1), is_bool=True)),
        ("increase(a[5m])", OverRange("increase", RangeSelector(A, 300.0))),
        ("sum(a)", Aggregation("sum", A)),
        ("max without (x) (a)", Aggregation("max", A, frozenset({"x"}), is_without=True)),
        ("count by (x, y) (a)", Aggregation("count", A, frozenset({"x", "y"}))),
        ("a and on (x) b", Binary("and", A, B, Matching(("x",), is_on=True))),
        ("a / ignoring (x) b", Binary("/", A, B, Matching(("x",)))),
        (
            "a * on (x) group_left (y) b",
            Binary("*", A, B, Matching(("x",), is_on=True, cardinality=Cardinality.MANY_TO_ONE, included=("y",))),
        ),
        (
            "a < on () group_right () b",
            Binary("<", A, B, Matching((), is_on=True, cardinality=Cardinality.ONE_TO_MANY)),
        ),
    ],
)
def test_an_expression_becomes_a_tree(text: str, tree: object) -> None:
    assert tree == parse(text, "here")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("a offset 5m", "offset"),
        ("a @ 3", "@"),
        ("a[5m]", "range"),
        ("increase((a[5m]))", "takes a metric and a range"),
        ("increase(a[5m] offset 1m)", "offset"),
        ("rate(a[5m])", "rate()"),
        ("absent(a)", "absent()"),
        ("abs(a)", "abs()"),
        ("topk(3, a)", "topk"),
        ("quantile(0.9, a)", "quantile"),
        ("a atan2 b", "atan2"),
        ("max_over_time(a[5m:1m])", "subqueries"),
        ("max_over_time(a[5m])", "max_over_time()"),
        ("a[1e999]", "like [5m]"),  # the parser would panic
        ("a[5m:1e999]", "like [5m]"),
        ("a offset NaN", "offset"),
        ("increase(a[9999999y])", "like [5m]"),
        ('{__name__="a"}', "name of a metric"),
        ('{"a b"}', "name of a metric"),
        ('a{"x y"="1"}', "cannot be used as a label"),
        ("sum by (__name__) (a)", "cannot be used as a label"),
        ('a{x="1" or y="2"}', "or"),
        ('"text"', "text"),
        ("a > 1e400", "1e400 is larger than any number"),  # the parser makes it an infinity
        ("a > .1e310", "larger than any number"),
        ("increase(a[1h1h])", "not PromQL"),
        ("a +", "not PromQL"),
        ("1 > 2", "BOOL"),
        ("a and 1", "not allowed"),
        ("nosuch(a)", "unknown function"),
        ("", "not PromQL"),
        ("(" * 60 + "a" + ")" * 60, "too deep"),
        ("a + " * 2000 + "a", "characters"),
    ],
)
def test_what_is_outside_of_the_subset_is_refused_by_name(text: str, what: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parse(text, "memory.yml: Full")

    assert str(refused.value).startswith("memory.yml: Full: ")
    assert what in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "pattern", ["", "a|b", "(a|b)c?", "a.*", ".+", "[a-z_]+", "[^0-9]{2,3}", r"a\\.b", r"\\d+", "(?:x|y)?", "é"]
)
def test_a_regular_expression_that_all_evaluators_read_alike_is_welcome(pattern: str) -> None:
    assert isinstance(parse(f'a{{x=~"{pattern}"}}', "here"), Selector)


@pytest.mark.parametrize(
    "pattern", ["(?i)a", "^a", "a$", "(a+)+", "a++", r"\\s", r"\\pL", r"\\bfoo", "[[:alpha:]]", "[a&&b]", "(?P<n>a)"]
)
def test_a_regular_expression_that_they_read_differently_or_slowly_is_refused(pattern: str) -> None:
    with pytest.raises(ConfigError):
        parse(f'a{{x=~"{pattern}"}}', "here")


def test_a_regular_expression_is_anchored() -> None:
    matcher = parse('a{x=~"b|c"}', "here")
    assert isinstance(matcher, Selector)

    assert [True, False, False] == [matcher.matchers[0].matches({"x": text}) for text in ("b", "bc", "b\n")]


@pytest.mark.parametrize(
    ("matcher", "matching"),
    [('x="1"', ["1"]), ('x!="1"', ["2", ""]), ('x=""', [""]), ('x=~"1|"', ["1", ""]), ('x!~".+"', [""])],
)
def test_an_absent_label_is_an_empty_one(matcher: str, matching: list[str]) -> None:
    selector = parse(f"a{{{matcher}}}", "here")
    assert isinstance(selector, Selector)
    given = [{"x": text} if text else {} for text in ("1", "2", "")]

    assert matching == [labels.get("x", "") for labels in given if selector.matchers[0].matches(labels)]


def test_every_selector_is_found_where_it_hides() -> None:
    tree = parse('-max by (x) (a > 1) + on (x) increase(b{y="1"}[5m])', "here")

    assert ["a", 'b{y="1"}'] == [str(each) for each in selectors(tree)]


@pytest.mark.parametrize(
    ("text", "carries"),
    [
        ("a", True),
        ("time()", False),
        ("-increase(a[5m]) > 1", True),
        ("max without (job, instance) (a)", False),
        ("max without (job) (a)", True),
        ("sum by (x) (a)", False),
        ("sum by (instance) (a)", True),
        ("sum by (instance) (max without (instance) (a))", False),
        ("max without (instance) (a) or b", True),
        ("max without (instance) (a) and on (x) b", False),
        ("a / on (x) b", False),
        ("a / on (instance) b", True),
        ("a / ignoring (instance) b", False),
        ("a / b", True),
        ("a / on (x) group_left () b", True),
        ("sum by (x) (a) / on (x) group_left () b", False),
        ("sum by (x) (a) / on (x) group_left (instance) b", True),
        ("b > on (x) group_right () sum by (x) (a)", False),
    ],
)
def test_whether_a_label_can_be_in_the_result_is_known_beforehand(text: str, *, carries: bool) -> None:
    assert carries is can_carry(parse(text, "here"), "instance")


TOKENS = st.sampled_from(
    [
        *(
            "a",
            "b",
            "(",
            ")",
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            "5m",
            "1",
            "-",
            "+",
            "*",
            "==",
            "!=",
            "=~",
            "bool",
            "#",
            "\n",
        ),
        *(
            '"x"',
            "'y'",
            '"\\',
            "`",
            "and",
            "or",
            "unless",
            "on",
            "ignoring",
            "group_left",
            "by",
            "without",
            "sum",
            "max",
        ),
        *(
            "offset",
            "@",
            "time()",
            "increase",
            "1e999",
            "NaN",
            "Inf",
            "0x",
            "99999999y",
            "é",
            "\0",
            "__name__",
            '"[z-a]"',
        ),
    ]
)


@settings(deadline=None)
@given(st.lists(TOKENS, max_size=14), st.sampled_from(["", " "]))
def test_whatever_is_written_is_read_or_refused(tokens: list[str], between: str) -> None:
    with suppress(ConfigError):
        parse(between.join(tokens), "here")
