"""The list of a PostgreSQL archive (`pg_restore --list --verbose`), and what of it belongs to one table. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

ENTRY = re.compile(r"(?P<id>\d+); \d+ \d+ (?P<rest>.*)")
DEPENDS = re.compile(r";\s+depends on:(?P<ids>[ \d]*)")
# The longer words first: TABLE begins TABLE DATA.
KINDS = (
    "TABLE DATA",
    "TABLE ATTACH",
    "TABLE",
    "FOREIGN TABLE",
    "MATERIALIZED VIEW DATA",
    "MATERIALIZED VIEW",
    "SEQUENCE SET",
    "SEQUENCE OWNED BY",
    "SEQUENCE",
    "FK CONSTRAINT",
    "CHECK CONSTRAINT",
    "CONSTRAINT",
    "INDEX ATTACH",
    "INDEX",
    "ROW SECURITY",
    "POLICY",
    "TRIGGER",
    "RULE",
    "DEFAULT ACL",
    "DEFAULT",
    "STATISTICS DATA",
    "STATISTICS",
    "EXTENDED STATISTICS",
    "COMMENT",
    "SECURITY LABEL",
    "ACL",
    "PUBLICATION TABLE",
)
# What hangs on a table, whose entry depends on that of the table: it comes along.
OWN = frozenset(
    {
        *("TABLE DATA", "SEQUENCE", "SEQUENCE SET", "SEQUENCE OWNED BY", "FK CONSTRAINT", "CHECK CONSTRAINT"),
        *("CONSTRAINT", "INDEX ATTACH", "INDEX", "ROW SECURITY", "POLICY", "TRIGGER", "RULE", "DEFAULT"),
        *("STATISTICS DATA", "STATISTICS", "EXTENDED STATISTICS", "COMMENT", "SECURITY LABEL", "ACL"),
    }
)
NAMED_BY_TABLE = frozenset({"FK CONSTRAINT", "CONSTRAINT", "CHECK CONSTRAINT", "TRIGGER", "RULE", "POLICY", "DEFAULT"})
# Refers to other tables or to parents: useless, or refused, where these have no rows or are not.
NOT_ASIDE = frozenset({"FK CONSTRAINT", "TABLE ATTACH", "INDEX ATTACH", "PUBLICATION TABLE"})
RELATIONS = ("TABLE", "FOREIGN TABLE", "MATERIALIZED VIEW", "VIEW", "SEQUENCE")
UNOWNED = frozenset({"ACL", "COMMENT", "EXTENSION", "SECURITY LABEL"})
EXCLUSION = re.compile(r"EXCLUDE USING|WITHOUT OVERLAPS")
NO_LETTERS = re.compile(r'[\s".]')
NO_OBJECT = ("TABLE DATA", "MATERIALIZED VIEW DATA", "SEQUENCE SET", "STATISTICS DATA")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the list. `rest`: schema, name and owner, as written; `line`: what --use-list reads."""

    id: int
    kind: str
    rest: str
    line: str
    needs: tuple[int, ...] = ()

    @property
    def is_of_database(self) -> bool:
        """Of the database itself: its owner, its settings, or what hangs on it."""
        return self.kind == "DATABASE" or (self.kind in UNOWNED and self.rest.startswith("- DATABASE "))

    def is_of(self, schema: str, table: str) -> bool:
        return f"{self.rest} ".startswith(f"{schema} {table} ")


def parse(text: str) -> tuple[Entry, ...]:
    """The entries in the order of the archive."""
    entries: list[Entry] = []
    for line in text.splitlines():
        found = ENTRY.fullmatch(line)
        needs = DEPENDS.fullmatch(line)
        if found is not None:
            kind, rest = _split(found["rest"])
            entries.append(Entry(int(found["id"]), kind, rest, line))
        elif needs is not None and entries:
            last = entries.pop()
            entries.append(Entry(last.id, last.kind, last.rest, last.line, tuple(map(int, needs["ids"].split()))))
    return tuple(entries)


def _split(rest: str) -> tuple[str, str]:
    for kind in KINDS:
        if rest.startswith(f"{kind} "):
            return kind, rest[len(kind) + 1 :]
    kind, _, others = rest.partition(" ")
    return kind, others


def table(entries: Iterable[Entry], schema: str, name: str, *, aside: bool) -> tuple[Entry, ...]:
    """What restores this table; empty: the archive has none of that name.

    `aside`: into a database that has nothing else; with the types, functions and schemas that it needs, and without
    its foreign keys. Otherwise where everything else still is.
    """
    known = {entry.id: entry for entry in entries}
    root = _root(known.values(), schema, name)
    if root is None:
        return ()
    tables = _with_partitions({root.id}, known)
    owner = root.rest.removeprefix(f"{schema} {name}")
    names = {known[each].rest: _without(owner, known[each].rest) for each in tables}
    wanted = _with_what_hangs_on(tables, known, names)
    if aside:
        wanted = _with_needs(_by_itself(wanted, known), known)
    return tuple(entry for entry in known.values() if entry.id in wanted)


def with_needs_of_exclusions(entries: Iterable[Entry], wanted: Iterable[Entry], text: str) -> tuple[Entry, ...]:
    """`text`: the statements of its constraints. Of an exclusion the list names no operator class and no function.

    The classes are those of an extension, btree_gist above all: which one, nobody tells.
    """
    if not EXCLUSION.search(text):
        return tuple(wanted)
    known, plain = {entry.id: entry for entry in entries}, NO_LETTERS.sub("", text)
    more = {each.id for each in known.values() if each.kind == "EXTENSION" or _is_called(each, plain)}
    found = _with_needs(more | {entry.id for entry in wanted}, known)
    return tuple(entry for entry in known.values() if entry.id in found)


def _is_called(entry: Entry, text: str) -> bool:
    """One that only reads the same comes along too, and does no harm."""
    return entry.kind == "FUNCTION" and f"{NO_LETTERS.sub('', entry.rest.partition('(')[0])}(" in text


def kind(entries: Iterable[Entry], schema: str, name: str) -> str:
    """What the archive has under this name: table, view ...; '': nothing."""
    found = {entry.kind for entry in entries if entry.is_of(schema, name)}
    return next((each.lower() for each in RELATIONS if each in found), "")


def is_certain(entries: Iterable[Entry], schema: str, name: str, roles: Collection[str]) -> bool:
    """Whether one table alone can be meant. Names are not quoted: `a` of the owner `b c` reads as `a b` of `c`."""
    found = [entry for entry in entries if entry.kind == "TABLE" and entry.is_of(schema, name)]
    owned = [entry for entry in found if entry.rest.removeprefix(f"{schema} {name} ") in roles]
    first, fewest = _root(found, schema, name), min((each.rest.count(" ") for each in found), default=0)
    likely = owned or [entry for entry in found if entry.rest.count(" ") == fewest]
    return likely in ([first], [])


def owners(entries: Iterable[Entry], roles: Iterable[str], *, with_database: bool) -> set[str]:
    """Of these roles, to whom a restore gives what it makes. Names are not quoted: the longest that fits."""
    longest_first = sorted(roles, key=len, reverse=True)
    unowned = UNOWNED if with_database else UNOWNED | {"DATABASE"}
    rests = {entry.rest for entry in entries if entry.kind not in unowned}
    found = (next((role for role in longest_first if rest.endswith(f" {role}")), "") for rest in rests)
    return {role for role in found if role}


def _root(entries: Iterable[Entry], schema: str, name: str) -> Entry | None:
    """The words of an entry are not quoted: of `a` and `a b`, the one with fewer words left for its owner is `a`."""
    found = [entry for entry in entries if entry.kind == "TABLE" and entry.is_of(schema, name)]
    return min(found, key=lambda entry: entry.rest.count(" "), default=None)


def _without(owner: str, rest: str) -> str:
    """Schema and name alone: a partition mostly belongs to who owns the whole."""
    return rest.removesuffix(owner) if owner and rest.endswith(owner) else rest.rpartition(" ")[0]


def _by_itself(wanted: set[int], known: Mapping[int, Entry]) -> set[int]:
    """Without what refers to other tables, and without the comments on that: they would bring it back."""
    kept = {each for each in wanted if known[each].kind not in NOT_ASIDE or _is_inside(known[each], wanted)}
    left_out = wanted - kept
    return {each for each in kept if known[each].kind not in UNOWNED or not left_out & set(known[each].needs)}


def _is_inside(entry: Entry, wanted: Iterable[int]) -> bool:
    """A partition of a table that is restored along is attached to it."""
    return entry.kind.endswith("ATTACH") and set(entry.needs) <= set(wanted)


def _with_partitions(roots: set[int], known: Mapping[int, Entry]) -> set[int]:
    found = set(roots)
    while True:
        attached = {
            need
            for entry in known.values()
            if entry.kind == "TABLE ATTACH" and found & set(entry.needs)
            for need in entry.needs
            if _is_attached(entry, known.get(need))
        }
        if attached <= found:
            return found
        found |= attached


def _is_attached(entry: Entry, candidate: Entry | None) -> bool:
    """TABLE ATTACH carries the partition's name."""
    return candidate is not None and candidate.kind == "TABLE" and candidate.rest == entry.rest


def _with_what_hangs_on(tables: set[int], known: Mapping[int, Entry], names: Mapping[str, str]) -> set[int]:
    found = set(tables)
    while True:
        more = {entry.id for entry in known.values() if entry.id not in found and _hangs_on(entry, found, names)}
        more |= {need for each in found | more for need in _sequences(known[each], known)}
        if more <= found:
            return found
        found |= more


def _sequences(entry: Entry, known: Mapping[int, Entry]) -> Iterable[int]:
    """A default takes its sequence along."""
    if entry.kind != "DEFAULT":
        return ()
    return (need for need in entry.needs if need in known and known[need].kind == "SEQUENCE")


def _hangs_on(entry: Entry, found: set[int], names: Mapping[str, str]) -> bool:
    if entry.kind == "TABLE ATTACH":
        return entry.rest in names
    if entry.kind not in OWN or not found & set(entry.needs):
        return False
    # Another table's foreign key depends on our primary key as well: the words begin with the table that it is on.
    return entry.kind not in NAMED_BY_TABLE or any(entry.rest.startswith(f"{name} ") for name in names.values())


def _with_needs(wanted: set[int], known: Mapping[int, Entry]) -> set[int]:
    """All that must be there before."""
    found, new = set(wanted), set(wanted)
    while new:
        new = {need for each in new for need in known[each].needs if need in known} - found
        new = {each for each in new if known[each].kind not in NO_OBJECT}
        found |= new
    return found


def listing(entries: Iterable[Entry]) -> str:
    """For `pg_restore --use-list`, in the order of the archive."""
    return "".join(f"{entry.line}\n" for entry in entries)
