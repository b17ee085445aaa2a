"""What the sections of the settings are made of: the frozen base, durations, hosts, and where a secret comes from."""

from __future__ import annotations

import re
from datetime import time
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, model_validator

from dbwatch.core.durations import seconds

MONTH_SECONDS = 31 * 86400.0
YEARS_SECONDS = 3660 * 86400.0
CLOCK_TIME = re.compile(r"(?P<hour>[01]?[0-9]|2[0-3]):(?P<minute>[0-5][0-9])")
PASSWORD_SOURCES = ("password_file", "password_env", "password")


def listed(value: object) -> object:
    """One value may stand where a list of them is expected; with every line below it commented out it is empty."""
    return [] if value is None else [value] if isinstance(value, str | Path) else value


def _host_only(host: str) -> str:
    """A URL or a DSN holds a password perhaps: refused without repeating it."""
    if not host.startswith("/") and any(character in host for character in "/@"):
        raise ValueError("not a host name: give name or address only; user and password have keys of their own")
    return host


def _clock_time(value: object) -> object:
    """`7:30` or `22:00`."""
    if isinstance(value, time):
        return value
    match = CLOCK_TIME.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError("is no time of day: write 07:30 or 22:00")
    return time(int(match["hour"]), int(match["minute"]))


def _known_timezone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (OSError, ValueError, LookupError):
        raise ValueError("is no time zone that this machine knows: write Europe/Paris or UTC") from None
    return name


Duration = Annotated[
    float,
    BeforeValidator(seconds, json_schema_input_type=str | float),
    Field(gt=0, le=MONTH_SECONDS, allow_inf_nan=False),
]
# How old something may be: a backup of the year before, a rehearsal of the last month.
LongDuration = Annotated[
    float,
    BeforeValidator(seconds, json_schema_input_type=str | float),
    Field(gt=0, le=YEARS_SECONDS, allow_inf_nan=False),
]
ClockTime = Annotated[time, BeforeValidator(_clock_time, json_schema_input_type=str)]
TimeZone = Annotated[str, AfterValidator(_known_timezone)]
Host = Annotated[str, Field(pattern=r"^[^\s\[\]]+$"), AfterValidator(_host_only)]
Port = Annotated[int, Field(ge=1, le=65535)]
Threshold = Annotated[float, Field(strict=True, allow_inf_nan=False)]


class Model(BaseModel):
    """Frozen, closed, and silent about its input: a wrong section must not print the password in it."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid", hide_input_in_errors=True)


class Secret(Model):
    """A password, from one place at most."""

    password: SecretStr | None = None
    password_file: Path | None = None
    password_env: str | None = Field(default=None, min_length=1)

    @model_validator(mode="after")
    def _one_source(self) -> Secret:
        if sum(getattr(self, source) is not None for source in PASSWORD_SOURCES) > 1:
            raise ValueError("the password comes from two places: keep one of password_file, password_env, password")
        return self
