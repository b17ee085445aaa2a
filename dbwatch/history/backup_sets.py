"""The index of backups: what the repository holds, without reading it. The manifests there are the truth."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from dbwatch.core.backups import manifest as texts
from dbwatch.core.backups.folding import folded, unreadable
from dbwatch.core.backups.model import BackupKind, BackupRecord
from dbwatch.errors import JobError
from dbwatch.history.job_words import EDITED, GONE, NEW, Mismatch
from dbwatch.history.writing import query

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from typing import Any

    from dbwatch.core.backups.model import Proof
    from dbwatch.history.writing import Writer

Key = tuple[str, BackupKind, str]  # instance, kind, id


@dataclass(frozen=True, slots=True)
class _Kept:
    """A set as the index has it; one in the trash may come back."""

    record: BackupRecord
    trashed_at: float | None = None


class Trashed(Protocol):
    """What lies in the repository's trash."""

    @property
    def instance(self) -> str: ...

    @property
    def kind(self) -> BackupKind: ...

    @property
    def id(self) -> str: ...

    @property
    def trashed_at(self) -> float: ...


class SetIndex:
    """Records come from memory and are folded: to verify or to restore a set, read it from the repository.

    Writing raises DbwatchError where the disk refuses; memory is right anyway.
    """

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._kept: dict[Key, _Kept] = {}
        self._of: dict[str, dict[Key, _Kept]] = {}  # the same by instance
        self._sequences: dict[tuple[str, BackupKind], int] = {}
        self._asked: dict[tuple[str, BackupKind | None], tuple[BackupRecord, ...]] = {}  # pages ask each second

    def records(self, instance: str = "", kind: BackupKind | None = None) -> tuple[BackupRecord, ...]:
        """By instance, kind and number; without those in the trash."""
        if (instance, kind) not in self._asked:
            self._asked[instance, kind] = self._found(instance, kind)
        return self._asked[instance, kind]

    def _found(self, instance: str, kind: BackupKind | None) -> tuple[BackupRecord, ...]:
        found = [
            each.record
            for (_, what, _), each in (self._of.get(instance, {}) if instance else self._kept).items()
            if each.trashed_at is None and kind in (None, what)
        ]
        return tuple(sorted(found, key=_order))

    @property
    def trashed(self) -> tuple[BackupRecord, ...]:
        """What was deleted and can be had back."""
        return tuple(each.record for each in self._kept.values() if each.trashed_at is not None)

    def find(self, backup_id: str) -> BackupRecord | None:
        return next((record for record in self.records() if record.id == backup_id), None)

    def last_sequence(self, instance: str, kind: BackupKind) -> int:
        """The largest number that a set of it ever had; 0: none."""
        return self._sequences.get((instance, kind), 0)

    async def load(self) -> None:
        kept, sequences = await self._writer.read(lambda connection: (
            _read(connection), connection.execute(query("backup_sequences")).fetchall()
        ))  # fmt: skip
        self._sequences = {(instance, BackupKind(kind)): sequence for instance, kind, sequence in sequences}
        self._know(kept, without=tuple(self._kept))

    async def put(self, record: BackupRecord) -> None:
        """A set that was published, or is known better now."""
        small = await self._writer.read(lambda _: folded(record))
        self._know({_key(small): _Kept(small)})
        await self._writer.write(lambda connection: _put(connection, _Kept(small)))

    async def prove(self, instance: str, kind: BackupKind, backup_id: str, proof: Proof) -> None:
        """One more step of the ladder was tried."""
        key = instance, kind, backup_id
        if (kept := self._kept.get(key)) is None:
            return
        record = replace(kept.record, proofs=(*kept.record.proofs, proof))
        self._know({key: replace(kept, record=record)})

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(query("backup_proof_add"), _proof_row(key, proof))
            connection.execute(query("backup_level"), {**_key_row(key), "level": record.level})

        await self._writer.write(work)

    async def pin(self, instance: str, kind: BackupKind, backup_id: str, *, pinned: bool) -> None:
        """It is kept by a person's order, or no longer."""
        key = instance, kind, backup_id
        if (kept := self._kept.get(key)) is not None:
            self._know({key: replace(kept, record=replace(kept.record, pinned=pinned))})
            await self._run("backup_pin", {**_key_row(key), "pinned": pinned})

    async def trash(self, instance: str, kind: BackupKind, backup_id: str, now: float | None) -> None:
        """It was deleted, and can still be had back; None: it was brought back."""
        key = instance, kind, backup_id
        if (kept := self._kept.get(key)) is not None:
            self._know({key: replace(kept, trashed_at=now)})
            await self._run("backup_trash", {**_key_row(key), "trashed_at": now})

    async def forget(self, instance: str, kind: BackupKind, backup_id: str) -> None:
        """It is gone for good."""
        key = instance, kind, backup_id
        self._know({}, without=[key])
        await self._run("backup_remove", _key_row(key))

    @property
    def ids(self) -> frozenset[str]:
        return frozenset(key[2] for key in self._kept)

    async def rebuild(
        self,
        found: Mapping[str, Sequence[BackupRecord]],
        trashed: Iterable[Trashed] = (),
        *,
        unreadable: Collection[str] = (),
        known: Collection[str] | None = None,
    ) -> tuple[Mismatch, ...]:
        """Make the index what the repository holds; what differed is told.

        What is known of `unreadable` instances stays, and so do sets that came while the repository was read: those
        not among the `known` ids of before. A manifest that is not the one that was published stays a problem.
        """
        small = await self._writer.read(lambda _: [folded(each) for records in found.values() for each in records])
        before = dict(self._kept)
        binned = {(each.instance, each.kind, each.id): each.trashed_at for each in trashed}
        kept = {key: each for key, each in before.items() if key[0] in unreadable or _is_new(key, known)}
        kept |= {key: replace(before[key], trashed_at=at) for key, at in binned.items() if key in before}
        kept |= {_key(each): _Kept(_told(before.get(_key(each)), each)) for each in small}
        self._know(kept, without=before)

        def work(connection: sqlite3.Connection) -> None:
            connection.executemany(query("backup_remove"), [_key_row(key) for key in before if key not in kept])
            for each in kept.values():
                _put(connection, each)

        await self._writer.write(work)
        return tuple(_differences(before, kept))

    def _know(self, kept: Mapping[Key, _Kept], without: Iterable[Key] = ()) -> None:
        """The one door of what memory holds."""
        without = tuple(without)
        for key in without:
            self._kept.pop(key, None)
            self._of.get(key[0], {}).pop(key, None)
        for key, each in kept.items():
            instance, kind, _ = key
            self._kept[key] = self._of.setdefault(instance, {})[key] = each
            sequence = each.record.manifest.sequence
            self._sequences[instance, kind] = max(self.last_sequence(instance, kind), sequence)
        touched = {"", *(key[0] for key in (*without, *kept))}
        self._asked = {asked: found for asked, found in self._asked.items() if asked[0] not in touched}

    async def _run(self, name: str, row: Mapping[str, object]) -> None:
        await self._writer.write(lambda connection: connection.execute(query(name), row))


def _is_new(key: Key, known: Collection[str] | None) -> bool:
    return known is not None and key[2] not in known


def _told(before: _Kept | None, record: BackupRecord) -> BackupRecord:
    """What was published under this id is remembered, whatever stands there now."""
    known = before.record.checksum if before else ""
    if not known or known == record.checksum:
        return record
    return replace(record, checksum=known, problem=record.problem or EDITED)


def _differences(before: Mapping[Key, _Kept], now: Mapping[Key, _Kept]) -> Iterator[Mismatch]:
    for key in sorted({*before, *now}):
        if key not in now:
            if before[key].trashed_at is None:
                yield Mismatch(*key, GONE)
        elif key not in before:
            yield Mismatch(*key, now[key].record.problem or NEW)
        elif now[key].record.problem not in ("", before[key].record.problem):
            yield Mismatch(*key, now[key].record.problem)


def _order(record: BackupRecord) -> tuple[str, BackupKind, int, str]:
    manifest = record.manifest
    return manifest.instance, manifest.kind, manifest.sequence, manifest.id


def _key(record: BackupRecord) -> Key:
    return record.manifest.instance, record.manifest.kind, record.id


def _key_row(key: Key) -> dict[str, object]:
    return dict(zip(("instance", "kind", "id"), key, strict=True))


def _put(connection: sqlite3.Connection, kept: _Kept) -> None:
    record, manifest = kept.record, kept.record.manifest
    row = {
        **_key_row(_key(record)),
        "sequence": manifest.sequence,
        "started_at": manifest.started_at,
        "manifest": texts.dump(manifest) if manifest.members else "",
        "checksum": record.checksum,
        "level": record.level,
        "pinned": record.pinned,
        "problem": record.problem,
        "trashed_at": kept.trashed_at,
    }
    connection.execute(query("backup_put"), row)
    connection.execute(query("backup_sequence_put"), row)
    connection.execute(query("backup_proofs_remove"), row)
    connection.executemany(query("backup_proof_add"), [_proof_row(_key(record), proof) for proof in record.proofs])


def _proof_row(key: Key, proof: Proof) -> dict[str, object]:
    return {**_key_row(key), "proof": texts.proof_dump(proof, key[2])}


def _read(connection: sqlite3.Connection) -> dict[Key, _Kept]:
    proofs: dict[Key, list[Proof]] = {}
    for instance, kind, backup_id, text in connection.execute(query("backup_proofs")):
        proofs.setdefault((instance, BackupKind(kind), backup_id), []).append(texts.proof_parse(text, backup_id))
    return {
        _key(kept.record): kept for kept in (_kept(row, proofs) for row in connection.execute(query("backup_sets")))
    }


def _kept(row: tuple[Any, ...], proofs: Mapping[Key, Sequence[Proof]]) -> _Kept:
    instance, kind, backup_id, sequence, started_at, text, checksum, pinned, problem, trashed_at = row
    key = instance, BackupKind(kind), backup_id
    try:
        manifest = texts.parse(text) if text else unreadable(*key, sequence=sequence, started_at=started_at)
    except JobError as error:
        manifest, problem = unreadable(*key, sequence=sequence, started_at=started_at), error.message
    return _Kept(BackupRecord(manifest, tuple(proofs.get(key, ())), checksum, bool(pinned), problem), trashed_at)
