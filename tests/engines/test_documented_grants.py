"""The documented grants are enough, and doctor names exactly the one that is taken away."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dbwatch.files import sql_root
from tests import granting
from tests.fix_mariadb import MONITOR, PASSWORD
from tests.granting import of_mysql, of_postgres

if TYPE_CHECKING:
    from tests.fix_mariadb import NewMariadb
    from tests.fix_postgres import NewPostgres

pytestmark = pytest.mark.engine


def script(engine: str, name: str) -> str:
    return (sql_root() / engine / "security" / name).read_text()


async def test_on_postgresql(new_postgres: NewPostgres) -> None:
    server = new_postgres()
    server.psql(f"REVOKE pg_monitor FROM {MONITOR}")
    documented = script("postgres", "01_role_monitoring.sql")
    server.psql(f"SET dbwatch.monitoring_password = '{PASSWORD}'; {documented} {documented}")
    patient, granted = of_postgres(server), granting.rights(documented)

    assert () == (await patient.verdict()).troubles
    assert 3 == len(granted)
    assert granting.themselves(granted) == await patient.named_without(granted)


@pytest.mark.parametrize(
    ("name", "role"), [("01_role_monitoring.sql", "dbwatch"), ("05_role_backup.sql", "dbwatch_backup")]
)
def test_a_script_that_is_run_again_without_a_password_keeps_the_one_that_is_there(
    new_postgres: NewPostgres, name: str, role: str
) -> None:
    server, setting = new_postgres(), name.removesuffix(".sql").rpartition("_")[2]
    stored = f"SELECT rolpassword FROM pg_authid WHERE rolname = '{role}'"
    server.psql(f"SET dbwatch.{setting}_password = 'first'; {script('postgres', name)}")
    first = server.psql(stored)

    server.psql(script("postgres", name))
    kept = server.psql(stored)
    server.psql(f"SET dbwatch.{setting}_password = 'second'; {script('postgres', name)}")

    assert first.startswith("SCRAM-SHA-256")
    assert kept == first != server.psql(stored)


async def test_on_mariadb(new_mariadb: NewMariadb) -> None:
    server = new_mariadb("--performance-schema=ON")
    documented = script("mysql", "01_user_monitoring.sql")
    server.sql(f"DROP USER '{MONITOR}'@'127.0.0.1'")
    server.sql(f"SET @dbwatch_monitoring_password = '{PASSWORD}'; {documented}")
    patient, granted = of_mysql(server), granting.rights(server.sql(f"SHOW GRANTS FOR '{MONITOR}'@'%'"))

    assert () == (await patient.verdict()).troubles
    assert 4 == len(granted)
    assert granting.themselves(granted) == await patient.named_without(granted)
