"""The fetched servers start, and the monitoring accounts can log in."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.fix_postgres import Postgres
    from tests.lab.conftest import Mysql


async def test_every_older_postgres_takes_the_monitor(lab_postgres: Postgres) -> None:
    session = await lab_postgres.connect()
    try:
        assert lab_postgres.version == session.get_server_version().major
    finally:
        await session.close()


async def test_mysql_9_takes_the_monitor(lab_mysql: Mysql) -> None:
    session = await lab_mysql.connect()
    assert session.get_server_info().startswith("9.")
    assert lab_mysql.backends() == 1
    await session.ensure_closed()
