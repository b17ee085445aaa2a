"""What an account may not see is absent, with the reason and the exact GRANT; never 0 (metrics.md F5, F8, F11, F12)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.fix_mariadb import BARE, MONITOR, PASSWORD
from tests.mariadb_watching import (
    COLLECTORS,
    NEEDS_PROCESS,
    NEVER_EMPTY,
    OPEN_TO_ALL,
    SHOP,
    families,
    fed,
    lacking,
    page_with,
    quick,
    settled,
    told,
    watched,
)

if TYPE_CHECKING:
    from tests.fix_daemon import NewDaemon, Samples
    from tests.fix_mariadb import Mariadb, NewMariadb

pytestmark = [pytest.mark.system, pytest.mark.engine]
ACCOUNT = f"'{MONITOR}'@'127.0.0.1'"
EXPORTER = f"""
CREATE USER 'exporter'@'127.0.0.1' IDENTIFIED BY '{PASSWORD}' WITH MAX_USER_CONNECTIONS 4;
GRANT PROCESS, REPLICATION CLIENT, SELECT ON *.* TO 'exporter'@'127.0.0.1';
"""


def asked(page: Samples) -> bool:
    """Every collector had a turn."""
    return set(COLLECTORS) <= {dict(own)["collector"] for own in page.where("dbwatch_collector_success")}


def test_a_bare_account_gives_no_value_but_a_reason_and_the_grant(daemon: NewDaemon, mariadb: Mariadb) -> None:
    running = daemon(watched(mariadb, monitor={"user": BARE, "password": PASSWORD}))
    page = page_with(running, lambda page: asked(page) and fed(page) >= OPEN_TO_ALL & NEVER_EMPTY)
    collectors = told(running)["collectors"]

    hidden = set(COLLECTORS) - OPEN_TO_ALL
    assert hidden == lacking(page)
    assert OPEN_TO_ALL & NEVER_EMPTY == fed(page)
    assert set() == families(*hidden) & {name for name, _ in page}
    for name in hidden:
        own = {"replication": "SLAVE MONITOR", "binlogs": "BINLOG MONITOR"}
        privilege = "PROCESS" if name in NEEDS_PROCESS else own[name]
        assert f"GRANT {privilege} ON *.* TO '{BARE}'@'127.0.0.1';" in collectors[name]["remedy"]
        assert "permission" == collectors[name]["reason"]


def test_a_right_that_is_revoked_takes_its_series_along_and_the_grant_that_is_told_brings_them_back(
    daemon: NewDaemon, new_mariadb: NewMariadb
) -> None:
    server = new_mariadb()
    running = daemon(watched(server))
    before = page_with(running, lambda page: asked(page) and fed(page) >= NEVER_EMPTY)
    server.sql(f"REVOKE PROCESS ON *.* FROM {ACCOUNT}")
    without = page_with(running, lambda page: lacking(page) == NEEDS_PROCESS)
    collectors = told(running)["collectors"]
    remedies = {collectors[name]["remedy"] for name in NEEDS_PROCESS}
    server.sql("\n".join(remedies))
    after = page_with(running, lambda page: fed(page) == fed(before) and not lacking(page))

    assert NEVER_EMPTY == fed(before)
    assert OPEN_TO_ALL & NEVER_EMPTY == fed(without) - {"binlogs"}
    assert 1 == without.value("dbwatch_up")
    assert {f"GRANT PROCESS ON *.* TO {ACCOUNT};"} == remedies
    assert 1 == after.value("dbwatch_up")
    assert server.backends() <= 4


def test_f5_the_grants_of_another_exporter_lack_one_right_on_mariadb_and_it_is_named(
    daemon: NewDaemon, new_mariadb: NewMariadb
) -> None:
    server = new_mariadb()
    server.sql(EXPORTER)
    running = daemon(watched(server, monitor={"user": "exporter", "password": PASSWORD}))
    page = page_with(running, lambda page: asked(page) and fed(page) >= NEVER_EMPTY)
    replication = told(running)["collectors"]["replication"]

    assert {"replication"} == lacking(page)
    assert NEVER_EMPTY == fed(page)
    assert 1 == page.value("dbwatch_collector_permission_missing", collector="replication", privilege="replication")
    assert "GRANT SLAVE MONITOR ON *.* TO 'exporter'@'127.0.0.1';" == replication["remedy"]


def test_f8_performance_schema_off_costs_no_sample(
    daemon: NewDaemon, new_mariadb: NewMariadb, mariadb: Mariadb
) -> None:
    default = new_mariadb()
    running = daemon({"instances": {"without": quick(default), "with": quick(mariadb)}})
    names = ("without", "with")
    for name in names:
        settled(running, db_instance=name)
    page = page_with(running, lambda page: all(fed(page, db_instance=name) >= NEVER_EMPTY for name in names))

    assert ["OFF", "ON"] == [each.sql("SELECT IF(@@performance_schema, 'ON', 'OFF')") for each in (default, mariadb)]
    assert NEVER_EMPTY == fed(page, db_instance="without")
    assert NEVER_EMPTY == fed(page, db_instance="with")
    assert set() == lacking(page)


def test_f11_sizes_are_known_without_any_right_on_a_table_f12_and_sessions_only_with_process(
    daemon: NewDaemon, new_mariadb: NewMariadb
) -> None:
    server = new_mariadb()
    server.sql(f"{SHOP} GRANT SLAVE MONITOR ON *.* TO '{BARE}'@'127.0.0.1'")
    blind = quick(server, monitor={"user": BARE, "password": PASSWORD})
    running = daemon({"instances": {"maria": quick(server), "blind": blind}})
    page = settled(running, db_instance="maria")
    page_with(running, lambda page: page.where("dbwatch_collector_permission_missing", db_instance="blind"))

    tables = page.where("dbwatch_table_size_bytes", db_instance="maria", database="shop", table="t")
    assert 1 == page.value("dbwatch_tables", db_instance="maria", database="shop")
    assert 65536 <= sum(tables.values())
    assert "0" == server.sql(f"SELECT COUNT(*) FROM tables_priv WHERE User = '{MONITOR}'")
    assert {} == page.where("dbwatch_sessions", db_instance="blind")
    assert {} == page.where("dbwatch_queries_running_over", db_instance="blind")
