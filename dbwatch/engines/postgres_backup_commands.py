"""How libpq's programs are called: what stands on the command line, in the environment, in the password file. Pure."""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import SecretStr

from dbwatch.core import quoting
from dbwatch.core.backups.model import Codec, JobReason
from dbwatch.engines.backing import Command
from dbwatch.errors import JobError
from dbwatch.settings.models import PostgresInstance
from dbwatch.settings.secrets import read_password
from dbwatch.settings.tls import tls_mode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from dbwatch.engines.backing import DumpOptions, Program
    from dbwatch.settings.models import Instance

DIRECTORY, CUSTOM = "directory", "custom"
PASSWORDS = ".pgpass"
SYSTEM_AUTHORITIES_SINCE = 16
# A server's own limits may not end a dump that takes hours. An older server refuses what it does not know.
# What a database or an account was given for its applications: pg_restore reconnects once the database has it.
SESSION = {
    0: ("statement_timeout", "idle_in_transaction_session_timeout", "default_transaction_read_only"),
    14: ("idle_session_timeout",),
    17: ("transaction_timeout",),
}
COMPRESSED = {Codec.NONE: "0", Codec.GZIP: "gzip:1", Codec.ZSTD: "zstd:1"}
METHODS_SINCE = 16  # before, --compress takes a level only
SEALED, SQUEEZED = ".age", ".zst"

SESSIONS_BESIDE = 3  # of ours: the moment's, the lookout's and the reader's


@dataclass(frozen=True, slots=True)
class Shape:
    """What a dump looks like on disk."""

    format: str
    inside: Codec  # by pg_dump itself
    outside: bool = False  # by zstd(1), on the stream

    @property
    def codec(self) -> Codec:
        return Codec.ZSTD if self.outside else self.inside

    def sessions(self, parallel: int) -> int:
        """How many a dump of one database has there at a time."""
        workers = parallel if self.format == DIRECTORY and parallel > 1 else 0
        return SESSIONS_BESIDE + 1 + workers


def shape(client: Program, *, has_zstd: bool, wanted: Codec | None, sealed: bool) -> Shape:
    """The cheapest that this client has: zstd:1 is a fifth of gzip's work. What is sealed must be one stream."""
    formed = CUSTOM if sealed else DIRECTORY
    codec = wanted or (Codec.ZSTD if has_zstd or Codec.ZSTD in client.codecs else Codec.GZIP)
    if codec in client.codecs:
        return Shape(formed, codec)
    if codec is Codec.ZSTD and has_zstd:
        return Shape(CUSTOM, Codec.NONE, outside=True)
    if wanted is None:
        return Shape(formed, Codec.NONE)
    text = f"{client.path} cannot compress by {codec}, and there is no {codec} program either"
    raise JobError(JobReason.CLIENT_MISSING, f"{text}: install zstd, or set codec to auto")


def compress(client: Program, codec: Codec) -> str:
    value = COMPRESSED[codec] if client.version[0] >= METHODS_SINCE else {Codec.GZIP: "1"}.get(codec, "0")
    return f"--compress={value}"


def server_of(instance: Instance) -> PostgresInstance:
    if not isinstance(instance, PostgresInstance):
        raise TypeError(f"{instance.name} is no PostgreSQL instance")
    return instance


def environment(
    instance: Instance, client: Program, passwords: Path, *, application: str = "dbwatch", server_major: int = 0
) -> dict[str, str]:
    """All that says where and who; a password stands in the file only."""
    server = server_of(instance)
    said = {
        "PGHOST": server.address,
        "PGPORT": str(server.port),
        "PGUSER": (server.backup or server.monitor).user,
        "PGDATABASE": server.database,  # else a database named like the account, which is seldom there
        "PGPASSFILE": str(passwords),
        "PGAPPNAME": application,
        "PGCONNECT_TIMEOUT": str(max(2, round(server.connect_timeout))),
        "PGGSSENCMODE": "disable",
        "PGCLIENTENCODING": "UTF8",
        "LC_ALL": "C.UTF-8",
    }
    return said | _tls(server, client) | ({"PGOPTIONS": _limits(server_major)} if server_major else {})


def _limits(server_major: int) -> str:
    return " ".join(f"-c {name}={value}" for name, value in without_limits(server_major).items())


def without_limits(server_major: int) -> dict[str, str]:
    """The settings of a session that nothing given to a database or an account for its applications ends."""
    return {name: "0" for since, names in SESSION.items() if server_major >= since for name in names}


def _tls(server: PostgresInstance, client: Program) -> dict[str, str]:
    files = {
        "PGSSLROOTCERT": server.tls.ca_file,
        "PGSSLCERT": server.tls.certificate_file,
        "PGSSLKEY": server.tls.key_file,
    }
    said = {"PGSSLMODE": tls_mode(server)} | {name: str(file) for name, file in files.items() if file is not None}
    if said["PGSSLMODE"].startswith("verify") and "PGSSLROOTCERT" not in said:
        said["PGSSLROOTCERT"] = _authorities(client)
    return said


def _authorities(client: Program) -> str:
    """Those of the system, as our own sessions trust them: libpq looks for a file in HOME otherwise."""
    places = ssl.get_default_verify_paths()
    return "system" if client.version[0] >= SYSTEM_AUTHORITIES_SINCE else str(places.cafile or places.openssl_cafile)


def passwords(instance: Instance, file: Path) -> Mapping[Path, SecretStr]:
    """The password file of libpq, one line for all databases of this server."""
    server = server_of(instance)
    credentials = server.backup or server.monitor
    secret = read_password(credentials)
    if secret is None:
        return {}
    line = ":".join(map(_escaped, (credentials.user, secret.get_secret_value())))
    return {file: SecretStr(f"*:*:*:{line}\n")}


def _escaped(field: str) -> str:
    return re.sub(r"([\\:])", r"\\\1", field)


def slug(number: int, database: str) -> str:
    """A file name for any database name: the manifest knows the real one."""
    return f"{number:02d}_" + re.sub(r"[^A-Za-z0-9_-]+", "_", database)[:40]


def dump(
    client: Program, form: Shape, options: DumpOptions, database: str, snapshot: str, *, target: Path, standby: bool
) -> tuple[str, ...]:
    """pg_dump's words. `target`: the directory that it makes itself; a stream goes to its standard output."""
    words = [
        str(client.path),
        f"--format={form.format}",
        compress(client, form.inside),
        f"--snapshot={snapshot}",
        f"--lock-wait-timeout={max(1, round(options.lock_wait_seconds * 1000))}",
        "--no-password",
    ]
    if standby:
        words.append("--no-unlogged-table-data")
    if form.format == DIRECTORY:
        words += [f"--jobs={options.parallel}", "--no-sync", f"--file={target}"]  # the archive syncs all at the end
    return (*words, f"--dbname={quoting.connection_string(database)}")


def pattern(database: str) -> str:
    """A name where psql's patterns are read."""
    return quoting.postgres(database)


def compressing(zstd: Program) -> Command:
    return Command((str(zstd.path), "-1", "-q", "-c"))


def decompressing(zstd: Program) -> Command:
    return Command((str(zstd.path), "-d", "-q", "-c"))


def globals_of(client: Program, database: str, *, with_passwords: bool) -> tuple[str, ...]:
    """pg_dumpall's words."""
    words = (str(client.path.with_name("pg_dumpall")), "--globals-only", "--no-password", f"--database={database}")
    return words if with_passwords else (*words, "--no-role-passwords")


def testing(zstd: Program, files: Sequence[str]) -> Command:
    return Command((str(zstd.path), "-t", "-q", "--", *files))


def named(programs: tuple[Program, ...], name: str) -> Program:
    """One of those that were found. Raise JobError."""
    for program in programs:
        if program.name == name:
            return program
    raise JobError(JobReason.CLIENT_MISSING, f"no {name} was found: install it, or name its directory in the settings")
