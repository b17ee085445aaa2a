"""What MySQL's and MariaDB's error numbers mean to us: the one place where their errors become ours."""

from __future__ import annotations

import re
import socket
import ssl
import struct

from dbwatch.engines.base import ONLY_READ
from dbwatch.errors import EngineError, Reason

# Besides the driver's own errors: what it lets through when a peer hangs up or speaks another protocol.
UNEXPECTED = (
    OSError, EOFError, struct.error, ValueError, LookupError, TypeError, AttributeError, RuntimeError, AssertionError,
)  # fmt: skip

NUMBERS: dict[Reason, frozenset[int]] = {
    # 2059: an authentication plugin that the driver lacks; 1862, 1820: expired password; 3118, 4151: locked account.
    Reason.AUTH: frozenset({1045, 1130, 1251, 1275, 1524, 1698, 1820, 1862, 2049, 2054, 2059, 3118, 3955, 4151}),
    Reason.TOO_MANY_CONNECTIONS: frozenset({1040, 1041, 1203, 1226}),
    Reason.REFUSED: frozenset({1129, 2001, 2002, 2003, 2004}),
    Reason.DNS: frozenset({2005}),
    Reason.TLS: frozenset({2012, 2026, 3159}),
    Reason.STARTING: frozenset({3032, 3168}),  # offline mode, not yet a member of its group
    Reason.PERMISSION: frozenset({1044, 1095, 1142, 1143, 1227, 1290, 1370, 1419, 1792, 1836}),
    Reason.MISSING: frozenset({1049, 1054, 1109, 1146, 1193, 1272, 1286, 1305, 1356, 1449, 1617, 1682, 1726, 3074}),
    Reason.SYNTAX: frozenset({1064, 1115, 1149, 1231, 1235, 1273}),
    Reason.TIMEOUT: frozenset({1969, 3024}),
    Reason.LOCK: frozenset({1205, 1213, 1614, 3058, 3572}),
    Reason.LOST: frozenset({1053, 1077, 1079, 1080, 1152, 1158, 1159, 1160, 1161, 1184, 1927, 2006, 2013, 2055, 4031}),
}
REASONS = {number: reason for reason, numbers in NUMBERS.items() for number in numbers}
# The server quotes the statement, or a row, in the text of these; and in that of any error that we do not know.
NOT_QUOTED = frozenset({1064, 1149, 1231})
GIVEN_UP = frozenset({Reason.LOST, Reason.TLS, Reason.STARTING})
DRIVER_NUMBERS = range(2000, 2100)
PLUGIN_MISSING = 2059
READ_ONLY_TRANSACTION = 1792
# Plugins of which only MySQL has the server's half begin so; the others (ed25519, parsec, PAM's dialog) are MariaDB's.
OF_MYSQL = "authentication_"
DENIED_ROUTINE = re.compile(r"^error 1370: .* '([^'.]+)\.([^']+)'$")


def translated(error: Exception) -> EngineError:
    """The same fact in our words, without the statement and without data."""
    if isinstance(error, EngineError):
        return error
    number = _number(error)
    if isinstance(error.__cause__, OSError) and number in DRIVER_NUMBERS:
        return _of_network(error.__cause__)
    if isinstance(error, OSError):
        return _of_network(error)
    if number == 0:
        return EngineError(Reason.LOST, f"the peer does not speak the protocol, or hung up ({type(error).__name__})")
    return EngineError(REASONS.get(number, Reason.OTHER), _text(error, number), _remedy(error, number))


def is_fatal(error: Exception) -> bool:
    """True where the session cannot be asked again: only an error that the server sent leaves it whole."""
    number = _number(error)
    return number == 0 or number in DRIVER_NUMBERS or REASONS.get(number) in GIVEN_UP


def denied_routine(error: EngineError) -> tuple[str, str] | None:
    """The database and the name of the routine that may not be called, in whatever language it is said."""
    found = DENIED_ROUTINE.match(error.message)
    return (found[1], found[2]) if found else None


def _number(error: Exception) -> int:
    """0 where the error bears none: it is not one that a server sent."""
    if isinstance(error, OSError | UnicodeError) or not error.args or not isinstance(error.args[0], int):
        return 0
    return error.args[0]


def _said(error: Exception) -> str:
    return str(error.args[1]) if len(error.args) > 1 else ""


def _remedy(error: Exception, number: int) -> str:
    """A plugin that the driver speaks, the dots for the account's name and password; or to write nothing."""
    if number == READ_ONLY_TRANSACTION:
        return ONLY_READ
    if number != PLUGIN_MISSING:
        return ""
    if OF_MYSQL in _said(error):
        return "as an administrator: ALTER USER ... IDENTIFIED WITH caching_sha2_password BY '...';"
    return "as an administrator: ALTER USER ... IDENTIFIED VIA mysql_native_password USING PASSWORD('...');"


def _text(error: Exception, number: int) -> str:
    said = _said(error)
    if number == PLUGIN_MISSING:
        return f"{said}: dbwatch cannot log in to an account that uses it"
    if number not in REASONS or number in NOT_QUOTED:
        return f"error {number}"
    return f"error {number}: {said}"


def _of_network(error: OSError) -> EngineError:
    if isinstance(error, socket.gaierror):
        return EngineError(Reason.DNS, f"the host name cannot be resolved: {error.strerror}")
    if isinstance(error, ssl.SSLError):
        return EngineError(Reason.TLS, f"TLS failed: {_tls_problem(error)}")
    if isinstance(error, TimeoutError):
        return EngineError(Reason.TIMEOUT, "the network gave no answer")
    if isinstance(error, ConnectionResetError | BrokenPipeError | ConnectionAbortedError):
        return EngineError(Reason.LOST, "the connection was cut")
    return EngineError(Reason.REFUSED, f"cannot connect: {error.strerror or type(error).__name__}")


def _tls_problem(error: ssl.SSLError) -> str:
    return str(getattr(error, "verify_message", "") or getattr(error, "reason", "") or "handshake")
