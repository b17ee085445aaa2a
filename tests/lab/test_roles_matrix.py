"""Every collector on every version, on a primary and on its replica, with the documented rights and with none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dbwatch.core.model import Origin
from dbwatch.errors import EngineError
from dbwatch.poller import asking
from tests import mysql_asking, postgres_asking
from tests.fix_postgres import BARE

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from dbwatch.core.catalogue import Catalogue
    from dbwatch.core.model import Collector, Facts
    from dbwatch.engines.base import Session
    from tests.fix_mariadb import Mariadb
    from tests.fix_postgres import Postgres
    from tests.lab.conftest import Linked

pytestmark = pytest.mark.engine
LEFT_OUT_ON_PURPOSE = {"role", "version", "optional", "performance_schema_off", "log_bin_off", "logging_collector_off"}


async def told(session: Session, catalogue: Catalogue, known: Facts, collector: Collector) -> str:
    """What is wrong with its answer, '' where nothing is."""
    reason = asking.left_out(collector, known)
    if reason:
        return "" if reason in LEFT_OUT_ON_PURPOSE else f"left out: {reason}"
    if asking.missing_needs(collector, known):
        return "" if "GRANT" in asking.remedy(catalogue, collector, known, BARE) else "no remedy"
    try:
        await session.fetch(asking.query(collector, known))
    except EngineError as error:
        return f"{error.reason}: {error.message}"
    return ""


async def faults(
    session: Session, catalogue: Catalogue, learn: Callable[[], Awaitable[Facts]], engine: str
) -> dict[str, str]:
    """Every collector of the catalogue that does not answer, and why."""
    known = await learn()
    asked = [each for each in catalogue.collectors_for(engine) if each.source is not Origin.HOST]
    found = {each.name: await told(session, catalogue, known, each) for each in asked}
    return {name: what for name, what in found.items() if what}


async def of_postgres(server: Postgres, user: str) -> dict[str, str]:
    logged = len(server.log())
    async with postgres_asking.session(server.instance(user=user)) as opened:
        found = await faults(opened, postgres_asking.ours(), lambda: postgres_asking.facts(opened), "postgres")
    return found | {line: "logged" for line in server.log()[logged:].splitlines() if "ERROR" in line}


async def of_mysql(server: Mariadb, user: str) -> dict[str, str]:
    logged = len(server.log())
    async with mysql_asking.session(server.instance(user=user)) as opened:
        found = await faults(opened, mysql_asking.ours(), lambda: mysql_asking.facts(opened), "mysql")
    return found | {line: "logged" for line in server.log()[logged:].splitlines() if "[ERROR]" in line}


@pytest.mark.parametrize("user", ["dbwatch", BARE])
async def test_every_collector_on_a_primary_of_postgresql(lab_postgres: Postgres, user: str) -> None:
    assert {} == await of_postgres(lab_postgres, user)


@pytest.mark.parametrize("user", ["dbwatch", BARE])
async def test_every_collector_on_a_standby(lab_standby: Postgres, user: str) -> None:
    assert {} == await of_postgres(lab_standby, user)


@pytest.mark.parametrize("user", ["dbwatch", BARE])
async def test_every_collector_on_a_source(lab_pair: Linked, user: str) -> None:
    assert {} == await of_mysql(lab_pair.source, user)


@pytest.mark.parametrize("user", ["dbwatch", BARE])
async def test_every_collector_on_a_replica(lab_pair: Linked, user: str) -> None:
    assert {} == await of_mysql(lab_pair.replica, user)
