"""The place that two lanes share: who waits for it is no hang, and who waits no longer takes it from nobody."""

from __future__ import annotations

import asyncio

from dbwatch.poller.place import GRACE_SECONDS, Turn
from dbwatch.tasks import Heartbeats
from tests.virtual_time import run


async def holds(turn: Turn, seconds: float) -> None:
    async with turn:
        await asyncio.sleep(seconds)


def test_who_waits_for_the_place_is_no_hang_and_who_has_it_and_says_nothing_is_one() -> None:
    async def story() -> None:
        heartbeats, place = Heartbeats(asyncio.get_running_loop().time), asyncio.Lock()
        heartbeats.beat("slow", 1)
        async with asyncio.TaskGroup() as group:
            for name in ("heavy", "slow"):
                group.create_task(holds(Turn(name, place, heartbeats), 2 * GRACE_SECONDS), name=name)
            await asyncio.sleep(1.5 * GRACE_SECONDS)
            assert heartbeats.late() == ["heavy"]
            heartbeats.forget("heavy")
            await asyncio.sleep(1.0 * GRACE_SECONDS)
            assert heartbeats.late() == []
            await asyncio.sleep(1.0 * GRACE_SECONDS)
            assert heartbeats.late() == ["slow"]

    run(story())


def test_who_gives_way_and_is_cancelled_while_another_is_at_work_leaves_the_place_to_that_one() -> None:
    async def story() -> None:
        place = asyncio.Lock()
        heartbeats = Heartbeats(asyncio.get_running_loop().time)

        async def giving() -> None:
            async with Turn("heavy", place, heartbeats) as turn:
                await asyncio.sleep(1)
                await turn.give_way()

        async with asyncio.TaskGroup() as group:
            heavy = group.create_task(giving(), name="heavy")
            group.create_task(holds(Turn("slow", place, heartbeats), 10), name="slow")
            await asyncio.sleep(5)
            heavy.cancel()
            await asyncio.wait([heavy])
            assert heavy.cancelled()
            assert place.locked()
        assert not place.locked()

    run(story())
