"""The words of backups, frozen and picklable: times are Unix seconds (float), durations seconds, sizes bytes."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

Pairs = tuple[tuple[str, str], ...]


class BackupKind(StrEnum):
    """How a set was made. Physical sets, WAL and binary logs will have kinds of their own."""

    LOGICAL = "logical"


class Codec(StrEnum):
    """How a member is compressed."""

    NONE = "none"
    GZIP = "gzip"
    ZSTD = "zstd"


class FactsMode(StrEnum):
    """What is remembered of each table, to compare a restore with."""

    FULL = "full"  # rows and a hash of their content
    COUNTS = "counts"  # rows
    OFF = "off"


class MemberRole(StrEnum):
    """What a file of a set is."""

    DUMP = "dump"  # of one database, or of all that the engine dumps together
    GLOBALS = "globals"  # roles, tablespaces, accounts


class ProofName(StrEnum):
    """What was proven of a set, named for what it is."""

    PUBLISHED = "published"  # every process ended well, the manifest stands
    HASHED = "hashed"  # every byte was read again and is the same
    DECODED = "decoded"  # read to its end by the tool that will restore it
    RESTORED = "restored"  # restored and sound, but nothing exact to compare with
    COMPARED = "compared"  # restored, and equal to the source at the moment of the dump

    @property
    def level(self) -> ProofLevel:
        return ProofLevel((0, 1, 2, 2, 3)[self.rank])  # restored is sound, which is not equal

    @property
    def rank(self) -> int:  # steps of one level differ too
        return tuple(ProofName).index(self)


class ProofLevel(IntEnum):
    """The ladder of verification."""

    NONE = -1
    L0 = 0
    L1 = 1
    L2 = 2
    L3 = 3


class JobKind(StrEnum):
    """What a job does."""

    BACKUP = "backup"
    VERIFY = "verify"
    RESTORE = "restore"
    DRILL = "drill"


class JobState(StrEnum):
    """Where a run stands."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"  # by a person, or because the daemon stops
    ORPHANED = "orphaned"  # the daemon died while it ran


class JobReason(StrEnum):
    """Why a run did not succeed: closed, because it is a label."""

    UNREACHABLE = "unreachable"  # the server refused, is starting, or could not be found
    AUTH = "auth"
    PERMISSION = "permission"  # a privilege is missing: the dump would lack something
    CLIENT_MISSING = "client_missing"  # no dump or restore program was found
    CLIENT_OLDER = "client_older"  # than the server: it may leave out what it does not know
    DISK_FULL = "disk_full"  # before or during
    REPOSITORY = "repository"  # cannot be read or written
    BUSY = "busy"  # another run has the instance
    DEADLINE = "deadline"
    STALLED = "stalled"  # no progress
    BLOCKED_OTHERS = "blocked_others"  # the application waited for our locks for longer than allowed
    LOCK = "lock"  # we waited for the application's locks for longer than allowed
    LOST = "lost"  # the server ended our session
    TOOL = "tool"  # a program ended with an error
    KILLED = "killed"  # a program was ended by somebody else
    INCOMPLETE = "incomplete"  # the dump lacks what the server has
    CORRUPT = "corrupt"  # bytes differ from the manifest, or cannot be decoded
    MISMATCH = "mismatch"  # what was restored is not what was dumped
    NO_KEY = "no_key"  # encrypted, and no key to read it is here
    NO_EXTENSION = "no_extension"  # a restore needs what this machine has not
    CANCELLED = "cancelled"
    ORPHANED = "orphaned"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class ServerIdentity:
    """Which server a set comes from. `identifier`: system identifier, or server UUID."""

    flavour: str
    version: tuple[int, ...]
    version_text: str
    identifier: str = ""


@dataclass(frozen=True, slots=True)
class DatabaseFacts:
    """One database of a set as it was when its dump began."""

    name: str
    size_bytes: int = 0
    encoding: str = ""
    collation: str = ""
    extensions: Pairs = ()  # name, version
    inventory: tuple[tuple[str, int], ...] = ()  # kind of object, how many; sorted
    inventory_digest: str = ""  # of the sorted list of all objects, with their definitions where the engine can
    objects: Pairs = ()  # `kind name`, digest of its definition; none where the engine tells of kinds, or too many


@dataclass(frozen=True, slots=True)
class TableFacts:
    """One table at the moment of the dump, or as restored. None: not known (no time left, or not asked)."""

    database: str
    schema: str  # MySQL has none: ""
    table: str
    rows: int | None = None
    digest: str | None = None
    bytes: int | None = None
    unread: str = ""  # why, where the digest is not known, or not of all: one of core.backups.unread
    through: str = ""  # the partitioned table through which its rows are restored, each into any of the partitions
    within: tuple[str, ...] = ()  # the partitioned tables between it and this one, none of which is restored alone

    @property
    def key(self) -> tuple[str, str, str]:
        return (self.database, self.schema, self.table)


@dataclass(frozen=True, slots=True)
class Facts:
    """What a restore is compared with. `comparable`: taken at exactly the dump's moment, with `evidence` of it."""

    mode: FactsMode = FactsMode.OFF
    comparable: bool = False
    evidence: str = ""  # exported snapshot, equal coordinates; or why there is none
    databases: tuple[DatabaseFacts, ...] = ()
    tables: tuple[TableFacts, ...] = ()
    roles: tuple[str, ...] = ()  # names of roles or accounts that hold objects or rights; digests, not passwords


@dataclass(frozen=True, slots=True)
class Member:
    """One file of a set; `path` is relative to the set's directory."""

    path: str
    size_bytes: int
    sha256: str
    role: MemberRole = MemberRole.DUMP
    codec: Codec = Codec.NONE
    database: str = ""
    sealed: bool = False  # encrypted with age


@dataclass(frozen=True, slots=True)
class Proof:
    """One step of the ladder that was tried. `reason` None: it holds."""

    name: ProofName
    at: float
    seconds: float
    reason: JobReason | None = None
    detail: str = ""  # one line; never a value of a row
    differences: tuple[str, ...] = ()  # table or object, what differs; bounded
    tools: Pairs = ()

    @property
    def holds(self) -> bool:
        return self.reason is None


@dataclass(frozen=True, slots=True)
class Manifest:
    """One published set. The file beside the members is the truth; an index of them can be rebuilt."""

    id: str  # 20261121T193201Z-000042-1a2b3c4d: begins with the time, then a number that only grows
    sequence: int
    kind: BackupKind
    instance: str
    engine: str
    server: ServerIdentity
    started_at: float
    ended_at: float
    seconds: float  # by the monotonic clock
    members: tuple[Member, ...]
    facts: Facts = field(default_factory=Facts)
    coordinates: Pairs = ()  # LSN; binary log file and position; GTID set
    tools: Pairs = ()  # program, version
    commands: tuple[str, ...] = ()  # as run, without secrets
    recipients: tuple[str, ...] = ()  # public keys
    warnings: tuple[str, ...] = ()  # what a restore will lack, or what was not consistent
    format: str = ""  # directory, custom, sql

    @property
    def size_bytes(self) -> int:
        return sum(member.size_bytes for member in self.members)

    @property
    def plain_bytes(self) -> int:
        return sum(database.size_bytes for database in self.facts.databases)

    @property
    def rows(self) -> int | None:
        """None where one table's are not known."""
        counts = [table.rows for table in self.facts.tables]
        return sum(filter(None, counts)) if counts and None not in counts else None


@dataclass(frozen=True, slots=True)
class BackupRecord:
    """A published set with all that was proven of it since, as the index holds it."""

    manifest: Manifest
    proofs: tuple[Proof, ...] = ()
    checksum: str = ""  # of the manifest file, when it was published
    pinned: bool = False  # kept by a person's order
    problem: str = ""  # why the set on disk cannot be used: the manifest is gone, or was edited

    @property
    def id(self) -> str:
        return self.manifest.id

    @property
    def proof(self) -> Proof | None:
        """The best that holds. What was shown to be bad is unproven until the same step, or a later one, holds."""
        best: Proof | None = None
        disproof: Proof | None = None
        for proof in self.proofs:
            if proof.reason in DISPROOFS:
                best, disproof = None, proof
            elif proof.holds and (disproof is None or proof.name.rank >= disproof.name.rank):
                best, disproof = proof if best is None or proof.name.rank >= best.name.rank else best, None
        return best

    @property
    def level(self) -> ProofLevel:
        return self.proof.name.level if self.proof is not None and not self.problem else ProofLevel.NONE


DISPROOFS = frozenset({JobReason.CORRUPT, JobReason.MISMATCH, JobReason.INCOMPLETE})  # others: it could not be tried


@dataclass(frozen=True, slots=True)
class JobRun:
    """One run of one job. `phase` and the progress change while it runs."""

    id: str
    kind: JobKind
    instance: str
    started_at: float
    state: JobState = JobState.RUNNING
    ended_at: float | None = None
    seconds: float | None = None
    reason: JobReason | None = None
    detail: str = ""  # one line for a person: what, and how to mend it
    phase: str = ""  # preparing, dumping, hashing, publishing, restoring, comparing ...
    backup: str = ""  # the id of the set that it made or looked at
    asked_by: str = ""  # schedule, or the account of a person
    phases: tuple[tuple[str, float], ...] = ()  # each phase's seconds, in order


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is, from sizes on disk and what the server tells. None: not known."""

    phase: str = ""
    bytes_done: int = 0
    bytes_expected: int | None = None
    tables_done: int | None = None
    tables_expected: int | None = None
    seconds_left: float | None = None
    blocked_sessions: int = 0
