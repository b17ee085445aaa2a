"""What MySQL's errors, handshakes and replica statuses mean to us: pure, without a server."""

from __future__ import annotations

import socket
import ssl

import aiomysql
import pytest

from dbwatch.core.model import Facts, Role, Rows
from dbwatch.engines.mysql import hello
from dbwatch.engines.mysql_errors import is_fatal, translated
from dbwatch.engines.mysql_replica import MARIADB, MYSQL, NAMES, normalised
from dbwatch.errors import Reason
from tests.mysql_asking import engine

SERVER_ERRORS = {
    1040: Reason.TOO_MANY_CONNECTIONS,
    1044: Reason.PERMISSION,
    1045: Reason.AUTH,
    1049: Reason.MISSING,
    1053: Reason.LOST,
    1054: Reason.MISSING,
    1064: Reason.SYNTAX,
    1129: Reason.REFUSED,
    1142: Reason.PERMISSION,
    1146: Reason.MISSING,
    1193: Reason.MISSING,
    1203: Reason.TOO_MANY_CONNECTIONS,
    1205: Reason.LOCK,
    1213: Reason.LOCK,
    1226: Reason.TOO_MANY_CONNECTIONS,
    1227: Reason.PERMISSION,
    1698: Reason.AUTH,
    1927: Reason.LOST,
    1969: Reason.TIMEOUT,
    2006: Reason.LOST,
    2013: Reason.LOST,
    3024: Reason.TIMEOUT,
    3159: Reason.TLS,
    4242: Reason.OTHER,
}
NETWORK_ERRORS = [
    (socket.gaierror(-2, "Name or service not known"), Reason.DNS),
    (ConnectionRefusedError(111, "Connection refused"), Reason.REFUSED),
    (FileNotFoundError(2, "No such file or directory"), Reason.REFUSED),
    (ConnectionResetError(104, "Connection reset by peer"), Reason.LOST),
    (TimeoutError(), Reason.TIMEOUT),
    (ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER]"), Reason.TLS),
]
VERSIONS = {
    "5.5.5-10.11.6-MariaDB-0+deb12u1-log": ("mariadb", (10, 11, 6)),
    "11.8.6-MariaDB": ("mariadb", (11, 8, 6)),
    "8.0.36-28": ("mysql", (8, 0, 36)),
    "9.7.4-2": ("mysql", (9, 7, 4)),
}
BROKEN_LINK = {"io": "Connecting", "sql": "Yes", "lag": 0, "read_file": "b.1", "applied_file": "b.1"}


def status(spelling: dict[str, str], **facts: object) -> Rows:
    known = {"channel": "", "io": "Yes", "sql": "Yes", "lag": 7, "read_file": "b.2", "applied_file": "b.2"}
    known |= {"read_position": 900, "applied_position": 400, "relay_space": 5000, "relay_position": 3000}
    line = known | facts
    return Rows(tuple(spelling[name] for name in line), tuple((value,) for value in line.values()))


@pytest.mark.parametrize(("number", "reason"), SERVER_ERRORS.items())
def test_each_number_of_a_server_has_a_reason(number: int, reason: Reason) -> None:
    assert translated(aiomysql.OperationalError(number, "said by the server")).reason is reason


@pytest.mark.parametrize(("cause", "reason"), NETWORK_ERRORS)
def test_what_the_driver_calls_2003_is_told_apart(cause: OSError, reason: Reason) -> None:
    error = aiomysql.OperationalError(2003, "Can't connect to MySQL server on 'db'")
    error.__cause__ = cause
    assert translated(error).reason is reason
    assert is_fatal(error)


def test_a_syntax_error_and_an_unknown_one_do_not_quote_the_statement() -> None:
    for number in (1064, 4242):
        assert "secret" not in translated(aiomysql.ProgrammingError(number, "near 'secret'")).message


@pytest.mark.parametrize("error", [IndexError("x"), UnicodeDecodeError("utf-8", b"x", 0, 1, "y"), AssertionError()])
def test_a_peer_that_speaks_nonsense_is_lost(error: Exception) -> None:
    assert translated(error).reason is Reason.LOST
    assert is_fatal(error)


@pytest.mark.parametrize("number", [1045, 1142, 1146, 1205, 1969, 3024])
def test_an_error_that_the_server_sent_leaves_the_session_whole(number: int) -> None:
    assert not is_fatal(aiomysql.OperationalError(number, "said by the server"))


@pytest.mark.parametrize(("text", "expected"), VERSIONS.items())
def test_the_handshake_gives_flavour_and_version(text: str, expected: tuple[str, tuple[int, ...]]) -> None:
    known = hello(text)
    assert expected == (known.flavour, known.version)


def test_percona_server_is_known_by_its_comment() -> None:
    told = {"version": "8.0.36-28", "version_comment": "Percona Server (GPL), Release 28", "role": "replica"}
    answer = Rows(("name", "value"), (tuple(told), tuple(told.values())))
    known: Facts = engine().facts(hello("8.0.36-28"), answer)
    assert (known.flavour, known.version, known.role) == ("percona", (8, 0, 36), Role.REPLICA)


@pytest.mark.parametrize("spelling", [MARIADB, MYSQL])
def test_both_spellings_of_a_replica_become_one(spelling: dict[str, str]) -> None:
    [line] = normalised(status(spelling, io_error=0, delay=30)).dicts()
    known = {"channel": "", "connected": 1, "io_running": 1, "sql_running": 1, "lag_seconds": 7, "lag_bytes": 500}
    assert line == dict.fromkeys(NAMES) | known | {"io_error": 0, "delay_seconds": 30, "relay_bytes": 5000}


@pytest.mark.parametrize("spelling", [MARIADB, MYSQL])
def test_a_link_that_is_down_has_no_lag_even_where_the_server_says_zero(spelling: dict[str, str]) -> None:
    [line] = normalised(status(spelling, **BROKEN_LINK)).dicts()
    assert (line["connected"], line["io_running"], line["lag_seconds"]) == (0, 1, None)


def test_the_lag_in_bytes_spans_files_of_the_source() -> None:
    [line] = normalised(status(MYSQL, applied_file="b.1")).dicts()
    assert line["lag_bytes"] == 2000


def test_a_channel_that_never_connected_has_no_lag_in_bytes() -> None:
    [line] = normalised(status(MYSQL, read_file="", applied_file="")).dicts()
    assert line["lag_bytes"] is None


def test_no_channel_gives_no_row() -> None:
    nothing = Rows(tuple(MARIADB.values()), tuple(() for _ in MARIADB))
    assert normalised(nothing) == Rows(NAMES, tuple(() for _ in NAMES))
