"""Reading a dump of MySQL or MariaDB back: to its end only, or into a server."""

from __future__ import annotations

import pwd
import signal
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dbwatch.core.backups.model import Codec, MemberRole
from dbwatch.core.backups.sections import AccountPart
from dbwatch.engines import mysql_backup_programs as programs_of
from dbwatch.engines.backing import LOOKING_THROUGH, Command, Pipeline, Scratch
from dbwatch.engines.mysql_backup_programs import MARIADB
from dbwatch.engines.mysql_backup_session import option_file, text
from dbwatch.engines.mysql_children import filtering
from dbwatch.settings.models import Credentials, MysqlInstance

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from dbwatch.core.backups.model import Manifest, Member
    from dbwatch.core.model import Facts
    from dbwatch.engines.backing import Program, Selection, Target
    from dbwatch.engines.base import Questions

SCRATCH_ACCOUNT = "dbwatch-scratch"
INIT_FILE, CONFIGURATION, SOCKET, LOG, DATA = "init.sql", "my.cnf", "s.sock", "server.log", "data"
SANDBOXED = (("10", "6", "18"), ("10", "11", "8"), ("11", "4", "2"))
MOST_PACKET_BYTES = 1024**3  # no server takes more, nor does a client that is asked for it
# Nobody comes by a network, so no name is looked up; were names not to be known at all, an account of the source whose
# host is this machine by name would be none.
COMMON_SERVER = (
    "skip-networking",
    "event-scheduler=OFF",
    "innodb-flush-log-at-trx-commit=0",
    "innodb-doublewrite=0",
    "innodb-buffer-pool-size=128M",
    "max-allowed-packet=1G",
    "max-heap-table-size=64G",  # what the source had is not known, and a table in memory may not be larger
    "local-infile=0",
)
SERVER = {
    MARIADB: ("skip-log-bin", "innodb-flush-method=nosync", "innodb-log-file-size=64M", "performance-schema=OFF"),
    "mysql": (
        "skip-log-bin",
        "mysqlx=OFF",
        "secure-file-priv=NULL",
        "innodb-redo-log-capacity=128M",
        "innodb-strict-mode=OFF",
    ),
}


def decoding(
    manifest: Manifest, directory: Path, opener: Command | None, programs: Sequence[Program]
) -> tuple[Pipeline, ...]:
    """Every member to its last line: what packs it proves its checksum, the child that nothing was cut off."""
    return tuple(
        Pipeline(
            f"reading {member.path}", (*_opened(member, opener, programs), filtering("ended")), directory / member.path
        )
        for member in manifest.members
    )


def _opened(member: Member, opener: Command | None, programs: Sequence[Program]) -> tuple[Command, ...]:
    unseal = (opener,) if member.sealed and opener is not None else ()
    return (*unseal, *_unpacking(member.codec, programs))


def _unpacking(codec: Codec, programs: Sequence[Program]) -> tuple[Command, ...]:
    if codec is Codec.NONE:
        return ()
    return (Command((programs_of.packer(programs, codec), "-d", "-q", "-c")),)


@dataclass(frozen=True, slots=True)
class Restoring:
    """One restore: of what, from where, to where."""

    manifest: Manifest
    directory: Path
    target: Target
    selection: Selection
    opener: Command | None
    begin: str  # what the client says first
    packet_bytes: int = MOST_PACKET_BYTES  # the longest statement that the server takes

    @property
    def flavour(self) -> str:
        return MARIADB if self.manifest.server.flavour == MARIADB else "mysql"

    @property
    def options(self) -> Path:
        return self.target.directory / "restore.cnf"

    def pipelines(self) -> Iterator[Pipeline]:
        """Accounts, for objects are defined by them; the databases; then rights, for they are given on objects."""
        whole = not self.selection.database
        if self.packet_bytes < MOST_PACKET_BYTES:
            yield from self._looking_through()
        accounts = [each for each in self.manifest.members if each.role is MemberRole.GLOBALS]
        dumps = [each for each in self.manifest.members if each.role is MemberRole.DUMP]
        if whole or self.target.is_scratch:
            yield from (self._piped("accounts", each, filtering(AccountPart.CREATE.value)) for each in accounts)
        for each in dumps:
            yield replace(self._piped(self._what(), each, *self._filters()), fills=self._filled())
        if whole:
            yield from (self._piped("rights", each, filtering(AccountPart.GRANT.value)) for each in accounts)

    def _looking_through(self) -> Iterator[Pipeline]:
        """What is too long for the server is found before anything is written there, and not halfway."""
        chosen = (self.selection.database, self.selection.table)
        picking = (filtering("pick", *chosen),) if self.selection.database else ()
        looking = filtering("short", str(self.packet_bytes))
        for each in self.manifest.members:
            if each.role is MemberRole.DUMP:
                commands = (*_opened(each, self.opener, self.target.programs), *picking, looking)
                yield Pipeline(LOOKING_THROUGH, commands, self.directory / each.path)

    def _filled(self) -> tuple[str, ...]:
        chosen = self.selection.into or self.selection.database
        return (chosen,) if chosen else tuple(each.name for each in self.manifest.facts.databases)

    def _what(self) -> str:
        chosen = (self.selection.database, self.selection.table)
        return ".".join(filter(None, chosen)) or "all databases"

    def _filters(self) -> tuple[Command, ...]:
        plain = () if self._knows_sandbox() else ("--plain",)
        if self.selection.database:
            chosen = (self.selection.database, self.selection.table, self.selection.into)
            return (filtering("pick", *chosen, *plain),)
        return (filtering("plain"),) if plain else ()

    def _knows_sandbox(self) -> bool:
        """A dump of MySQL never has that line; of MariaDB the client must be of a version that knows it."""
        if self.flavour != MARIADB:
            return True
        version = self._client().version
        since = {tuple(map(int, each[:2])): int(each[2]) for each in SANDBOXED}
        return version >= (11, 5) or version[2:3] >= (since.get(version[:2], 99),)

    def _client(self) -> Program:
        return programs_of.named(self.target.programs, programs_of.CLIENT, self.flavour)

    def _piped(self, what: str, member: Member, *filters: Command) -> Pipeline:
        client = Command(
            (
                str(self._client().path),
                f"--defaults-file={self.options}",
                f"--init-command={self.begin.strip()}",
                "--binary-mode",
                "--default-character-set=utf8mb4",
                "--max-allowed-packet=1G",
            )
        )
        commands = (*_opened(member, self.opener, self.target.programs), *filters, client)
        secrets = {self.options: option_file(self.target.instance, self.flavour)}
        return Pipeline(f"restore of {what}", commands, self.directory / member.path, None, secrets)


def scratch(
    directory: Path, programs: Sequence[Program], account: str | None, questions: Questions, server: Facts
) -> Scratch:
    """A server in `directory` (of the account's own), which only its socket reaches."""
    flavour = MARIADB if server.flavour == MARIADB else "mysql"
    program = programs_of.named(programs, programs_of.SERVER, flavour)
    configuration = directory / CONFIGURATION
    return Scratch(
        initialise=(Pipeline("making a scratch server", (_install(flavour, directory, programs, account),)),),
        files={
            configuration: _configuration(directory, flavour),
            directory / INIT_FILE: text(questions, "scratch_account", server),
        },
        serve=_as(account, str(program.path), f"--defaults-file={configuration}"),
        stop_signal=signal.SIGTERM,
        instance=_instance(directory),
        log=directory / LOG,
    )


def _install(flavour: str, directory: Path, programs: Sequence[Program], account: str | None) -> Command:
    data = f"--datadir={directory / DATA}"
    if flavour != MARIADB:
        server = programs_of.named(programs, programs_of.SERVER, flavour)
        return _as(account, str(server.path), "--no-defaults", "--initialize-insecure", data)
    install = programs_of.named(programs, programs_of.INSTALL, flavour)
    kind = ("--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve", "--force")
    return _as(account, str(install.path), "--no-defaults", data, *kind, "--innodb-log-file-size=64M")


def _as(account: str | None, *words: str) -> Command:
    """Servers refuse to run as root. A change of account forgets who is to be told of our death: say it again."""
    if account is None:
        return Command(words)
    entry = pwd.getpwnam(account)
    rights = (f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--clear-groups")
    return Command(("setpriv", *rights, "--pdeathsig=KILL", "--", *words))


def _configuration(directory: Path, flavour: str) -> str:
    where = (
        f"datadir={directory / DATA}",
        f"socket={directory / SOCKET}",
        f"pid-file={directory / 'server.pid'}",
        f"tmpdir={directory}",
        f"init-file={directory / INIT_FILE}",
    )
    return "\n".join(["[mysqld]", *where, *COMMON_SERVER, *SERVER[flavour]]) + "\n"


def _instance(directory: Path) -> MysqlInstance:
    socket = directory / SOCKET
    return MysqlInstance(name="scratch", engine="mysql", socket=socket, monitor=Credentials(user=SCRATCH_ACCOUNT))
