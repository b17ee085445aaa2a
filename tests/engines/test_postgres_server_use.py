"""What is in use on the whole server: sessions by encryption and account, temporary files, tablespaces, accounts."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tests.fix_postgres import MONITOR
from tests.postgres_asking import see

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import asyncpg

    from tests.fix_postgres import NewPostgres, Postgres
    from tests.postgres_asking import Seen

    Client = asyncpg.Connection[Any]

pytestmark = pytest.mark.engine

TLS = "dbwatch_sessions_tls"
BYTES, FILES = (f"dbwatch_pg_temp_in_use_{name}{{tablespace=pg_default}}" for name in ("bytes", "files"))


@asynccontextmanager
async def client(server: Postgres, **options: Any) -> AsyncIterator[Client]:
    opened = await server.connect("postgres", **options)
    try:
        yield opened
    finally:
        await opened.close()


async def until(server: Postgres, name: str, sample: str, value: float) -> Seen:
    """Statistics arrive late, and a session takes a moment to go."""
    for _ in range(600):
        seen = await see(server.instance(), name)
        if seen.get(sample) == value:
            return seen
        await asyncio.sleep(0.05)
    raise AssertionError(seen)


async def test_sessions_are_told_by_their_encryption(postgres_15: Postgres) -> None:
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    for kind in ("local", "no"):
        await until(postgres_15, "in_use", f"{TLS}{{encrypted={kind}}}", 0)
    async with client(postgres_15), client(postgres_15, ssl=trusting) as encrypted:
        async with client(postgres_15, host=str(postgres_15.directory)):
            seen = await see(postgres_15.instance(), "in_use")
        version = await encrypted.fetchval("SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
    after = await until(postgres_15, "in_use", f"{TLS}{{encrypted=no}}", 0)

    assert {
        f"{TLS}{{encrypted=yes,version={version}}}": 1,
        f"{TLS}{{encrypted=yes}}": 0,
        f"{TLS}{{encrypted=no}}": 1,
        f"{TLS}{{encrypted=local}}": 1,
    } == {name: value for name, value in seen.items() if name.startswith(TLS)}
    assert {0} == {value for name, value in after.items() if name.startswith(TLS)}


async def test_an_account_with_a_limit_is_measured_against_it(postgres_18: Postgres) -> None:
    # A person's account is not named, and an account without a limit has none.
    postgres_18.psql("CREATE ROLE jane LOGIN CONNECTION LIMIT 3")
    seen = await see(postgres_18.instance(), "in_use", accounts=frozenset({MONITOR, "postgres"}))
    postgres_18.psql("DROP ROLE jane")

    assert {
        f"dbwatch_account_sessions{{user={MONITOR}}}": 1,
        f"dbwatch_account_sessions_max{{user={MONITOR}}}": 4,
        "dbwatch_account_sessions{user=_other}": 0,
        "dbwatch_account_sessions_max{user=_other}": 3,
    } == {name: value for name, value in seen.items() if name.startswith("dbwatch_account")}


async def test_a_temporary_file_is_seen_while_it_exists(postgres_18: Postgres) -> None:
    async with client(postgres_18) as sorting:
        await sorting.execute(
            "SET work_mem = '64kB'; BEGIN; DECLARE sorted CURSOR FOR SELECT n FROM generate_series(1, 200000) AS n"
            " ORDER BY -n; FETCH 1 FROM sorted"
        )
        seen = await see(postgres_18.instance(), "in_use")
        size = int(postgres_18.psql("SELECT sum(size) FROM pg_ls_tmpdir()"))
        await sorting.execute("ROLLBACK")
        after = await see(postgres_18.instance(), "in_use")

    assert (size, True) == (seen[BYTES], size > 1_000_000)
    assert 1 <= seen[FILES]
    assert (0, 0) == (after[BYTES], after[FILES])


async def test_io_that_the_kernel_has_is_a_number_since_18(postgres_18: Postgres, postgres_15: Postgres) -> None:
    family = "dbwatch_pg_io_in_flight"

    assert (await see(postgres_18.instance(), "in_use"))[family] >= 0
    assert family not in await see(postgres_15.instance(), "in_use")


async def test_the_size_of_a_tablespace_is_exact_and_goes_with_it(new_postgres: NewPostgres) -> None:
    server, family = new_postgres("allow_in_place_tablespaces = on"), "dbwatch_tablespace_size_bytes"
    server.psql("CREATE TABLESPACE archive LOCATION ''")
    server.psql("CREATE TABLE kept TABLESPACE archive AS SELECT generate_series(1, 50000) AS n; CHECKPOINT")
    seen = await see(server.instance(), "tablespaces")
    size = int(server.psql("SELECT pg_tablespace_size('archive')"))
    temporary = await see(server.instance(), "in_use")
    server.psql("DROP TABLE kept")
    server.psql("CHECKPOINT")
    server.psql("DROP TABLESPACE archive")
    after = await see(server.instance(), "tablespaces")

    assert (size, True) == (seen[f"{family}{{tablespace=archive}}"], size > 1_000_000)
    assert 0 == temporary["dbwatch_pg_temp_in_use_files{tablespace=archive}"]
    assert {f"{family}{{tablespace={name}}}" for name in ("pg_default", "pg_global")} == after.keys()


async def test_accounts_are_counted_and_only_services_are_named(postgres_18: Postgres) -> None:
    family = "dbwatch_account_valid_until_timestamp_seconds"
    before = await see(postgres_18.instance(), "accounts")
    postgres_18.psql(
        "CREATE ROLE billing LOGIN VALID UNTIL '2040-01-01 00:00Z'; CREATE ROLE eternal LOGIN VALID UNTIL 'infinity';"
        "CREATE ROLE jane LOGIN SUPERUSER VALID UNTIL '2020-01-01'; CREATE ROLE joe LOGIN VALID UNTIL '2039-01-01'"
    )
    seen = await see(postgres_18.instance(), "accounts", accounts=frozenset({"billing", "eternal"}))
    postgres_18.psql("DROP ROLE billing, eternal, jane, joe")

    # Of the others nobody could tell whose moment it is: there is no sample of theirs, and no sum.
    assert {f"{family}{{user=billing}}": 2208988800} == {n: v for n, v in seen.items() if n.startswith(family)}
    grown = {name: seen[name] - before[name] for name in before}
    assert {"login": 4, "superuser": 1, "expired": 1} == {
        name.partition("=")[2].rstrip("}"): value for name, value in grown.items() if value
    }


async def test_the_time_of_sessions_is_told_by_what_they_did(postgres_18: Postgres) -> None:
    family = "dbwatch_pg_session_seconds_total{{database=postgres,state={}}}".format
    before = await see(postgres_18.instance(), "databases")
    async with client(postgres_18) as slow:
        await slow.execute("SELECT pg_sleep(0.4)")
        await slow.execute("BEGIN")
        await asyncio.sleep(0.5)
        await slow.execute("COMMIT")
    for _ in range(600):
        seen = await see(postgres_18.instance(), "databases")
        grown = {
            state: seen[family(state)] - before[family(state)] for state in ("all", "active", "idle_in_transaction")
        }
        if grown["idle_in_transaction"] > 0:
            break
        await asyncio.sleep(0.05)

    assert 0.4 <= grown["active"] < 10
    assert 0.5 <= grown["idle_in_transaction"] < 10
    assert grown["all"] >= 0.9


async def test_parallel_workers_are_counted_since_18(postgres_18: Postgres) -> None:
    family = "dbwatch_pg_parallel_workers_total{{database=postgres,step={}}}".format
    before = await see(postgres_18.instance(), "databases")
    force = "SET debug_parallel_query = on; SET parallel_setup_cost = 0; SET max_parallel_workers_per_gather = 2;"
    postgres_18.psql(f"{force} SELECT count(*) FROM pg_class")
    seen = await until(postgres_18, "databases", family("launched"), before[family("launched")] + 1)

    assert before[family("planned")] + 1 == seen[family("planned")]
