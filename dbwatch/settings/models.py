"""The settings as frozen values. Two instances that compare equal are the same instance: that is the reload diff.

How they are written in YAML (defaults, durations, the mapping of instances) is the loader's business; here they are
complete. Mappings compare by content, whatever the order of their keys.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    field_validator,
)

from dbwatch.core.model import Identity
from dbwatch.settings.alerting import Alerting, AlertmanagerPush, Heartbeat, Mail
from dbwatch.settings.backups import Backups, InstanceBackups
from dbwatch.settings.fields import Duration, Host, Line, Model, Port, Positive, Secret, Switch, Threshold, listed

RESERVED_LABELS = frozenset({"db_instance", "engine", "job", "instance"})
PURPOSES = ("monitor", "audit", "backup")
LOCAL, LOOPBACK = "local", "127.0.0.1"
# As http serves them, beside the page itself.
TAKEN_PATHS = ("/-/", "/alerts/", "/api/", "/instances/", "/runbooks/", "/sd/", "/static/")


def named(value: object) -> object:
    """An instance is named by its key in the mapping."""
    if not isinstance(value, Mapping):
        return value
    return {key: {"name": key, **one} if isinstance(one, Mapping) else one for key, one in value.items()}


def _not_reserved(label: str) -> str:
    if label in RESERVED_LABELS or label.startswith("__"):
        raise ValueError("db_instance, engine, job, instance and names that begin with __ are taken: rename the label")
    return label


def _not_taken(path: str) -> str:
    if path.startswith(TAKEN_PATHS) or f"{path}/" in TAKEN_PATHS:
        raise ValueError("that path serves something else already: choose another, such as /metrics")
    return path


Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")]
TelemetryPath = Annotated[str, Field(pattern=r"^/[\w/.-]+$"), AfterValidator(_not_taken)]
LabelName = Annotated[str, Field(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$"), AfterValidator(_not_reserved)]


class Credentials(Secret):
    """Who we are for one purpose."""

    user: Line = Field(min_length=1)


class Labels(Model):
    """env, service and team stand on every series; anything else only on dbwatch_instance_info."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="allow", hide_input_in_errors=True)
    __pydantic_extra__: dict[LabelName, str]

    env: str = ""
    service: str = ""
    team: str = ""


class CollectorOverride(Model):
    """What an operator may change of a collector for one instance."""

    enabled: Switch | None = None
    interval: Duration | None = None
    timeout: Duration | None = None
    max_series: Positive | None = None
    top: Positive | None = None


class DatabaseFilter(Model):
    """Which databases of an instance are asked, by shell pattern."""

    include: tuple[str, ...] = ("*",)
    exclude: tuple[str, ...] = ()


class PostgresTls(Model):
    """As libpq names it. Unset mode: verify-full, and disable on loopback or a unix socket."""

    mode: Literal["disable", "prefer", "require", "verify-ca", "verify-full"] | None = None
    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None


class MysqlTls(Model):
    """As MySQL's ssl-mode names it. Unset mode: verify_identity, and disabled on loopback or a unix socket."""

    mode: Literal["disabled", "preferred", "required", "verify_ca", "verify_identity"] | None = None
    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None


class BaseInstance(Model):
    """What every engine's instance has."""

    name: Name
    host: Host = "localhost"
    monitor: Credentials
    audit: Credentials | None = None
    backup: Credentials | None = None
    backups: InstanceBackups = InstanceBackups()
    labels: Labels = Labels()
    service_accounts: tuple[str, ...] = ()
    applications: tuple[str, ...] = ()
    databases: DatabaseFilter = DatabaseFilter()
    collectors: Mapping[str, CollectorOverride] = Field(default_factory=dict)
    thresholds: Mapping[str, Threshold] = Field(default_factory=dict)
    probe_interval: Duration = 15.0
    fast_interval: Duration = 10.0
    connect_timeout: Duration = 3.0
    sampler_interval: Duration | None = 1.0
    enabled: Switch = True

    @property
    def named_accounts(self) -> frozenset[str]:
        """The accounts that labels may name: those of services, and our own."""
        return frozenset((*self.service_accounts, self.monitor.user))

    @property
    def as_polled(self) -> Self:
        """Without what pollers do not look at: a changed threshold or schedule is no reason to log in anew."""
        return self.model_copy(update={"thresholds": {}, "backups": InstanceBackups()})

    @property
    def is_on_socket(self) -> bool:
        return self.host.startswith("/")

    @property
    def is_on_this_machine(self) -> bool:
        """Said (`host: local`), or a unix socket. Loopback says nothing: it may be a tunnel or a container's port."""
        return self.host == LOCAL or self.is_on_socket

    @property
    def address(self) -> str:
        """What is connected to: host name, address or directory of a socket."""
        return LOOPBACK if self.host == LOCAL else self.host

    @property
    def is_local(self) -> bool:
        """A unix socket or loopback: a name that merely begins like loopback is somebody else's."""
        return self.is_on_socket or is_loopback(self.address)

    def identity_for(self, engine: str) -> Identity:
        return Identity(self.name, engine, self.labels.env, self.labels.service, self.labels.team)


def is_loopback(host: str) -> bool:
    if host.lower() in ("localhost", "localhost."):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class PostgresInstance(BaseInstance):
    """One PostgreSQL server; every database of it is watched from one connection string."""

    engine: Literal["postgres"]
    port: Port = 5432
    database: Line = Field(default="postgres", min_length=1)
    tls: PostgresTls = PostgresTls()

    @property
    def identity(self) -> Identity:
        return self.identity_for("postgres")


class MysqlInstance(BaseInstance):
    """One MySQL or MariaDB server; which of the two it is, the server says, and `mariadb` is a synonym here."""

    engine: Literal["mysql", "mariadb"]
    port: Port = 3306
    socket: Path | None = None
    tls: MysqlTls = MysqlTls()

    @field_validator("engine")
    @classmethod
    def _one_label(cls, _value: str) -> str:
        return "mysql"

    @property
    def is_on_socket(self) -> bool:
        return self.socket is not None

    @property
    def identity(self) -> Identity:
        return self.identity_for("mysql")


Instance = Annotated[PostgresInstance | MysqlInstance, Field(discriminator="engine")]


class Http(Model):
    """Where the pages are served; TLS and users come from an exporter-toolkit web configuration file."""

    listen_addresses: tuple[str, ...] = Field(default=("127.0.0.1:10432",), min_length=1)
    telemetry_path: TelemetryPath = "/metrics"
    web_config_file: Path | None = None
    enable_lifecycle: Switch = False


class Logging(Model):
    """Console lines for a person, JSON for a log collector; auto: console on a terminal."""

    format: Literal["auto", "console", "json"] = "auto"
    level: Literal["debug", "info", "warning", "error"] = "info"


class Settings(Model):
    """The whole configuration; `defaults` of the YAML is already merged under each instance."""

    instances: Annotated[Mapping[Name, Instance], BeforeValidator(named)] = Field(default_factory=dict)
    http: Http = Http()
    logging: Logging = Logging()
    alerting: Alerting = Alerting()
    mail: Mail = Mail()
    alertmanager: AlertmanagerPush = AlertmanagerPush()
    heartbeat: Heartbeat = Heartbeat()
    backups: Backups = Backups()
    thresholds: Mapping[str, Threshold] = Field(default_factory=dict)
    collectors_dir: Annotated[tuple[Path, ...], BeforeValidator(listed)] = ()
    state_directory: Path = Path("/var/lib/dbwatch")
    control_socket: Path = Path("/run/dbwatch/control.sock")
    max_concurrent_connects: Positive = 32

    @property
    def backs_up(self) -> bool:
        """Whether any instance asks for backups: who does not need not pay for them."""
        return any(each.backups.logical is not None and each.backups.logical.enabled for each in self.watched)

    @property
    def watched(self) -> tuple[Instance, ...]:
        return tuple(instance for instance in self.instances.values() if instance.enabled)
