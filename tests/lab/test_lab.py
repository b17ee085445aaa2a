"""The fetched servers start, the monitoring accounts can log in, the replicas follow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.fix_process import eventually

if TYPE_CHECKING:
    from tests.fix_postgres import Postgres
    from tests.lab.conftest import Linked, Mysql


async def test_every_postgres_takes_the_monitor(lab_postgres: Postgres) -> None:
    session = await lab_postgres.connect()
    try:
        assert lab_postgres.version == session.get_server_version().major
    finally:
        await session.close()


def test_every_standby_follows(lab_postgres: Postgres, lab_standby: Postgres) -> None:
    lab_postgres.psql("CREATE TABLE followed AS SELECT 1 AS n")

    assert eventually(lambda: "1" == lab_standby.psql("SELECT count(*) FROM pg_class WHERE relname = 'followed'"))
    lab_postgres.psql("DROP TABLE followed")


async def test_mysql_9_takes_the_monitor(lab_mysql: Mysql) -> None:
    session = await lab_mysql.connect()
    assert session.get_server_info().startswith("9.")
    assert lab_mysql.backends() == 1
    await session.ensure_closed()


def test_every_replica_of_mysql_and_mariadb_follows(lab_pair: Linked) -> None:
    lab_pair.source.sql("CREATE DATABASE followed")

    assert eventually(lambda: "followed" == lab_pair.replica.sql("SHOW DATABASES LIKE 'followed'"))
    lab_pair.source.sql("DROP DATABASE followed")
