"""Whatever a file holds: Settings or ConfigError, never another exception, and never the canary."""

from __future__ import annotations

import contextlib
import re
import tempfile
import traceback
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from dbwatch.errors import ConfigError
from dbwatch.settings import suggest
from dbwatch.settings.alerting import (
    Alerting,
    AlertmanagerPush,
    DailyDigest,
    Escalation,
    Heartbeat,
    Mail,
    QuietHours,
    Relay,
    Route,
)
from dbwatch.settings.load import load
from dbwatch.settings.models import (
    CollectorOverride,
    Credentials,
    DatabaseFilter,
    Http,
    Labels,
    Logging,
    MysqlInstance,
    PostgresInstance,
    PostgresTls,
    Settings,
)

CANARY = "canaryhunter2"

MODELS = (Settings, Http, Logging, PostgresInstance, MysqlInstance, Credentials, Labels, PostgresTls, DatabaseFilter)
ALERTING = (Alerting, QuietHours, Escalation, DailyDigest, Mail, Relay, Route, AlertmanagerPush, Heartbeat)
KEYS = sorted(
    {key for model in (*MODELS, *ALERTING, CollectorOverride) for key in suggest.keys(model)}
    | {"defaults", "pg1", "<<"}
)

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.dates(),
    st.binary(max_size=4),
    st.sampled_from([CANARY, f"!{CANARY}", f"{CANARY}\0", "postgres", "mysql", "mariadb", "15s", "/etc", ".", ""]),
)
KEY = st.one_of(st.sampled_from(KEYS), st.text(max_size=4), st.integers(), st.none())
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEY, inner, max_size=5), max_leaves=30
)


INSTANCE_KEYS = sorted({*MysqlInstance.model_fields, *PostgresInstance.model_fields} - {"engine"})

CREDENTIALS = st.fixed_dictionaries({}, optional=dict.fromkeys(Credentials.model_fields, SCALARS))
INSTANCE = st.fixed_dictionaries(
    {"engine": st.sampled_from(["postgres", "mysql", "mariadb", CANARY])},
    optional=dict.fromkeys(INSTANCE_KEYS, VALUES) | {"monitor": CREDENTIALS, "backup": CREDENTIALS},
)
DOCUMENT = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(Settings.model_fields, VALUES)
    | {"defaults": INSTANCE, "instances": st.dictionaries(KEY, INSTANCE, max_size=2)},
)


def try_to_load(raw: bytes, environ: dict[str, str] | None = None) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "dbwatch.yml")
        path.write_bytes(raw)
        with contextlib.suppress(ConfigError):
            load(path, environ or {})
            return
        with pytest.raises(ConfigError) as caught:
            load(path, environ or {})
    error = caught.value
    told = "\n".join([str(error), repr(error), repr(error.faults), *traceback.format_exception(error)])
    assert CANARY not in told
    assert len(error.faults) == len(str(error).split("\n"))
    assert str(error).encode()


@given(document=DOCUMENT | VALUES, flow=st.booleans())
@settings(max_examples=100, deadline=None)
def test_any_document_gives_settings_or_config_error(*, document: object, flow: bool) -> None:
    try_to_load(yaml.dump(document, default_flow_style=flow, allow_unicode=True).encode(errors="surrogatepass"))


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
@settings(max_examples=100, deadline=None)
def test_any_bytes_give_settings_or_config_error(raw: bytes) -> None:
    try_to_load(raw)


WORDS = "instances: pg1: password: monitor: - ? : { } [ ] , &a *a <<: !!str !x ' \" | > # % --- ... ~ \\u0000"
FRAGMENTS = [*re.findall(r"\S+", WORDS), "\n", "  ", " ", "\t", "\n      ", CANARY]


@given(st.lists(st.sampled_from(FRAGMENTS), max_size=25).map("".join))
@settings(max_examples=150, deadline=None)
def test_any_mixture_of_yaml_gives_settings_or_config_error(text: str) -> None:
    # Indented: what stands outside of the credentials as a key is a key, and is named.
    below = text.replace("\n", "\n      ")
    try_to_load(f"instances:\n  pg1:\n    engine: postgres\n    monitor:\n      password: {below}\n".encode())


PARTS = st.lists(
    st.sampled_from(["HTTP", "INSTANCES", "PG1", "MONITOR", "PASSWORD", "USER", "", "X", "TLS"]), max_size=6
)


@given(PARTS.map("__".join), st.sampled_from([CANARY, f"[{CANARY}]", f"{{{CANARY}: 1}}", "1", "", "*x", "\udcff"]))
@settings(max_examples=100, deadline=None)
def test_any_variable_gives_settings_or_config_error(name: str, value: str) -> None:
    raw = b"instances: {pg1: {engine: postgres, monitor: {user: x}}}"
    try_to_load(raw, {f"DBWATCH_{name}": value})
