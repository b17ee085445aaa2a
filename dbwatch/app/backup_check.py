"""What `dbwatch config check` says of backups before the first one fails: keys that are no keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dbwatch.errors import ConfigError, Fault, JobError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dbwatch.settings.models import Settings

RECIPIENTS, IDENTITY = "backups.encryption.recipients", "backups.encryption.identity_file"


def refuse_faults(settings: Settings) -> None:
    """Raise ConfigError with every key that cannot be used."""
    if found := list(faults(settings)):
        raise ConfigError(found)


def faults(settings: Settings) -> Iterator[Fault]:
    """Each key that cannot be used."""
    encryption = settings.backups.encryption
    if not encryption.recipients and encryption.identity_file is None:
        return
    from dbwatch.archive import sealing

    yield from _fault(RECIPIENTS, lambda: sealing.check_recipients(encryption.recipients))
    if (file := encryption.identity_file) is not None:
        yield from _fault(IDENTITY, lambda: sealing.check_identity(file))


def _fault(where: str, check: Callable[[], None]) -> Iterator[Fault]:
    try:
        check()
    except JobError as error:
        what, _, mend = str(error).partition(" -> ")
        yield Fault(where, what, mend)
