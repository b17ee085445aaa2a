"""What jobs do with small files: in threads, for a disk may hang, and never left half done."""

from __future__ import annotations

import asyncio
import os
from contextlib import asynccontextmanager, suppress
from functools import partial
from stat import S_ISDIR
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from dbwatch.jobs.faults import disk_error

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Mapping
    from pathlib import Path

    from pydantic import SecretStr

P = ParamSpec("P")
T = TypeVar("T")
WHOLE_SECONDS = 5.0
PRIVATE, PRIVATE_DIRECTORY = 0o600, 0o700


async def whole(function: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    """Run it in a thread; who is cancelled meanwhile waits for it, so that it can be undone."""
    done = asyncio.get_running_loop().run_in_executor(None, partial(function, *arguments, **named))
    try:
        return await asyncio.shield(done)
    except asyncio.CancelledError:
        await asyncio.wait({done}, timeout=WHOLE_SECONDS)
        raise


@asynccontextmanager
async def secret_files(secrets: Mapping[Path, SecretStr]) -> AsyncIterator[None]:
    """Files that nobody else can read, as long as the context is open. Raise JobError."""
    try:
        await whole(_write_all, secrets)
        yield
    finally:
        if secrets:
            await whole(_remove_all, secrets)


def _write_all(secrets: Mapping[Path, SecretStr]) -> None:
    for path, secret in secrets.items():
        try:
            path.parent.mkdir(mode=PRIVATE_DIRECTORY, parents=True, exist_ok=True)
            with os.fdopen(opened(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), "w", encoding="utf-8") as file:
                file.write(secret.get_secret_value())
        except OSError as error:
            raise disk_error(error, path) from None


def _remove_all(paths: Iterable[Path]) -> None:
    for path in paths:
        with suppress(OSError):
            path.unlink()


def opened(path: Path, flags: int) -> int:
    """A descriptor; what is made is private, also where it stood there before. Never through a link."""
    descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, PRIVATE)
    if flags & os.O_CREAT:
        os.fchmod(descriptor, PRIVATE)
    return descriptor


def size_bytes(paths: Iterable[Path]) -> int:
    """Of files and of all that is in directories; what goes away meanwhile is not there."""
    return sum(_size(os.fspath(path)) for path in paths)


def _size(path: str) -> int:
    with suppress(OSError):
        found = os.lstat(path)
        return _directory(path) if S_ISDIR(found.st_mode) else found.st_size
    return 0


def _directory(path: str) -> int:
    total = 0
    with os.scandir(path) as entries:
        for entry in entries:
            with suppress(OSError):
                is_directory = entry.is_dir(follow_symlinks=False)
                total += _directory(entry.path) if is_directory else entry.stat(follow_symlinks=False).st_size
    return total
