"""What the tests of the process's life share: systemd's ear, an operator's collector, a daemon with a hung driver."""

from __future__ import annotations

import select
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.fix_daemon import dbwatch_command
from tests.fix_process import environment, eventually, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

# A driver whose call never comes back, as ODBC drivers do it: not even cancelling the task frees its thread.
HUNG_DRIVER = """
import asyncio, sys, time
from pathlib import Path
from dbwatch import app, engines

class Hung:
    name = "postgres"

    async def connect(self, *_, **__):
        print("hangs", flush=True)
        await asyncio.to_thread(time.sleep, 600)

engines.load = lambda name, questions: Hung()
sys.exit(asyncio.run(app.run(Path(sys.argv[1]))))
"""


class Notifications:
    """The socket that systemd would listen on: what was said, message by message."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.messages: list[str] = []
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + address[1:] if address.startswith("@") else address)

    def heard(self) -> list[str]:
        """Everything that was said until now."""
        while select.select([self.socket], [], [], 0)[0]:
            self.messages.append(self.socket.recv(65536).decode())
        return self.messages

    def lines(self) -> list[str]:
        return [line for message in self.heard() for line in message.splitlines()]

    def wait_for(self, line: str, count: int = 1, timeout_seconds: float = 45.0) -> None:
        """Wait until the line was said so many times."""
        eventually(lambda: self.lines().count(line) >= count, timeout_seconds=timeout_seconds)


@contextmanager
def notifications(address: str) -> Iterator[Notifications]:
    """Listen as systemd does; an address with @ is in the abstract namespace."""
    ear = Notifications(address)
    try:
        yield ear
    finally:
        ear.socket.close()


def own_collector(directory: Path, name: str, sql: str, **head: object) -> None:
    """An operator's own collector with one family of its own, `dbwatch_own_<name>`."""
    family = f"dbwatch_own_{name}"
    (directory / "postgres").mkdir(parents=True, exist_ok=True)
    known = directory / "families.yml"
    families = yaml.safe_load(known.read_text()) if known.exists() else {}
    families[family] = {"type": "gauge", "help": "Our own.", "engines": ["postgres"]}
    known.write_text(yaml.safe_dump(families))
    text = yaml.safe_dump({"description": "Our own.", "interval": "10s", "metrics": {family: {"value": "n"}}} | head)
    (directory / "postgres" / f"{name}.sql").write_text(f"/* ---\n{text}--- */\n{sql}\n")


@contextmanager
def hung_driver(directory: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A daemon, up and running, with a thread that sleeps ten minutes in its driver."""
    configuration = {
        "instances": {"pg1": {"engine": "postgres", "monitor": {"user": "dbwatch"}}},
        "http": {"listen_addresses": [f"127.0.0.1:{free_port()}"]},
        "state_directory": str(directory / "state"),
        "control_socket": str(directory / "control.sock"),
    }
    (directory / "dbwatch.yml").write_text(yaml.safe_dump(configuration))
    command = [sys.executable, "-c", HUNG_DRIVER, str(directory / "dbwatch.yml")]
    log = directory / "log"
    with log.open("wb") as sink, subprocess.Popen(command, env=environment(), stdout=sink, stderr=sink) as process:
        try:
            eventually(lambda: "hangs" in log.read_text().split())
            yield process
        finally:
            process.kill()


def command_line(*words: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, as a person would type it."""
    return subprocess.run(
        [*dbwatch_command(), *words], env=environment(env), capture_output=True, text=True, timeout=120, check=False
    )


@contextmanager
def half_a_request(port: int) -> Iterator[None]:
    """Two clients that hold on: one never ends its request, one never reads its answer."""
    with socket.create_connection(("127.0.0.1", port)) as slow, socket.create_connection(("127.0.0.1", port)) as deaf:
        slow.sendall(b"GET /metrics HTTP/1.1\r\nHost: dbwatch\r\n")
        deaf.sendall(b"GET /metrics HTTP/1.1\r\nHost: dbwatch\r\n\r\n")
        yield


class Stopwatch:
    """How long since it was made."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began


@contextmanager
def full_disk(directory: Path) -> Iterator[Path]:
    """A file system of 256 KiB of its own, to be filled with `fill`."""
    directory.mkdir()
    mount = ["/bin/mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(directory)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("no small file system can be mounted here: that takes root")
    try:
        yield directory
    finally:
        subprocess.run(["/bin/umount", "--lazy", str(directory)], check=True)


def fill(directory: Path) -> None:
    """Write until no byte more goes in."""
    with (directory / "filler").open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"x" * 1024)
