"""How a set stands: proven, proven bad, or neither; and when it was last restored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dbwatch.core.backups.model import DISPROOFS, JobReason, ProofLevel, ProofName

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dbwatch.core.backups.model import BackupRecord, Manifest, Proof

# A restore was tried, and more cannot be known on this machine.
EXCUSES = frozenset({JobReason.NO_KEY, JobReason.NO_EXTENSION, JobReason.CLIENT_MISSING, JobReason.CLIENT_OLDER})
# What each step does to a set.
STEPS = {
    ProofName.PUBLISHED: "published",
    ProofName.HASHED: "read again",
    ProofName.DECODED: "decoded",
    ProofName.RESTORED: "restored",
    ProofName.COMPARED: "compared",
}
RESTORES = frozenset({ProofName.RESTORED, ProofName.COMPARED})


def is_sealed(manifest: Manifest) -> bool:
    """Nobody reads it without a key."""
    return any(member.sealed for member in manifest.members)


def is_proven(record: BackupRecord) -> bool:
    """It can be restored, as far as can be known here: of a sealed set without its key, that it is whole."""
    return is_verified(record) or (
        record.level == ProofLevel.L1 and any(proof.reason is JobReason.NO_KEY for proof in record.proofs)
    )


def is_verified(record: BackupRecord) -> bool:
    """It was read to its end or restored, and nothing since speaks against it."""
    return record.level >= ProofLevel.L2


def is_disproved(record: BackupRecord) -> bool:
    """Something spoke against it, and no later proof as strong clears it."""
    return disproof(record) is not None


def disproof(record: BackupRecord) -> Proof | None:
    """What spoke against it last."""
    found: Proof | None = None
    for proof in record.proofs:
        if proof.reason in DISPROOFS:
            found = proof
        elif found is not None and proof.holds and proof.name.rank >= found.name.rank:
            found = None
    return found


def badness(record: BackupRecord) -> str:
    """Why it is bad; '': nothing speaks against it, which does not make it proven."""
    if record.problem:
        return record.problem
    against = disproof(record)
    if against is None:
        return ""
    again = f"if that was mended: `dbwatch backup verify {record.manifest.instance}/{record.id}`"
    return f"{against.detail} (found when it was {STEPS[against.name]}; {again})"


def has_failed(proof: Proof) -> bool:
    """It does not hold, and not for want of what is no fault of the set's or of the restore's."""
    return not proof.holds and proof.reason not in EXCUSES


def failure(proof: Proof) -> str:
    """What could not be done, in words, of a step that does not hold."""
    return f"it could not be {STEPS[proof.name]}"


def tried_at(record: BackupRecord) -> float | None:
    """When a restore of it was last tried and told what can be told: it held, was bad, or cannot be done here."""
    return _latest(proof for proof in record.proofs if _tells(proof))


def restored_at(record: BackupRecord) -> float | None:
    """When it was last restored, and the restore was sound."""
    return _latest(proof for proof in record.proofs if proof.name in RESTORES and proof.holds)


def attempted_at(record: BackupRecord) -> float | None:
    """When a restore of it was last begun, whatever became of it."""
    return _latest(proof for proof in record.proofs if proof.name in RESTORES or proof.reason is JobReason.NO_KEY)


def _tells(proof: Proof) -> bool:
    if proof.name in RESTORES:
        return proof.holds or proof.reason in EXCUSES | DISPROOFS
    return proof.reason in DISPROOFS or proof.reason is JobReason.NO_KEY


def _latest(proofs: Iterable[Proof]) -> float | None:
    return max((proof.at for proof in proofs), default=None)
