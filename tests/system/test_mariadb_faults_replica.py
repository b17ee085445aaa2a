"""A MariaDB replica under the daemon's eyes: linked, cut off, stopped, promoted (metrics.md F5, F7)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.mariadb_watching import (
    NEVER_EMPTY,
    accidents,
    fed,
    page_with,
    quick,
    settled,
)

if TYPE_CHECKING:
    from tests.fix_daemon import NewDaemon
    from tests.fix_mariadb import NewMariadb, NewReplica

pytestmark = [pytest.mark.system, pytest.mark.engine]
CONNECTED, LAG, THREAD = (
    "dbwatch_replication_connected",
    "dbwatch_replication_lag_seconds",
    "dbwatch_replication_thread_running",
)


def test_a_replica_tells_its_link_its_threads_and_its_promotion(
    daemon: NewDaemon, new_mariadb: NewMariadb, mariadb_replica: NewReplica
) -> None:
    primary = new_mariadb()
    replica = mariadb_replica(primary)
    interval = 1.5  # long beside what a busy machine may add to the promotion, the poll and the scrape
    instances = {"primary": quick(primary, interval), "replica": quick(replica, interval)}
    running = daemon({"instances": instances})
    settled(running, db_instance="primary")
    settled(running, db_instance="replica")
    replicas = "dbwatch_mysql_replicas_connected"
    page_with(running, lambda page: page.value(replicas, db_instance="primary") == 1)
    linked = page_with(running, lambda page: page.value(CONNECTED, db_instance="replica") == 1)
    replica.sql("STOP SLAVE SQL_THREAD")
    page_with(running, lambda page: page.value(THREAD, db_instance="replica", thread="sql") == 0)
    replica.sql("START SLAVE")
    page_with(running, lambda page: page.value(LAG, db_instance="replica") == 0)
    since = len(replica.log())
    primary.stop()
    cut = page_with(running, lambda page: page.value(CONNECTED, db_instance="replica") == 0)
    replica.sql("STOP SLAVE; RESET SLAVE ALL; SET GLOBAL read_only = 0")
    at = time.monotonic()
    promoted = page_with(running, lambda page: page.value("dbwatch_role", db_instance="replica", role="primary") == 1)
    seconds = time.monotonic() - at
    after = page_with(running, lambda page: fed(page, db_instance="replica") == NEVER_EMPTY)

    assert 1 == linked.value("dbwatch_role", db_instance="replica", role="replica")
    assert 1 == linked.value("dbwatch_role", db_instance="primary", role="primary")
    assert 1 == linked.value(replicas, db_instance="primary")
    assert NEVER_EMPTY | {"replication"} == fed(linked, db_instance="replica")
    assert cut.value(LAG, db_instance="replica") is None
    assert 1 == cut.value(THREAD, db_instance="replica", thread="sql")
    assert seconds < 2 * interval
    assert {} == promoted.where(CONNECTED, db_instance="replica")
    assert {} == after.where(THREAD, db_instance="replica")
    assert [] == [line for line in accidents(replica, since) if "dbwatch" in line]
