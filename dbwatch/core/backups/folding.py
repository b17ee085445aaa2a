"""What an index keeps of a manifest: enough to list, to plan and to measure with, never to restore by."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from dbwatch.core.backups.model import BackupRecord, Manifest, Member, ServerIdentity, TableFacts

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

    from dbwatch.core.backups.model import BackupKind

T = TypeVar("T")
NO_SHA256 = "0" * 64  # of a member that stands for several


def folded(record: BackupRecord) -> BackupRecord:
    """Tables summed up by database and files by what they are: ten thousand of either are megabytes for each set."""
    manifest = record.manifest
    databases = tuple(replace(each, objects=()) for each in manifest.facts.databases)
    facts = replace(manifest.facts, tables=_tables(manifest.facts.tables), databases=databases)
    return replace(record, manifest=replace(manifest, facts=facts, members=_members(manifest.members)))


def is_folded(manifest: Manifest) -> bool:
    return any(member.sha256 == NO_SHA256 for member in manifest.members)


def unreadable(instance: str, kind: BackupKind, backup_id: str, *, sequence: int, started_at: float) -> Manifest:
    """What the name alone tells of a set whose manifest cannot be read."""
    nobody = ServerIdentity("", (), "")
    return Manifest(backup_id, sequence, kind, instance, "", nobody, started_at, started_at, 0.0, ())


def _members(members: tuple[Member, ...]) -> tuple[Member, ...]:
    groups = _grouped(members, lambda each: (each.database, each.role, each.codec, each.sealed))
    return tuple(
        replace(group[0], path=f"folded-{number}", size_bytes=sum(each.size_bytes for each in group), sha256=NO_SHA256)
        for number, group in enumerate(groups, 1)
    )


def _tables(tables: tuple[TableFacts, ...]) -> tuple[TableFacts, ...]:
    groups = _grouped(tables, lambda each: each.database)
    return tuple(
        TableFacts(
            group[0].database, "", "", _sum(each.rows for each in group), None, _sum(each.bytes for each in group)
        )
        for group in groups
    )


def _sum(numbers: Iterable[int | None]) -> int | None:
    """Not known where one of them is not."""
    found = list(numbers)
    known = [number for number in found if number is not None]
    return sum(known) if len(known) == len(found) else None


def _grouped(values: Iterable[T], key: Callable[[T], Hashable]) -> list[list[T]]:
    groups: dict[Hashable, list[T]] = {}
    for value in values:
        groups.setdefault(key(value), []).append(value)
    return list(groups.values())
