"""The values of one step by name: each family is read once, and what many rules select by equality is indexed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dbwatch.core.promql.syntax import Matcher, RangeSelector, Sample, Window


class Past(Protocol):
    """What was before."""

    def window(self, selector: RangeSelector, now: float) -> Sequence[Window]: ...


class Present:
    """A source for one step: `read` gives the fresh samples of a name, `ring` what was before."""

    def __init__(self, read: Callable[[str], Sequence[Sample]], ring: Past) -> None:
        self._read, self._ring = read, ring
        self._found: dict[str, Sequence[Sample]] = {}
        self._indices: dict[tuple[str, str], dict[str, list[Sample]]] = {}

    def instant(self, name: str, matchers: Sequence[Matcher]) -> Sequence[Sample]:
        equal = next((each for each in matchers if each.operator == "=" and each.value), None)
        samples = self._all(name) if equal is None else self._index(name, equal.label).get(equal.value, [])
        rest = [each for each in matchers if each is not equal]
        if not rest:
            return samples
        return [one for one in samples if all(matcher.matches(one.labels) for matcher in rest)]

    def window(self, selector: RangeSelector, now: float) -> Sequence[Window]:
        return self._ring.window(selector, now)

    def _all(self, name: str) -> Sequence[Sample]:
        if name not in self._found:
            self._found[name] = self._read(name)
        return self._found[name]

    def _index(self, name: str, label: str) -> dict[str, list[Sample]]:
        """The samples that have this label, by its value."""
        index = self._indices.get((name, label))
        if index is None:
            index = self._indices[name, label] = {}
            for one in self._all(name):
                if (value := one.labels.get(label)) is not None:
                    index.setdefault(value, []).append(one)
        return index
