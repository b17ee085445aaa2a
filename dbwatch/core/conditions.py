"""The `-- @when` conditions of a .sql file: which variant is for this server.

Grammar: terms joined by `and`, each may be negated by `not`.
`postgres >= 17` (flavour and version) - `extension NAME >= 1.11` - `edition = azure` - `probe NAME` -
`setting NAME = ON` - `column RELATION.NAME`.
"""

from __future__ import annotations

import functools
import operator
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from dbwatch.core.model import Facts, Variant

FLAVOURS = ("postgres", "mysql", "mariadb", "percona", "mssql")
KINDS = ("extension", "edition", "probe", "setting", "column")
TERM = re.compile(
    r"(?P<no>not\s+)?(?P<words>[a-z]+(?:\s+[\w.$]+)?)(?:\s*(?P<op>>=|<=|!=|=|<|>)\s*(?P<right>[\w.]+))?", re.IGNORECASE
)
OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "<": operator.lt,
    ">": operator.gt,
    "=": operator.eq,
    "!=": operator.ne,
}
WEIGHTS = ((), (10_000,), (10_000, 1), (10_000, 100, 1))  # of major, minor and patch, by how many of them there are


@dataclass(frozen=True, slots=True)
class Term:
    """One comparison with a fact; `kind` is a flavour or one of KINDS."""

    negated: bool
    kind: str
    name: str
    operator: str
    right: str

    def holds(self, facts: Facts) -> bool:
        return self._plain(facts) is not self.negated

    def _plain(self, facts: Facts) -> bool:
        if self.kind in FLAVOURS:
            return _is_flavour(self.kind, facts.flavour) and _version(facts.version, self.operator, self.right)
        if self.kind == "extension":
            installed = facts.extensions.get(self.name)
            return installed is not None and _version(installed, self.operator, self.right)
        if self.kind == "probe":
            return facts.probes.get(self.name, False)
        if self.kind == "edition":
            return OPERATORS[self.operator](facts.edition.lower(), self.right.lower())
        if self.kind == "column":
            return f"column {self.name}" in facts.settings
        return OPERATORS[self.operator](facts.settings.get(self.name, "").lower(), self.right.lower())


def _is_flavour(asked: str, actual: str) -> bool:
    """Percona Server is a MySQL; MariaDB is not."""
    return asked == actual or (asked == "mysql" and actual == "percona")


def _version(actual: tuple[int, ...], sign: str, right: str) -> bool:
    """Compare as many parts as the condition names: 17.2 = 17 holds."""
    if not sign:
        return True
    wanted = parse_version(right)
    return OPERATORS[sign](actual[: len(wanted)], wanted)


def parse_version(text: str) -> tuple[int, ...]:
    """`10.11.6-MariaDB` -> (10, 11, 6)."""
    match = re.match(r"\d+(?:\.\d+)*", text)
    return tuple(map(int, match.group().split("."))) if match else ()


def version_number(version: tuple[int, ...]) -> str:
    """In one number, as servers write it: 180006 for PostgreSQL 18.6, 101106 for MariaDB 10.11.6; '' for nothing."""
    parts = version[:3]
    return str(sum(map(operator.mul, parts, WEIGHTS[len(parts)]))) if parts else ""


@functools.cache
def parse(condition: str) -> tuple[Term, ...]:
    """Raise ValueError, naming the term, where the condition is not of the grammar."""
    if not condition.strip():
        return ()
    return tuple(_term(part.strip()) for part in re.split(r"\band\b", condition))


def _term(text: str) -> Term:
    match = TERM.fullmatch(text)
    if match is None:
        raise ValueError(f"cannot read the condition {text!r}")
    kind, _, name = match["words"].partition(" ")
    term = Term(bool(match["no"]), kind.lower(), name.strip(), match["op"] or "", match["right"] or "")
    _check(term, text)
    return term


def _check(term: Term, text: str) -> None:
    if term.kind not in FLAVOURS + KINDS:
        raise ValueError(f"{text!r}: {term.kind!r} is neither a flavour ({', '.join(FLAVOURS)}) nor {', '.join(KINDS)}")
    needs_name = term.kind in ("extension", "probe", "setting", "column")
    if needs_name is not bool(term.name):
        raise ValueError(f"{text!r}: {term.kind} {'needs' if needs_name else 'takes no'} name")
    if term.kind in ("edition", "setting") and not term.operator:
        raise ValueError(f"{text!r}: compare {term.kind} with a value")
    if term.kind in (*FLAVOURS, "extension") and term.operator and not parse_version(term.right):
        raise ValueError(f"{text!r}: {term.right!r} is not a version")


def columns_named(conditions: Iterable[str]) -> frozenset[str]:
    """The `relation.column` names whose presence some condition depends on."""
    terms = (term for condition in conditions for term in parse(condition))
    return frozenset(term.name for term in terms if term.kind == "column")


def choose(variants: Iterable[Variant], facts: Facts) -> str | None:
    """The SQL of the first variant that is for this server, None where none is."""
    for variant in variants:
        terms = parse(variant.condition)
        if all(term.holds(facts) for term in terms):
            return _placed(variant.sql, terms, facts)
    return None


def _placed(sql: str, terms: Iterable[Term], facts: Facts) -> str:
    """Where a variant is for an extension, `public.` is the schema that the extension was put in: we search none."""
    places = (facts.settings.get(f"schema {term.name}") for term in terms if term.kind == "extension")
    place = next(filter(None, places), "public")
    return sql if place == "public" else re.sub(r"\bpublic\.", lambda _: f"{place}.", sql)


def switched_off(variants: Iterable[Variant], facts: Facts) -> str:
    """The setting of the server that alone keeps away a variant which would be for it, '' where there is none."""
    for variant in variants:
        against = [term for term in parse(variant.condition) if not term.holds(facts)]
        if against and all(term.kind == "setting" for term in against):
            return against[0].name
    return ""
