"""Where `check` gets its samples: from the running daemon's page, or from a poll of its own (`--direct`)."""

from __future__ import annotations

import base64
import ipaddress
import os
import ssl
import time
import urllib.parse
from dataclasses import dataclass
from http.client import BadStatusLine, HTTPConnection, HTTPException, HTTPSConnection
from typing import TYPE_CHECKING

from dbwatch.cli import plugin
from dbwatch.cli.samples import from_blocks, from_text
from dbwatch.errors import ConfigError, ControlError, DbwatchError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from dbwatch.cli.samples import Sample
    from dbwatch.settings.models import Http

DEFAULT_URL = "http://127.0.0.1:10432"
TEXT_FORMAT = "text/plain; version=0.0.4"
OTHER_NAME = "--ca-file FILE of who signed its certificate, --url https://NAME:PORT with a name that stands in it"
LOOPBACK = {4: "127.0.0.1", 6: "[::1]"}
OK = 200


@dataclass(frozen=True, slots=True)
class Request:
    """What `check` was asked."""

    instance: str
    config: Path
    is_config_given: bool = False  # rather than where it is by default, where it may be missing
    url: str = ""
    direct: bool = False
    timeout_seconds: float = 10.0
    ca_file: Path | None = None
    user: str = ""
    password_file: Path | None = None
    warning: Sequence[str] = ()
    critical: Sequence[str] = ()


def check(request: Request) -> plugin.Verdict:
    """The verdict, whatever happens: what cannot be known is UNKNOWN."""
    try:
        checks = plugin.load()
        limits = plugin.thresholds(checks, request.warning, request.critical)
        samples = list(polled(request) if request.direct else from_text(page(request)))
    except ConfigError as error:
        return plugin.Verdict(plugin.Status.UNKNOWN, f"{_counted(len(error.faults))}: {error}")
    except DbwatchError as error:
        return plugin.Verdict(plugin.Status.UNKNOWN, str(error))
    except ValueError as error:
        return plugin.Verdict(plugin.Status.UNKNOWN, f"{request.instance}: cannot read the answer: {error}")
    return plugin.judge(request.instance, samples, checks, limits, time.time())


def _counted(faults: int) -> str:
    return f"{faults} fault{'' if faults == 1 else 's'} in the configuration"


def polled(request: Request) -> Iterator[Sample]:
    """Ask the server itself. Raise ConfigError, UsageError, and ControlError when it takes too long."""
    import asyncio

    from dbwatch.cli import logs
    from dbwatch.cli.targets import open_world
    from dbwatch.poller.once import poll_once

    logs.set_up("console", "error")
    target = open_world(request.config).target(request.instance)

    async def poll() -> Iterator[Sample]:
        async with asyncio.timeout(request.timeout_seconds):
            return from_blocks((await poll_once(target)).all_blocks)

    try:
        return asyncio.run(poll())
    except TimeoutError:
        raise ControlError(f"{request.instance}: not done within {request.timeout_seconds:g} s") from None


def page(request: Request) -> str:
    """The instance's part of the daemon's page. Raise ControlError, in words, where there is none."""
    base, path = place(request)
    connection = connected(base, request)
    wanted = urllib.parse.urlencode({"db_instance": request.instance})
    try:
        connection.request("GET", f"{path}?{wanted}", headers=headers(request))
        answer = connection.getresponse()
        body = answer.read().decode("utf-8", "replace")
    except (OSError, HTTPException) as error:
        raise ControlError(f"no answer from {base}: {_why(error)}") from None
    finally:
        connection.close()
    if answer.status != OK:
        raise ControlError(f"{base} answers {answer.status}: {body.strip() or answer.reason}")
    return body


def _why(error: OSError | HTTPException) -> str:
    """In words, with what to do where the two sides disagree about TLS."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"{error.verify_message.rstrip('.')} -> {OTHER_NAME}"
    if isinstance(error, ssl.SSLError):
        return f"{error.reason or error.strerror} -> does it speak TLS? if not: --url http://..."
    why = getattr(error, "strerror", None) or str(error) or type(error).__name__
    is_closed = isinstance(error, (ConnectionResetError, BadStatusLine))
    return f"{why} -> it may speak TLS: --url https://NAME:PORT" if is_closed else why


def connected(base: str, request: Request) -> HTTPConnection:
    """A connection to the daemon, not yet opened. Raise UsageError for a URL that is none."""
    url = _split(base)
    port = _port(url)
    host = url.hostname or ""
    if url.scheme not in ("http", "https") or port == 0 or not host.isprintable() or " " in host or not host:
        raise UsageError(f"--url: {base!r} is not http://HOST:PORT")
    if url.scheme == "http":
        return HTTPConnection(host, port, timeout=request.timeout_seconds)
    try:
        tls = ssl.create_default_context(cafile=request.ca_file)
    except OSError as error:
        raise UsageError(f"--ca-file: {request.ca_file}: {error.strerror or error}") from None
    return HTTPSConnection(host, port, timeout=request.timeout_seconds, context=tls)


def _split(text: str) -> urllib.parse.SplitResult:
    """Raise UsageError, which repeats nothing: what cannot be read may hold a password."""
    try:
        return urllib.parse.urlsplit(text)
    except ValueError:
        raise UsageError("--url is not http://HOST:PORT") from None


def _port(url: urllib.parse.SplitResult) -> int | None:
    """0 where it is none."""
    try:
        return url.port
    except ValueError:
        return 0


def place(request: Request) -> tuple[str, str]:
    """The daemon's address and the path of its page: as asked, as configured, or as they are by default."""
    if request.url:
        if "@" in request.url:  # its password, or what stands before a '/' in it, would be shown by a monitoring
            raise UsageError("--url holds no user: give --user and --password-file")
        url = _split(request.url)
        return f"{url.scheme}://{url.netloc}", url.path.rstrip("/") or "/metrics"
    if not request.is_config_given and not request.config.exists():
        return DEFAULT_URL, "/metrics"
    from dbwatch.settings.load import load

    http = load(request.config, os.environ).http
    return reachable(http.listen_addresses[0], "https" if _has_tls(http) else "http"), http.telemetry_path


def _has_tls(http: Http) -> bool:
    """As far as this account can see: a web configuration holds hashes, and may be closed to it."""
    from dbwatch.http import webconfig

    try:
        return http.web_config_file is not None and webconfig.read(http.web_config_file).tls_server_config is not None
    except ConfigError:
        return False


def reachable(address: str, scheme: str = "http") -> str:
    """A URL for an address to listen on: every interface is reached through loopback, of its own family alone."""
    host, _, port = address.rpartition(":")
    try:
        named = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return f"{scheme}://{host or LOOPBACK[4]}:{port}"
    return f"{scheme}://{LOOPBACK[named.version] if named.is_unspecified else host}:{port}"


def headers(request: Request) -> dict[str, str]:
    """Basic authentication where a user is given; the password comes from a file, for a command line is public."""
    plain = {"Accept": TEXT_FORMAT}
    if not request.user:
        return plain
    try:
        password = request.password_file.read_text(encoding="utf-8").rstrip("\r\n") if request.password_file else ""
    except (OSError, UnicodeDecodeError):
        raise UsageError(f"--password-file: cannot read {request.password_file}") from None
    token = base64.b64encode(f"{request.user}:{password}".encode()).decode()
    return {**plain, "Authorization": f"Basic {token}"}
