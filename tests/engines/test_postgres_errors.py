"""Every way a PostgreSQL, its pooler, TLS or the network can fail has one of our reasons."""

from __future__ import annotations

import errno
import socket
import ssl

import asyncpg
import pytest

from dbwatch.engines.postgres_errors import reason_for, translate
from dbwatch.engines.postgres_rows import column_wise
from dbwatch.errors import EngineError, Reason

SQLSTATES = {
    "08006": Reason.LOST,
    "22012": Reason.SHAPE,
    "28000": Reason.AUTH,
    "28P01": Reason.AUTH,
    "3D000": Reason.MISSING,
    "40P01": Reason.LOCK,
    "42501": Reason.PERMISSION,
    "42601": Reason.SYNTAX,
    "42804": Reason.SYNTAX,
    "42703": Reason.MISSING,
    "42883": Reason.MISSING,
    "42P01": Reason.MISSING,
    "53100": Reason.OTHER,
    "53300": Reason.TOO_MANY_CONNECTIONS,
    "55P03": Reason.LOCK,
    "57014": Reason.TIMEOUT,
    "57P01": Reason.LOST,
    "57P03": Reason.STARTING,
    "57P04": Reason.MISSING,
    "58P01": Reason.MISSING,
    "XX000": Reason.OTHER,
    "": Reason.OTHER,
}
POOLER = {
    "no such database: sales": Reason.MISSING,
    "no such user": Reason.AUTH,
    "SASL authentication failed": Reason.AUTH,
    "no more connections allowed (max_client_conn)": Reason.TOO_MANY_CONNECTIONS,
    "query_wait_timeout": Reason.TOO_MANY_CONNECTIONS,
    "server login has been failing, try again later (server_login_retry)": Reason.REFUSED,
    "pgbouncer cannot connect to server": Reason.REFUSED,
    "SSL required": Reason.TLS,
    "the database system is shutting down": Reason.STARTING,
    "what nobody has heard of": Reason.OTHER,
}
NETWORK = (
    (ConnectionRefusedError(errno.ECONNREFUSED, "Connect call failed"), Reason.REFUSED),
    (
        OSError("Multiple exceptions: [Errno 111] Connect call failed, [Errno 101] Network is unreachable"),
        Reason.REFUSED,
    ),
    (OSError(errno.EHOSTUNREACH, "No route to host"), Reason.REFUSED),
    (OSError(errno.EMFILE, "Too many open files"), Reason.OTHER),
    (ConnectionResetError(errno.ECONNRESET, "reset"), Reason.LOST),
    (ConnectionError("unexpected connection_lost() call"), Reason.LOST),
    (ConnectionError('PostgreSQL server at "h:1" rejected SSL upgrade'), Reason.TLS),
    (ssl.SSLError(1, "wrong version number"), Reason.TLS),
    (ssl.SSLCertVerificationError(1, "certificate verify failed"), Reason.TLS),
    (socket.gaierror(-2, "Name or service not known"), Reason.DNS),
    (TimeoutError(), Reason.TIMEOUT),
    (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"), Reason.SHAPE),
    (OverflowError("date value out of range"), Reason.SHAPE),
    (asyncpg.InterfaceError("connection is closed"), Reason.LOST),
    (asyncpg.InterfaceError("unsupported SASL authentication mechanism"), Reason.AUTH),
    (asyncpg.InternalClientError("got result for unknown protocol state"), Reason.OTHER),
    (EngineError(Reason.SHAPE, "ours"), Reason.SHAPE),
    (RuntimeError("a bug"), Reason.OTHER),
)


@pytest.mark.parametrize("sqlstate", SQLSTATES)
def test_a_sqlstate_has_its_reason(sqlstate: str) -> None:
    assert SQLSTATES[sqlstate] == reason_for(sqlstate)


@pytest.mark.parametrize("message", POOLER)
def test_what_a_pooler_says_has_its_reason(message: str) -> None:
    assert POOLER[message] == reason_for("08P01", message)


@pytest.mark.parametrize(("error", "reason"), NETWORK, ids=[type(error).__name__ for error, _ in NETWORK])
def test_what_the_network_and_the_driver_raise_has_its_reason(error: Exception, reason: Reason) -> None:
    translated = translate(error)

    assert reason == translated.reason
    assert translated.message


def test_every_reason_can_be_told() -> None:
    told = {*SQLSTATES.values(), *POOLER.values(), *(reason for _, reason in NETWORK)}

    assert set(Reason) == told


def test_a_message_is_the_first_line_without_detail() -> None:
    error = asyncpg.UniqueViolationError("duplicate key\nKey (iban)=(FR76) already exists")
    error.detail = "Key (iban)=(FR76) already exists"

    assert "duplicate key" == translate(error).message


def test_a_value_that_the_server_quotes_is_not_repeated() -> None:
    error = asyncpg.InvalidTextRepresentationError('invalid input syntax for type integer: "FR76 1234"')

    assert 'invalid input syntax for type integer: "..."' == translate(error).message


def test_only_a_select_is_asked_column_by_column() -> None:
    commented = "-- why\n/* and\nhow */ WITH a AS (SELECT 1 AS n) SELECT n FROM a;"

    assert "SHOW jit" == column_wise("SHOW jit", ["jit"])
    assert "SELECT 1" == column_wise("SELECT 1", [])
    assert 'array_agg(piece."n""o") AS "n""o"' in column_wise("SELECT 1", ['n"o'])
    assert commented.rstrip(";") in column_wise(commented, ["n"])
    assert "SELECT n FROM a\n) AS answer" in column_wise(commented, ["n"])
