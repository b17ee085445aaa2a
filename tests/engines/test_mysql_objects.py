"""Tables, indexes, waits and metadata locks of real MariaDB servers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dbwatch.poller import asking
from tests.mysql_asking import ENGINE, facts, ours, session
from tests.mysql_objects import STORIES

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from tests.fix_mariadb import Mariadb, MariadbServers, NewMariadb

pytestmark = pytest.mark.engine
COUNTED_BY_INSTRUMENTS = ("wait_events", "file_io", "table_io", "index_io", "unused_indexes")


@pytest.fixture(scope="module")
def server(mariadb_servers: MariadbServers) -> Iterator[Mariadb]:
    with mariadb_servers.new("--performance-schema=ON") as running:
        yield running


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
async def test_story(server: Mariadb, story: Callable[[Mariadb], Awaitable[None]]) -> None:
    await story(server)


async def test_without_performance_schema_they_are_left_out_for_that_reason(new_mariadb: NewMariadb) -> None:
    async with session(new_mariadb().instance()) as opened:
        known = await facts(opened)
    reasons = {asking.left_out(ours().collectors[ENGINE, name], known) for name in COUNTED_BY_INSTRUMENTS}
    assert reasons == {"performance_schema_off"}
