"""What the application lets a request do: the only way from a page or the control socket into the daemon."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dbwatch.core.alerting.view import NOT_STARTED
from dbwatch.core.backups.figures import NO_BACKUPS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from dbwatch.core.alerting.view import AlertBoard
    from dbwatch.core.backups.figures import BackupBoard

    Command = Callable[[dict[str, object]], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Doors:
    """Callables that the application provides."""

    # The keys that wait for a restart; raises ConfigError, and the old configuration is then still in use.
    reload: Callable[[], Awaitable[Sequence[str]]]
    ready: Callable[[], str]  # "" when ready, else why not
    healthy: Callable[[], str]  # "" when healthy, else what is wrong
    commands: Mapping[str, Command] = field(default_factory=dict)  # of the control socket, by name
    alerts: Callable[[], AlertBoard] = lambda: NOT_STARTED  # from memory, at once: called for every page
    backups: Callable[[], BackupBoard] = lambda: NO_BACKUPS  # likewise
