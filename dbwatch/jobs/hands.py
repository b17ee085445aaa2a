"""What a job may do while it runs: the runner gives it, tests give their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from dbwatch.core.backups.model import Progress
    from dbwatch.engines.backing import Command, Pipeline

    Hook = Callable[[], Awaitable[None]]


class Serving(Protocol):
    """A server process of ours."""

    @property
    def is_running(self) -> bool: ...

    async def kill(self) -> None:
        """As a power cut would, and wait for it."""

    async def stop(self) -> None:
        """As it ends by itself, and wait for it."""


class Hands(Protocol):
    """One run, as its work sees it."""

    @property
    def id(self) -> str: ...

    @property
    def application(self) -> str:
        """Names our sessions on the server: they can be swept by it."""

    def phase(self, name: str) -> None:
        """A phase begins; the one before has taken its time."""

    def show(self, progress: Progress) -> None:
        """For the page and the progress bar."""

    def made(self, backup_id: str) -> None:
        """The set that this run makes or looks at."""

    async def run(self, pipeline: Pipeline, *, on_started: Hook | None = None, keep_output: bool = False) -> float:
        """Run it to its end: the CPU seconds it took. Raise JobError where any process failed.

        `keep_output`: the last one may say on its standard output why it did.
        """

    def serving(
        self, command: Command, *, log: Path, stop_signal: int, name: str
    ) -> AbstractAsyncContextManager[Serving]:
        """A server that runs while the context is open, and never longer."""
