"""Who is told of an alert, when, and by which way. No watched server is touched by it: a reload may change it all."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import time
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, SecretStr, model_validator

from dbwatch.core.alerting.model import Severity
from dbwatch.settings.fields import (
    ClockTime,
    Duration,
    Host,
    Line,
    Model,
    Port,
    Positive,
    Secret,
    Switch,
    TimeZone,
    Wait,
    listed,
    off_is_text,
)

ADDRESS = re.compile(r"[^\s@<>()\[\]\\,;:\"\x00-\x1f\x7f]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
MAILBOX = re.compile(rf"(?:(?P<name>[^<>@\",;:\\\x00-\x1f\x7f]{{1,100}}) )?<(?P<address>{ADDRESS.pattern})>")
PAGE = re.compile(r"https?://[^\s@/?#]+(?:/[^\s?#]*)?")
DEFAULT_TIMEZONE = "Europe/Paris"
SHORTEST_EVALUATION_SECONDS, LONGEST_EVALUATION_SECONDS = 0.1, 300.0
SHORTEST_REPEAT_SECONDS = 60.0
SMTP_PORTS = {"none": 25, "starttls": 587, "tls": 465}

Day = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
DAYS: tuple[Day, ...] = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
Language = Literal["fr", "en"]
Off = Literal[False] | None
Ways = Literal["off", "direct", "alertmanager", "both"]


def _address(text: str) -> str:
    if ADDRESS.fullmatch(text) is None:
        raise ValueError("is no mail address: write name@example.org")
    return text


def _mailbox(text: str) -> str:
    if ADDRESS.fullmatch(text) is None and MAILBOX.fullmatch(text) is None:
        raise ValueError("is no mail address: write name@example.org or 'Name <name@example.org>'")
    return text


def _page(text: str) -> str:
    if PAGE.fullmatch(text) is None:
        raise ValueError("is no web address: write https://host/path, without a user or a password in it")
    return text.rstrip("/")


def _secret_page(url: SecretStr) -> SecretStr:
    if problem := url_error(url.get_secret_value()):
        raise ValueError(f"{problem}: write https://host/path")
    return url


def url_error(text: str) -> str:
    """Why it cannot be the address of a heartbeat, or an empty text; the text itself is a secret."""
    return "" if re.fullmatch(r"https?://[^\s/]+[^\s]*", text) else "is no web address"


def _evaluation_interval(interval_seconds: float) -> float:
    if not SHORTEST_EVALUATION_SECONDS <= interval_seconds <= LONGEST_EVALUATION_SECONDS:
        raise ValueError("must be between 100ms and 5m: 15s is what Prometheus uses, too")
    return interval_seconds


def _repeat_interval(interval_seconds: float) -> float:
    if interval_seconds < SHORTEST_REPEAT_SECONDS:
        raise ValueError("must be at least 1m: whoever is mailed all the time reads none of it")
    return interval_seconds


def _unless_off(value: object) -> object:
    """`daily_digest: off`; with every line below it commented out it is the default."""
    return None if value is False else _unless_empty(value)


def _unless_empty(value: object) -> object:
    return {} if value is None else value


Address = Annotated[str, AfterValidator(_address)]
Mailbox = Annotated[str, AfterValidator(_mailbox)]
Addresses = Annotated[tuple[Address, ...], BeforeValidator(listed, json_schema_input_type=tuple[str, ...] | str)]
Page = Annotated[str, AfterValidator(_page)]
OptionalPage = Annotated[str, AfterValidator(lambda text: text and _page(text))]
SecretPage = Annotated[SecretStr, AfterValidator(_secret_page)]
MatchLabel = Annotated[str, Field(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$")]
Texts = Annotated[
    tuple[str, ...], BeforeValidator(listed, json_schema_input_type=tuple[str, ...] | str), Field(min_length=1)
]
Paths = Annotated[tuple[Path, ...], BeforeValidator(listed, json_schema_input_type=tuple[Path, ...] | Path)]


Matches = Mapping[MatchLabel, Texts]


class QuietHours(Model):
    """When these severities wait; a `to` before the `from` is of the next day."""

    days: Annotated[
        tuple[Day, ...], BeforeValidator(listed, json_schema_input_type=tuple[Day, ...] | Day), Field(min_length=1)
    ] = DAYS
    starts_at: ClockTime = Field(alias="from")
    ends_at: ClockTime = Field(alias="to")
    timezone: TimeZone = DEFAULT_TIMEZONE
    severities: Annotated[
        tuple[Severity, ...],
        BeforeValidator(listed, json_schema_input_type=tuple[Severity, ...] | Severity),
        Field(min_length=1),
    ] = (Severity.WARNING,)

    @model_validator(mode="after")
    def _some_time(self) -> QuietHours:
        if self.starts_at == self.ends_at:
            raise ValueError("begins when it ends: give two times of day; 00:00 to 23:59 is nearly a whole day")
        return self


class Escalation(Model):
    """Who is told of a critical alert that nobody acknowledged."""

    after: Duration = 1800.0
    to: Addresses = ()


class DailyDigest(Model):
    """One letter a day: what is open, what came and went, and everything of severity info."""

    at: ClockTime = time(8)
    timezone: TimeZone = DEFAULT_TIMEZONE


class WeeklyTest(Model):
    """One letter a week that proves the way from here to the reader."""

    day: Day = "monday"
    at: ClockTime = time(9)
    timezone: TimeZone = DEFAULT_TIMEZONE


class Flapping(Model):
    """An alert that changes more than `changes` times a `window` is quiet until it holds still for `quiet_after`."""

    changes: Positive = 6
    window: Duration = 3600.0
    quiet_after: Duration = 900.0


class Alerting(Model):
    """What is evaluated here, and how letters are paced."""

    notify: Annotated[Ways, BeforeValidator(off_is_text, json_schema_input_type=Ways | Literal[False])] = "off"
    evaluation_interval: Annotated[Duration, AfterValidator(_evaluation_interval)] = 15.0
    rules_dir: Paths = ()
    templates_dir: Path | None = None
    language: Language = "fr"
    page_url: OptionalPage = ""
    runbook_url: OptionalPage = ""
    group_by: Annotated[
        tuple[MatchLabel, ...], BeforeValidator(listed, json_schema_input_type=tuple[str, ...] | str)
    ] = ("service", "category")
    first_critical_wait: Wait = 5.0
    group_wait: Wait = 30.0
    group_interval: Duration = 300.0
    repeat_interval: Annotated[Duration, AfterValidator(_repeat_interval)] = 14400.0
    storm_limit: Positive = 10
    storm_window: Duration = 600.0
    resolve_mails: Switch = True
    quiet_hours: Annotated[tuple[QuietHours, ...], BeforeValidator(listed)] = ()
    escalation: Annotated[Escalation, BeforeValidator(_unless_empty)] = Escalation()
    daily_digest: Annotated[
        DailyDigest | None, BeforeValidator(_unless_off, json_schema_input_type=DailyDigest | Off)
    ] = DailyDigest()
    weekly_test: Annotated[WeeklyTest | None, BeforeValidator(_unless_off, json_schema_input_type=WeeklyTest | Off)] = (
        WeeklyTest()
    )
    flapping: Annotated[Flapping, BeforeValidator(_unless_empty)] = Flapping()
    pictures: Switch = True

    @property
    def mails(self) -> bool:
        """The daemon sends letters itself."""
        return self.notify in {"direct", "both"}

    @property
    def pushes(self) -> bool:
        """The daemon tells Alertmanager."""
        return self.notify in {"alertmanager", "both"}

    @property
    def runbooks_url(self) -> str:
        """Where runbooks are read: as configured, else on our own page; '' where neither is known."""
        return self.runbook_url or (f"{self.page_url}/runbooks" if self.page_url else "")


class Relay(Secret):
    """One mail server that takes our letters; the next of the list takes over."""

    host: Host
    port: Port | None = None
    security: Literal["none", "starttls", "tls"] = "starttls"
    user: Annotated[Line, Field(min_length=1)] | None = None
    ca_file: Path | None = None
    verify: Switch = True
    timeout: Duration = 10.0

    @property
    def smtp_port(self) -> int:
        """As given, else the usual one of its security."""
        return self.port or SMTP_PORTS[self.security]


class Route(Model):
    """Who gets the alerts that have all of these labels, each with any of its values. The first match wins."""

    match: Matches = Field(default_factory=dict)
    to: Annotated[Addresses, Field(min_length=1)]
    language: Language | None = None


class Mail(Model):
    """The letters' envelope, and the relays in the order in which they are tried."""

    sender: Mailbox | None = Field(default=None, alias="from")
    to: Addresses = ()
    reply_to: Mailbox | None = None
    subject_style: Literal["normal", "legacy"] = "normal"
    list_id: str | None = Field(default=None, pattern=r"^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,200}[A-Za-z0-9])?$")
    relays: Annotated[tuple[Relay, ...], BeforeValidator(listed)] = ()
    routes: Annotated[tuple[Route, ...], BeforeValidator(listed)] = ()


class BasicAuth(Secret):
    """The user of an HTTP server."""

    user: Line = Field(min_length=1)


class AlertmanagerPush(Model):
    """Every replica of an Alertmanager cluster: each is told everything, they agree among themselves who mails."""

    urls: Annotated[tuple[Page, ...], BeforeValidator(listed, json_schema_input_type=tuple[str, ...] | str)] = ()
    basic_auth: BasicAuth | None = None
    bearer_token_file: Path | None = None
    ca_file: Path | None = None
    verify: Switch = True
    interval: Duration = 60.0
    timeout: Duration = 5.0

    @model_validator(mode="after")
    def _one_credential(self) -> AlertmanagerPush:
        if self.basic_auth is not None and self.bearer_token_file is not None:
            raise ValueError("two ways to authenticate: keep one of basic_auth and bearer_token_file")
        return self


class Heartbeat(Model):
    """Asked while all is well: who hears nothing any more raises the alarm. Its address is a secret as a rule."""

    url: SecretPage | None = None
    url_file: Path | None = None
    interval: Duration = 60.0
    timeout: Duration = 10.0

    @model_validator(mode="after")
    def _one_url(self) -> Heartbeat:
        if self.url is not None and self.url_file is not None:
            raise ValueError("the address comes from two places: keep one of url_file and url")
        return self

    @property
    def is_wanted(self) -> bool:
        return self.url is not None or self.url_file is not None


SECTIONS: tuple[type[BaseModel], ...] = (Alerting, Mail, AlertmanagerPush, Heartbeat)
