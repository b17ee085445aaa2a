"""What is backed up, when, where to, for how long it is kept, and how it is proven."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, field_validator

from dbwatch.core import cron
from dbwatch.core.backups.model import FactsMode
from dbwatch.settings.alerting import DEFAULT_TIMEZONE
from dbwatch.settings.fields import (
    Duration,
    LongDuration,
    Model,
    NonNegative,
    Positive,
    Switch,
    TimeZone,
    listed,
    off_is_text,
)

if TYPE_CHECKING:
    from pydantic import ValidationInfo

    from dbwatch.core.backups.due import Limits
    from dbwatch.core.backups.retention import Policy

HOUR, DAY = 3600.0, 86400.0
Paths = Annotated[tuple[Path, ...], BeforeValidator(listed, json_schema_input_type=tuple[Path, ...] | Path)]
Patterns = Annotated[tuple[str, ...], BeforeValidator(listed, json_schema_input_type=tuple[str, ...] | str)]


def _cron(text: str) -> str:
    cron.parse(text)
    return " ".join(text.split())


def _recipient(text: str) -> str:
    if not text.startswith(("age1", "ssh-ed25519 ", "ssh-rsa ")):
        raise ValueError("is no public key: write age1..., as age-keygen prints it")
    return text


Cron = Annotated[str, AfterValidator(_cron)]
Bytes = NonNegative
Facts = Annotated[FactsMode, BeforeValidator(off_is_text, json_schema_input_type=FactsMode | Literal[False])]
Ratio = Annotated[float, Field(strict=True, ge=0, le=1, allow_inf_nan=False)]
Recipient = Annotated[str, AfterValidator(_recipient)]


class Retention(Model):
    """How many verified sets are kept for each period; a period's newest counts, if it is verified."""

    keep_last: Positive = 3
    hourly: NonNegative = 0
    daily: NonNegative = 7
    weekly: NonNegative = 4
    monthly: NonNegative = 6
    yearly: NonNegative = 0
    within: LongDuration | None = None  # everything verified that is younger is kept
    min_verified: Positive = 2
    max_deletions: Positive = 20  # of one pass
    failed_for: LongDuration = 7 * DAY  # sets that are not verified go after so long
    trash_for: LongDuration = 2 * DAY
    timezone: TimeZone = DEFAULT_TIMEZONE

    @property
    def policy(self) -> Policy:
        from dbwatch.core.backups.retention import Policy  # only who takes backups pays for it

        return Policy(**self.model_dump())


class Verification(Model):
    """Which sets are restored after they were made; larger ones in rotation."""

    restore: Switch = True
    max_bytes: Bytes = 50 * 1024**3  # of the databases, not of the set
    max_seconds: Duration = 2 * HOUR
    rotation: Annotated[Duration, Field(le=7 * DAY)] = 7 * DAY  # every database's set is restored once in so long
    facts: Facts = FactsMode.FULL
    facts_seconds: Duration = 600.0

    @property
    def limits(self) -> Limits:
        from dbwatch.core.backups.due import Limits

        return Limits(self.restore, self.max_bytes, self.max_seconds, self.rotation)


class LogicalBackup(Model):
    """Dumps of one instance. `schedule` unset: only when asked for."""

    enabled: Switch = True
    schedule: Cron | None = None
    timezone: TimeZone = DEFAULT_TIMEZONE
    misfire_grace: Duration = 6 * HOUR  # a bell that could not ring (machine off) still rings so much later
    include: Patterns = ("*",)
    exclude: Patterns = ()
    parallel: Positive = 2
    codec: Literal["auto", "none", "gzip", "zstd"] = "auto"
    deadline: Duration = 6 * HOUR
    stalled_after: Duration = 600.0
    lock_wait: Duration = 10.0
    max_blocking: Duration = 5.0
    non_transactional: Literal["refuse", "accept"] = "refuse"  # tables whose rows may change while they are dumped
    retention: Retention = Retention()
    verify: Verification = Verification()
    max_age: LongDuration = 26 * HOUR  # a backup older than this is too old

    @field_validator("include")
    @classmethod
    def _includes_something(cls, include: tuple[str, ...]) -> tuple[str, ...]:
        if not any(include):
            raise ValueError('names no database, so every backup would fail: name some, or write "*" for all of them')
        return include

    @field_validator("exclude")
    @classmethod
    def _leaves_something(cls, exclude: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        include = info.data.get("include")  # None: it is wrong itself
        if include and all(_is_excluded(pattern, exclude) for pattern in include if pattern):
            raise ValueError("leaves none of the databases of `include`, so every backup would fail: exclude fewer")
        return exclude


def _is_excluded(pattern: str, exclude: tuple[str, ...]) -> bool:
    """Surely: every name that it matches."""
    covers = [each for each in exclude if set(each) == {"*"} or each == pattern]
    if "[" not in pattern:
        is_name = not set(pattern) & {"*", "?"}
        covers += [each for each in exclude if (is_name or not set(each) & {"?", "["}) and fnmatchcase(pattern, each)]
    return bool(covers)


class InstanceBackups(Model):
    """By kind; other kinds come beside it."""

    logical: LogicalBackup | None = None


class Encryption(Model):
    """age: only public keys here. Without `identity_file` what is encrypted cannot be restored here to prove it."""

    recipients: Annotated[tuple[Recipient, ...], BeforeValidator(listed)] = ()
    identity_file: Path | None = None


class Drill(Model):
    """A rehearsal of disasters, on scratch servers."""

    schedule: Cron | None = None
    timezone: TimeZone = DEFAULT_TIMEZONE
    max_age: LongDuration = 35 * DAY
    rto_target: Duration = 4 * HOUR
    rpo_target: LongDuration = DAY


class Backups(Model):
    """What all instances share."""

    directory: Path = Path("/var/backups/dbwatch")
    scratch_directory: Path | None = None  # unset: `scratch` below state_directory
    reports_directory: Path | None = None  # unset: `reports` below state_directory
    max_concurrent: Positive = 2
    reserve_ratio: Ratio = 0.05  # of the file system: never written to
    reserve_bytes: Bytes = 2 * 1024**3
    stop_grace: Duration = 60.0  # for running jobs when the daemon stops
    encryption: Encryption = Encryption()
    postgres_programs: Paths = ()  # looked into first
    mysql_programs: Paths = ()
    scratch_account: str | None = None  # who runs scratch servers, where the daemon is root; unset: nobody
    drills: Drill = Drill()
