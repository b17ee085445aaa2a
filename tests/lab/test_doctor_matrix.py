"""The documented grants are enough and needed, on every version: doctor has nothing to say, or names exactly one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests import granting
from tests.granting import of_mysql, of_postgres
from tests.lab.conftest import POSTGRES_SCRIPT

if TYPE_CHECKING:
    from tests.fix_postgres import Postgres
    from tests.lab.conftest import Linked

pytestmark = pytest.mark.engine


async def test_after_the_documented_script_nothing_is_missing_on_postgres(lab_postgres: Postgres) -> None:
    assert () == (await of_postgres(lab_postgres).verdict()).troubles


async def test_after_the_documented_script_nothing_is_missing_on_a_standby(lab_standby: Postgres) -> None:
    assert () == (await of_postgres(lab_standby).verdict()).troubles


async def test_a_revoked_right_is_named_and_no_other_on_postgres(lab_postgres: Postgres) -> None:
    granted = granting.rights(POSTGRES_SCRIPT)

    assert "pg_monitor" in {right.name for right in granted}
    assert granting.themselves(granted) == await of_postgres(lab_postgres).named_without(granted)


async def test_after_the_documented_script_nothing_is_missing_on_mysql(lab_pair: Linked) -> None:
    assert () == (await of_mysql(lab_pair.source).verdict()).troubles


async def test_after_the_documented_script_nothing_is_missing_on_a_replica(lab_pair: Linked) -> None:
    assert () == (await of_mysql(lab_pair.replica).verdict()).troubles


async def test_a_revoked_right_is_named_and_no_other_on_mysql(lab_pair: Linked) -> None:
    granted = granting.rights(lab_pair.replica.sql("SHOW GRANTS FOR 'dbwatch'@'%'"))

    assert "PROCESS ON *.*" in {right.name for right in granted}
    assert granting.themselves(granted) == await of_mysql(lab_pair.replica).named_without(granted)
