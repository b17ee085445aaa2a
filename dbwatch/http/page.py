"""The /metrics page: its text straight from the store, and its compressed form ready before it is asked for.

A page is compressed in a thread, and only while somebody asks for its format: docs/decisions/0004. What is taken from
the store is a list of references, taken in one go on the event loop, so that a page never shows half a change.
"""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Never

from dbwatch.core.exposition import OPENMETRICS_END
from dbwatch.http.gzip_member import Compressor
from dbwatch.http.negotiation import Format

if TYPE_CHECKING:
    from collections.abc import Callable

    from dbwatch.http.gzip_member import Member
    from dbwatch.http.own_metrics import OwnMetrics
    from dbwatch.http.selection import Selection
    from dbwatch.store import Store

WANTED_SECONDS = 300.0  # a page is kept fresh for so long after the last scrape of its format
AGE_MAX_SECONDS = 5.0  # the process's own metrics change without the store saying so
OWN_AGE_SECONDS = 4.0
GAP_MIN_SECONDS = 1.0
GAP_COSTS = 50  # after a build rest for 50 times its cost: 2 % of a core at the most


class _Compressed:
    """One format's page as it was last built."""

    def __init__(self, page_format: Format) -> None:
        self.format = page_format
        self.body: bytes | None = None
        self.wanted_at = float("-inf")
        self.compressor = Compressor()
        self.own = b""
        self.own_at = float("-inf")

    def drop(self) -> None:
        self.body = None
        self.compressor = Compressor()


class Pages:
    """Gives pages; `run()` keeps the compressed ones fresh."""

    def __init__(self, store: Store, own: OwnMetrics, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._own = own
        self._clock = clock
        self._pages = {page_format: _Compressed(page_format) for page_format in Format}
        self._pages[Format.OPENMETRICS].wanted_at = clock()  # Prometheus's choice: its first scrape need not wait
        self._changed = asyncio.Event()
        self._building = asyncio.Lock()
        self._threads = ThreadPoolExecutor(max_workers=1, thread_name_prefix="page")

    def changed(self) -> None:
        """The store holds something new."""
        self._changed.set()

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def run(self) -> Never:
        """Rebuild what is asked for, whenever the store has changed, and not too often."""
        while True:
            await self._wait_for_change()
            self._changed.clear()
            seconds = 0.0
            for page in self._pages.values():
                seconds += await self._refresh(page)
            await asyncio.sleep(max(GAP_MIN_SECONDS, GAP_COSTS * seconds))

    async def _wait_for_change(self) -> None:
        try:
            async with asyncio.timeout(AGE_MAX_SECONDS):
                await self._changed.wait()
        except TimeoutError:
            return

    async def _refresh(self, page: _Compressed) -> float:
        """The CPU seconds that it took."""
        if self._clock() - page.wanted_at > WANTED_SECONDS:
            page.drop()
            return 0.0
        async with self._building:
            return await self._build(page)

    async def compressed(self, page_format: Format) -> bytes:
        """The last built page; only the first scrape for a while waits for a build."""
        page = self._pages[page_format]
        page.wanted_at = self._clock()
        if page.body is None:
            async with self._building:
                if page.body is None:
                    await self._build(page)
        return page.body or b""

    async def compressed_selection(self, page_format: Format, selection: Selection) -> bytes:
        """Part of a page, compressed for this one answer."""
        chunks = self.chunks(page_format, selection)
        member = await asyncio.get_running_loop().run_in_executor(self._threads, Compressor().member, chunks)
        return member.body

    def chunks(self, page_format: Format, selection: Selection) -> list[bytes]:
        """The selected part of the page as text, uncompressed."""
        openmetrics = page_format is Format.OPENMETRICS
        chosen = list(
            selection.named(
                self._store.page(
                    openmetrics=openmetrics, instances=selection.instances, collectors=selection.collectors
                )
            )
        )
        if selection.has_own:
            self._look()
            chosen += selection.named(selection.blocks(self._own.render(openmetrics=openmetrics)))
        return [*chosen, OPENMETRICS_END] if openmetrics else chosen

    def _look(self) -> None:
        self._own.look()
        self._own.holds(instances=len(self._store.states()), series=self._store.series())

    async def _build(self, page: _Compressed) -> float:
        began = time.perf_counter()
        chunks = list(self._store.page(openmetrics=page.format is Format.OPENMETRICS))
        self._look()
        on_loop_seconds = time.perf_counter() - began
        loop = asyncio.get_running_loop()
        member, in_thread_seconds = await loop.run_in_executor(self._threads, self._compress, page, chunks)
        page.body = member.body
        seconds = on_loop_seconds + in_thread_seconds
        self._own.built(page.format.value, seconds, plain_bytes=member.plain_bytes, gzip_bytes=len(member.body))
        return seconds

    def _own_text(self, page: _Compressed, *, openmetrics: bool) -> bytes:
        """Rendering them costs more than all the rest of a small page: not at every build."""
        now = self._clock()
        if now - page.own_at > OWN_AGE_SECONDS:
            page.own, page.own_at = self._own.render(openmetrics=openmetrics), now
        return page.own

    def _compress(self, page: _Compressed, chunks: list[bytes]) -> tuple[Member, float]:
        """Runs in the thread."""
        began = time.thread_time()
        openmetrics = page.format is Format.OPENMETRICS
        chunks.append(self._own_text(page, openmetrics=openmetrics))
        if openmetrics:
            chunks.append(OPENMETRICS_END)
        member = page.compressor.member(chunks)
        return member, time.thread_time() - began
