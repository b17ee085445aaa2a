"""What was restored beside what was dumped: every table and every kind of object, and how much could be compared.

None on either side is "not known": it is never equal, and it is counted as not compared.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dbwatch.core.backups.model import FactsMode, ProofName
from dbwatch.core.backups.trees import as_wholes
from dbwatch.core.backups.unread import WHY, Unread, some

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from dbwatch.core.backups.model import DatabaseFacts, Facts, Pairs, TableFacts

MOST_DIFFERENCES = 50
DIFFERENCES, NOTES = "differences", "notes"
OF_NO_MONTH = (
    " (it held values that a dump changes; days that their month has not, as 2024-02-31, come back as 0000-00-00"
    " -> correct them in the source: WHERE DAYOFMONTH(column) > DAYOFMONTH(LAST_DAY(column)))"
)


@dataclass(frozen=True, slots=True)
class Comparison:
    """`notes`: what differs and may, such as the version of an extension on this machine."""

    differences: tuple[str, ...] = ()  # bounded
    notes: tuple[str, ...] = ()
    tables_total: int = 0
    tables_by_content: int = 0
    tables_by_rows: int = 0  # rows alone
    different: int = 0  # all of them, also those that `differences` had no room for
    unread: Pairs = ()  # each table of which not all content was compared, and why

    @property
    def tables_compared(self) -> int:
        return self.tables_by_content + self.tables_by_rows

    @property
    def is_equal(self) -> bool:
        """Nothing differs, and every table was compared."""
        return not self.different and self.tables_compared == self.tables_total

    @property
    def summary(self) -> str:
        """`12 of 12 tables compared: 11 by content, 1 by rows; 2 differences`."""
        found = f"{self.tables_compared} of {self.tables_total} tables compared"
        ways = ((self.tables_by_content, "by content"), (self.tables_by_rows, "by rows"))
        how = ", ".join(f"{count} {way}" for count, way in ways if count)
        found += f": {how}" if how else ""
        return found + (f"; {self.different} differences" if self.different else "")


def differences(source: Facts, restored: Facts) -> tuple[str, ...]:
    """What is not as it was."""
    return compare(source, restored).differences


def compare(source: Facts, restored: Facts, *, definitions: bool = True) -> Comparison:
    """`definitions` False: another major version says the same thing in other words, so they are not compared."""
    if FactsMode.OFF in (source.mode, restored.mode):
        return Comparison(notes=("nothing was compared: no facts were taken",), tables_total=len(source.tables))
    source, restored = as_wholes(source, restored)
    wrong: list[str] = []
    notes: list[str] = []
    for kind, line in _found(source, restored, definitions=definitions):
        (wrong if kind == DIFFERENCES else notes).append(line)
    ways = Counter(_ways(source, restored))
    return Comparison(
        _bounded(wrong),
        _bounded(notes),
        len(source.tables),
        ways["content"],
        ways["rows"],
        different=len(wrong),
        unread=tuple(_unread(source, restored)) if source.mode is FactsMode.FULL else (),
    )


def proven(source: Facts, comparison: Comparison) -> tuple[ProofName, str]:
    """The name of a sound restore's proof, and the line beside it. Ask it only when nothing differs."""
    if comparison.different:
        raise ValueError("a restore that differs proves nothing")
    if source.mode is FactsMode.OFF:
        return ProofName.RESTORED, "not compared: no facts were taken"
    if not source.comparable:
        return ProofName.RESTORED, f"not compared: {source.evidence or 'the facts are not of the moment of the dump'}"
    if not (source.databases or source.tables):
        return ProofName.RESTORED, "not compared: no facts were taken"
    if name := unknown(source):
        return ProofName.RESTORED, f"not compared: of database {name} nothing was noted when it was dumped"
    if not comparison.is_equal:
        return ProofName.RESTORED, f"only {comparison.summary}: {_reasons(comparison)}"
    found = comparison.summary + (f": {_reasons(comparison)}" if comparison.unread else "")
    return ProofName.COMPARED, found + (f" ({source.evidence})" if source.evidence else "")


def _reasons(comparison: Comparison) -> str:
    """`old.counter know no transactions; a, b there was no time for: ...`: what mends one does not mend the other."""
    told = [f"{names} {WHY[why]}" for why, names in unread_by_reason(comparison).items()]
    return "; ".join(told) or f"some {WHY[Unread.TIME]}"


def unread_by_reason(comparison: Comparison) -> dict[Unread, str]:
    """The tables of which not all content was compared, by the reason."""
    named = {why: sorted(name for name, each in comparison.unread if each == why) for why in Unread}
    return {why: some(names) for why, names in named.items() if names}


def unknown(source: Facts) -> str:
    """A database of which neither objects nor tables are known: that it is there again says little."""
    known = _noted(source)
    return next((each.name for each in source.databases if each.name not in known), "")


def _noted(source: Facts) -> set[str]:
    """The databases of which objects or tables are known."""
    by_objects = (each.name for each in source.databases if each.inventory or each.inventory_digest)
    return {*by_objects, *(table.database for table in source.tables)}


def _found(source: Facts, restored: Facts, *, definitions: bool) -> Iterator[tuple[str, str]]:
    there = {database.name: database for database in restored.databases}
    for database in source.databases:
        if database.name in there:
            yield from _database(database, there[database.name], definitions=definitions)
        else:
            yield DIFFERENCES, f"database {database.name} is missing"
    yield from _tables(source, restored)
    yield from _roles(source.roles, restored.roles)


def _database(source: DatabaseFacts, restored: DatabaseFacts, *, definitions: bool) -> Iterator[tuple[str, str]]:
    name = source.name
    if source.encoding and restored.encoding and source.encoding != restored.encoding:
        yield DIFFERENCES, f"database {name}: encoding {restored.encoding} instead of {source.encoding}"
    if source.collation and restored.collation and source.collation != restored.collation:
        yield NOTES, f"database {name}: collation {restored.collation} instead of {source.collation}"
    yield from _extensions(name, dict(source.extensions), dict(restored.extensions))
    yield from _inventory(name, dict(source.inventory), dict(restored.inventory))
    if definitions:
        yield from _definitions(source, restored)
    elif source.inventory_digest:
        yield NOTES, f"database {name}: definitions were not compared, the versions differ"


def _extensions(name: str, source: Mapping[str, str], restored: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for extension, version in source.items():
        if extension not in restored:
            yield DIFFERENCES, f"database {name}: extension {extension} is missing"
        elif restored[extension] != version:
            yield NOTES, f"database {name}: extension {extension} {restored[extension]} instead of {version}"


def _inventory(name: str, source: Mapping[str, int], restored: Mapping[str, int]) -> Iterator[tuple[str, str]]:
    if not source or not restored:
        if source:
            yield DIFFERENCES, f"database {name}: has no objects, {sum(source.values())} are expected"
        return
    for kind in sorted(source.keys() | restored.keys()):
        expected, found = source.get(kind, 0), restored.get(kind, 0)
        if expected != found:
            yield DIFFERENCES, f"database {name}: {found} instead of {expected} of kind {kind}"


def _definitions(source: DatabaseFacts, restored: DatabaseFacts) -> Iterator[tuple[str, str]]:
    name = source.name
    if not source.inventory_digest or not restored.inventory_digest:
        if source.inventory_digest:
            yield NOTES, f"database {name}: definitions were not compared"
        return
    expected, found = _by_kind(source.inventory_digest), _by_kind(restored.inventory_digest)
    for kind in sorted(expected.keys() | found.keys()):
        if expected.get(kind) != found.get(kind):
            which = some(_other_objects(kind, dict(source.objects), dict(restored.objects)))
            what = (f" of kind {kind}" if kind else "") + (f": {which}" if which else "")
            yield DIFFERENCES, f"database {name}: definitions differ{what}"


def _other_objects(kind: str, source: Mapping[str, str], restored: Mapping[str, str]) -> list[str]:
    """The names of those that differ; of columns and the like, of their tables."""
    if not source or not restored:
        return []
    keys = sorted(key for key in source.keys() | restored.keys() if key.startswith(f"{kind} "))
    return [key.removeprefix(f"{kind} ") for key in keys if source.get(key) != restored.get(key)]


def _by_kind(digest: str) -> dict[str, str]:
    """`table=12ab,view=34cd`, or one digest of all."""
    parts = (part.rpartition("=") for part in digest.split(","))
    return {kind: value for kind, _, value in parts}


def _tables(source: Facts, restored: Facts) -> Iterator[tuple[str, str]]:
    there = {table.key: table for table in restored.tables}
    for table in source.tables:
        found = there.pop(table.key, None)
        if found is None:
            yield DIFFERENCES, f"table {_named(table)} is missing"
        elif wrong := _table(table, found):
            yield DIFFERENCES, f"table {_named(table)}: {wrong}"
    noted = _noted(source) if source.tables else set()  # of the others nobody knows which tables they had
    for table in (each for each in there.values() if each.database in noted):
        yield DIFFERENCES, f"table {_named(table)} was not in the source"


def _table(source: TableFacts, restored: TableFacts) -> str:
    if None not in (source.rows, restored.rows) and source.rows != restored.rows:
        return f"{restored.rows} rows instead of {source.rows}"
    if None not in (source.digest, restored.digest) and source.digest != restored.digest:
        return "other content" + (OF_NO_MONTH if source.unread == Unread.CHANGED else "")
    return ""


def _ways(source: Facts, restored: Facts) -> Iterator[str]:
    """How each table could be compared; one that is missing was compared well enough."""
    there = {table.key: table for table in restored.tables}
    for table in source.tables:
        found = there.get(table.key)
        if found is None or _is_read(table, found):
            yield "content"
        elif None not in (table.rows, found.rows):
            yield "rows"


def _is_read(source: TableFacts, restored: TableFacts) -> bool:
    return None not in (source.digest, restored.digest) and Unread.CHANGED not in (source.unread, restored.unread)


def _unread(source: Facts, restored: Facts) -> Iterator[tuple[str, str]]:
    """The kind of a table tells more than that time ran out for it on either side."""
    there = {table.key: table for table in restored.tables}
    for table in source.tables:
        found = there.get(table.key)
        if found is not None and not _is_read(table, found):
            whys = (why for why in (table.unread, found.unread) if why not in ("", Unread.TIME))
            yield _named(table), next(whys, Unread.TIME)


def _roles(source: Iterable[str], restored: Iterable[str]) -> Iterator[tuple[str, str]]:
    """`name`, or `name digest` of what it may do. Those that a scratch server has besides do no harm."""
    there = dict(_role(role) for role in restored)
    for name, digest in map(_role, source):
        if name not in there:
            yield DIFFERENCES, f"role {name} is missing"
        elif digest and there[name] and digest != there[name]:
            yield DIFFERENCES, f"role {name} may do other things"


def _role(role: str) -> tuple[str, str]:
    name, _, digest = role.rpartition(" ")
    return (name, digest) if name else (role, "")


def _named(table: TableFacts) -> str:
    return ".".join(filter(None, table.key))


def _bounded(found: list[str]) -> tuple[str, ...]:
    more = len(found) - MOST_DIFFERENCES
    return (*found[:MOST_DIFFERENCES], f"... and {more} more") if more > 0 else tuple(found)
