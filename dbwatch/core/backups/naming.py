"""Which set a person means: by its id, by a part that only one has, by INSTANCE/ID where two have the same. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dbwatch.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dbwatch.core.backups.model import BackupRecord

SHORTEST_PART = 4
MOST_NAMED = 5


def matching(records: Iterable[BackupRecord], asked: str) -> list[BackupRecord]:
    """Those of that id; else all that begin or end so."""
    instance, _, part = asked.rpartition("/")
    mine = [each for each in records if instance in ("", each.manifest.instance)]
    whole = [each for each in mine if each.id == part]
    is_part = len(part) >= SHORTEST_PART
    return whole or [each for each in mine if is_part and (each.id.startswith(part) or each.id.endswith(part))]


def chosen(records: Iterable[BackupRecord], asked: str, trashed: Iterable[BackupRecord] = ()) -> BackupRecord:
    """Of copies of one set the one that can be used is meant. Raise UsageError."""
    found = matching(records, asked)
    usable = [each for each in found if not each.problem]
    if len(found) == 1:
        return found[0]
    if len(usable) == 1 and len({each.id for each in found}) == 1:
        return usable[0]
    if found:
        raise UsageError(f"backup {asked!r} may be any of {_named(found)} -> name one like that")
    if binned := matching(trashed, asked):
        mend = " or ".join(f"`dbwatch backup pin {each.id}`" for each in binned[:MOST_NAMED])
        raise UsageError(f"backup {asked!r} is in the trash -> {mend} brings it back, and keeps it")
    raise UsageError(f"no backup {asked!r} -> see `dbwatch backup list`")


def _named(found: Sequence[BackupRecord]) -> str:
    names = [f"{each.manifest.instance}/{each.id}" for each in found[:MOST_NAMED]]
    more = len(found) - MOST_NAMED
    return ", ".join(names) + (f" and {more} more" if more > 0 else "")
