"""What a restore would do, told before anything is done: a value, and its lines for a person. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from dbwatch.core import quoting
from dbwatch.core.backups import due, standing
from dbwatch.core.backups.model import ProofLevel
from dbwatch.core.showing import humanise
from dbwatch.core.showing.tables import printable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from dbwatch.core.backups.model import BackupRecord, Pairs

LEAST_SECONDS = 5.0
LONGEST_TABLE = 35
NO_TABLES = frozenset({"view", "sequence"})
MOST_BYTES, MOST_CHARACTERS = 63, 64  # of a name: PostgreSQL counts bytes and cuts, MySQL counts characters
NAME = r'("(?:[^"]|"")+"|[^".]+)'
QUOTED = re.compile(rf"{NAME}\.{NAME}")  # either may stand in the quotes of SQL
REPLACING = frozenset({"mysql"})  # its dumps begin each table with DROP TABLE IF EXISTS
KEEPS = "nothing that is there is dropped or overwritten: what stands in the way ends the restore"
OVERWRITES = "WITH --into-non-empty, tables of the same names that are there are DROPPED and replaced"


class Danger(StrEnum):
    """Why a restore is refused: each needs a word of its own from who asks for it. The value is that flag."""

    UNPROVEN = "--unproven"
    SOURCE = "--onto-source"
    NON_EMPTY = "--into-non-empty"


@dataclass(frozen=True, slots=True)
class Part:
    """What of a set is wanted, in words."""

    database: str = ""
    schema: str = ""
    table: str = ""
    into: str = ""

    def __str__(self) -> str:
        name = ".".join(filter(None, (self.database, self.schema, self.table)))
        what = "everything" if not name else f"the {'table' if self.table else 'database'} {name}"
        return f"{what}, as the database {self.into}" if self.into else what


@dataclass(frozen=True, slots=True)
class RestorePlan:
    """All that a person must know before saying yes."""

    record: BackupRecord
    part: Part
    target: str  # in words
    makes: tuple[str, ...]  # databases, under the names that they will have
    size_bytes: int | None  # of what is restored, as it was in the source; None: it was not measured
    expected_seconds: float
    programs: Pairs = ()
    dangers: tuple[tuple[Danger, str], ...] = ()  # each with its reason
    obstacles: tuple[str, ...] = ()  # what the account may not: no word of the person's helps
    notes: tuple[str, ...] = ()  # what is there and stays as it is: told before, and again when it is restored

    def has(self, wanted: Danger) -> bool:
        return any(danger is wanted for danger, _ in self.dangers)

    def refused(self, allowed: Collection[Danger]) -> tuple[tuple[Danger, str], ...]:
        return tuple(danger for danger in self.dangers if danger[0] not in allowed)


def unproven(record: BackupRecord) -> str:
    """Why a set is not to be relied on; '': it is."""
    if record.problem:
        return f"the set cannot be used as it is: {record.problem}"
    if bad := standing.badness(record):
        return f"the set was found bad: {bad}"
    if record.level < ProofLevel.L2:
        shown = record.proof.name.value if record.proof is not None else "nothing"
        return f"the set was never read to its end by what would restore it (proven: {shown})"
    return ""


def size_of(record: BackupRecord, part: Part) -> int | None:
    """Of one table, one database, or all. None: nobody measured it, as of a table whose rows are in its partitions."""
    facts = record.manifest.facts
    if part.table:
        wanted = (part.database, part.schema, part.table)
        return next((each.bytes for each in facts.tables if each.key == wanted), None)
    return sum(each.size_bytes for each in facts.databases if part.database in ("", each.name))


def expected_seconds(record: BackupRecord, records: Iterable[BackupRecord], part: Part) -> float:
    """From how long sets of the instance took before, in proportion to what is wanted where that is known."""
    whole, wanted = size_of(record, Part()), size_of(record, part)
    share = 1.0 if not whole or wanted is None else wanted / whole
    return max(LEAST_SECONDS, due.expected_restore_seconds(record, records) * share)


def chosen(records: Iterable[BackupRecord], instance: str, backup_id: str = "") -> BackupRecord | None:
    """The set asked for; else the newest that is proven, and the newest of all where none is."""
    mine = sorted(
        (record for record in records if record.manifest.instance == instance),
        key=lambda record: record.manifest.sequence,
    )
    if backup_id:
        return next((record for record in mine if record.id == backup_id), None)
    usable = [record for record in mine if not unproven(record)]
    return next(reversed(usable or mine), None)


def no_table(record: BackupRecord, part: Part, kind: str) -> str:
    """Why one cannot be restored by itself. `kind`: what it is; '': there is none, or MySQL's dump does not tell."""
    name = ".".join(filter(None, (part.schema, part.table)))
    rest = _whole(record, part)
    if kind:
        return f"{name} of {part.database} is a {kind}, and only tables are restored by themselves: {rest}"
    facts = next(each for each in record.manifest.facts.databases if each.name == part.database)
    others = [f"{each}s" for each, count in facts.inventory if count and each in NO_TABLES]
    is_silent = record.manifest.engine in REPLACING and others
    perhaps = f" (it holds {' and '.join(others)} too: if it is one of these, {rest})" if is_silent else ""
    return f"the set {record.id} holds no table {name} of {part.database}{perhaps}"


def indistinct(record: BackupRecord, part: Part) -> str:
    """Why this table cannot be restored by itself: the list of an archive quotes no name and breaks no line."""
    wanted = (part.database, part.schema, part.table)
    if record.manifest.engine in REPLACING:
        return _broken(record, part)
    if not part.table:
        return ""
    others = list(_alike(record, wanted))
    if not others and _words(wanted) == " ".join(wanted):
        return ""
    names = ", ".join(repr(".".join(each[1:])) for each in others)
    why = f"from {names}" if others else "from one with a blank where its name breaks the line"
    return f"the archive's list does not tell {'.'.join(wanted[1:])!r} {why}: {_whole(record, part)}"


def _broken(record: BackupRecord, part: Part) -> str:
    """A dump of MySQL or MariaDB names what follows in a comment, and a comment ends with its line."""
    name = next((each for each in (part.database, part.table) if "\n" in each), "")
    if not name:
        return ""
    everything = f"it comes with everything -> restore full {record.manifest.instance}"
    rest = everything if name == part.database else _whole(record, part)
    return f"a dump does not tell {name!r} from what stands around it, for the name breaks the line: {rest}"


def inseparable(record: BackupRecord, part: Part) -> str:
    """Why this partition cannot be restored by itself: the archive gives its rows to the table that it is of."""
    name = f"{part.schema}.{part.table}"
    tables = [each for each in record.manifest.facts.tables if each.through and each.database == part.database]
    root = next((each.through for each in tables if name in (f"{each.schema}.{each.table}", *each.within)), "")
    if not root:
        return ""
    what = f"{name} is a partition whose rows are restored through {root}, into any of its partitions"
    return f"{what}: it comes with all of them -> restore table {record.manifest.instance} {part.database} {root}"


def _alike(record: BackupRecord, wanted: tuple[str, str, str]) -> Iterator[tuple[str, str, str]]:
    """Tables that read the same. Of one that was not counted, those that it begins too: an owner may follow a name."""
    known = {each.key: _words(each.key) for each in record.manifest.facts.tables if each.database == wanted[0]}
    for key, words in known.items():
        is_begun = wanted not in known and words.startswith(f"{_words(wanted)} ")
        if key != wanted and (is_begun or words == _words(wanted)):
            yield key


def _words(table: Iterable[str]) -> str:
    """As the list writes them."""
    return re.sub(r"[\r\n]", " ", " ".join(table))


def _whole(record: BackupRecord, part: Part) -> str:
    return f"it comes with its database -> restore database {record.manifest.instance} {part.database} --as NEW_NAME"


def part_of(words: Sequence[str], engine: str, into: str = "", known: Collection[tuple[str, str, str]] = ()) -> Part:
    """`database`, or `database.schema.table` (MySQL: `database.table`). `known`: the set's tables. Raise ValueError."""
    refuse_long(into, engine)
    if not words:
        return Part(into=into)
    if len(words) == 1:
        return Part(words[0], into=into)
    database, table = words
    if engine != "postgres":
        return Part(database, "", table, into)  # a dot in it is of the name
    return Part(database, *_parted(table, {key[1:] for key in known if key[0] == database}, database), into)


def _parted(name: str, tables: Collection[tuple[str, str]], database: str) -> tuple[str, str]:
    """Schema and table, each of which may have dots in it: as the set's tables tell them apart, or else by the last."""
    dots = [at for at, letter in enumerate(name) if letter == "." and 0 < at < len(name) - 1]
    splits = [(name[:at], name[at + 1 :]) for at in dots]
    if found := QUOTED.fullmatch(name):
        splits.append((_plain(found[1]), _plain(found[2])))
    there = [split for split in dict.fromkeys(splits) if split in tables]
    if len(there) > 1:
        both = " and ".join(map(_quoted, there))
        raise ValueError(f"{name!r} is {both} -> name the one that is meant with these quotes")
    if not splits:
        raise ValueError(f"name the table of {database} as SCHEMA.TABLE")
    return (there or splits)[-1]


def _plain(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name


def _quoted(table: Iterable[str]) -> str:
    return ".".join(map(quoting.postgres, table))


def refuse_long(name: str, engine: str) -> None:
    """Raise ValueError for what the server would cut or refuse."""
    length, limit, unit = len(name), MOST_CHARACTERS, "characters"
    if engine == "postgres":
        length, limit, unit = len(name.encode()), MOST_BYTES, "bytes"
    if length > limit:
        raise ValueError(f"--as {name}: {length} {unit}, and the server allows {limit} in a name -> name a shorter one")


def beside(table: str, started_at: float) -> str:
    """The name of a database for one table of a set: `restored_demande_rdv_20261122_0130`."""
    plain = re.sub(r"\W+", "_", table.rpartition(".")[2]).encode()[:LONGEST_TABLE].decode(errors="ignore")
    return f"restored_{plain}_{datetime.fromtimestamp(started_at, UTC):%Y%m%d_%H%M}"


def _proof(record: BackupRecord) -> str:
    if standing.badness(record):
        return "BAD: see below"
    shown = record.proof.name.value if record.proof is not None else "nothing"
    return f"{shown} ({f'L{int(record.level)}' if record.level >= 0 else 'no level'})"


def _copied_kinds(plan: RestorePlan) -> set[str]:
    """What the database holds of which MySQL and MariaDB make a copy under another name; empty: there is no copy."""
    part, manifest = plan.part, plan.record.manifest
    if manifest.engine not in REPLACING or not part.into:
        return set()
    return {kind for each in manifest.facts.databases if each.name == part.database for kind, _ in each.inventory}


def _events(plan: RestorePlan) -> str:
    """Those of a copy beside the original are kept from running."""
    part = plan.part
    if part.table or "event" not in _copied_kinds(plan):
        return ""
    what = f"the events of {part.into} are DISABLED, or they would run beside those of {part.database}"
    return f"{what} -> ALTER EVENT {part.into}.NAME ENABLE where the copy takes its place"


def _copy(plan: RestorePlan) -> str:
    """What people wrote is restored as they wrote it."""
    part = plan.part
    named = sorted(_copied_kinds(plan) & ({"trigger"} if part.table else {"trigger", "routine", "event", "view"}))
    if not named:
        return ""
    what = f"what names {part.database} in the text of a {' or '.join(named)} works on {part.database}, not on the copy"
    return f"{what}: those are named once it is restored"


def _size(plan: RestorePlan) -> str:
    expected = humanise.duration(plan.expected_seconds)
    if plan.size_bytes is None:
        return f"not known, {expected} at the most"
    return f"{humanise.size(plan.size_bytes)}, about {expected}"


def lines(plan: RestorePlan, now: float) -> Iterator[str]:
    """As it is printed: a line break in a name begins no line."""
    return map(printable, _lines(plan, now))


def _lines(plan: RestorePlan, now: float) -> Iterator[str]:
    record, manifest = plan.record, plan.record.manifest
    yield f"restore    {plan.part}"
    yield f"from       {record.id} of {manifest.instance}, {humanise.size(manifest.size_bytes)}"
    yield f"state of   {humanise.moment(manifest.started_at)} ({humanise.ago(manifest.started_at, now)})"
    yield f"proof      {_proof(record)}"
    yield f"to         {plan.target}"
    yield f"makes      {', '.join(plan.makes) or 'nothing'}"
    yield f"size       {_size(plan)}"
    yield f"with       {', '.join(' '.join(program) for program in plan.programs)}"
    for warning in manifest.warnings:
        yield f"note       {warning}"
    for told in filter(None, (_events(plan), _copy(plan), *plan.notes)):
        yield f"note       {told}"
    for danger, why in plan.dangers:
        yield f"DANGER     {why} (allow it with {danger})"
    for obstacle in plan.obstacles:
        yield f"OBSTACLE   {obstacle}"
    yield OVERWRITES if manifest.engine in REPLACING and plan.has(Danger.NON_EMPTY) else KEEPS
