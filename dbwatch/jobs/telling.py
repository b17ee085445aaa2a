"""What is told of backups: metrics for the store, boards for pages. All of it from memory."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from dbwatch.core.backups.figures import BackupBoard, InstanceBoard
from dbwatch.core.backups.model import JobKind
from dbwatch.core.model import Snapshot
from dbwatch.jobs import metrics
from dbwatch.jobs.boards import drills_of, kind_board
from dbwatch.jobs.roster import EVERY_INSTANCE, chosen

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from dbwatch.clock import Clock
    from dbwatch.core.backups.figures import RepositoryFigures
    from dbwatch.history.jobs import JobBook
    from dbwatch.jobs.roster import Roster
    from dbwatch.jobs.runner import Runner
    from dbwatch.jobs.scheduler import Bells
    from dbwatch.jobs.subject import Subject
    from dbwatch.jobs.upkeep import Upkeep
    from dbwatch.store import Store


@dataclass(slots=True)
class Telling:
    """`publish` after every change; `board` at any time."""

    roster: Callable[[], Roster]
    runner: Runner
    bells: Bells
    upkeep: Upkeep
    book: JobBook
    clock: Clock
    store: Store | None
    databases: Callable[[str], Collection[str]]
    _boards: dict[str, InstanceBoard] = field(default_factory=dict)

    def publish(self) -> None:
        """Metrics and boards of every instance that is backed up, made anew."""
        subjects = self.roster().subjects
        for gone in self._boards.keys() - subjects.keys():
            self._forget(gone)
        for name, subject in subjects.items():
            board = self._boards[name] = self._board_of(name, subject)
            if self.store is not None:
                blocks = tuple(metrics.blocks([kind.figures for kind in board.kinds], board.drills))
                lines = metrics.lines(subject.instance.identity, blocks)
                self.store.put(Snapshot(name, metrics.COLLECTOR, self.clock.monotonic(), 0.0, blocks), lines)

    def _forget(self, name: str) -> None:
        del self._boards[name]
        if self.store is not None:
            self.store.remove(name, metrics.COLLECTOR)

    def _board_of(self, name: str, subject: Subject) -> InstanceBoard:
        seen = self.upkeep.seen(name)
        databases = seen.databases or chosen(self.databases(name), subject.backup)
        run = next((each for each in self.runner.active if (each.kind, each.instance) == (JobKind.BACKUP, name)), None)
        kind = kind_board(subject, seen, databases, run, self.bells.next_at(JobKind.BACKUP, name))
        drill = self.roster().settings.backups.drills
        next_at = self.bells.next_at(JobKind.DRILL, EVERY_INSTANCE)
        kept = [each for each in self.book.last_drills if each.result.instance == name]
        return InstanceBoard((kind,), drills_of(kept, drill, next_at, subject.instance.identity.engine))

    def board(self) -> BackupBoard:
        """For a page."""
        return BackupBoard(bool(self.roster().subjects), dict(self._boards), self.repository_figures())

    def repository_figures(self) -> RepositoryFigures:
        """Of the directory, and how many runs there are."""
        waiting = [run.kind.value for run in self.runner.active if run.is_waiting]
        running = [run.kind.value for run in self.runner.active if not run.is_waiting]
        return replace(self.upkeep.repository, jobs_running=_counted(running), jobs_waiting=_counted(waiting))


def _counted(kinds: list[str]) -> tuple[tuple[str, int], ...]:
    return tuple((kind, kinds.count(kind)) for kind in dict.fromkeys(kinds))
