"""Text to tree, by Prometheus's own grammar (promql-parser); whatever is outside of our subset is refused by name."""

from __future__ import annotations

import math
import re

import promql_parser

from dbwatch.core.promql import syntax
from dbwatch.core.promql.syntax import (
    Aggregation,
    Binary,
    Cardinality,
    Expression,
    Matcher,
    Matching,
    Negation,
    Number,
    OverRange,
    RangeSelector,
    Selector,
    Time,
)
from dbwatch.errors import ConfigError, Fault

MAX_DEPTH = 40
MAX_CHARACTERS = 4000
MOST_SHOWN = 20
LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
METRIC = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
# promql_parser panics, which nothing may catch, where a number such as 1e999 or NaN stands for a duration.
QUOTED = re.compile(r"""\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|`[^`]*`|#[^\n]*""", re.DOTALL)
ODD_RANGE = re.compile(r"\[(?!\s*(?:\d{1,6}(?:ms|[smhdwy]))+\s*\])")
# promql_parser makes an infinity of 1e400, Prometheus refuses it; both take Inf.
NUMERAL = re.compile(r"(?<![\w.:])(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?(?!\w)", re.IGNORECASE | re.ASCII)
OFFSET = re.compile(r"\boffset\b", re.IGNORECASE)
# What RE2 and Python's re understand alike, and neither slowly: no anchors, no repeated groups, no Unicode classes.
CLASS_ITEM = r"(?:(?!--|&&|~~|\|\|)[^\\\[\]]|\\[][.\-+*?(){}|^$/\\dDwW])"
REPEAT = r"(?:[*+?]|\{\d{1,3}(?:,\d{0,3})?\})\??(?![*+?{])"
ATOM = rf"(?:[^\\^$*+?{{}}\[\]()|]|\[\^?{CLASS_ITEM}+\]|\\[][.\-+*?(){{}}|^$/\\dDwW])"
ALIKE = re.compile(rf"(?:{ATOM}(?:{REPEAT})?|\||\((?:\?:)?|\)\??(?![*+?{{]))*")
# By name: the parser's enumerations cannot be hashed.
OPERATORS = {"MatchOp.Equal": "=", "MatchOp.NotEqual": "!=", "MatchOp.Re": "=~", "MatchOp.NotRe": "!~"}
CARDINALITIES = {
    "VectorMatchCardinality.ManyToOne": Cardinality.MANY_TO_ONE,
    "VectorMatchCardinality.OneToMany": Cardinality.ONE_TO_MANY,
}
SUBSET = (
    "selectors, arithmetic, comparisons, and/or/unless, sum, min, max, count, increase, changes and time(): "
    "put a rule that needs more into prometheus/rules"
)


class _RefusedError(ValueError):
    """What of the text is refused; never leaves this module."""


def parse(text: str, where: str) -> Expression:
    """The tree of an expression. Raise ConfigError with one fault that names `where`."""
    if len(text) > MAX_CHARACTERS:
        raise ConfigError([Fault(where, f"an expression of more than {MAX_CHARACTERS} characters", "divide the rule")])
    try:
        _refuse_what_parsers_differ_on(text)
        return _tree(promql_parser.parse(text), 0)
    except _RefusedError as error:
        raise ConfigError([Fault(where, str(error), f"here one can use {SUBSET}")]) from None
    except ValueError as error:  # promql_parser's own
        raise ConfigError([Fault(where, f"not PromQL: {error}", "try it with promtool check rules")]) from None


def _refuse_what_parsers_differ_on(text: str) -> None:
    bare = QUOTED.sub(" ", text)
    if OFFSET.search(bare):
        raise _RefusedError("offset is outside of the subset")
    if ODD_RANGE.search(bare):
        raise _RefusedError("a range is written like [5m]; subqueries are outside of the subset")
    if too_large := next((each for each in NUMERAL.findall(bare) if math.isinf(float(each))), ""):
        raise _RefusedError(f"{too_large[:MOST_SHOWN]} is larger than any number")


def _tree(node: promql_parser.Expr, depth: int) -> Expression:
    if depth > MAX_DEPTH:
        raise _RefusedError("nested too deep")
    match node:
        case promql_parser.ParenExpr():
            return _tree(node.expr, depth + 1)
        case promql_parser.UnaryExpr():
            return Negation(_tree(node.expr, depth + 1))
        case promql_parser.AggregateExpr():
            return _aggregation(node, depth)
        case promql_parser.BinaryExpr():
            return _binary(node, depth)
    return _leaf(node)


def _leaf(node: promql_parser.Expr) -> Expression:
    match node:
        case promql_parser.NumberLiteral():
            return Number(node.val)
        case promql_parser.VectorSelector():
            return _selector(node)
        case promql_parser.Call():
            return _call(node)
        case promql_parser.MatrixSelector():
            raise _RefusedError("a range stands only directly within increase() or changes()")
        case promql_parser.SubqueryExpr():
            raise _RefusedError("subqueries are outside of the subset")
    raise _RefusedError("text is no alert's value")


def _selector(node: promql_parser.VectorSelector) -> Selector:
    if node.offset is not None or node.at is not None:
        raise _RefusedError("offset and @ are outside of the subset")
    if node.name is None or not METRIC.fullmatch(node.name):
        raise _RefusedError("a selector begins with the name of a metric")
    if node.matchers.or_matchers:
        raise _RefusedError("'or' between matchers is outside of the subset")
    return Selector(node.name, tuple(map(_matcher, node.matchers.matchers)))


def _matcher(node: promql_parser.Matcher) -> Matcher:
    operator = OPERATORS[str(node.op)]
    pattern = _pattern(node.value) if operator.endswith("~") else None
    return Matcher(_label(node.name), operator, node.value, pattern)


def _pattern(text: str) -> re.Pattern[str]:
    if not ALIKE.fullmatch(text):
        raise _RefusedError(f"the regular expression {text!r} holds what is not the same in every evaluator")
    try:
        return re.compile(text, re.ASCII | re.DOTALL)
    except re.error as error:
        raise _RefusedError(f"the regular expression {text!r}: {error}") from None


def _label(name: str) -> str:
    if not LABEL.fullmatch(name) or name.startswith("__"):
        raise _RefusedError(f"{name!r} cannot be used as a label")
    return name


def _labels(names: list[str] | None) -> tuple[str, ...]:
    return tuple(map(_label, names or ()))


def _aggregation(node: promql_parser.AggregateExpr, depth: int) -> Aggregation:
    operator = str(node.op)
    if operator not in syntax.AGGREGATIONS:
        raise _RefusedError(f"{operator} is outside of the subset")
    operand = _tree(node.expr, depth + 1)
    if node.modifier is None:
        return Aggregation(operator, operand)
    is_without = node.modifier.type == promql_parser.AggModifierType.Without
    return Aggregation(operator, operand, frozenset(_labels(node.modifier.labels)), is_without)


def _binary(node: promql_parser.BinaryExpr, depth: int) -> Binary:
    operator = str(node.op)
    if operator not in syntax.ARITHMETIC | syntax.COMPARISONS | syntax.SETS:
        raise _RefusedError(f"{operator} is outside of the subset")
    left, right = _tree(node.lhs, depth + 1), _tree(node.rhs, depth + 1)
    if node.modifier is None:
        return Binary(operator, left, right)
    matching = _matching(node.modifier)
    if (syntax.is_scalar(left) or syntax.is_scalar(right)) and matching != Matching():
        raise _RefusedError("on, ignoring and group_left stand between two vectors")
    return Binary(operator, left, right, matching, is_bool=node.modifier.return_bool)


def _matching(node: promql_parser.BinModifier) -> Matching:
    if node.fill_values.lhs is not None or node.fill_values.rhs is not None:
        raise _RefusedError("fill is outside of the subset")
    cardinality = CARDINALITIES.get(str(node.card), Cardinality.ONE_TO_ONE)
    if node.matching is None:
        return Matching(cardinality=cardinality, included=_labels(node.group_labels))
    is_on = node.matching.type == promql_parser.LabelModifierType.Include
    return Matching(_labels(node.matching.labels), is_on, cardinality, _labels(node.group_labels))


def _call(node: promql_parser.Call) -> Expression:
    name = node.func.name
    if name == "time":
        return Time()
    if name not in syntax.RANGE_FUNCTIONS:
        raise _RefusedError(f"{name}() is outside of the subset")
    argument = node.args[0]
    if not isinstance(argument, promql_parser.MatrixSelector):
        raise _RefusedError(f"{name}() takes a metric and a range: {name}(metric[5m])")
    return OverRange(name, RangeSelector(_selector(argument.vector_selector), argument.range.total_seconds()))
