"""When the server's certificate expires, read from the handshake of each fresh login, whether or not it is verified."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from cryptography import x509

from tests import mysql_asking, postgres_asking
from tests.fix_mariadb import encrypt

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fix_daemon import NewDaemon
    from tests.fix_mariadb import Mariadb, NewMariadb
    from tests.fix_postgres import NewPostgres, Postgres

pytestmark = pytest.mark.engine

NOT_AFTER = "dbwatch_tls_certificate_not_after_timestamp_seconds"


def expiry(file: Path) -> float:
    return x509.load_pem_x509_certificate(file.read_bytes()).not_valid_after_utc.timestamp()


async def seen_on_postgres(server: Postgres, **tls: object) -> float | None:
    async with postgres_asking.session(server.instance(tls=tls)) as opened:
        return opened.certificate_not_after


async def seen_on_mariadb(server: Mariadb, **tls: object) -> float | None:
    async with mysql_asking.session(server.instance(tls=tls)) as opened:
        return opened.certificate_not_after


async def test_postgresql_shows_it_in_every_mode_with_tls_and_nothing_without(
    postgres_15: Postgres, postgres_18: Postgres
) -> None:
    assert postgres_15.certificates is not None
    expected = expiry(postgres_15.certificates.server_certificate)
    trusted = {"mode": "verify-full", "ca_file": postgres_15.certificates.ca_file}

    for tls in ({"mode": "prefer"}, {"mode": "require"}, trusted):
        assert expected == await seen_on_postgres(postgres_15, **tls)
    assert await seen_on_postgres(postgres_15, mode="disable") is None
    assert await seen_on_postgres(postgres_18, mode="prefer") is None


async def test_mariadb_shows_what_its_own_status_says(new_mariadb: NewMariadb) -> None:
    server = new_mariadb()
    files = encrypt(server)
    trusted = {"mode": "verify_identity", "ca_file": files.ca_file}

    for tls in ({"mode": "preferred"}, {"mode": "required"}, trusted):
        assert expiry(files.server_certificate) == await seen_on_mariadb(server, **tls)
    assert await seen_on_mariadb(server, mode="disabled") is None
    async with mysql_asking.session(server.instance(tls={"mode": "required"})) as opened:
        rows = await opened.fetch(mysql_asking.query("SHOW SESSION STATUS LIKE 'Ssl_server_not_after'"))
        told = datetime.strptime(str(rows.columns[1][0]), "%b %d %H:%M:%S %Y GMT").replace(tzinfo=UTC)
        assert told.timestamp() == opened.certificate_not_after


def test_a_renewed_certificate_is_on_the_page_after_the_next_login(
    new_postgres: NewPostgres, daemon: NewDaemon
) -> None:
    server = new_postgres(tls=True)
    files = server.certificates
    assert files is not None
    running = daemon({"instances": {"pg": server.instance(tls={"mode": "require"}, probe_interval=0.3)}})
    running.wait_for(NOT_AFTER, expiry(files.server_certificate), db_instance="pg")
    shutil.copy(files.renewed_certificate, files.server_certificate)
    server.reload()

    running.wait_for(NOT_AFTER, expiry(files.renewed_certificate), db_instance="pg")
    until = datetime.fromtimestamp(expiry(files.renewed_certificate), UTC).strftime("%Y-%m-%d")
    assert until in running.get("/instances/pg").text
    server.stop()
    page = running.wait_for("dbwatch_up", 0, db_instance="pg")
    assert page.value(NOT_AFTER, db_instance="pg") is None
