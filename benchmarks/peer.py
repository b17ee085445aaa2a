"""postgres_exporter, as Debian packages it: fetched once from the mirror that this machine uses already."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from benchmarks.paths import CACHE
from benchmarks.scrape import Client, wait_until_served
from benchmarks.servers import PEER, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from benchmarks.servers import Server

OVERRIDE = "DBWATCH_BENCH_PEER"  # the path of a postgres_exporter to use instead
SUITES = ("sid", "trixie")  # the newest first; both have 0.17 or later
PACKAGE = "prometheus-postgres-exporter"
PROGRAMS = ("prometheus-postgres-exporter", "postgres_exporter")
TARGETS = "$(ORIGIN)|$(LABEL)|$(COMPONENT)|$(REPO_URI)"


def _mirror() -> str:
    """The Debian mirror of this machine's own apt sources."""
    command = ["apt-get", "indextargets", "--format", TARGETS, "Created-By: Packages"]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    return next(line.rpartition("|")[2] for line in lines if line.startswith("Debian|Debian|main|"))


def _apt_options(home: Path) -> list[str]:
    """An apt that knows nothing of this machine but its keys, and changes nothing of it."""
    settings = {
        "Acquire::Check-Valid-Until": "false",  # snapshots of sid expire within a week
        "Acquire::Languages": "none",
        "APT::Sandbox::User": "root",
        "Dir::Cache": home,
        "Dir::Etc::sourcelist": home / "sources.list",
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::State::lists": home / "lists",
        "Dir::State::status": home / "status",
    }
    return [f"-o{key}={value}" for key, value in settings.items()]


def _fetch(suite: str, target: Path) -> None:
    home = target / "apt"
    for directory in ("lists/partial", "archives/partial"):
        (home / directory).mkdir(parents=True, exist_ok=True)
    (home / "status").touch()
    (home / "sources.list").write_text(f"deb {_mirror()} {suite} main\n")
    for action in (["update"], ["download", PACKAGE]):
        subprocess.run(["apt-get", "-qq", *_apt_options(home), *action], check=True, cwd=home)
    package = next(home.glob("*.deb"))
    subprocess.run(["dpkg", "-x", package, target], check=True)
    shutil.rmtree(home)


def _program_in(directory: Path) -> Path | None:
    found = (directory / "usr" / "bin" / name for name in PROGRAMS)
    return next((path for path in found if path.exists()), None)


@cache
def program() -> str:
    """The peer's executable: named by the environment, cached, or fetched now."""
    if OVERRIDE in os.environ:
        return os.environ[OVERRIDE]
    for suite in SUITES:
        directory = CACHE / "peer" / suite
        if _program_in(directory) is None:
            print(f"fetching {PACKAGE} of {suite} (once) ...", flush=True)
            with suppress(subprocess.CalledProcessError, StopIteration):
                _fetch(suite, directory)
        if path := _program_in(directory):
            return str(path)
    raise RuntimeError(f"no {PACKAGE} from {' or '.join(SUITES)}: set {OVERRIDE} to a postgres_exporter")


@cache
def version() -> str:
    done = subprocess.run([program(), "--version"], check=True, capture_output=True, text=True)
    return (done.stdout + done.stderr).split()[2]


@dataclass
class Peer:
    """One running exporter, its collectors as they come."""

    process: subprocess.Popen[bytes]
    client: Client

    @property
    def pid(self) -> int:
        return self.process.pid


@contextmanager
def running(server: Server, database: str, arguments: Sequence[str] = ()) -> Iterator[Peer]:
    port = free_port()
    command = [program(), f"--web.listen-address=127.0.0.1:{port}", "--log.level=error", *arguments]
    environment = {**os.environ, "DATA_SOURCE_NAME": server.url(PEER, database)}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    client = Client(port)
    try:
        wait_until_served(port, "/", process)
        yield Peer(process, client)
    finally:
        client.close()
        process.terminate()
        process.wait(timeout=10)
