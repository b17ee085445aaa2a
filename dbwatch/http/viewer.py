"""Reads the store for a person: builds the views of all instances or of one, letting the loop go on in between."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from dbwatch.http.view import instance_view, with_rankings

if TYPE_CHECKING:
    from collections.abc import Callable

    from dbwatch.http.figures import Figures
    from dbwatch.http.view import InstanceView
    from dbwatch.store import InstanceState, Store


class Viewer:
    """Views of what the store holds now."""

    def __init__(self, store: Store, figures: Figures, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._figures = figures
        self._clock = clock
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="html")

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def aside(self, write: Callable[[], str]) -> str:
        """Writing the page of 200 instances takes longer than the loop may be held up: a thread does it."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, write)

    def now(self) -> float:
        return self._clock()

    async def all(self) -> list[InstanceView]:
        """Every configured instance, by name."""
        states = self._store.states()
        self._figures.forget_others(state.identity.db_instance for state in states)
        views = []
        for state in states:
            views.append(self._view(state))
            await asyncio.sleep(0)
        return views

    def one(self, instance: str) -> InstanceView:
        """Raise KeyError where no such instance is configured."""
        view = self._view(self._store.state(instance))
        return with_rankings(view, self._figures.rankings(self._store.snapshots(instance)))

    def _view(self, state: InstanceState) -> InstanceView:
        name = state.identity.db_instance
        snapshots = self._store.snapshots(name)
        return instance_view(state, self._figures.read(name, snapshots), self.now(), snapshots)
