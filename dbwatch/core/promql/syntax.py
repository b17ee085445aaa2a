"""The tree of an expression, and the values it is computed from."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeAlias

if TYPE_CHECKING:
    import re
    from collections.abc import Iterator, Mapping, Sequence

NAME = "__name__"
ARITHMETIC = frozenset("+-*/%^")
COMPARISONS = frozenset({"==", "!=", ">", "<", ">=", "<="})
SETS = frozenset({"and", "or", "unless"})
AGGREGATIONS = frozenset({"sum", "min", "max", "count"})
RANGE_FUNCTIONS = frozenset({"increase", "changes"})


class Sample(NamedTuple):
    """One series at one moment: labels without the metric's name and without empty values."""

    labels: Mapping[str, str]
    value: float


class Window(NamedTuple):
    """One series over a range: when (Unix seconds, oldest first), and its value then."""

    labels: Mapping[str, str]
    times: Sequence[float]
    values: Sequence[float]


@dataclass(frozen=True, slots=True)
class Matcher:
    """`label="value"`, or with != =~ !~; `pattern` where it is one."""

    label: str
    operator: str
    value: str
    pattern: re.Pattern[str] | None = None

    def matches(self, labels: Mapping[str, str]) -> bool:
        """A label that is absent is an empty one."""
        given = labels.get(self.label, "")
        is_alike = given == self.value if self.pattern is None else self.pattern.fullmatch(given) is not None
        return is_alike is not (self.operator[0] == "!")

    def __str__(self) -> str:
        return f'{self.label}{self.operator}"{self.value}"'


@dataclass(frozen=True, slots=True)
class Selector:
    """`name{label="value"}`."""

    name: str
    matchers: tuple[Matcher, ...] = ()

    def __str__(self) -> str:
        return f"{self.name}{{{','.join(map(str, self.matchers))}}}" if self.matchers else self.name


@dataclass(frozen=True, slots=True)
class RangeSelector:
    """`selector[5m]`."""

    selector: Selector
    seconds: float


@dataclass(frozen=True, slots=True)
class Number:
    """A literal."""

    value: float


@dataclass(frozen=True, slots=True)
class Time:
    """`time()`: the moment of the evaluation in Unix seconds."""


@dataclass(frozen=True, slots=True)
class OverRange:
    """`increase(selector[5m])`."""

    function: str
    range: RangeSelector


@dataclass(frozen=True, slots=True)
class Negation:
    """`-operand`."""

    operand: Expression


@dataclass(frozen=True, slots=True)
class Aggregation:
    """`max without (job) (operand)`; without labels and `by`, all are one group."""

    operator: str
    operand: Expression
    labels: frozenset[str] = frozenset()
    is_without: bool = False


class Cardinality(Enum):
    """Which side may have several series for one match: `group_left` is many-to-one."""

    ONE_TO_ONE = "one to one"
    MANY_TO_ONE = "group_left"
    ONE_TO_MANY = "group_right"


@dataclass(frozen=True, slots=True)
class Matching:
    """`on (labels) group_left (included)`; a bare operator is `ignoring ()`."""

    labels: tuple[str, ...] = ()
    is_on: bool = False
    cardinality: Cardinality = Cardinality.ONE_TO_ONE
    included: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Binary:
    """`left operator right`; `is_bool` gives 0 or 1 where a comparison would filter."""

    operator: str
    left: Expression
    right: Expression
    matching: Matching = Matching()
    is_bool: bool = False


Expression: TypeAlias = Number | Time | Selector | OverRange | Negation | Aggregation | Binary


class Source(Protocol):
    """Where values come from. `now` is the moment of the evaluation."""

    def instant(self, name: str, matchers: Sequence[Matcher]) -> Sequence[Sample]: ...

    def window(self, selector: RangeSelector, now: float) -> Sequence[Window]: ...


def operands(expression: Expression) -> tuple[Expression, ...]:
    match expression:
        case Negation(operand) | Aggregation(_, operand):
            return (operand,)
        case Binary(_, left, right):
            return (left, right)
    return ()


def walk(expression: Expression) -> Iterator[Expression]:
    """It and everything in it."""
    yield expression
    for operand in operands(expression):
        yield from walk(operand)


def is_scalar(expression: Expression) -> bool:
    """A number rather than a vector."""
    match expression:
        case Number() | Time():
            return True
        case Negation(operand):
            return is_scalar(operand)
        case Binary(_, left, right):
            return is_scalar(left) and is_scalar(right)
    return False


def selectors(expression: Expression) -> list[Selector]:
    """Every selector, those of ranges included."""
    found = []
    for node in walk(expression):
        if isinstance(node, Selector):
            found.append(node)
        elif isinstance(node, OverRange):
            found.append(node.range.selector)
    return found


def ranges(expression: Expression) -> list[RangeSelector]:
    return [node.range for node in walk(expression) if isinstance(node, OverRange)]


def cannot_fail(expression: Expression) -> bool:
    """Whether it has a value whatever the samples are: nothing in it is joined."""
    if isinstance(expression, Aggregation):
        return cannot_fail(expression.operand)
    return isinstance(expression, Selector)


def is_timeless(expression: Expression) -> bool:
    """Whether it depends on the present samples alone: not on the clock, and not on what was before."""
    return not any(isinstance(node, Time | OverRange) for node in walk(expression))


def can_carry(expression: Expression, label: str) -> bool:
    """Whether its result may have this label, whatever the series have."""
    match expression:
        case Selector() | OverRange():
            return True
        case Negation(operand):
            return can_carry(operand, label)
        case Aggregation(_, operand, labels, is_without):
            return (label not in labels if is_without else label in labels) and can_carry(operand, label)
        case Binary():
            return _binary_carries(expression, label)
    return False


def _binary_carries(node: Binary, label: str) -> bool:
    left, right = can_carry(node.left, label), can_carry(node.right, label)
    if is_scalar(node.left) or is_scalar(node.right) or node.operator == "or":
        return left or right
    if node.operator in SETS:
        return left
    if node.matching.cardinality is Cardinality.ONE_TO_ONE:
        return left and (label in node.matching.labels) is node.matching.is_on
    many, one = (left, right) if node.matching.cardinality is Cardinality.MANY_TO_ONE else (right, left)
    return one if label in node.matching.included else many


def is_local(expression: Expression, label: str) -> bool:
    """Whether series with one value of this label never meet those with another.

    The expression may then be evaluated for a few values of the label at a time: the results are the same.
    """
    return bool(selectors(expression)) and _keeps_apart(expression, label)


def _keeps_apart(expression: Expression, label: str) -> bool:
    match expression:
        case Aggregation(_, operand, labels, is_without):
            return (label in labels) is not is_without and _keeps_apart(operand, label)
        case Binary(_, left, right, matching):
            is_apart = _keeps_apart(left, label) and _keeps_apart(right, label)
            return is_apart and (is_scalar(left) or is_scalar(right) or (label in matching.labels) is matching.is_on)
    return all(_keeps_apart(operand, label) for operand in operands(expression))
