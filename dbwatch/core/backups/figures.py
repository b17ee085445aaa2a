"""What is told of backups and drills beside the sets themselves: the office fills it, metrics and pages read it.

None is "not known", never 0: what nobody measured has no sample and a dash on the page.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dbwatch.core.backups.model import DISPROOFS, ProofLevel, ProofName

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dbwatch.core.backups.model import (
        BackupKind,
        JobReason,
        JobRun,
        JobState,
        Pairs,
        Progress,
        Proof,
    )

# How a set stands, for counts and colours.
PROVEN, UNPROVEN, BAD = "proven", "unproven", "bad"
STATES = (PROVEN, UNPROVEN, BAD)
# How proving it fared. Unprovable: not here, for want of a key, an extension or a program; the set may be sound.
FAILED, UNPROVABLE = "failed", "unprovable"
VERIFICATIONS = (PROVEN, UNPROVABLE, FAILED)


@dataclass(frozen=True, slots=True)
class DatabaseFigures:
    """One database that is to be backed up, and the newest set that holds it."""

    database: str
    last_success_at: float | None = None  # what the newest set that is not bad brings back: when its dump began
    proven_at: float | None = None  # the same of the newest that was restored, and the restore was sound
    level: ProofLevel | None = None  # of the newest set, NONE where that is bad; None: no set holds it
    verified_at: tuple[tuple[ProofName, float], ...] = ()  # when a set of it was last proven so, or better
    plain_bytes: int | None = None  # of the database, when it was dumped
    rows: int | None = None


@dataclass(frozen=True, slots=True)
class KindFigures:
    """All that is counted and measured of one kind of backup of one instance."""

    kind: BackupKind
    databases: tuple[DatabaseFigures, ...] = ()  # those that are to be backed up; empty: not known yet
    last_attempt_at: float | None = None
    last_state: JobState | None = None  # of the last run that ended
    last_reason: JobReason | None = None  # why it did not succeed
    runs: tuple[tuple[JobState, JobReason | None, int], ...] = ()  # ended, all that history remembers
    last_seconds: float | None = None  # of the last run that succeeded, as all that follows
    last_phases: tuple[tuple[str, float], ...] = ()
    last_size_bytes: int | None = None
    size_ratio: float | None = None  # to the median of the sets before it
    rows_ratio: float | None = None
    running_since: float | None = None  # None: none runs
    progress: Progress | None = None
    verification: str = ""  # VERIFICATIONS: how the last set fared that was to be restored; "": none was yet
    verification_reason: JobReason | None = None
    verification_seconds: tuple[tuple[ProofName, float], ...] = ()
    verification_failures: tuple[tuple[JobReason, int], ...] = ()
    mismatches: int | None = None  # tables and objects that differed when a set was last compared
    waiting: int | None = None  # sets that are to be restored and have not been yet
    counts: tuple[tuple[str, int], ...] = ()  # STATES -> sets
    verified: int | None = None  # sets that were restored: what retention counts
    oldest_at: float | None = None
    repository_bytes: int | None = None
    frozen: tuple[str, ...] = ()  # why retention deletes nothing: closed words
    next_at: float | None = None
    preflight_reason: JobReason | None = None  # why a run would fail if it began now
    preflight_at: float | None = None  # None: nobody looked yet
    age_objective_seconds: float | None = None  # max_age
    deadline_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class DrillFigures:
    """One scenario that is rehearsed with the sets of one instance."""

    scenario: str
    is_expected: bool = True  # it has a schedule
    last_at: float | None = None  # when the last one ended
    last_success_at: float | None = None
    last_reason: JobReason | None = None  # why the last one did not succeed
    succeeded: bool | None = None
    phases: tuple[tuple[str, float], ...] = ()  # of the last one
    rto_seconds: float | None = None
    rpo_seconds: float | None = None
    rto_objective_seconds: float | None = None
    rpo_objective_seconds: float | None = None
    age_objective_seconds: float | None = None
    next_at: float | None = None
    report: str = ""  # where it lies
    detail: str = ""  # one line


@dataclass(frozen=True, slots=True)
class RepositoryFigures:
    """The directory that all sets lie in."""

    directory: str = ""
    is_usable: bool = True
    reason: JobReason | None = None
    detail: str = ""  # one line, with the remedy
    size_bytes: int | None = None  # of its file system
    free_bytes: int | None = None
    reserve_bytes: int | None = None  # never written to
    needed_bytes: int | None = None  # by the next run of every instance, one after the other
    jobs_running: tuple[tuple[str, int], ...] = ()  # JobKind -> runs
    jobs_waiting: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class SetDatabase:
    """One database in a set."""

    name: str
    plain_bytes: int | None = None
    rows: int | None = None


@dataclass(frozen=True, slots=True)
class SetLine:
    """One published set as a page shows it: without the facts of its tables, which are large."""

    id: str
    started_at: float
    seconds: float
    size_bytes: int
    sequence: int = 0  # in the order in which sets were made, whatever the clock said
    databases: tuple[SetDatabase, ...] = ()
    proofs: tuple[Proof, ...] = ()
    proof: Proof | None = None  # the best that holds
    failed: Proof | None = None  # what showed that it is bad, or why a better proof could not be had
    is_pinned: bool = False
    is_encrypted: bool = False
    problem: str = ""
    warnings: tuple[str, ...] = ()
    tools: Pairs = ()

    @property
    def level(self) -> ProofLevel:
        return self.proof.name.level if self.proof is not None and not self.problem else ProofLevel.NONE

    @property
    def rows(self) -> int | None:
        """None where one database's are not known."""
        counts = [each.rows for each in self.databases]
        return sum(filter(None, counts)) if counts and None not in counts else None

    @property
    def plain_bytes(self) -> int:
        return sum(each.plain_bytes or 0 for each in self.databases)

    @property
    def state(self) -> str:
        """One of STATES. Restored and sound is proven, though there was nothing exact to compare with."""
        if self.problem or (self.failed is not None and self.failed.reason in DISPROOFS):
            return BAD
        restored = self.proof is not None and self.proof.name in (ProofName.RESTORED, ProofName.COMPARED)
        return PROVEN if restored else UNPROVEN


@dataclass(frozen=True, slots=True)
class KindBoard:
    """One kind of backup of one instance, as a page shows it."""

    figures: KindFigures
    schedule: str = ""  # as configured; "": only when asked for
    sets: tuple[SetLine, ...] = ()  # newest first, bounded
    more_sets: int = 0
    running: JobRun | None = None
    last_failure: JobRun | None = None  # when it is newer than the last success
    preflight_detail: str = ""  # what would stop it, with the remedy


@dataclass(frozen=True, slots=True)
class InstanceBoard:
    """What is backed up and rehearsed of one instance."""

    kinds: tuple[KindBoard, ...] = ()
    drills: tuple[DrillFigures, ...] = ()


@dataclass(frozen=True, slots=True)
class BackupBoard:
    """Everything at one moment. `is_configured` False: nothing is backed up by this process."""

    is_configured: bool = False
    instances: Mapping[str, InstanceBoard] = field(default_factory=dict)
    repository: RepositoryFigures | None = None


NO_BACKUPS = BackupBoard()
