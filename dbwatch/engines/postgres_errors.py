"""What asyncpg, TLS and the network raise, as one of our reasons and a line that helps a DBA. Nothing else is read."""

from __future__ import annotations

import errno
import os
import re
import socket
import ssl
from typing import TYPE_CHECKING, Any

import asyncpg

from dbwatch.engines.base import ONLY_READ
from dbwatch.errors import EngineError, Reason

if TYPE_CHECKING:
    from collections.abc import Callable

# What a driver may raise for what the server or the network does. (ValueError: bytes that are no text in UTF-8.
# OverflowError: a time that PostgreSQL knows and Python does not, such as one before our era.)
EXPECTED = (
    *(asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError),
    *(OSError, ValueError, OverflowError),
)

NO_TLS_HERE = "rejected SSL upgrade"  # asyncpg's words for a server without TLS
UNKNOWN_PARAMETER = "unsupported startup parameter"  # PgBouncer's words for a setting that it cannot pass on
MAX_MESSAGE_LENGTH = 300

WRITES = "25006"
# The longest prefix of the SQLSTATE decides.
SQLSTATES = {
    "08": Reason.LOST,
    "22": Reason.SHAPE,
    WRITES: Reason.PERMISSION,  # a write, in a session that may only read
    "25P03": Reason.LOST,
    "25P04": Reason.TIMEOUT,
    "28": Reason.AUTH,
    "3D000": Reason.MISSING,
    "3F000": Reason.MISSING,
    "40P01": Reason.LOCK,
    "42": Reason.SYNTAX,
    "42501": Reason.PERMISSION,
    "42703": Reason.MISSING,
    "42704": Reason.MISSING,
    "42883": Reason.MISSING,
    "42P01": Reason.MISSING,
    "53300": Reason.TOO_MANY_CONNECTIONS,
    "55P03": Reason.LOCK,
    "57014": Reason.TIMEOUT,
    "57P01": Reason.LOST,
    "57P02": Reason.LOST,
    "57P03": Reason.STARTING,
    "57P04": Reason.MISSING,
    "57P05": Reason.LOST,
    "58P01": Reason.MISSING,
}

# PgBouncer has one SQLSTATE (08P01) for all it has to say.
POOLER_MESSAGES = (
    (re.compile(r"no such database|database .* (is disabled|does not exist)"), Reason.MISSING),
    (re.compile(r"no such user|auth|password|login rejected", re.IGNORECASE), Reason.AUTH),
    (re.compile(r"no more connections|max_client_conn|query_wait_timeout"), Reason.TOO_MANY_CONNECTIONS),
    (re.compile(r"SSL|TLS"), Reason.TLS),
    (re.compile(r"login (has been )?fail|cannot connect|connect failed"), Reason.REFUSED),
    (re.compile(r"shut(ting)? ?down|paused|suspend"), Reason.STARTING),
)

ERRNOS = {
    errno.ETIMEDOUT: Reason.TIMEOUT,
    errno.ECONNREFUSED: Reason.REFUSED,
    errno.EHOSTUNREACH: Reason.REFUSED,
    errno.ENETUNREACH: Reason.REFUSED,
    errno.EHOSTDOWN: Reason.REFUSED,
    errno.EADDRNOTAVAIL: Reason.REFUSED,
    errno.ENOENT: Reason.REFUSED,  # no such unix socket
    errno.EACCES: Reason.REFUSED,
}

SOCKET_FILE_ERRORS = {errno.ENOENT: "no such unix socket", errno.EACCES: "the unix socket may not be opened"}

# OpenSSL's X509_V_ERR_*: what to do about it.
CERTIFICATE_REMEDIES = {
    10: "renew the server's certificate",
    62: "connect by a name that stands in the certificate, or set tls.mode to verify-ca",
    64: "connect by a name that stands in the certificate, or set tls.mode to verify-ca",
}
NOT_ENCRYPTED = re.compile(r"pg_hba\.conf .*, (no encryption|SSL off)$")  # the latter before version 14
ENCRYPT = (
    "Without TLS no line of pg_hba.conf lets us in: where one does with it (hostssl), set tls.mode, which is off on "
    "loopback unless it is given; else add one."
)
DEFAULT_REMEDY = "set tls.ca_file to the CA that signed the server's certificate"


def translate(error: BaseException) -> EngineError:
    """Never fails: what is not known is `other`, by its type's name."""
    for kind, read in READERS:
        if isinstance(error, kind):
            return read(error)
    return EngineError(Reason.OTHER, type(error).__name__)


def reason_for(sqlstate: str, message: str = "") -> Reason:
    """The reason for a server's SQLSTATE."""
    if sqlstate == "08P01":
        return next((reason for pattern, reason in POOLER_MESSAGES if pattern.search(message)), Reason.OTHER)
    prefixes = (sqlstate[:length] for length in range(len(sqlstate), 1, -1))
    return next((SQLSTATES[prefix] for prefix in prefixes if prefix in SQLSTATES), Reason.OTHER)


def _from_server(error: Any) -> EngineError:
    sqlstate = str(getattr(error, "sqlstate", None) or "")
    message = _first_line(error)
    if sqlstate.startswith("22"):
        message = re.sub(r'"[^"]*"?', '"..."', message)  # the server quotes the value it could not use
    remedy = ONLY_READ if sqlstate == WRITES else ENCRYPT if NOT_ENCRYPTED.search(message) else ""
    return EngineError(reason_for(sqlstate, message), message, remedy)


def _from_network(error: Any) -> EngineError:
    text = str(error)
    if NO_TLS_HERE in text or "SSL exchange" in text or "TLS handshake" in text:
        return EngineError(Reason.TLS, "the server does not speak TLS: set ssl = on there, or tls.mode here")
    number = error.errno or _errno_in(text)
    if number in ERRNOS:
        return EngineError(ERRNOS[number], errno_text(number))
    if isinstance(error, ConnectionError) or number in (errno.EPIPE, errno.ECONNRESET, errno.ECONNABORTED):
        return EngineError(Reason.LOST, "the server closed the connection")
    return EngineError(Reason.OTHER, errno_text(number) if number else type(error).__name__)


def errno_text(number: int) -> str:
    return SOCKET_FILE_ERRORS.get(number) or os.strerror(number)


def _errno_in(text: str) -> int | None:
    """Failures of several addresses are joined by asyncio into one text; the first of them decides."""
    found = re.search(r"\[Errno (\d+)\]", text)
    return int(found[1]) if found else None


def _from_driver(error: Any) -> EngineError:
    message = _first_line(error)
    if "closed" in message:
        return EngineError(Reason.LOST, "the server closed the connection")
    reason = Reason.AUTH if "authentication" in message or "SCRAM" in message else Reason.OTHER
    return EngineError(reason, message)


def _from_tls(error: Any) -> EngineError:
    if isinstance(error, ssl.SSLCertVerificationError):
        remedy = CERTIFICATE_REMEDIES.get(getattr(error, "verify_code", 0), DEFAULT_REMEDY)
        problem = getattr(error, "verify_message", "not verified")
        return EngineError(Reason.TLS, f"the server's certificate is refused: {problem}; {remedy}")
    return EngineError(Reason.TLS, f"TLS failed: {getattr(error, 'reason', None) or type(error).__name__}")


def _from_dns(error: Any) -> EngineError:
    return EngineError(Reason.DNS, f"the host name cannot be resolved: {error.strerror}")


def _from_deadline(_error: Any) -> EngineError:
    return EngineError(Reason.TIMEOUT, "no answer in time")


def _from_decoder(error: Any) -> EngineError:
    return EngineError(Reason.SHAPE, f"the answer cannot be decoded ({type(error).__name__})")


def _first_line(error: BaseException) -> str:
    """Without DETAIL, HINT and CONTEXT, which follow: they hold values."""
    text = str(error.args[0]) if error.args else type(error).__name__
    return text.partition("\n")[0][:MAX_MESSAGE_LENGTH]


# In this order: many of these are OSErrors, and a refused certificate is a ValueError too.
READERS: tuple[tuple[type[BaseException], Callable[[Any], EngineError]], ...] = (
    (EngineError, lambda error: error),
    (asyncpg.PostgresError, _from_server),
    (ssl.SSLError, _from_tls),
    (socket.gaierror, _from_dns),
    (TimeoutError, _from_deadline),
    (OSError, _from_network),
    (asyncpg.InterfaceError, _from_driver),
    (asyncpg.InternalClientError, _from_driver),
    (ValueError, _from_decoder),
    (OverflowError, _from_decoder),
)
