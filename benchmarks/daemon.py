"""dbwatch itself, started as an operator starts it."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from benchmarks import names, proc
from benchmarks.paths import CACHE
from benchmarks.scrape import Client, wait_until_served
from benchmarks.servers import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PROGRAM = str(Path(sys.executable).parent / "dbwatch")


@cache
def missing() -> str:
    """Why no daemon can be started, or nothing."""
    if not Path(PROGRAM).exists():
        return f"{Path(PROGRAM).name} is not installed beside this Python"
    done = subprocess.run([PROGRAM, "run", "--help"], capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else f"`dbwatch run --help` ended with {done.returncode}"


@dataclass
class Daemon:
    """One running daemon; so many seconds, of the clock and of CPU, after it was started it answered."""

    process: subprocess.Popen[bytes]
    client: Client
    port: int
    first_scrape_seconds: float
    first_scrape_cpu_seconds: float

    @property
    def pid(self) -> int:
        return self.process.pid

    def wait_until_up(self, instances: int, seconds: float = 60.0) -> float:
        """Seconds until that many instances are reported up."""
        pattern = re.compile(rf"^{names.UP}\{{.*\}} 1(?:\.0)?$".encode(), re.MULTILINE)
        started = time.perf_counter()
        while time.perf_counter() - started < seconds:
            if len(pattern.findall(self.client.get().body)) >= instances:
                return time.perf_counter() - started
            time.sleep(0.1)
        raise TimeoutError(f"{instances} instances were not up within {seconds:g} s")

    def wait_until_samples(self, samples: int, seconds: float = 120.0) -> int:
        """The page's samples, as soon as there are that many."""
        started = time.perf_counter()
        while time.perf_counter() - started < seconds:
            if (found := self.client.get().samples) >= samples:
                return found
            time.sleep(1)
        raise TimeoutError(f"the page did not reach {samples} samples within {seconds:g} s: it has {found}")


@contextmanager
def running(
    instances: dict[str, dict[str, object]], *, prefix: Sequence[str] = (), port: int | None = None
) -> Iterator[Daemon]:
    """A daemon that watches `instances`; `prefix` may pin it to a core."""
    chosen = port or free_port()
    with tempfile.TemporaryDirectory(prefix="dbwatch-bench-") as directory:
        home = Path(directory)
        (home / "state").mkdir()
        file = home / "dbwatch.yml"
        file.write_text(yaml.safe_dump(names.settings(instances, port=chosen, home=home)))
        command = [*prefix, PROGRAM, "run", "--config", str(file)]
        with (CACHE / "daemon.log").open("ab") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log)
        client = Client(chosen)
        try:
            first = wait_until_served(chosen, "/metrics", process)
            yield Daemon(process, client, chosen, first, proc.cpu_seconds(process.pid))
        finally:
            client.close()
            process.terminate()
            process.wait(timeout=15)
