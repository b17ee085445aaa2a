"""Sets made without a server: what the tests of the archive and of its index share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dbwatch.archive.repository import Repository
from dbwatch.core.backups.model import (
    BackupKind,
    BackupRecord,
    Codec,
    DatabaseFacts,
    Facts,
    FactsMode,
    Manifest,
    Member,
    MemberRole,
    Proof,
    ProofName,
    ServerIdentity,
    TableFacts,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dbwatch.archive.partial import Partial

LOGICAL = BackupKind.LOGICAL
NOW = 1_795_289_521.0  # 2026-11-21T19:32:01Z
DAY = 86400.0
SHA256 = "0123456789abcdef" * 4
FILES = {"shop/toc.dat": b"table of contents", "shop/1.dat.zst": b"rows " * 1000, "globals.sql": b"CREATE ROLE app;"}
TEMPLATES = (
    Member("shop", 0, "", MemberRole.DUMP, Codec.ZSTD, "shop"),
    Member("globals.sql", 0, "", MemberRole.GLOBALS),
)
PUBLISHED = Proof(ProofName.PUBLISHED, NOW + 60, 0.0)
COMPARED = Proof(ProofName.COMPARED, NOW + 90, 20.0)


def repository(directory: Path, **reserve: float) -> Repository:
    """One that keeps nothing of the disk back."""
    return Repository(directory, reserve_ratio=reserve.get("ratio", 0.0), reserve_bytes=int(reserve.get("bytes", 0)))


def write(directory: Path, files: Mapping[str, bytes]) -> None:
    for path, body in files.items():
        (directory / path).parent.mkdir(parents=True, exist_ok=True)
        (directory / path).write_bytes(body)


def manifest(
    backup_id: str, sequence: int, members: tuple[Member, ...] = (), *, instance: str = "pg1", now: float = NOW
) -> Manifest:
    tables = tuple(TableFacts("shop", "public", name, rows, "d", 100) for name, rows in (("orders", 7), ("items", 35)))
    shop = DatabaseFacts("shop", 5000, "UTF8", "C", (("pgcrypto", "1.3"),), (("table", 2),), "digest")
    return Manifest(
        backup_id,
        sequence,
        LOGICAL,
        instance,
        "postgres",
        ServerIdentity("postgres", (18, 1), "PostgreSQL 18.1", "7000000000000000001"),
        now,
        now + 60,
        60.0,
        members or (Member("globals.sql", 16, SHA256, MemberRole.GLOBALS), Member("shop", 9, SHA256, database="shop")),
        Facts(FactsMode.FULL, comparable=True, evidence="snapshot", databases=(shop,), tables=tables),
    )


def record(number: int, *, instance: str = "pg1", now: float = NOW, proofs: tuple[Proof, ...] = ()) -> BackupRecord:
    """As the index is told of it."""
    backup_id = f"20261121T193201Z-{number:06d}-1a2b3c4d"
    return BackupRecord(manifest(backup_id, number, instance=instance, now=now), proofs, f"{number:064x}")


async def filled(partial: Partial, files: Mapping[str, bytes] = FILES) -> Manifest:
    """The manifest of a dump that ended well."""
    write(partial.path, files)
    members = await partial.members(TEMPLATES)
    return manifest(partial.id, partial.sequence, members, instance=partial.path.parent.parent.name)


async def published(
    place: Repository, instance: str = "pg1", *, now: float = NOW, files: Mapping[str, bytes] = FILES, after: int = 0
) -> BackupRecord:
    async with place.begin(instance, LOGICAL, now=now, after=after) as partial:
        return await partial.publish(await filled(partial, files))


def standing(directory: Path, *, deep: bool = True) -> list[str]:
    """Every path below, hidden ones too."""
    return sorted(str(path.relative_to(directory)) for path in directory.glob("**/*" if deep else "*"))
