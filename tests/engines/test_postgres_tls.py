"""TLS to PostgreSQL: what is verified, and what a refusal tells the DBA to do. (Debian's server: 18 has none here.)"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from dbwatch.core.model import Lane
from dbwatch.errors import EngineError, Reason
from tests.postgres_asking import engine, instance, query, session

if TYPE_CHECKING:
    from tests.fix_postgres import NewPostgres, Postgres
    from tests.fix_tls import Certificates

pytestmark = pytest.mark.engine

ENCRYPTED = "SELECT ssl AS encrypted FROM pg_stat_ssl WHERE pid = pg_backend_pid()"


def certificates(server: Postgres) -> Certificates:
    assert server.certificates is not None
    return server.certificates


async def encrypted(server: Postgres, **tls: object) -> object:
    async with session(server.instance(tls=tls)) as opened:
        return (await opened.fetch(query(ENCRYPTED))).column("encrypted")[0]


async def refusal(server: Postgres, **tls: object) -> EngineError:
    with pytest.raises(EngineError) as caught:
        await engine().connect(instance(server.instance(tls=tls)), Lane.PROBE)
    return caught.value


async def test_a_certificate_of_our_ca_is_accepted(postgres_15: Postgres) -> None:
    for mode in ("verify-full", "verify-ca"):
        assert await encrypted(postgres_15, mode=mode, ca_file=certificates(postgres_15).ca_file)


async def test_require_encrypts_and_does_not_verify(postgres_15: Postgres) -> None:
    assert await encrypted(postgres_15, mode="require")


async def test_loopback_is_not_encrypted_unless_asked(postgres_15: Postgres) -> None:
    assert not await encrypted(postgres_15)


async def test_a_server_that_wants_tls_on_loopback_is_told_with_the_setting_that_is_off_there(
    new_postgres: NewPostgres,
) -> None:
    server = new_postgres(tls=True)
    server.allow("hostnossl all all all reject")
    server.reload()
    rejected = await refusal(server)
    access = server.data_directory / "pg_hba.conf"
    access.write_text("local all all trust\nhostssl all all all scram-sha-256\n")
    server.reload()
    unlisted = await refusal(server)

    assert [Reason.AUTH] * 2 == [rejected.reason, unlisted.reason]
    assert all(
        "hostssl" in error.remedy and "tls.mode, which is off on loopback" in error.remedy
        for error in (rejected, unlisted)
    )
    assert await encrypted(server, mode="require")


async def test_another_ca_is_refused_with_the_remedy(postgres_15: Postgres) -> None:
    for ca_file in (certificates(postgres_15).other_ca_file, None):
        error = await refusal(postgres_15, mode="verify-full", ca_file=ca_file)

        assert Reason.TLS == error.reason
        assert "ca_file" in error.message


async def test_a_certificate_for_another_name_is_refused_with_the_remedy(new_postgres: NewPostgres) -> None:
    server = new_postgres(tls=True)
    shutil.copy(certificates(server).wrong_name_certificate, certificates(server).server_certificate)
    server.reload()
    ca_file = certificates(server).ca_file
    error = await refusal(server, mode="verify-full", ca_file=ca_file)

    assert Reason.TLS == error.reason
    assert "verify-ca" in error.message
    assert await encrypted(server, mode="verify-ca", ca_file=ca_file)


async def test_a_server_without_tls_is_refused_when_tls_is_required(postgres_18: Postgres) -> None:
    error = await refusal(postgres_18, mode="require")

    assert Reason.TLS == error.reason
    assert "ssl = on" in error.message


async def test_prefer_takes_tls_where_it_is_and_does_without_elsewhere(
    postgres_15: Postgres, postgres_18: Postgres
) -> None:
    assert await encrypted(postgres_15, mode="prefer")
    assert not await encrypted(postgres_18, mode="prefer")


async def test_plain_text_where_the_server_wants_tls_is_auth(new_postgres: NewPostgres) -> None:
    server = new_postgres(tls=True)
    server.allow("hostnossl all all 127.0.0.1/32 reject")
    server.reload()
    error = await refusal(server, mode="disable")

    assert Reason.AUTH == error.reason
    assert "no encryption" in error.message
