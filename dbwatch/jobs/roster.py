"""Who is backed up: the subjects of one configuration, and when their bells ring."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from dbwatch import engines
from dbwatch.archive.repository import Repository
from dbwatch.core.backups.model import JobKind
from dbwatch.errors import UsageError
from dbwatch.jobs.options import backup_of, passwords_directory, scratch_directory
from dbwatch.jobs.scheduler import Bell
from dbwatch.jobs.subject import subject_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from dbwatch.clock import Clock
    from dbwatch.core.catalogue import Catalogue
    from dbwatch.engines.backing import BackupEngine
    from dbwatch.history.jobs import JobBook
    from dbwatch.jobs.subject import Subject
    from dbwatch.settings.backups import LogicalBackup
    from dbwatch.settings.models import Instance, Settings

EVERY_INSTANCE = ""  # a drill's bell rings for all
MISFIRE_SECONDS = 6 * 3600.0  # of a drill's bell


class Roster:
    """One configuration's; a reload makes another."""

    def __init__(self, settings: Settings, catalogue: Catalogue, book: JobBook, clock: Clock) -> None:
        self.settings = settings
        self.repository = Repository.configured(settings.backups)
        self._catalogue = catalogue
        self._book, self._clock = book, clock
        self._engines: dict[str, BackupEngine] = {}
        made = ((instance.name, self._subject(instance)) for instance in settings.watched)
        self.subjects: Mapping[str, Subject] = {name: subject for name, subject in made if subject is not None}

    def _subject(self, instance: Instance) -> Subject | None:
        if backup_of(instance) is None:
            return None
        return subject_of(
            self.settings,
            instance,
            engine=self.engine(instance.identity.engine),
            repository=self.repository,
            book=self._book,
            clock=self._clock,
        )

    def engine(self, name: str) -> BackupEngine:
        if name not in self._engines:
            self._engines[name] = engines.load_backing(name, self._catalogue)
        return self._engines[name]

    def subject(self, name: str) -> Subject:
        """Raise UsageError where there is none."""
        if name in self.subjects:
            return self.subjects[name]
        if name in self.settings.instances:
            raise UsageError(f"{name} is not backed up -> give it a section `backups: {{logical: {{}}}}`")
        if self._book.sets.records(name):
            directory = self.repository.directory / name
            what = f"{name} is not in the settings any more: its backups are kept as they are, nothing proves or"
            mend = f"`dbwatch restore list {name}` shows them; give it back its section, or remove {directory} by hand"
            raise UsageError(f"{what} deletes them -> {mend}")
        known = ", ".join(sorted(self.subjects)) or "none"
        raise UsageError(f"no instance {name!r} is backed up: known are {known}")

    @property
    def scratch_directory(self) -> Path:
        return scratch_directory(self.settings)

    @property
    def passwords_directory(self) -> Path:
        return passwords_directory(self.settings)

    @property
    def bells(self) -> Iterator[Bell]:
        for name, subject in self.subjects.items():
            backup = subject.backup
            if backup.schedule is not None:
                yield Bell(JobKind.BACKUP, name, backup.schedule, backup.timezone, backup.misfire_grace)
        drills = self.settings.backups.drills
        if drills.schedule is not None and self.subjects:
            yield Bell(JobKind.DRILL, EVERY_INSTANCE, drills.schedule, drills.timezone, MISFIRE_SECONDS)


def chosen(databases: Iterable[str], backup: LogicalBackup) -> tuple[str, ...]:
    """Those that the settings ask for, by shell pattern."""
    return tuple(
        name
        for name in sorted(databases)
        if any(fnmatchcase(name, pattern) for pattern in backup.include)
        and not any(fnmatchcase(name, pattern) for pattern in backup.exclude)
    )
