"""A PostgreSQL to throw away: its own directory and socket, no network, no worker of an extension. Pure."""

from __future__ import annotations

import os
import pwd
import signal
from typing import TYPE_CHECKING

from dbwatch.core.backups.model import JobReason
from dbwatch.engines import postgres_backup_commands as commands
from dbwatch.engines.backing import Command, Pipeline, Scratch
from dbwatch.engines.postgres_backup_programs import SETPRIV, UNSHARE
from dbwatch.errors import JobError
from dbwatch.settings.models import Credentials, PostgresInstance

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from dbwatch.engines.backing import Program

SUPERUSER, MAINTENANCE = "postgres", "template1"
PORT = 5432
SOCKET_LIMIT_BYTES = 107
# Nothing of it must survive a power cut; nothing of it may call out or run by itself; no row may reach its log.
CONFIGURATION = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_replication_slots": "0",
    "archive_mode": "off",
    "autovacuum": "off",
    "shared_preload_libraries": "",
    "session_preload_libraries": "",
    "max_worker_processes": "0",
    "max_logical_replication_workers": "0",
    "max_connections": "30",
    "max_locks_per_transaction": "1024",
    "shared_buffers": "128MB",
    "maintenance_work_mem": "256MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "1h",
    "jit": "off",
    "ssl": "off",
    "logging_collector": "off",
    "log_min_messages": "warning",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_statement": "none",
    "timezone": "UTC",
}


def scratch(directory: Path, programs: Sequence[Program], account: str | None) -> Scratch:
    """How it is made, run and ended. `directory` is there already and belongs to `account`."""
    socket = directory / f".s.PGSQL.{PORT}"
    if len(os.fsencode(socket)) > SOCKET_LIMIT_BYTES:
        text = f"the path of a socket below {directory} would be too long"
        raise JobError(JobReason.OTHER, f"{text} -> name a directory with a shorter path")
    data, found = directory / "data", tuple(programs)
    initdb, server = commands.named(found, "initdb"), commands.named(found, "postgres")
    words = (f"--pgdata={data}", f"--username={SUPERUSER}", "--auth=trust", "--encoding=UTF8", "--locale=C")
    as_account = _as(account, found)
    making = Command((*as_account, str(initdb.path), *words, "--data-checksums", "--no-sync", "--no-instructions"))
    settings = CONFIGURATION | {"unix_socket_directories": str(directory)}
    return Scratch(
        initialise=(Pipeline("making of a scratch server", (making,), grows=(data,)),),
        files={data / "postgresql.auto.conf": "".join(f"{name} = '{value}'\n" for name, value in settings.items())},
        serve=Command((*_alone(found), *as_account, str(server.path), "-D", str(data), "-p", str(PORT))),
        stop_signal=int(signal.SIGINT),
        instance=at(directory),
        log=directory / "server.log",
    )


def at(directory: Path) -> PostgresInstance:
    superuser = Credentials(user=SUPERUSER)
    return PostgresInstance(
        name="scratch",
        engine="postgres",
        host=str(directory),
        port=PORT,
        database=MAINTENANCE,
        monitor=superuser,
        backup=superuser,
        connect_timeout=30.0,
    )


def _as(account: str | None, programs: tuple[Program, ...]) -> tuple[str, ...]:
    """PostgreSQL refuses to run as root."""
    if account is None:
        return ()
    try:
        entry = pwd.getpwnam(account)
    except KeyError:
        text = f"there is no account {account} to run a scratch server"
        raise JobError(JobReason.OTHER, f"{text}: set backups.scratch_account") from None
    setpriv = commands.named(programs, SETPRIV)
    who = (f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--clear-groups")
    return (str(setpriv.path), *who, "--pdeathsig=QUIT", "--")


def _alone(programs: tuple[Program, ...]) -> tuple[str, ...]:
    """In a network of its own, where we may: no function of a restored database reaches anybody."""
    unshare = next((program for program in programs if program.name == UNSHARE), None)
    return (str(unshare.path), "--net", "--") if unshare else ()
