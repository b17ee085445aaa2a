"""The instances that are watched now, and how a reload changes them: by equality, one by one."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from dbwatch.app.world import same_questions
from dbwatch.errors import EngineError, Reason
from dbwatch.poller.once import Target, ask_once
from dbwatch.poller.poller import InstancePoller

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dbwatch.app.world import World
    from dbwatch.core.model import Rows
    from dbwatch.poller.poller import Surroundings
    from dbwatch.settings.models import Instance

log = structlog.get_logger()
STOP_SECONDS = 3.0


class Fleet:
    """Starts and stops the pollers of a world's instances, as tasks of the application's group."""

    def __init__(self, group: asyncio.TaskGroup, around: Surroundings) -> None:
        self._group = group
        self._around = around
        self._world: World | None = None
        self._pollers: dict[str, InstancePoller] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._ended = False

    async def become(self, world: World) -> None:
        """Watch exactly the instances of `world`: those that are equal go on undisturbed."""
        wanted = {instance.name: instance for instance in world.settings.watched}
        kept = {name for name, poller in self._pollers.items() if self._goes_on(poller, world, wanted.get(name))}
        await self.stop(self._tasks.keys() - kept)
        if self._ended:  # the process was asked to stop meanwhile
            return
        self._around.store.families = world.catalogue.families
        for name, instance in wanted.items():
            if name not in kept:
                engine = world.engines[instance.identity.engine]
                poller = self._pollers[name] = InstancePoller(
                    instance, engine, world.catalogue, self._around, siblings=len(wanted) - 1
                )
                self._tasks[name] = self._group.create_task(poller.run(), name=f"instance {name}")
        self._world = world

    def _goes_on(self, poller: InstancePoller, world: World, wanted: Instance | None) -> bool:
        """Equal settings, equal questions, and no refused login: a reload is how an operator says `try again`."""
        if self._world is None or wanted is None or poller.instance.as_polled != wanted.as_polled:
            return False
        engine = poller.instance.identity.engine
        refused = poller.watch.state.reason is Reason.AUTH
        return not refused and same_questions(self._world.catalogue, world.catalogue, engine)

    async def end(self) -> None:
        """Stop them all; a reload that is under way starts none any more."""
        self._ended = True
        await self.stop()

    async def stop(self, names: Iterable[str] | None = None) -> None:
        """Cancel the pollers (all of them by default) and wait until their sessions are closed, but not for ever."""
        chosen = list(self._tasks if names is None else names)
        tasks = [self._tasks.pop(name) for name in chosen]
        pollers = [self._pollers.pop(name) for name in chosen]  # at once: who is told anew would stay on the page
        for task in tasks:
            task.cancel()
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=STOP_SECONDS)
            for poller in pollers:  # the late ones too, before another one watches in their place
                poller.forget()
            if late:
                log.warning("stop_incomplete", tasks=sorted(task.get_name() for task in late))

    async def look(self, name: str, question: str) -> Rows:
        """Ask one instance a question of sql/<engine>/jobs, in the place of its probe. Raise EngineError."""
        poller, world = self._pollers.get(name), self._world
        if poller is None or world is None:
            raise EngineError(Reason.MISSING, "it is not watched any more")
        engine, catalogue = poller.engine, world.catalogue
        async with poller.spare, self._around.logins:
            target = Target(poller.instance, engine, catalogue, self._around.clock)
            return await ask_once(target, catalogue.question(engine.name, question))

    def publish(self) -> None:
        """Tell every instance's state anew: a maintenance window opened or closed."""
        for poller in self._pollers.values():
            poller.watch.publish()
