"""What every real server of the tests shares: a user without rights, a directory, a port, a process.

Nothing here is a mock: a fault is made by doing it (kill, freeze, cut), not by pretending.
"""

from __future__ import annotations

import fcntl
import os
import pwd
import random
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, TypeVar

import psutil
import pytest

from tests.patience import Patience, ended

if TYPE_CHECKING:
    import signal
    from collections.abc import Callable, Iterator, Mapping, Sequence

T = TypeVar("T")

IN_CI = os.environ.get("CI") == "true"
# Below Linux' ephemeral range: no outgoing connection can take such a port between our look and the server's bind.
PORTS = range(20000, 32000)
MISSING: set[str] = set()  # what the summary at the end of a run tells
_HELD_PORTS: list[IO[str]] = []


def missing(what: str) -> None:
    """Skip on a laptop, and say so at the end; fail where everything was to be installed."""
    MISSING.add(what)
    if IN_CI:
        pytest.fail(f"{what} is not installed: run scripts/install_test_packages")
    pytest.skip(f"for want of {what}")


def program(name: str, *directories: str, want: str = "") -> Path:
    """The first executable of that name on PATH, in /usr/sbin or in the directories given; else skip or fail."""
    search = os.pathsep.join([*directories, os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
    found = shutil.which(name, path=search)
    if found is None:
        missing(want or name)
    return Path(found or name)


def free_port() -> int:
    """A loopback port that nobody listens on, and that no other run of these tests will be given while we live."""
    locks = Path(tempfile.gettempdir(), f"dbwatch-test-ports-{os.getuid()}")
    locks.mkdir(exist_ok=True)
    for port in random.sample(PORTS, len(PORTS)):
        if _hold(locks / str(port)) and _bindable(port):
            return port
    raise RuntimeError(f"no free port in {PORTS}")


def _hold(lock: Path) -> bool:
    """Lock the file until this process ends, however it ends."""
    handle = lock.open("w")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        handle.close()
        return False
    _HELD_PORTS.append(handle)
    return True


def _bindable(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def eventually(probe: Callable[[], T], *, timeout_seconds: float = 60.0, every_seconds: float = 0.05) -> T:
    """Ask until the answer is true, and give it back; on time-out fail with the last answer."""
    patience = Patience(timeout_seconds)
    while not (answer := probe()):
        if patience.is_over:
            pytest.fail(f"not within {timeout_seconds:g} s, last answer: {answer!r}")
        time.sleep(every_seconds)
    return answer


def unprivileged(*, die_with_us: str = "") -> list[str]:
    """Database servers refuse to run as root: the words before a command that give up its rights."""
    words = [shutil.which("setpriv") or "setpriv"]
    if os.getuid() == 0:
        nobody = pwd.getpwnam("nobody")
        words += [f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"]
    if die_with_us:
        words += [f"--pdeathsig={die_with_us}"]
    return words if len(words) > 1 else []


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """A server's environment: nothing of the developer's own settings (PGHOST, MYSQL_HOME ...)."""
    return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "TZ": "UTC"} | dict(extra or {})


@contextmanager
def workspace() -> Iterator[Path]:
    """A directory of the unprivileged user, with a path short enough for unix sockets, removed at the end."""
    path = Path(tempfile.mkdtemp(prefix="dbwatch-test-"))
    try:
        if os.getuid() == 0:
            shutil.chown(path, "nobody")
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def run(
    arguments: Sequence[str | Path], directory: Path, *, stdin: str = "", env: Mapping[str, str] | None = None
) -> str:
    """Run a short command as the unprivileged user; its output, or an error that holds what it said."""
    done = subprocess.run(
        [*unprivileged(), *map(str, arguments)],
        cwd=directory,
        env=environment(env),
        input=stdin,
        text=True,
        capture_output=True,
        timeout=300,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{arguments[0]} ended with {done.returncode}: {done.stderr or done.stdout}")
    return done.stdout


class ServerProcess:
    """A server that we started: its log, its signals, and every way in which it may end."""

    def __init__(self, directory: Path, *, dies_with_us_by: str = "KILL", log_file: Path | None = None) -> None:
        self.directory = directory
        self.log_file = log_file or directory / "server.log"
        self._dies_with_us_by = dies_with_us_by
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        if self._process is None:
            raise RuntimeError("not started")
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def log(self) -> str:
        """Everything that the server wrote so far."""
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def spawn(self, arguments: Sequence[str | Path], env: Mapping[str, str] | None = None) -> None:
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                [*unprivileged(die_with_us=self._dies_with_us_by), *map(str, arguments)],
                cwd=self.directory,
                env=environment(env),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def wait_ready(self, is_ready: Callable[[], bool], timeout_seconds: float = 60.0) -> None:
        """Wait for a server that starts; where it died or hangs, its log says why."""
        patience = Patience(timeout_seconds)
        while not is_ready():
            if not self.is_running or patience.is_over:
                raise RuntimeError(f"{self.directory.name} did not start:\n{self.log()[-4000:]}")
            time.sleep(0.02)

    def send(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def wait(self, timeout_seconds: float = 30.0) -> int:
        """Wait for the end: its exit code."""
        if self._process is None:
            raise RuntimeError("not started")
        return ended(self._process, timeout_seconds)

    def end(self, number: signal.Signals, timeout_seconds: float = 30.0) -> None:
        """Ask it to stop; kill it when it does not."""
        if not self.is_running:
            return
        self.thaw()
        with suppress(ProcessLookupError):  # it ended by itself meanwhile
            self.send(number)
        try:
            self.wait(timeout_seconds)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """kill -9 of the whole family, as a power cut would: nothing is said to clients or written to disk."""
        family = self._family()
        for member in family:
            with suppress(psutil.NoSuchProcess):
                member.kill()
        if self._process is not None:
            ended(self._process, 30)
        psutil.wait_procs(family, timeout=30)

    def freeze(self) -> None:
        """Stop every process of the server where it stands: it accepts connections and never answers."""
        for member in self._family():
            with suppress(psutil.NoSuchProcess):
                member.suspend()

    def thaw(self) -> None:
        for member in self._family():
            with suppress(psutil.NoSuchProcess):
                member.resume()

    def cpu_seconds(self) -> float:
        """User and system time of the server and its children, the ended ones included."""
        return sum(sum(member.cpu_times()[:4]) for member in self._family())

    def _family(self) -> list[psutil.Process]:
        if not self.is_running:
            return []
        parent = psutil.Process(self.pid)
        return [parent, *parent.children(recursive=True)]
