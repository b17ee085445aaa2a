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
DURATION = r"^ *([0-9]+(\.[0-9]+)? *(ms|s|m|h|d) *)+$"  # as core.durations.seconds reads it, for schemas
CLOCK_TIME = re.compile(r"(?P<hour>[01]?[0-9]|2[0-3]):(?P<minute>[0-5][0-9])")
LEADING_ZERO = re.compile(r"[-+]?0[0-9_]+")
PASSWORD_SOURCES = ("password_file", "password_env", "password")


def listed(value: object) -> object:
    """One value may stand where a list of them is expected; with every line below it commented out it is empty."""
    return [] if value is None else [value] if isinstance(value, str | Path) else value


def off_is_text(value: object) -> object:
    """`notify: off` is false to YAML."""
    return "off" if value is False else value


def _host_only(host: str) -> str:
    """A URL or a DSN holds a password perhaps: refused without repeating it."""
    if not host.startswith("/") and any(character in host for character in "/@=;"):
        raise ValueError("not a host name: give name or address only; user and password have keys of their own")
    return without_nul(host)


def without_nul(text: str) -> str:
    """Drivers and C libraries end a text there: they would log in as, or to, another one than is written."""
    if "\0" in text:
        raise ValueError("holds a NUL character: remove the \\0")
    return text


def _number(value: object) -> object:
    """YAML 1.1 reads `yes` and `on` as true, which Python counts as 1: as a word it is no number.

    It reads 05432 as octal, which is told where it is read, but 08 as text: the one is as little a number as the other.
    """
    if isinstance(value, str) and LEADING_ZERO.fullmatch(value):
        raise ValueError("begins with 0, and could be read as an octal number: write it without")
    return str(value) if isinstance(value, bool) else value


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


def _reads(bounds: object) -> BeforeValidator:
    """A text or a number. It stands behind the bounds: before them, a schema would not know what they mean."""
    text = Annotated[str, Field(pattern=DURATION)]
    return BeforeValidator(seconds, json_schema_input_type=text | Annotated[float, bounds])


NO_TIME, SOME_TIME, YEARS = Field(ge=0, le=MONTH_SECONDS), Field(gt=0, le=MONTH_SECONDS), Field(gt=0, le=YEARS_SECONDS)
FINITE = Field(allow_inf_nan=False)
Wait = Annotated[float, FINITE, NO_TIME, _reads(NO_TIME)]
Duration = Annotated[float, FINITE, SOME_TIME, _reads(SOME_TIME)]
# How old something may be: a backup of the year before, a rehearsal of the last month.
LongDuration = Annotated[float, FINITE, YEARS, _reads(YEARS)]
ClockTime = Annotated[time, BeforeValidator(_clock_time, json_schema_input_type=str)]
TimeZone = Annotated[str, AfterValidator(_known_timezone)]
Host = Annotated[str, Field(pattern=r"^[^\s\[\]]+$"), AfterValidator(_host_only)]
Line = Annotated[str, AfterValidator(without_nul)]
Port = Annotated[int, Field(ge=1, le=65535), BeforeValidator(_number)]
Positive = Annotated[int, Field(gt=0), BeforeValidator(_number)]
NonNegative = Annotated[int, Field(ge=0), BeforeValidator(_number)]
Switch = Annotated[bool, Field(strict=True)]  # a text is none: 'no' in quotes says no more than 'yes' does
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
