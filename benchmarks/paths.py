"""Where the benchmarks keep what is slow to make: the peer's binary, server binaries, data directories."""

from __future__ import annotations

import os
import pwd
import shutil
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
CACHE = REPOSITORY / ".cache" / "bench"
RESULTS_FILE = Path(__file__).resolve().parent / "RESULTS.md"
SERVER_USER = "nobody"


def server_user() -> str | None:
    """Who runs the servers: PostgreSQL refuses root."""
    return SERVER_USER if os.geteuid() == 0 else None


def own(path: Path) -> Path:
    """Give `path` to the user that runs the servers."""
    user = server_user()
    if user is not None:
        shutil.chown(path, user, pwd.getpwnam(user).pw_gid)
    return path


def server_root() -> Path:
    """A directory that the servers' user can reach: never below a home that it cannot traverse."""
    CACHE.mkdir(parents=True, exist_ok=True)
    note = CACHE / "server_root"
    if note.exists() and Path(note.read_text()).is_dir():
        return Path(note.read_text())
    root = own(Path(tempfile.mkdtemp(prefix="dbwatch-bench-", dir="/var/tmp")))
    note.write_text(str(root))
    return root
