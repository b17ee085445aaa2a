"""Blocking work off the loop that is never left half done: who is cancelled waits for its end."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

T = TypeVar("T")


async def whole(work: Callable[[], T], stop: threading.Event | None = None) -> T:
    """Run work in a thread. When cancelled, `stop` is set, and the cancellation goes on once the thread has ended."""
    ending = asyncio.get_running_loop().run_in_executor(None, work)
    cancelled: asyncio.CancelledError | None = None
    while not ending.done():
        try:
            await asyncio.wait([ending])
        except asyncio.CancelledError as error:
            cancelled = error
            if stop is not None:
                stop.set()
    if cancelled is not None:
        ending.exception()  # looked at: nobody else will
        raise cancelled
    return ending.result()
