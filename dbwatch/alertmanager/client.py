"""HTTP requests with a deadline, whose failure is a short text and not an exception; no text of it holds a secret."""

from __future__ import annotations

import base64
import ssl
from typing import TYPE_CHECKING

import aiohttp

from dbwatch.errors import ConfigError, EngineError, Fault
from dbwatch.settings.alerting import url_error
from dbwatch.settings.secrets import read_line, read_password

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from dbwatch.settings.alerting import AlertmanagerPush, Heartbeat

MULTIPLE_CHOICES = 300


def session(timeout_seconds: float) -> aiohttp.ClientSession:
    """Neither cookies, nor the environment's proxies, nor somebody else's .netrc."""
    timeout = aiohttp.ClientTimeout(total=timeout_seconds)
    return aiohttp.ClientSession(
        cookie_jar=aiohttp.DummyCookieJar(), headers={"User-Agent": "dbwatch"}, timeout=timeout
    )


async def get(asking: aiohttp.ClientSession, url: str) -> str:
    """Why it failed, or an empty text."""
    try:
        async with asking.get(url) as response:
            return _verdict(response)
    except (aiohttp.ClientError, OSError, ValueError) as error:
        return words(error)


async def post(
    asking: aiohttp.ClientSession,
    url: str,
    told: Sequence[object],
    headers: Mapping[str, str],
    *,
    trusted: ssl.SSLContext | bool,
) -> str:
    """Why it failed, or an empty text. A redirection is a failure: it would turn the POST into a GET."""
    try:
        async with asking.post(url, json=told, headers=headers, ssl=trusted, allow_redirects=False) as response:
            return _verdict(response)
    except (aiohttp.ClientError, OSError, ValueError) as error:
        return words(error)


def _verdict(response: aiohttp.ClientResponse) -> str:
    return "" if response.status < MULTIPLE_CHOICES else f"HTTP {response.status}"


def words(error: Exception) -> str:
    """No library's text, for it may hold the address, which is a secret perhaps."""
    match error:
        case TimeoutError():
            return "no answer in time"
        case aiohttp.ClientConnectorCertificateError():
            return "its certificate is not trusted"
        case aiohttp.ClientSSLError():
            return "TLS failed"
        case aiohttp.ClientConnectorDNSError():
            return "its name cannot be resolved"
        case aiohttp.ClientConnectorError():
            return "cannot be reached"
        case _:
            return "the connection broke"


def authorization(push: AlertmanagerPush) -> Mapping[str, str]:
    """Read anew each time: a renewed token counts at once. Raise ConfigError."""
    if push.bearer_token_file is not None:
        return {"Authorization": f"Bearer {_line(push.bearer_token_file, 'bearer_token_file')}"}
    if push.basic_auth is None:
        return {}
    try:
        password = read_password(push.basic_auth)
    except EngineError as error:
        raise ConfigError([Fault("basic_auth", error.message)]) from None
    text = f"{push.basic_auth.user}:{password.get_secret_value() if password is not None else ''}"
    return {"Authorization": f"Basic {base64.b64encode(text.encode()).decode()}"}


def heartbeat_url(heartbeat: Heartbeat) -> str:
    """Raise ConfigError."""
    if heartbeat.url_file is None:
        return heartbeat.url.get_secret_value() if heartbeat.url is not None else ""
    url = _line(heartbeat.url_file, "url_file")
    if problem := url_error(url):
        raise ConfigError([Fault("url_file", problem)])
    return url


def _line(path: Path, key: str) -> str:
    text, problem = read_line(path)
    if problem:
        raise ConfigError([Fault(key, problem)])
    return text


def trust(push: AlertmanagerPush) -> ssl.SSLContext | bool:
    """Whom to trust with TLS. Raise ConfigError."""
    if not push.verify:
        return False
    if push.ca_file is None:
        return True
    try:
        return ssl.create_default_context(cafile=str(push.ca_file))
    except (OSError, ValueError):
        raise ConfigError([Fault("ca_file", "holds no CA certificate in PEM")]) from None
