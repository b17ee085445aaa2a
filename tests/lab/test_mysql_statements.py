"""Statements by digest on MySQL 9: what MariaDB has, and what it has not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.mysql_statements import what_is_told_is_what_the_server_counted

if TYPE_CHECKING:
    from tests.lab.conftest import Mysql

pytestmark = pytest.mark.engine
CPU = "UPDATE performance_schema.setup_consumers SET enabled = '{}' WHERE name = 'events_statements_cpu'"


async def test_what_is_told_is_what_the_server_counted_and_a_reset_neither_falls_nor_spikes(lab_mysql: Mysql) -> None:
    without = await what_is_told_is_what_the_server_counted(lab_mysql)
    lab_mysql.sql(CPU.format("YES"))
    measured = await what_is_told_is_what_the_server_counted(lab_mysql)
    lab_mysql.sql(CPU.format("NO"))
    labels = {name.partition("{")[2] for name in measured if name.startswith("dbwatch_mysql_statement_latency_seconds")}

    assert not any("cpu" in name for name in without)
    assert any("cpu" in name for name in measured)
    assert {"95", "99"} == {label.partition("percentile=")[2].partition(",")[0] for label in labels}
