"""What the tests of backups share: a daemon that backs up real servers, and what can be seen of it from outside."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from dbwatch.app.backups import AGAIN
from dbwatch.errors import ControlError
from dbwatch.http.control_client import call
from tests.fix_process import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fix_daemon import Daemon
    from tests.fix_postgres import Postgres

CANARY = "backup-canary-7f3a"
BACKUP = "dbwatch_backup_test"
ROWS = 150_000
TOWN = f"""
CREATE TABLE citizen (id bigint PRIMARY KEY, name text NOT NULL, token text NOT NULL);
INSERT INTO citizen SELECT i, md5(i::text), md5((i * 7)::text) || md5((i * 11)::text)
FROM generate_series(1, {ROWS}) AS i;
"""


@contextmanager
def backup_ground() -> Iterator[Path]:
    """Where sets and scratch servers go: a short path that the account of scratch servers can enter."""
    path = Path(tempfile.mkdtemp(prefix="dbwatch-test-backup-"))
    path.chmod(0o711)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextmanager
def small_disk(directory: Path, size: str) -> Iterator[None]:
    """A file system of its own there."""
    directory.mkdir(exist_ok=True)
    mount = ["/bin/mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(directory)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("no small file system can be mounted here: that takes root")
    try:
        yield
    finally:
        subprocess.run(["/bin/umount", "--lazy", str(directory)], check=True)


@dataclass(frozen=True)
class Ground:
    """The directories of one daemon's backups."""

    directory: Path

    @property
    def repository(self) -> Path:
        return self.directory / "repository"

    @property
    def scratch(self) -> Path:
        return self.directory / "scratch"

    def settings(self, **more: object) -> dict[str, object]:
        """The section that all instances share."""
        base: dict[str, object] = {
            "directory": str(self.repository),
            "scratch_directory": str(self.scratch),
            "reserve_ratio": 0,
            "reserve_bytes": 0,
            "stop_grace": "1s",
        }
        return base | more

    def published(self, instance: str) -> list[str]:
        """The ids of the sets on disk."""
        return self._named(instance, partial=False)

    def partial(self, instance: str) -> list[str]:
        return self._named(instance, partial=True)

    def _named(self, instance: str, *, partial: bool) -> list[str]:
        directory = self.repository / instance / "logical"
        names = sorted(each.name for each in directory.iterdir()) if directory.is_dir() else []
        wanted = [name for name in names if name.endswith(".partial") == partial]
        return [name for name in wanted if partial or not name.startswith(".")]

    def files(self, instance: str, backup: str) -> list[Path]:
        """The members of a set: neither its manifest nor its proofs."""
        root = self.repository / instance / "logical" / backup
        return sorted(each for each in root.rglob("*") if each.is_file() and each.suffix != ".json")


READY_SECONDS = 90.0  # beside everything else that a busy machine does


class Backed:
    """A daemon whose instance `pg1` (or `my1`) is backed up, and the ground that its sets lie on."""

    def __init__(self, daemon: Daemon, ground: Ground, instance: str) -> None:
        self.daemon, self.ground, self.instance = daemon.wait_ready(READY_SECONDS), ground, instance

        self._runs: set[str] = set()

    def ask(self, command: str, **arguments: object) -> Any:
        """What the control socket answers, once it can: a daemon that is ready may still begin with its jobs."""

        def answered() -> list[Any]:
            try:
                return [asyncio.run(call(self.daemon.directory / "control.sock", command, arguments))]
            except ControlError as error:
                if AGAIN not in str(error):
                    raise
                return []

        return eventually(answered)[0]

    def start(self) -> str:
        """Ask for a backup, as soon as the daemon has tidied up: the run's id."""

        def started() -> str:
            try:
                return self._noted(self.ask("backup_start", instance=self.instance, who="test"))
            except ControlError as error:
                if "tidies up" not in str(error) and "under way" not in str(error):
                    raise
                return ""

        return eventually(started, timeout_seconds=60)

    def ended(self, run: str, timeout_seconds: float = 120) -> dict[str, Any]:
        """The run once it is over."""

        def over() -> dict[str, Any]:
            found: dict[str, Any] = self.ask("job_status", id=run)
            return found if found["state"] != "running" else {}

        return eventually(over, timeout_seconds=timeout_seconds, every_seconds=0.1)

    def run(self) -> dict[str, Any]:
        return self.ended(self.start())

    def verify(self, backup: str) -> dict[str, Any]:
        """Prove a set that is there once more."""
        return self.ended(self._noted(self.ask("backup_verify", id=backup, who="test")))

    def _noted(self, answer: dict[str, Any]) -> str:
        self._runs.add(answer["id"])
        return str(answer["id"])

    def processes(self, name: str = "") -> list[psutil.Process]:
        """What our runs started and is still there, with that program's name; other tests run beside us."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if name in ("", process.name()) and process.environ().get("DBWATCH_JOB") in self._runs:
                    found.append(process)
        return found

    def metric(self, name: str, expected: float | None, **labels: str) -> None:
        """Wait until the page says so."""
        self.daemon.wait_for(f"dbwatch_backup_{name}", expected, timeout_seconds=60, **labels)

    def dumping(self, server: Postgres) -> int:
        """Wait until pg_dump copies rows, and stop it there: its process id, the leader's where workers copy."""
        return eventually(lambda: self._caught(server), timeout_seconds=60, every_seconds=0.002)

    def _caught(self, server: Postgres) -> int:
        for process in self.processes("pg_dump"):
            with suppress(psutil.Error):
                if (parent := process.parent()) is not None and parent.name() == process.name():
                    continue  # a worker: its leader is what is meant
                process.suspend()
                if stands_still(server):
                    return process.pid
                process.resume()
        return 0


def stands_still(server: Postgres) -> bool:
    """Whether a session waits for whom was stopped; one that still sends may have nothing left to send soon."""
    while server.psql(COPYING) != "0":
        if server.psql(WAITING) != "0":
            return True
    return False


# pg_dump's own sessions while they copy; those that hold the snapshot and read facts are the daemon's.
SESSIONS = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'dbwatch/bk/%'"
COPYING = f"{SESSIONS} AND state = 'active' AND query LIKE 'COPY %'"
WAITING = f"{COPYING} AND wait_event = 'ClientWrite'"
