"""Every error that dbwatch raises on purpose, as one tree.

DbwatchError
|- ConfigError        the configuration cannot be used: one Fault per mistake, all at once
|- CatalogueError     a .sql file or families.yml cannot be used (a ConfigError: it stops a start or a reload)
|- UsageError         a command was asked for something that does not exist
|- EvaluationError    a rule cannot be judged by the values there are: a fact of its data, kept as data
|- ControlError       the daemon did not answer on its control socket
|  `- RefusedError    it answered that what it was asked for does not exist (a UsageError too)
|- JobError           a backup, restore or drill cannot go on: an expected fact, kept as data
`- EngineError        a database server refused, failed or went away: an expected fact, kept as data

Whatever else is raised is a bug and is reported with its traceback.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class Reason(StrEnum):
    """Why a server did not answer as hoped: closed, because it is a label of dbwatch_up_reason and of errors_total."""

    REFUSED = "refused"
    TIMEOUT = "timeout"
    AUTH = "auth"
    TLS = "tls"
    DNS = "dns"
    STARTING = "starting"
    PERMISSION = "permission"
    MISSING = "missing"
    SYNTAX = "syntax"
    SHAPE = "shape"
    LOCK = "lock"
    TOO_MANY_CONNECTIONS = "too_many_connections"
    LOST = "lost"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Fault:
    """One mistake of a configuration: where it stands, what is wrong, how to mend it. Never a value of the input."""

    where: str
    what: str
    mend: str = ""

    def __str__(self) -> str:
        return f"{self.where}: {self.what}" + (f" -> {self.mend}" if self.mend else "")


class DbwatchError(Exception):
    """Something that its reader can mend: printed as one line, without a traceback."""


class ConfigError(DbwatchError):
    """The configuration cannot be used; `faults` holds every mistake found."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(map(str, self.faults)))


class CatalogueError(ConfigError):
    """A collector, check, question or family file cannot be used."""


class UsageError(DbwatchError):
    """A command names something that does not exist, or cannot be combined."""


class ControlError(DbwatchError):
    """The daemon did not answer on its control socket, or refused."""


class RefusedError(ControlError, UsageError):
    """The daemon was asked for something that does not exist: a mistake of who asked, as if no daemon ran."""


class EvaluationError(DbwatchError):
    """An expression cannot be evaluated on these values: as Prometheus would refuse it too, with no result at all."""


class JobError(DbwatchError):
    """A job cannot go on. `reason` is a label (core.backups.model.JobReason); `message` says what and how to mend it.

    No secret, no query text and no value of a row is in it.
    """

    def __init__(self, reason: str, message: str) -> None:
        self.reason = reason
        self.message = message
        super().__init__(message)

    def __reduce__(self) -> tuple[type[JobError], tuple[str, str]]:
        return (type(self), (self.reason, self.message))


class EngineError(DbwatchError):
    """A server refused, failed or went away. `reason` is a label; `message` carries no secret and no query text.

    `remedy` is the exact statement that mends it, where it is known.
    """

    def __init__(self, reason: Reason, message: str, remedy: str = "") -> None:
        self.reason = reason
        self.message = message
        self.remedy = remedy
        super().__init__(f"{reason}: {message}")

    def __reduce__(self) -> tuple[type[EngineError], tuple[Reason, str, str]]:
        return (type(self), (self.reason, self.message, self.remedy))
