"""The stories of tables, indexes and waits on MariaDB 11.8 and MySQL 9; and how MySQL 9 wants to be logged in to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dbwatch.errors import EngineError, Reason
from tests.fix_mariadb import MONITOR
from tests.mysql_asking import query, session
from tests.mysql_objects import STORIES

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.lab.conftest import Linked, Mysql

pytestmark = pytest.mark.engine


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
async def test_story(lab_pair: Linked, story: Callable[[object], Awaitable[None]]) -> None:
    await story(lab_pair.source)


@pytest.mark.parametrize("tls", ["disabled", "verify_ca"])
async def test_caching_sha2_is_spoken_with_and_without_tls(lab_mysql: Mysql, tls: str) -> None:
    """A flush empties the server's cache: the next login is the long one, by RSA where there is no TLS."""
    lab_mysql.sql("FLUSH PRIVILEGES")
    mode = {"mode": tls, "ca_file": str(lab_mysql.data_directory / "ca.pem")} if tls == "verify_ca" else {"mode": tls}
    for _ in ("long", "from the cache"):
        async with session(lab_mysql.instance(), tls=mode) as opened:
            rows = await opened.fetch(query("SHOW SESSION STATUS LIKE 'Ssl_cipher'"))
        assert bool(rows.columns[1][0]) is (tls == "verify_ca")
    ask = f"SELECT DISTINCT plugin FROM mysql.user WHERE user = '{MONITOR}'"
    assert lab_mysql.sql(ask) == "caching_sha2_password"


async def test_a_wrong_password_is_auth_with_caching_sha2_too(lab_mysql: Mysql) -> None:
    lab_mysql.sql("FLUSH PRIVILEGES")
    wrong = {"user": MONITOR, "password": "canary-42"}
    with pytest.raises(EngineError) as caught:
        async with session(lab_mysql.instance(), monitor=wrong, tls={"mode": "disabled"}):
            pass
    assert caught.value.reason is Reason.AUTH
    assert "canary-42" not in str(caught.value)
