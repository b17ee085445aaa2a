"""What jobs may ask of any engine about backups: commands are built purely, sessions are held here, nothing is run.

The order of one backup: `preflight`, then for each of `steps` (PostgreSQL: one a database; MySQL and MariaDB: one for
the instance): `opened`, its pipelines are run by the jobs room, `dump_started` once they run, `facts` beside them,
`finished` when all ended well. Raise EngineError for what the server does, JobError for what stands in the way.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from dbwatch.core.backups.model import BackupKind, Codec, FactsMode, JobReason, MemberRole
from dbwatch.errors import JobError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from pydantic import SecretStr

    from dbwatch.core.backups.model import Facts, Manifest, Pairs
    from dbwatch.engines.preflight import Preflight
    from dbwatch.settings.models import Instance

SOON_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Program:
    """A client or server program that was found and asked for its version."""

    name: str  # pg_dump, mariadb-dump ...
    path: Path
    version: tuple[int, ...]
    version_text: str
    codecs: frozenset[Codec] = frozenset()  # proven by trying, never concluded from the version


@dataclass(frozen=True, slots=True)
class Command:
    """One process. `environment` is all it gets beside PATH, HOME and LANG; no secret stands in it or in `argv`."""

    argv: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    accepted: frozenset[int] = frozenset({0})  # exit codes that are success


LOOKING_THROUGH = "looking through the set"  # so a pipeline is named whose input another reads again


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Processes of which each reads what the one before writes; every exit code counts. Never a shell."""

    name: str  # for the log and the progress: "dump of marseille"
    commands: tuple[Command, ...]
    stdin: Path | None = None
    stdout: Path | None = None  # made 0600; None: discarded
    secrets: Mapping[Path, SecretStr] = field(default_factory=dict)  # files (0600) that must be there while it runs
    grows: tuple[Path, ...] = ()  # files or directories whose size is the progress
    database: str = ""
    fills: tuple[str, ...] = ()  # where a restore is of more than one database: all of them


@dataclass(frozen=True, slots=True)
class Output:
    """A file or directory that a step leaves; files of a directory become members of their own."""

    path: Path
    role: MemberRole = MemberRole.DUMP
    codec: Codec = Codec.NONE
    database: str = ""
    sealed: bool = False


@dataclass(frozen=True, slots=True)
class DumpOptions:
    """What the settings say of a dump."""

    kind: BackupKind = BackupKind.LOGICAL
    include: tuple[str, ...] = ("*",)
    exclude: tuple[str, ...] = ()
    parallel: int = 2
    codec: Codec | None = None  # None: the best that the client has
    facts: FactsMode = FactsMode.FULL
    facts_seconds: float = 600.0
    lock_wait_seconds: float = 10.0  # we wait no longer for the application's locks, and hold a global one no longer
    max_blocking_seconds: float = 5.0
    accept_non_transactional: bool = False
    seal: Command | None = None  # reads a stream, writes it encrypted; None: not encrypted
    program_directories: tuple[Path, ...] = ()  # looked into first


@dataclass(frozen=True, slots=True)
class Blocking:
    """Who waits for the dump's locks right now."""

    sessions: int = 0
    longest_seconds: float = 0.0

    def too_long(self, limit_seconds: float) -> JobError | None:
        """Why the dump is given up, None where it may go on."""
        if self.longest_seconds <= limit_seconds:
            return None
        waited = f"{self.sessions} session(s) waited for the dump's locks, one for {self.longest_seconds:.0f} s"
        mend = "schedule it when no DDL runs, or raise max_blocking"
        return JobError(JobReason.BLOCKED_OTHERS, f"{waited} (max_blocking {limit_seconds:g} s) -> {mend}")

    def look_again_seconds(self, limit_seconds: float, at_most: float = 1.0) -> float:
        """Until the next look: no later than the moment when somebody has waited for as long as is allowed."""
        return min(at_most, max(SOON_SECONDS, limit_seconds - self.longest_seconds))


class Source(Protocol):
    """The server, held at one moment while a step runs."""

    @property
    def pipelines(self) -> Sequence[Pipeline]:
        """To be run one after the other."""

    @property
    def outputs(self) -> Sequence[Output]: ...

    async def dump_started(self) -> None:
        """Right after the first process was started: what was held for it (a global lock) is let go when it may be."""

    async def facts(self) -> Facts:
        """Of the same moment, within `facts_seconds`: what there is no time for stays None. Runs beside the dump."""

    async def blocking(self) -> Blocking:
        """Asked every second: who waits for us."""

    async def let_go(self) -> None:
        """The application comes first: end at once, on the server, what others wait for; the dump is given up."""

    async def progress(self) -> tuple[int | None, int | None]:
        """Tables done and expected, as far as the server can tell."""

    async def finished(self) -> tuple[Pairs, bool, str]:
        """After the last process: coordinates; whether facts were of the dump's own moment; the evidence."""


class Step(Protocol):
    """One part of a dump."""

    @property
    def name(self) -> str: ...

    def opened(self) -> AbstractAsyncContextManager[Source]: ...


@dataclass(frozen=True, slots=True)
class Target:
    """Where to restore: a scratch server or a real one; `instance` says how to log in (credentials `backup`)."""

    instance: Instance
    directory: Path  # private, for password files and lists
    programs: tuple[Program, ...] = ()
    is_scratch: bool = False
    parallel: int = 2


@dataclass(frozen=True, slots=True)
class Selection:
    """What of a set to restore. Empty: all of it. `into`: the new database's name, where it is not to be its own."""

    database: str = ""
    schema: str = ""
    table: str = ""
    into: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """One that can be written, quoted; how it is `compared`, and `given` to the table from what was compared."""

    name: str
    compared: str
    given: str
    matched: str = ""  # a column of the key: how a row of the table is told to be the same one
    type: str = ""  # PostgreSQL: a table whose types are others since rounds values without a word
    is_cut: bool = False  # a dump may hold another value than the table did


@dataclass(frozen=True, slots=True)
class Aside:
    """A table that was restored beside the original."""

    columns: tuple[Column, ...]
    foreign_keys: tuple[str, ...] = ()  # PostgreSQL: the statements that were left out; MySQL: names, they are there
    is_partitioned: bool = False


@dataclass(frozen=True, slots=True)
class Scratch:
    """A private, socket-only, throw-away server: how it is made, run and ended. Never a network, never a secret."""

    initialise: tuple[Pipeline, ...]
    files: Mapping[Path, str]  # written after `initialise`: configuration
    serve: Command
    stop_signal: int
    instance: Instance  # how to log in as its superuser, through the socket
    log: Path


class BackupEngine(Protocol):
    """An engine's part in backups: stateless."""

    name: str

    async def preflight(self, instance: Instance, options: DumpOptions) -> Preflight:
        """Programs, versions, privileges, non-transactional tables, long transactions. Raise EngineError, JobError."""

    def steps(
        self,
        instance: Instance,
        preflight: Preflight,
        options: DumpOptions,
        directory: Path,
        *,
        private: Path,
        application: str,
    ) -> Sequence[Step]:
        """How to dump into `directory` (empty). Password files stand in `private`, which is of this machine alone.

        `application` names our sessions: they can be swept by it.
        """

    async def sweep(self, instance: Instance, application_prefix: str, keep: Collection[str]) -> int:
        """End sessions of dumps that nobody runs any more: how many."""

    async def client_programs(self, manifest: Manifest, program_directories: Sequence[Path]) -> tuple[Program, ...]:
        """Programs that can read it, whatever extensions are here. Raise JobError(CLIENT_MISSING)."""

    def decoding(
        self, manifest: Manifest, directory: Path, opener: Command | None, programs: Sequence[Program]
    ) -> Sequence[Pipeline]:
        """What reads every member to its end. `opener` decrypts a stream."""

    async def scratch_programs(self, manifest: Manifest, program_directories: Sequence[Path]) -> tuple[Program, ...]:
        """Server and client programs that can restore it. Raise JobError(CLIENT_MISSING, NO_EXTENSION)."""

    def scratch(self, directory: Path, programs: Sequence[Program], account: str | None) -> Scratch: ...

    async def wait_ready(self, instance: Instance, seconds: float) -> None:
        """Until it answers. Raise EngineError."""

    async def occupied(self, target: Target, selection: Selection, manifest: Manifest) -> str:
        """Why restoring there would overwrite something, or be the source itself; '': it is free."""

    async def present(self, target: Target) -> frozenset[str]:
        """The names of the databases that are there."""

    async def obstacles(
        self, manifest: Manifest, directory: Path, target: Target, selection: Selection, opener: Command | None
    ) -> Sequence[str]:
        """What the account there lacks for it, each with the statement that gives it."""

    async def kept(self, manifest: Manifest, target: Target, selection: Selection) -> Sequence[str]:
        """What is there already and stays as it is, though the set holds it too; a line each. Asked before."""

    async def kind(
        self,
        manifest: Manifest,
        directory: Path,
        programs: Sequence[Program],
        selection: Selection,
        opener: Command | None,
    ) -> str:
        """What the set has under the name of a table: table, view ...; '': nothing, or it cannot be told."""

    async def restoring(
        self, manifest: Manifest, directory: Path, target: Target, selection: Selection, opener: Command | None
    ) -> Sequence[Pipeline]:
        """Globals first, then databases; stops at the first error."""

    async def afterwards(self, manifest: Manifest, target: Target, selection: Selection) -> Sequence[str]:
        """What a person must know of what was restored, or mend there; a line each."""

    async def aside(
        self, manifest: Manifest, directory: Path, target: Target, selection: Selection, opener: Command | None
    ) -> Aside:
        """What there is to know of one table that was restored `into` another database, to bring its rows back."""

    async def facts_of(self, target: Target, manifest: Manifest, databases: Mapping[str, str], seconds: float) -> Facts:
        """The same facts of what was restored, under the source's names; `databases`: source name -> name there."""

    def integrity(self, target: Target, databases: Sequence[str]) -> Sequence[Pipeline]:
        """Programs that look at every page (pg_amcheck)."""

    async def check(self, target: Target, databases: Sequence[str]) -> tuple[str, ...]:
        """What is unsound, by the server's own means (CHECK TABLE); bounded."""
