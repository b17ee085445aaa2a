"""The place that the slow and the heavy lane of an instance share: one of them is at work, the other waits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    import asyncio

    from dbwatch.tasks import Heartbeats

GRACE_SECONDS = 60.0


class Turn:
    """One lane's turns at the place."""

    def __init__(self, name: str, place: asyncio.Lock, heartbeats: Heartbeats) -> None:
        self._name = name
        self._place = place
        self._heartbeats = heartbeats
        self._is_ours = False

    async def __aenter__(self) -> Self:
        """Who waits is no hang: who has the place says of itself that it lives."""
        self._heartbeats.forget(self._name)
        await self._place.acquire()
        self._is_ours = True
        self._heartbeats.beat(self._name, GRACE_SECONDS)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._leave()

    async def give_way(self) -> None:
        """Let whoever waits go first: a lock is given in the order in which it was asked for."""
        self._leave()
        await self.__aenter__()

    def _leave(self) -> None:
        if self._is_ours:  # not where a wait for the place was cancelled
            self._is_ours = False
            self._place.release()
