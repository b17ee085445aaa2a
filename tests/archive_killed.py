"""kill -9 at every step of publishing: `python -m tests.archive_killed DIRECTORY` makes DIRECTORY/0, /1 ..., one each.

In each stands an earlier set, and a process died before or after one operation of publishing the next. The last one's
process lived.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.archive_sets import published, repository

if TYPE_CHECKING:
    from collections.abc import Callable

OPERATIONS = ("fsync", "rename", "replace", "chmod")


def die_at(step: int) -> None:
    """From now on every operation counts twice: before it is done, and after."""
    steps = count(1)

    def tick() -> None:
        if next(steps) == step:
            os.kill(os.getpid(), signal.SIGKILL)

    def counted(operation: Callable[..., Any]) -> Callable[..., Any]:
        def instead(*arguments: Any, **named: Any) -> Any:
            tick()
            result = operation(*arguments, **named)
            tick()
            return result

        return instead

    for name in OPERATIONS:
        setattr(os, name, counted(getattr(os, name)))


def publish(directory: Path, step: int) -> None:
    die_at(step)
    asyncio.run(published(repository(directory)))
    os._exit(0)


def main(root: Path) -> None:
    earlier = root / "0"
    earlier.mkdir()
    asyncio.run(published(repository(earlier)))
    for step in count(1):
        directory = root / str(step)
        shutil.copytree(earlier, directory)
        if child := os.fork():
            if os.waitpid(child, 0)[1] == 0:
                return
        else:
            publish(directory, step)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
