"""The real `dbwatch run` as its own process, and what can be seen of it from outside."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import psutil
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.fix_process import environment, eventually, free_port, program
from tests.patience import Patience, ended

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Key = tuple[str, frozenset[tuple[str, str]]]
READY_SECONDS, STOP_SECONDS = 45.0, 20.0


@dataclass(frozen=True)
class Page:
    """An answer of the daemon, whatever its status."""

    status: int
    body: bytes
    headers: Mapping[str, str]

    @property
    def text(self) -> str:
        return self.body.decode()


class Samples(dict[Key, float]):
    """A parsed /metrics page."""

    def where(self, name: str, **labels: str) -> dict[frozenset[tuple[str, str]], float]:
        """Every sample of that name that carries at least these labels."""
        wanted = set(labels.items())
        return {own: value for (found, own), value in self.items() if found == name and wanted <= own}

    def value(self, name: str, **labels: str) -> float | None:
        """The one sample of that name with at least these labels; None when absent, an error when there are more."""
        found = self.where(name, **labels)
        if len(found) > 1:
            raise ValueError(f"{len(found)} samples of {name} with {labels}")
        return next(iter(found.values()), None)


def parse_page(text: str) -> Samples:
    families = text_string_to_metric_families(text)
    return Samples(
        {(each.name, frozenset(each.labels.items())): each.value for family in families for each in family.samples}
    )


def dbwatch_command() -> list[str]:
    """The installed console script: the wheel's when the wheel is what is tested."""
    script = Path(sys.executable).with_name("dbwatch")
    if script.exists():
        return [str(script)]
    return [sys.executable, "-c", "import sys; from dbwatch.cli import main; sys.exit(main())"]


class Daemon:
    """One `dbwatch run` process."""

    def __init__(self, directory: Path, configuration: Mapping[str, Any] | str, env: Mapping[str, str]) -> None:
        self.directory = directory
        self.configuration_file = directory / "config" / "dbwatch.yml"
        self.log_file = directory / "dbwatch.log"
        self.port = free_port()
        self.configuration_file.parent.mkdir()
        self.write(configuration)
        self._env = env
        self._process = self._spawn(env)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def write(self, configuration: Mapping[str, Any] | str) -> None:
        """Write the configuration; a mapping is completed with this daemon's port and directories, a text is not."""
        if not isinstance(configuration, str):
            configuration = yaml.safe_dump(self._completed(configuration), allow_unicode=True)
        self.configuration_file.write_text(configuration)

    def wait_ready(self, timeout_seconds: float = READY_SECONDS) -> Daemon:
        """Wait until /-/ready says 200."""
        patience = Patience(timeout_seconds)
        while self.status("/-/ready") != 200:
            if not self.is_running or patience.is_over:
                pytest.fail(f"dbwatch is not ready:\n{self.log()[-4000:]}")
            time.sleep(0.02)
        return self

    def get(self, path: str, headers: Mapping[str, str] | None = None, timeout_seconds: float = 60.0) -> Page:
        """GET a page; an error status is an answer like any other."""
        request = urllib.request.Request(self.url + path, headers=dict(headers or {}))
        try:
            with urllib.request.urlopen(request, timeout=timeout_seconds) as answer:
                return Page(answer.status, answer.read(), dict(answer.headers))
        except urllib.error.HTTPError as error:
            with error:
                return Page(error.code, error.read(), dict(error.headers))

    def status(self, path: str) -> int:
        """The status of a page; 0 when nobody answers."""
        try:
            return self.get(path).status
        except OSError:
            return 0

    def scrape(self, path: str = "/metrics") -> Samples:
        return parse_page(self.get(path).text)

    def wait_for(self, name: str, expected: float | None, *, timeout_seconds: float = 60.0, **labels: str) -> Samples:
        """Scrape until the one sample with these labels has that value (None: is absent); the page that shows it."""

        def pages_with_it() -> list[Samples]:
            page = self.scrape()
            return [page] if page.value(name, **labels) == expected else []

        return eventually(pages_with_it, timeout_seconds=timeout_seconds)[0]

    def log(self) -> str:
        return self.log_file.read_text(errors="replace")

    def rss_bytes(self) -> int:
        return int(psutil.Process(self.pid).memory_info().rss)

    def fd_count(self) -> int:
        return psutil.Process(self.pid).num_fds()

    def cpu_seconds(self) -> float:
        times = psutil.Process(self.pid).cpu_times()
        return float(times.user + times.system)

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def wait(self, timeout_seconds: float = STOP_SECONDS) -> int:
        """Wait for the end: the exit code."""
        return ended(self._process, timeout_seconds)

    def stop(self, timeout_seconds: float = STOP_SECONDS) -> int:
        """SIGTERM, and the exit code; one that does not end in time is killed, and that fails the test."""
        if self.is_running:
            self.send(signal.SIGTERM)
        try:
            return self.wait(timeout_seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            ended(self._process, 10)
            pytest.fail(f"dbwatch did not stop within {timeout_seconds:g} s:\n{self.log()[-4000:]}")

    def kill(self) -> None:
        """kill -9: nothing is closed, removed or said."""
        self._process.kill()
        ended(self._process, STOP_SECONDS)

    def start_again(self, timeout_seconds: float = READY_SECONDS) -> Daemon:
        """A new process on the same configuration, state and socket."""
        self._process = self._spawn(self._env)
        return self.wait_ready(timeout_seconds)

    def _completed(self, configuration: Mapping[str, Any]) -> dict[str, Any]:
        own = {
            "http": {"listen_addresses": [f"127.0.0.1:{self.port}"]} | dict(configuration.get("http", {})),
            "state_directory": str(self.directory / "state"),
            "control_socket": str(self.directory / "control.sock"),
        }
        return own | {key: value for key, value in configuration.items() if key != "http"}

    def _spawn(self, env: Mapping[str, str]) -> subprocess.Popen[bytes]:
        dies_with_us = [str(program("setpriv")), "--pdeathsig=KILL"]
        command = [*dies_with_us, *dbwatch_command(), "run", "--config", str(self.configuration_file.parent)]
        with self.log_file.open("ab") as log:
            return subprocess.Popen(
                command, env=environment(env), stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.directory
            )


class NewDaemon(Protocol):
    """Start a daemon: `daemon({"instances": {"pg": postgres_18.instance()}})`."""

    def __call__(
        self, configuration: Mapping[str, Any] | str, *, env: Mapping[str, str] | None = None, wait: bool = True
    ) -> Daemon: ...


@pytest.fixture
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NewDaemon]:
    """Daemons that are stopped at the end of the test; `wait=False` for one that is not to become ready."""
    with ExitStack() as stack:

        def make(
            configuration: Mapping[str, Any] | str, *, env: Mapping[str, str] | None = None, wait: bool = True
        ) -> Daemon:
            started = Daemon(tmp_path_factory.mktemp("daemon"), configuration, env or {})
            stack.callback(started.stop)
            return started.wait_ready() if wait else started

        yield make
