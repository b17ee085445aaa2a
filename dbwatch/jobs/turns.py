"""A limit to how many run at once, in the order of their asking; it may be changed while they run."""

from __future__ import annotations

import asyncio
from collections import deque


class Turns:
    """Taken by `take`, given back by `give`."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._taken = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def count(self) -> int:
        return self._count

    @count.setter
    def count(self, count: int) -> None:
        self._count = count
        self._pass_on()

    async def take(self) -> None:
        """Wait for one."""
        mine = asyncio.get_running_loop().create_future()
        self._waiting.append(mine)
        self._pass_on()
        try:
            await mine
        except asyncio.CancelledError:
            if mine in self._waiting:
                self._waiting.remove(mine)
            elif not mine.cancelled():  # it was given in the same moment
                self.give()
            raise

    def give(self) -> None:
        self._taken -= 1
        self._pass_on()

    def _pass_on(self) -> None:
        while self._waiting and self._taken < self._count:
            following = self._waiting.popleft()
            if not following.done():
                following.set_result(None)
                self._taken += 1
