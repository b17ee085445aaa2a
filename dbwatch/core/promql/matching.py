"""Which series of one vector belongs to which of another, exactly as Prometheus pairs them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from dbwatch.core.promql.syntax import NAME, Cardinality, Sample
from dbwatch.errors import EvaluationError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence

    from dbwatch.core.promql.syntax import Matching

    Labels: TypeAlias = Mapping[str, str]
    KeyOf: TypeAlias = Callable[[Labels], Hashable]
    # Two values in their written order to the result's value; None: the pair is filtered out.
    Judge: TypeAlias = Callable[[float, float], float | None]


@dataclass(frozen=True, slots=True)
class Vector:
    """Samples with the name that all of them have ('' once it is dropped).

    Only `or` can join series of different names: then each carries its own as a label, which filters keep.
    """

    samples: Sequence[Sample]
    name: str = ""
    is_mixed: bool = False

    def named(self) -> Sequence[Sample]:
        """With the name as a label."""
        if self.is_mixed or not self.name:
            return self.samples
        return [Sample({**labels, NAME: self.name}, value) for labels, value in self.samples]

    def nameless(self) -> Vector:
        """Raise EvaluationError where two series differed by nothing but their name."""
        if not self.is_mixed:
            return Vector(self.samples)
        return Vector(unique([Sample(without_name(labels), value) for labels, value in self.samples]))


def without_name(labels: Labels) -> Labels:
    return {name: value for name, value in labels.items() if name != NAME}


def identity(labels: Labels) -> frozenset[tuple[str, str]]:
    return frozenset(labels.items())


def unique(samples: Sequence[Sample]) -> Sequence[Sample]:
    """Raise EvaluationError where two have the same labels."""
    if len({identity(labels) for labels, _ in samples}) < len(samples):
        raise EvaluationError("two series have the same labels once the name of the metric is dropped")
    return samples


def key_of(matching: Matching) -> KeyOf:
    """What two series must have in common to be a pair."""
    if matching.is_on:
        return picked(matching.labels)
    ignored = {*matching.labels, NAME}

    def key(labels: Labels) -> Hashable:
        if ignored.isdisjoint(labels):
            return frozenset(labels.items())
        return frozenset(item for item in labels.items() if item[0] not in ignored)

    return key


def picked(names: Sequence[str]) -> KeyOf:
    """The values of these labels; '' for those that are absent, as job and instance are in the daemon."""
    match tuple(names):
        case (name,):
            return lambda labels: labels.get(name, "")
        case (first, second, third):
            return lambda labels: (labels.get(first, ""), labels.get(second, ""), labels.get(third, ""))
    return lambda labels: tuple([labels.get(name, "") for name in names])


def set_operation(operator: str, left: Vector, right: Vector, matching: Matching) -> Vector:
    """`and`, `or`, `unless`: which series are there, whatever their values."""
    key = key_of(matching)
    if operator == "or":
        return _either(left, right, key)
    others = {key(labels) for labels, _ in right.samples}
    is_wanted = operator == "and"
    return Vector([one for one in left.samples if (key(one.labels) in others) is is_wanted], left.name, left.is_mixed)


def _either(left: Vector, right: Vector, key: KeyOf) -> Vector:
    taken = {key(labels) for labels, _ in left.samples}
    added = Vector([one for one in right.samples if key(one.labels) not in taken], right.name, right.is_mixed)
    if not added.samples or not left.samples:
        return left if left.samples else added
    if left.name == added.name and not (left.is_mixed or added.is_mixed):
        return Vector([*left.samples, *added.samples], left.name)
    return Vector([*left.named(), *added.named()], is_mixed=True)


def joined(left: Vector, right: Vector, matching: Matching, judge: Judge, *, keeps_name: bool) -> Vector:
    """Every pair's value by `judge`; a comparison keeps the name. Raise EvaluationError where pairs are not clear."""
    if not left.samples or not right.samples:
        return Vector([])
    key = key_of(matching)
    if matching.cardinality is Cardinality.ONE_TO_ONE:
        return _one_to_one(left, right, matching, judge, keeps_name=keeps_name)
    if matching.cardinality is Cardinality.MANY_TO_ONE:
        return _many_to_one(left, _by_key(right.samples, key, "right"), matching, judge, keeps_name=keeps_name)
    ones = _by_key(left.samples, key, "left")
    return _many_to_one(right, ones, matching, lambda many, one: judge(one, many), keeps_name=keeps_name)


def _by_key(samples: Iterable[Sample], key: KeyOf, side: str) -> dict[Hashable, Sample]:
    found: dict[Hashable, Sample] = {}
    for one in samples:
        if found.setdefault(key(one.labels), one) is not one:
            raise EvaluationError(f"two series on the {side} have the same labels to match by: {_told(one.labels)}")
    return found


def _one_to_one(left: Vector, right: Vector, matching: Matching, judge: Judge, *, keeps_name: bool) -> Vector:
    key, kept = key_of(matching), _kept(matching, keeps_name=keeps_name)
    others = _by_key(right.samples, key, "right")
    seen: set[Hashable] = set()
    result = []
    for labels, value in left.samples:
        matched = key(labels)
        other = others.get(matched)
        judged = None if other is None else judge(value, other.value)
        if judged is None:
            continue
        if matched in seen:
            raise EvaluationError(f"several series on the left match one on the right: {_told(labels)} (group_left?)")
        seen.add(matched)
        result.append(Sample(kept(labels), judged))
    if keeps_name and not matching.is_on:
        return Vector(result, left.name, left.is_mixed)
    return Vector(result)


def _kept(matching: Matching, *, keeps_name: bool) -> Callable[[Labels], Labels]:
    """The labels of a pair's result."""
    if matching.is_on:
        names = matching.labels
        return lambda labels: {name: labels[name] for name in names if name in labels}
    dropped = {*matching.labels, *(() if keeps_name else (NAME,))}
    return lambda labels: {name: value for name, value in labels.items() if name not in dropped}


def _many_to_one(
    many: Vector, ones: Mapping[Hashable, Sample], matching: Matching, judge: Judge, *, keeps_name: bool
) -> Vector:
    key, result = key_of(matching), []
    for sample in many.samples:
        one = ones.get(key(sample.labels))
        judged = None if one is None else judge(sample.value, one.value)
        if one is None or judged is None:
            continue
        if not matching.included:
            result.append(sample if judged is sample.value else Sample(sample.labels, judged))
        else:
            result.append(Sample(_with_included(sample.labels, one.labels, matching.included), judged))
    found = Vector(_distinct(result) if matching.included else result, many.name, many.is_mixed)
    return found if keeps_name else found.nameless()


def _with_included(labels: Labels, others: Labels, included: Sequence[str]) -> Labels:
    """A label that the one side lacks goes from the many side too."""
    result = {name: value for name, value in labels.items() if name not in included}
    return result | {name: others[name] for name in included if name in others}


def _distinct(samples: Sequence[Sample]) -> Sequence[Sample]:
    if len({identity(labels) for labels, _ in samples}) < len(samples):
        raise EvaluationError("several series have the same labels once those of group_left or group_right are set")
    return samples


def _told(labels: Labels) -> str:
    return "{" + ", ".join(f'{name}="{value}"' for name, value in sorted(labels.items())) + "}"
