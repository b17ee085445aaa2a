"""The digests collector watched over many polls, as the daemon and Prometheus do together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dbwatch.core.mapping import Mapper
from dbwatch.core.model import Lane
from dbwatch.poller import asking
from tests.mysql_asking import ENGINE, facts, key, ours, session

if TYPE_CHECKING:
    from tests.fix_mariadb import Mariadb
    from tests.mysql_asking import Seen

CALLS = "dbwatch_statement_calls_total"
DIGEST = "SELECT digest FROM performance_schema.events_statements_summary_by_digest WHERE schema_name = 'counted' AND "
COUNTED = (
    "SELECT count_star, sum_rows_sent + sum_rows_affected, sum_timer_wait / 1e12, sum_errors, sum_rows_examined,"
    " sum_no_index_used FROM performance_schema.events_statements_summary_by_digest"
    " WHERE schema_name = 'counted' AND digest_text LIKE 'SELECT%WHERE `n` < ?%'"
)
SHOP = "CREATE DATABASE counted; CREATE TABLE counted.t (n int); INSERT INTO counted.t VALUES (1), (2);"
FORGET = "TRUNCATE TABLE performance_schema.events_statements_summary_by_digest"


@dataclass
class Watch:
    """One memory over many looks; what fell is noted."""

    server: Mariadb
    mapper: Mapper = field(
        default_factory=lambda: Mapper(ours().collectors[ENGINE, "statement_digests"], ours().families)
    )
    last: Seen = field(default_factory=dict)
    fallen: list[str] = field(default_factory=list)

    async def look(self, now: float = 0.0) -> Seen:
        async with session(self.server.instance(), Lane.SLOW) as opened:
            asked = asking.query(ours().collectors[ENGINE, "statement_digests"], await facts(opened))
            blocks = list(self.mapper.blocks(await opened.fetch(asked), now))
        seen = {key(block.family, labels): value for block in blocks for labels, value in block.samples()}
        self.fallen += [name for name, value in seen.items() if "_total" in name and value < self.last.get(name, 0)]
        self.last |= seen
        return seen

    def of(self, family: str, digest: str, database: str = "counted") -> float | None:
        return self.last.get(f"{family}{{database={database},queryid={digest}}}")


async def what_is_told_is_what_the_server_counted(server: Mariadb) -> Seen:
    """Five equal statements, seen to the last row; then a reset, which nobody notices."""
    server.sql(SHOP)
    server.sql(FORGET)
    server.sql("SELECT n FROM t WHERE n < 100;" * 5, "counted")
    digest = server.sql(f"{DIGEST} digest_text LIKE 'SELECT%WHERE `n` < ?%'")
    watch = Watch(server)
    seen = await watch.look()
    calls, rows, seconds, errors, examined, no_index = map(float, server.sql(COUNTED).split("\t"))

    assert (5, 10, 10, 5) == (calls, rows, examined, no_index)
    assert calls == watch.of(CALLS, digest)
    assert rows == watch.of("dbwatch_statement_rows_total", digest)
    assert abs(seconds - (watch.of("dbwatch_statement_seconds_total", digest) or 0)) < 1e-6
    assert errors == watch.of("dbwatch_statement_errors_total", digest)
    assert examined == watch.of("dbwatch_mysql_statement_rows_examined_total", digest)
    assert no_index == watch.of("dbwatch_mysql_statement_no_index_total", digest)

    server.sql(FORGET)
    await watch.look()
    server.sql("SELECT n FROM t WHERE n < 3;" * 2, "counted")
    await watch.look()
    assert 7 == watch.of(CALLS, digest)
    assert [] == watch.fallen
    server.sql("DROP DATABASE counted")
    return seen
