"""Prometheus and Alertmanager of Debian 12 and of Debian sid (Prometheus 3, Alertmanager 0.33), unpacked on demand."""

from __future__ import annotations

import fcntl
import signal
import subprocess
import urllib.error
import urllib.request
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from tests.fix_process import ServerProcess, free_port, missing, workspace

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
SUITES = ("bookworm", "sid")
FETCH_SECONDS = 180


@cache
def unpacked(suite: str) -> Path | None:
    """Where a suite's packages are, fetched the first time (15 s); None where they cannot be had."""
    cache = ROOT / ".cache" / "prometheus"
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with (cache / f"{suite}.lock").open("w") as lock:  # who comes second must not put another in its place
            fcntl.flock(lock, fcntl.LOCK_EX)
            subprocess.run([ROOT / "scripts" / "fetch_prometheus", suite], check=True, timeout=FETCH_SECONDS)
    except (subprocess.SubprocessError, OSError):
        return None
    return cache / suite


def tool(suite: str, name: str) -> Path:
    root = unpacked(suite)
    if root is None:
        missing(f"Prometheus of Debian {suite} (scripts/fetch_prometheus {suite})")
    return Path(root or "/", "usr", "bin", name)


def asked(suite: str, name: str, *arguments: str | Path) -> tuple[int, str]:
    """Run a tool at the root of the repository: how it ended, and what it said."""
    done = subprocess.run(
        [tool(suite, name), *map(str, arguments)], cwd=ROOT, capture_output=True, text=True, timeout=240, check=False
    )
    return done.returncode, done.stdout + done.stderr


@contextmanager
def alertmanager(suite: str, configuration: str) -> Iterator[str]:
    """A real Alertmanager, and its address. Debian's reads its own templates below /usr/share: given by an overlay."""
    binary = tool(suite, "prometheus-alertmanager")
    share = binary.parents[1] / "share"
    address = f"127.0.0.1:{free_port()}"
    with workspace() as directory:
        (directory / "alertmanager.yml").write_text(configuration)
        overlay = f"mount -t overlay overlay -o lowerdir={share}:/usr/share /usr/share"
        flags = f"--config.file=alertmanager.yml --storage.path=data --web.listen-address={address}"
        server = ServerProcess(directory)
        server.spawn(["unshare", "-rm", "sh", "-c", f"{overlay} && exec {binary} {flags} --cluster.listen-address="])
        try:
            server.wait_ready(lambda: _is_ready(address))
            yield f"http://{address}"
        finally:
            server.end(signal.SIGTERM)


def _is_ready(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://{address}/-/ready", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
