"""The web configuration file of exporter-toolkit, read and checked: TLS, headers, users.

Keys that the format has and dbwatch lacks are refused by name: a file that says `rate_limit` must not be read as if it
did not. Relative paths are relative to the file.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator

from dbwatch.core import strict_yaml, wording
from dbwatch.errors import ConfigError, Fault
from dbwatch.settings.files import opened, why

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

OptionalPath = Path | None
TLS_VERSIONS = Literal["TLS10", "TLS11", "TLS12", "TLS13"]
# The names that Go gives to the cipher suites of TLS 1.2, as OpenSSL names them. Those of TLS 1.3 are not for choosing.
CIPHERS = {
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256": "ECDHE-ECDSA-AES128-GCM-SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384": "ECDHE-ECDSA-AES256-GCM-SHA384",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-ECDSA-CHACHA20-POLY1305",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA": "ECDHE-ECDSA-AES128-SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA": "ECDHE-ECDSA-AES256-SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256": "ECDHE-RSA-AES128-GCM-SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384": "ECDHE-RSA-AES256-GCM-SHA384",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-RSA-CHACHA20-POLY1305",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA": "ECDHE-RSA-AES128-SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA": "ECDHE-RSA-AES256-SHA",
}
CIPHERS_TLS13 = ("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256")
BCRYPT_CHARACTERS = 60
UNSUPPORTED = {
    ("rate_limit",): "dbwatch does not limit rates",
    ("tls_server_config", "client_allowed_sans"): "dbwatch does not check the names in client certificates",
    ("tls_server_config", "curve_preferences"): "the curves are OpenSSL's choice here",
    ("http_server_config", "compression"): "dbwatch compresses by the client's Accept-Encoding",
}


def _known_cipher(name: str) -> str:
    if name not in CIPHERS and name not in CIPHERS_TLS13:
        raise ValueError("not a cipher suite that dbwatch knows")
    return name


def _bcrypt(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value()
    if not (text.startswith(("$2a$", "$2b$", "$2y$")) and len(text) == BCRYPT_CHARACTERS):
        raise ValueError("not a bcrypt hash: make one with `htpasswd -nBC 10 NAME`")
    return secret


class _Model(BaseModel):
    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid", hide_input_in_errors=True)


class Tls(_Model):
    """tls_server_config."""

    cert_file: OptionalPath = None
    key_file: OptionalPath = None
    cert: str = ""
    key: SecretStr = SecretStr("")
    client_ca_file: OptionalPath = None
    client_ca: str = ""
    client_auth_type: Literal["NoClientCert", "VerifyClientCertIfGiven", "RequireAndVerifyClientCert"] = "NoClientCert"
    min_version: TLS_VERSIONS = "TLS12"
    max_version: TLS_VERSIONS = "TLS13"
    cipher_suites: tuple[Annotated[str, AfterValidator(_known_cipher)], ...] = ()
    prefer_server_cipher_suites: bool = True

    @model_validator(mode="after")
    def _complete(self) -> Tls:
        for name, given in (
            ("certificate (cert_file or cert)", (self.cert_file, self.cert)),
            ("key (key_file or key)", (self.key_file, self.key.get_secret_value())),
        ):
            if sum(map(bool, given)) != 1:
                raise ValueError(f"exactly one {name} is needed")
        if self.client_ca_file and self.client_ca:
            raise ValueError("client_ca_file and client_ca exclude each other")
        has_authority = bool(self.client_ca_file or self.client_ca)
        if has_authority is (self.client_auth_type == "NoClientCert"):
            raise ValueError("client_ca_file and a client_auth_type that verifies need each other")
        if self.min_version > self.max_version:
            raise ValueError("min_version is above max_version")
        return self


class Headers(BaseModel):
    """http_server_config.headers: the same five as exporter-toolkit."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid", populate_by_name=True)

    csp: str = Field(default="", alias="Content-Security-Policy")
    frames: Literal["", "deny", "sameorigin", "DENY", "SAMEORIGIN"] = Field(default="", alias="X-Frame-Options")
    types: Literal["", "nosniff"] = Field(default="", alias="X-Content-Type-Options")
    xss: str = Field(default="", alias="X-XSS-Protection")
    hsts: str = Field(default="", alias="Strict-Transport-Security")


class Server(_Model):
    """http_server_config."""

    http2: Literal[False] = False
    headers: Headers = Headers()


class WebConfig(_Model):
    """The whole file."""

    tls_server_config: Tls | None = None
    http_server_config: Server = Server()
    basic_auth_users: dict[str, Annotated[SecretStr, AfterValidator(_bcrypt)]] = Field(default_factory=dict)

    @property
    def headers(self) -> dict[str, str]:
        """Those that are set, without line breaks: a header must not become two."""
        given = self.http_server_config.headers.model_dump(by_alias=True)
        return {name: " ".join(value.split()) for name, value in given.items() if value}

    @property
    def hashes(self) -> dict[str, bytes]:
        return {user: secret.get_secret_value().encode() for user, secret in self.basic_auth_users.items()}

    def files(self) -> list[Path]:
        """The files it points at, which may change without it."""
        tls = self.tls_server_config
        named = (tls.cert_file, tls.key_file, tls.client_ca_file) if tls else ()
        return [path for path in named if path is not None]


def read(path: Path) -> WebConfig:
    """Raise ConfigError with every fault; none of them repeats what the file holds."""
    try:
        with opened(path) as file:
            text = file.read().decode()
    except (OSError, ValueError) as error:
        what = "not UTF-8 text" if isinstance(error, UnicodeDecodeError) else why(error)
        raise ConfigError([Fault(str(path), f"cannot be read: {what}", "check the path and its permissions")]) from None
    return parse(text, path)


def parse(text: str, path: Path) -> WebConfig:
    """Raise ConfigError with every fault."""
    try:
        content = strict_yaml.load(text)
    except yaml.YAMLError as error:
        raise ConfigError([Fault(str(path), strict_yaml.problem(error))]) from None
    if content is None:
        return WebConfig()
    if not isinstance(content, dict):
        raise ConfigError([Fault(str(path), "not a mapping")])
    faults = list(_unsupported(content, path))
    try:
        config = WebConfig.model_validate(_supported(content))
    except ValidationError as error:
        faults += [Fault(_where(path, each["loc"]), *wording.words(each)) for each in error.errors()]
    if faults:
        raise ConfigError(faults)
    return _resolved(config, path.parent)


def _unsupported(content: Mapping[object, object], path: Path) -> Iterator[Fault]:
    for keys, reason in UNSUPPORTED.items():
        section: object = content
        for key in keys:
            section = section.get(key) if isinstance(section, dict) else None
        if section is not None:
            yield Fault(_where(path, keys), f"not supported: {reason}", "remove the key")


def _supported(content: Mapping[object, object], *above: str) -> dict[object, object]:
    """Without what was told already, so that the rest is looked at too."""
    return {
        key: _supported(value, str(key)) if isinstance(value, dict) and not above else value
        for key, value in content.items()
        if (*above, key) not in UNSUPPORTED or value is None
    }


def _where(path: Path, keys: tuple[int | str, ...]) -> str:
    return f"{path}: {'.'.join(map(str, keys))}"


def _resolved(config: WebConfig, directory: Path) -> WebConfig:
    tls = config.tls_server_config
    if tls is None:
        return config
    names = ("cert_file", "key_file", "client_ca_file")
    absolute = {name: directory / path for name in names if (path := getattr(tls, name)) is not None}
    return config.model_copy(update={"tls_server_config": tls.model_copy(update=absolute)})
