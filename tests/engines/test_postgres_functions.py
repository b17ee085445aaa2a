"""What functions cost: called so many times, seen so many times."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.fix_postgres import BARE
from tests.postgres_asking import key, ours, see

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fix_postgres import Postgres
    from tests.postgres_asking import Seen

pytestmark = pytest.mark.engine

CALLS, SECONDS, SELF = (f"dbwatch_pg_function_{what}_total" for what in ("calls", "seconds", "self_seconds"))


@pytest.fixture(params=["postgres_15", "postgres_18"])
def shop(request: pytest.FixtureRequest) -> Iterator[Postgres]:
    server: Postgres = request.getfixturevalue(request.param)
    server.psql("CREATE DATABASE shop; ALTER DATABASE shop SET track_functions = 'pl'")
    yield server
    server.psql("DROP DATABASE shop WITH (FORCE)")


async def asked(server: Postgres) -> Seen:
    return await see(server.instance(user=BARE), "functions", database="shop")


def of(family: str, function: str) -> str:
    return key(family, {"database": "shop", "schema": "public", "function": function})


async def test_a_function_is_counted_while_it_exists(shop: Postgres) -> None:
    shop.psql(
        "CREATE FUNCTION slow() RETURNS void LANGUAGE plpgsql AS $$BEGIN PERFORM pg_sleep(0.05); END$$;"
        "CREATE FUNCTION slow(n int) RETURNS void LANGUAGE plpgsql AS $$BEGIN END$$;"
        "CREATE FUNCTION outer_one() RETURNS void LANGUAGE plpgsql AS $$BEGIN PERFORM slow(); PERFORM slow(1); END$$",
        "shop",
    )
    before = await asked(shop)
    shop.psql("SELECT outer_one(); SELECT outer_one(); SELECT pg_stat_force_next_flush()", "shop")
    seen = await asked(shop)
    shop.psql("DROP FUNCTION outer_one", "shop")
    dropped = await asked(shop)

    assert {} == before
    assert (2, 4) == (seen[of(CALLS, "outer_one")], seen[of(CALLS, "slow")])  # both of that name together
    assert 0.1 <= seen[of(SECONDS, "slow")] <= seen[of(SECONDS, "outer_one")]
    assert 0 < seen[of(SELF, "outer_one")] < seen[of(SECONDS, "outer_one")] - 0.09
    assert {of(family, "slow") for family in (CALLS, SECONDS, SELF)} == dropped.keys()


async def test_where_functions_are_not_counted_there_are_none(shop: Postgres) -> None:
    shop.psql("ALTER DATABASE shop RESET track_functions", "shop")
    shop.psql("CREATE FUNCTION quick() RETURNS int LANGUAGE plpgsql AS $$BEGIN RETURN 1; END$$; SELECT quick()", "shop")

    assert {} == await asked(shop)
    assert not ours().collectors["postgres", "functions"].enabled
