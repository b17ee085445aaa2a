"""Which set a person means: by its id, by a part that only one has, by INSTANCE/ID where two have the same. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dbwatch.core.backups.unread import MOST_NAMED, some
from dbwatch.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dbwatch.core.backups.model import BackupRecord

Name = tuple[str, str]  # instance, id
SHORTEST_PART = 4


def name_of(record: BackupRecord) -> Name:
    return record.manifest.instance, record.id


def matching(names: Iterable[Name], asked: str) -> list[Name]:
    """Those of that id; else all that begin or end so."""
    instance, _, part = asked.rpartition("/")
    mine = [each for each in names if instance in ("", each[0])]
    whole = [each for each in mine if each[1] == part]
    is_part = len(part) >= SHORTEST_PART
    return whole or [each for each in mine if is_part and (each[1].startswith(part) or each[1].endswith(part))]


def chosen(records: Iterable[BackupRecord], asked: str, trashed: Iterable[Name] = ()) -> BackupRecord:
    """Of copies of one set the one that can be used is meant. Raise UsageError."""
    known = {name_of(each): each for each in records}
    found = [known[name] for name in matching(known, asked)]
    usable = [each for each in found if not each.problem]
    if len(found) == 1:
        return found[0]
    if len(usable) == 1 and len({each.id for each in found}) == 1:
        return usable[0]
    if found:
        names = some(["/".join(name_of(each)) for each in found])
        raise UsageError(f"backup {asked!r} may be any of {names} -> name one like that")
    raise UsageError(in_trash(trashed, asked) or f"no backup {asked!r} -> see `dbwatch backup list`")


def in_trash(trashed: Iterable[Name], asked: str) -> str:
    """With the way back; '': it is not there either."""
    binned = sorted(set(matching(trashed, asked)))
    mend = " or ".join(f"`dbwatch backup pin {'/'.join(each)}`" for each in binned[:MOST_NAMED])
    if len(binned) > 1:
        names = some(["/".join(each) for each in binned])
        return f"backup {asked!r} may be any of {names}, all in the trash -> {mend} brings that one back, and keeps it"
    return f"backup {asked!r} is in the trash -> {mend} brings it back, and keeps it" if binned else ""
