"""A supervised task outlives its own bugs, and ends when it is asked to, whatever its work does meanwhile."""

from __future__ import annotations

import asyncio

from dbwatch.tasks import supervise
from tests.virtual_time import run


def test_a_bug_is_counted_and_the_work_begins_again() -> None:
    crashes: list[str] = []

    async def work() -> None:
        if len(crashes) < 3:
            raise ZeroDivisionError

    run(supervise("lane", work, crashes.append))

    assert ["lane"] * 3 == crashes


def test_a_bug_while_it_is_cancelled_keeps_nobody_from_ending_it() -> None:
    crashes: list[str] = []

    async def work() -> None:
        """As a group of tasks before Python 3.13, which forgets that it was cancelled where its end has a bug."""
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            if not crashes:
                raise ZeroDivisionError from None
            raise

    async def scene() -> None:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(supervise("lane", work, crashes.append), name="lane")
            await asyncio.sleep(1)
            task.cancel()
            _, late = await asyncio.wait([task], timeout=3600)
            for each in late:
                each.cancel()
            assert not late

    run(scene())

    assert ["lane"] == crashes
