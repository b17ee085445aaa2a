"""An event loop whose clock jumps to the next timer: hours of polling are tested in milliseconds, without a sleep."""

from __future__ import annotations

import asyncio
import selectors
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Coroutine


class _JumpingSelector(selectors.SelectSelector):
    """Instead of waiting, lets that much time pass."""

    now: float = 1000.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout:
            self.now += timeout
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """Also a dbwatch Clock: `time` is the loop's, `monotonic` the same number."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now

    def monotonic(self) -> float:
        return self._jumping.now


def run(main: Coroutine[Any, Any, None]) -> None:
    """Run `main` to its end in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(main)
