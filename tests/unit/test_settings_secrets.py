"""Passwords and TLS: read when needed, verified by default, never repeated."""

from __future__ import annotations

import datetime as dt
import os
import ssl
import traceback
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import SecretStr

from dbwatch.errors import ConfigError, EngineError, Reason
from dbwatch.settings.load import load, load_with_warnings
from dbwatch.settings.models import Credentials, Instance, MysqlInstance, PostgresInstance
from dbwatch.settings.secrets import INLINE_MEND, read_password, secret_version
from dbwatch.settings.tls import ssl_context, tls_mode

if TYPE_CHECKING:
    from pathlib import Path

CANARY = "hunter2-canary"


def password(credentials: Credentials) -> str | None:
    secret = read_password(credentials)
    return secret.get_secret_value() if secret else None


def postgres(**options: object) -> PostgresInstance:
    return PostgresInstance.model_validate({"name": "p", "engine": "postgres", "monitor": {"user": "u"}} | options)


def mysql(**options: object) -> MysqlInstance:
    return MysqlInstance.model_validate({"name": "m", "engine": "mysql", "monitor": {"user": "u"}} | options)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate that signs itself, and its key."""
    directory = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "db.example.org")])
    now = dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    certificate = builder.not_valid_before(now).not_valid_after(now + dt.timedelta(days=1))
    certificate_file, key_file = directory / "cert.pem", directory / "key.pem"
    certificate_file.write_bytes(certificate.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    key_file.chmod(0o600)
    return certificate_file, key_file


@pytest.mark.parametrize(
    ("content", "expected"),
    [("pw\n", "pw"), ("pw\r\n", "pw"), (" p w \n", " p w "), ("pw", "pw"), ("pw\r", "pw\r"), ("é\n", "é")],
)
def test_one_newline_at_the_end_of_the_file_is_no_password(tmp_path: Path, content: str, expected: str) -> None:
    file = tmp_path / "pw"
    file.write_bytes(content.encode())
    assert expected == password(Credentials(user="u", password_file=file))


def test_a_file_that_is_too_large_is_refused_rather_than_cut(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("x" * (64 * 1024 + 1))
    with pytest.raises(EngineError, match=r"is larger than 64 KiB$"):
        read_password(Credentials(user="u", password_file=path))
    path.write_text("x" * (64 * 1024 - 1) + "\n")
    assert 64 * 1024 - 1 == len(password(Credentials(user="u", password_file=path)) or "")


def faults_of_monitor(directory: Path, monitor: str, **elsewhere: str) -> list[str]:
    (directory / "dbwatch.yml").write_text(
        f"defaults: {elsewhere.get('defaults', '{}')}\n"
        f"instances:\n  pg1:\n    engine: postgres\n    monitor: {{user: u, {monitor}}}\n"
    )
    try:
        load(directory / "dbwatch.yml", {})
    except ConfigError as error:
        return [str(fault).removeprefix(f"{directory}/dbwatch.yml:") for fault in error.faults]
    return []


@pytest.mark.parametrize(
    "written", ["password: &Secret", "password: ", "password_file: ", "password_file: ~", "password_env: null"]
)
def test_nobody_is_logged_in_without_a_password_for_want_of_quotes(tmp_path: Path, written: str) -> None:
    """`password: &Secret` is an anchor on nothing."""
    (told,) = faults_of_monitor(tmp_path, written)
    assert told.startswith(f"5: instances.pg1.monitor.{written.partition(':')[0]}: is empty -> ")
    assert told.endswith(", or remove the key")
    assert "Secret" not in told
    assert [] == faults_of_monitor(tmp_path, "")


@pytest.mark.parametrize("nothing", ["~", "null"])
def test_an_instance_may_say_that_it_has_no_password_whatever_the_defaults_say(tmp_path: Path, nothing: str) -> None:
    """`peer` on a unix socket, say, where all others have a file."""
    (tmp_path / "pw").write_text("of all others\n")
    (tmp_path / "dbwatch.yml").write_text(
        "defaults: {engine: postgres, monitor: {user: u, password_file: pw}}\n"
        "instances:\n  pg2: {}\n  pg3: {monitor: {password: mine}}\n"
        f"  pg1: {{monitor: {{password: {nothing}}}}}\n"
    )
    instances = load(tmp_path, {}).instances
    assert [None, "of all others", "mine"] == [password(instances[name].monitor) for name in ("pg1", "pg2", "pg3")]


@pytest.mark.parametrize("beside", ["password_file: own", "<<: *shared"])
def test_no_password_and_one_all_the_same_is_refused(tmp_path: Path, beside: str) -> None:
    """`<<` brings it in unseen: it would be used, though the line below says that there is none."""
    (tmp_path / "own").write_text("own")
    defaults = "{audit: &shared {user: u, password_file: own}}"
    (told,) = faults_of_monitor(tmp_path, f"{beside}, password: ~", defaults=defaults)
    assert "monitor.password: says that there is none, and password_file beside it where it is" in told


@pytest.mark.parametrize("source", ["password_file: own", "password_env: OWN"])
def test_another_source_of_the_password_displaces_the_one_of_the_defaults(
    tmp_path: Path, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own").write_text("own")
    monkeypatch.setenv("OWN", "own")
    (tmp_path / "dbwatch.yml").write_text(
        "defaults: {engine: postgres, monitor: {user: u, password: of all others}}\n"
        f"instances: {{pg1: {{monitor: {{{source}}}}}}}\n"
    )
    assert "own" == password(load(tmp_path, {"OWN": "own"}).instances["pg1"].monitor)


def test_an_empty_secret_of_the_defaults_is_told_once_and_one_below_a_free_name_not_at_all(tmp_path: Path) -> None:
    defaults = "{monitor: {password: }, thresholds: {}, labels: {password: x}}"
    (told,) = faults_of_monitor(tmp_path, "", defaults=defaults)
    assert told.startswith("1: defaults.monitor.password: is empty -> ")


@pytest.mark.parametrize(
    ("password", "problem"),
    [('"x\\n"', "holds more than one line"), ('"x\\ny"', "holds more than one line"), ('""', "is empty"),
     ('"x\\0"', "holds a NUL character")],
)  # fmt: skip
def test_a_password_in_the_settings_is_held_to_what_one_in_a_file_is(
    tmp_path: Path, password: str, problem: str
) -> None:
    (told,) = faults_of_monitor(tmp_path, f"password: {password}")
    assert told == f"5: instances.pg1.monitor.password: {problem} -> {INLINE_MEND}"


def test_the_other_sources_of_a_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_PASSWORD", "from environment")
    assert "from environment" == password(Credentials(user="u", password_env="SOME_PASSWORD"))
    assert "inline" == password(Credentials(user="u", password=SecretStr("inline")))
    assert password(Credentials(user="u")) is None


@pytest.mark.parametrize("content", [None, b"", b"\n", CANARY.encode() + b"\xff"])
def test_an_unusable_password_file_is_an_auth_error_without_its_content(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "pw"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(EngineError) as caught:
        read_password(Credentials(user="u", password_file=file))
    assert Reason.AUTH == caught.value.reason
    assert str(file) in caught.value.message
    assert CANARY not in "".join(traceback.format_exception(caught.value))
    assert caught.value.__context__ is None


def test_a_missing_variable_is_an_auth_error() -> None:
    with pytest.raises(EngineError, match="DBWATCH_NO_SUCH"):
        read_password(Credentials(user="u", password_env="DBWATCH_NO_SUCH"))


def test_the_version_changes_with_the_file(tmp_path: Path) -> None:
    file = tmp_path / "pw"
    credentials = Credentials(user="u", password_file=file)
    versions = [secret_version(credentials)]
    file.write_text("one", encoding="utf-8")
    versions.append(secret_version(credentials))
    file.write_text("two", encoding="utf-8")
    os.utime(file, ns=(1, 1))
    versions.append(secret_version(credentials))
    other = tmp_path / "new"
    other.write_text("two", encoding="utf-8")
    os.utime(other, ns=(1, 1))
    other.rename(file)
    versions.append(secret_version(credentials))
    assert 4 == len(set(versions))
    assert versions[-1] == secret_version(credentials)


@pytest.mark.parametrize(
    ("instance", "mode"),
    [
        (postgres(host="db.example.org"), "verify-full"),
        (postgres(host="localhost.evil.example"), "verify-full"),
        (postgres(host="127.0.0.1"), "disable"),
        (postgres(host="127.0.0.1", tls={"mode": "require"}), "require"),
        (postgres(host="db", tls={"mode": "require", "ca_file": "/ca"}), "verify-ca"),
        (postgres(host="/run/postgresql", tls={"mode": "verify-full"}), "disable"),
        (mysql(host="db.example.org"), "verify_identity"),
        (mysql(host="::1"), "disabled"),
        (mysql(host="db.example.org", socket="/run/s"), "disabled"),
        (mysql(host="db.example.org", tls={"mode": "required"}), "required"),
    ],
)
def test_tls_is_verified_off_loopback(instance: Instance, mode: str) -> None:
    assert mode == tls_mode(instance)


@pytest.mark.parametrize(
    ("mode", "verify", "hostname"),
    [
        ("prefer", ssl.CERT_NONE, False),
        ("require", ssl.CERT_NONE, False),
        ("verify-ca", ssl.CERT_REQUIRED, False),
        ("verify-full", ssl.CERT_REQUIRED, True),
    ],
)
def test_a_context_does_what_its_mode_says(mode: str, verify: ssl.VerifyMode, *, hostname: bool) -> None:
    context = ssl_context(postgres(host="db", tls={"mode": mode}))
    assert context is not None
    assert (verify, hostname) == (context.verify_mode, context.check_hostname)


def test_no_context_where_tls_is_off() -> None:
    assert [None, None] == [ssl_context(postgres()), ssl_context(mysql(tls={"mode": "disabled"}))]


def test_a_context_is_shared_until_a_file_of_it_is_renewed(pair: tuple[Path, Path]) -> None:
    certificate, key = pair
    tls = {"ca_file": certificate, "certificate_file": certificate, "key_file": key}
    first, second = ssl_context(postgres(host="a", tls=tls)), ssl_context(mysql(host="b", tls=tls))
    assert first is second
    os.utime(certificate, ns=(1, 1))
    assert first is not ssl_context(postgres(host="a", tls=tls))


def test_a_file_that_goes_away_is_a_tls_error(tmp_path: Path) -> None:
    with pytest.raises(EngineError) as caught:
        ssl_context(postgres(host="db", tls={"ca_file": tmp_path / "none"}))
    assert Reason.TLS == caught.value.reason


def check(directory: Path, tls: str) -> list[str]:
    path = directory / "dbwatch.yml"
    path.write_text(
        f"instances:\n  m: {{engine: mysql, host: db, monitor: {{user: u}}, tls: {{{tls}}}}}\n", encoding="utf-8"
    )
    try:
        return [warning.what for warning in load_with_warnings(path, {}).warnings]
    except ConfigError as error:
        return [fault.what for fault in error.faults]


def test_files_of_tls_are_checked_before_the_start(tmp_path: Path, pair: tuple[Path, Path]) -> None:
    certificate, key = pair
    nonsense = tmp_path / "nonsense.pem"
    nonsense.write_text("nonsense", encoding="utf-8")
    assert [] == check(tmp_path, f"ca_file: {certificate}, certificate_file: {certificate}, key_file: {key}")
    assert ["cannot be read: No such file or directory"] == check(tmp_path, "ca_file: nowhere.pem")
    assert [f"{nonsense} holds no CA certificate in PEM"] == check(tmp_path, "ca_file: nonsense.pem")
    assert ["stands without certificate_file"] == check(tmp_path, f"key_file: {key}")
    (told,) = check(tmp_path, f"certificate_file: {certificate}, key_file: nonsense.pem")
    assert "are no pair" in told
    assert ["is not looked at by the mode in force, required"] == check(
        tmp_path, f"mode: required, ca_file: {certificate}"
    )


def test_a_key_that_all_can_read_is_a_warning(tmp_path: Path, pair: tuple[Path, Path]) -> None:
    certificate, key = pair
    copy = tmp_path / "key.pem"
    copy.write_bytes(key.read_bytes())
    copy.chmod(0o644)
    told = check(tmp_path, f"certificate_file: {certificate}, key_file: {copy}")
    assert ["every account of this machine can read the file"] == told


def test_a_key_with_a_passphrase_is_refused_and_asks_nobody(tmp_path: Path, pair: tuple[Path, Path]) -> None:
    certificate, key = pair
    private = serialization.load_pem_private_key(key.read_bytes(), None)
    locked = tmp_path / "locked.pem"
    locked.write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"passphrase"),
        )
    )
    locked.chmod(0o600)
    (told,) = check(tmp_path, f"certificate_file: {certificate}, key_file: {locked}")
    assert "unencrypted key" in told


def test_a_disabled_instance_needs_none_of_its_files(tmp_path: Path) -> None:
    path = tmp_path / "dbwatch.yml"
    path.write_text(
        "instances:\n  m: {enabled: false, engine: mysql, monitor: {user: u}, tls: {ca_file: none}}\n", encoding="utf-8"
    )
    assert ["m"] == list(load(path, {}).instances)
