"""What may hang (a file system over a network that is gone) is done in a thread of its own, and given up in time.

A daemon thread, and none of an executor: the end of the process never waits for it.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Result = TypeVar("Result")


def sent(name: str, work: Callable[[], Result]) -> asyncio.Future[Result]:
    """Begin the work now. The future may never be done: wait with a limit."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Result] = loop.create_future()

    def deliver(result: Result) -> None:
        if not future.done():
            future.set_result(result)

    def run() -> None:
        result = work()
        with suppress(RuntimeError):  # the loop ended before us
            loop.call_soon_threadsafe(deliver, result)

    threading.Thread(target=run, name=name, daemon=True).start()
    return future
