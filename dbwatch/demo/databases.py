"""Loads the Ville de Marseille databases and their roles into a server that holds nothing yet."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dbwatch.demo.drivers import connect
from dbwatch.demo.model import DemoServer
from dbwatch.demo.scripts import named_statements, script, scripts
from dbwatch.demo.servers import ADMIN_DATABASE, new_login

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import AsyncIterator, Mapping

    from dbwatch.demo.drivers import Connection
    from dbwatch.demo.model import EngineName, ServerAddress

MAIN_DATABASE = "marseille"
ARCHIVES_DATABASE = "marseille_archives"
ARCHIVES_PART = 0.2
DATABASES: Mapping[EngineName, tuple[str, ...]] = {
    "postgres": (MAIN_DATABASE, ARCHIVES_DATABASE),
    "mysql": ("marseille_metier", "marseille_referentiel", "marseille_reporting"),
}
REPORTING_DATABASES: Mapping[EngineName, tuple[str, ...]] = {
    "postgres": (MAIN_DATABASE, ARCHIVES_DATABASE),
    "mysql": ("marseille_reporting",),
}


@dataclass(frozen=True, slots=True)
class Volume:
    """How much is generated, and around which day. The same volume is the same data."""

    scale: float
    reference_date: dt.date

    def options(self, part: float = 1.0) -> dict[str, str]:
        return {"scale": f"{self.scale * part:g}", "reference_date": self.reference_date.isoformat()}


async def load(address: ServerAddress, volume: Volume) -> DemoServer:
    """Create roles, databases and data; return the server as the daemon and the workload need it."""
    server = DemoServer(
        address=address,
        monitor=new_login("dbwatch"),
        backup=new_login("dbwatch_backup"),
        application=new_login("marseille_app"),
        reporting=new_login("marseille_reporting"),
        databases=DATABASES[address.engine],
        reporting_databases=REPORTING_DATABASES[address.engine],
    )
    if address.engine == "postgres":
        await load_postgres(server, volume)
    else:
        await load_mysql(server, volume)
    return server


def passwords(server: DemoServer) -> dict[str, str]:
    return {
        "application_password": server.application.password,
        "reporting_password": server.reporting.password,
        "monitoring_password": server.monitor.password,
        "backup_password": server.backup.password,
    }


@asynccontextmanager
async def administrator(server: DemoServer, database: str, options: dict[str, str]) -> AsyncIterator[Connection]:
    connection = await connect(server.address, server.address.admin, database, options=options)
    try:
        yield connection
    finally:
        await connection.close()


async def load_postgres(server: DemoServer, volume: Volume) -> None:
    async with administrator(server, ADMIN_DATABASE["postgres"], passwords(server)) as connection:
        await connection.script(script("postgres", "ddl", "00_roles_application.sql"))
        await connection.script(script("postgres", "security", "01_role_monitoring.sql"))
        await connection.script(script("postgres", "security", "03_statements.sql"))
        create = script("postgres", "ddl", "00_create_database.sql")
        for database in server.databases:
            await connection.script(create.replace(f"DATABASE {MAIN_DATABASE} ", f"DATABASE {database} "))
    for database, part in zip(server.databases, (1.0, ARCHIVES_PART), strict=True):
        options = {**passwords(server), **volume.options(part)}
        async with administrator(server, database, options) as connection:
            for text in (*scripts("postgres", "ddl"), *scripts("postgres", "dml")):
                await connection.script(text)
            for name in ("02_sequences.sql", "04_bloat.sql", "05_role_backup.sql"):
                await connection.script(script("postgres", "security", name))


async def load_mysql(server: DemoServer, volume: Volume) -> None:
    options = {**passwords(server), **volume.options()}
    async with administrator(server, ADMIN_DATABASE["mysql"], options) as connection:
        for text in scripts("mysql", "ddl"):
            await connection.script(text)
        await connection.script(script("mysql", "ddl", "00_users_application.sql"))
        await connection.script(script("mysql", "security", "01_user_monitoring.sql"))
        await connection.script(script("mysql", "security", "02_grant_qualite.sql"))
        await connection.script(script("mysql", "security", "05_backup.sql"))
        for text in scripts("mysql", "dml"):
            await connection.script(text)


async def make_durable(server: DemoServer) -> None:
    """Loading is over: from now on the server keeps what it confirms, as one that people rely on."""
    async with administrator(server, ADMIN_DATABASE[server.engine], {}) as connection:
        for statement in named_statements(script(server.engine, "dml", "00_durable.sql")).values():
            await connection.run(statement)
