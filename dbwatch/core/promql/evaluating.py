"""The value of an expression, from a source's values at one moment."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from dbwatch.core.promql import functions, syntax
from dbwatch.core.promql.matching import Vector, joined, set_operation
from dbwatch.core.promql.syntax import (
    NAME,
    Aggregation,
    Binary,
    Expression,
    Negation,
    Number,
    OverRange,
    Sample,
    Selector,
    Source,
    Time,
)
from dbwatch.errors import EvaluationError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping

    from dbwatch.core.promql.matching import Judge

Value: TypeAlias = Vector | float


def evaluate(expression: Expression, source: Source, now: float) -> list[Sample] | float:
    """Samples without the metric's name, or a number. Raise EvaluationError, as data: Prometheus gives nothing too."""
    value = _value(expression, source, now)
    return list(value.nameless().samples) if isinstance(value, Vector) else value


def _value(expression: Expression, source: Source, now: float) -> Value:
    match expression:
        case Selector(name, matchers):
            return Vector(source.instant(name, matchers), name)
        case Number() | Time():
            return now if isinstance(expression, Time) else expression.value
        case Binary():
            return _binary(expression, source, now)
        case Aggregation():
            return _aggregated(expression, _vector(expression.operand, source, now))
        case OverRange():
            return _over_range(expression, source, now)
        case Negation():
            return _negated(_value(expression.operand, source, now))


def _vector(expression: Expression, source: Source, now: float) -> Vector:
    value = _value(expression, source, now)
    if isinstance(value, Vector):
        return value
    raise EvaluationError("a number stands where series are wanted")  # the parser refuses it


def _negated(value: Value) -> Value:
    if isinstance(value, Vector):
        return Vector([Sample(labels, -number) for labels, number in value.nameless().samples])
    return -value


def _over_range(node: OverRange, source: Source, now: float) -> Vector:
    start, result = now - node.range.seconds, []
    for labels, times, values in source.window(node.range, now):
        is_increase = node.function == "increase"
        value = functions.increase(times, values, start, now) if is_increase else functions.changes(values)
        if value is not None:
            result.append(Sample(labels, value))
    return Vector(result)


def _aggregated(node: Aggregation, vector: Vector) -> Vector:
    aggregate = functions.AGGREGATES[node.operator]
    dropped = {*node.labels, NAME}
    if node.is_without and all(dropped.isdisjoint(labels) for labels, _ in vector.samples):
        return Vector([Sample(labels, aggregate((value,))) for labels, value in vector.samples])  # each its own group
    groups: dict[Hashable, tuple[Mapping[str, str], list[float]]] = {}
    reduced = _reduction(node)
    for labels, value in vector.samples:
        kept = reduced(labels)
        groups.setdefault(frozenset(kept.items()), (kept, []))[1].append(value)
    return Vector([Sample(labels, aggregate(values)) for labels, values in groups.values()])


def _reduction(node: Aggregation) -> Callable[[Mapping[str, str]], Mapping[str, str]]:
    """The labels of the group that a series belongs to."""
    if node.is_without:
        dropped = {*node.labels, NAME}
        return lambda labels: {name: value for name, value in labels.items() if name not in dropped}
    kept = node.labels
    return lambda labels: {name: labels[name] for name in kept if name in labels}


def _binary(node: Binary, source: Source, now: float) -> Value:
    left = _value(node.left, source, now)
    if isinstance(left, Vector) and not left.samples and node.operator != "or" and syntax.cannot_fail(node.right):
        return left  # nothing meets nothing: the other side may be large
    right = _value(node.right, source, now)
    judge = _judge(node)
    if isinstance(left, Vector):
        if isinstance(right, Vector):
            return _of_vectors(node, left, right)
        number = right
        return _with_number(node, left, lambda value: judge(value, number))
    if isinstance(right, Vector):
        return _with_number(node, right, partial(judge, left))
    judged = judge(left, right)
    return 0.0 if judged is None else judged


def _of_vectors(node: Binary, left: Vector, right: Vector) -> Vector:
    if node.operator in syntax.SETS:
        return set_operation(node.operator, left, right, node.matching)
    return joined(left, right, node.matching, _judge(node), keeps_name=_keeps_name(node))


def _keeps_name(node: Binary) -> bool:
    """A filter leaves the series what it is; a calculation makes something new of it."""
    return node.operator in syntax.COMPARISONS and not node.is_bool


def _judge(node: Binary) -> Judge:
    """What becomes of two values; and, or and unless look at none."""
    if node.operator not in functions.COMPARISONS:
        return functions.CALCULATIONS.get(node.operator, lambda left, _: left)
    compare = functions.COMPARISONS[node.operator]
    if node.is_bool:
        return lambda left, right: 1.0 if compare(left, right) else 0.0
    return lambda left, right: left if compare(left, right) else None


def _with_number(node: Binary, vector: Vector, judge: Callable[[float], float | None]) -> Vector:
    """A filter keeps the series' own value, also in `1 < a`."""
    if _keeps_name(node):
        return Vector([one for one in vector.samples if judge(one.value) is not None], vector.name, vector.is_mixed)
    judged = [(labels, judge(value)) for labels, value in vector.nameless().samples]
    return Vector([Sample(labels, value) for labels, value in judged if value is not None])
