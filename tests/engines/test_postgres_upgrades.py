"""What an upgrade of the machine or of the server leaves behind: caused, seen exactly, mended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.fix_postgres import BARE
from tests.postgres_asking import key, see

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fix_postgres import Postgres

pytestmark = pytest.mark.engine

CHANGED = "dbwatch_pg_collation_version_mismatches"
OUTDATED, EXTENSION = "dbwatch_pg_extensions_outdated", "dbwatch_pg_extension_info"
# The embedded 18 is built without ICU; what is built in has versions of its own since 17.
ORDERED = {15: "LOCALE_PROVIDER icu ICU_LOCALE 'fr'", 18: "LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'"}
COLLATION = {15: "provider = icu, locale = 'fr'", 18: "provider = builtin, locale = 'C.UTF-8'"}


@pytest.fixture(params=["postgres_15", "postgres_18"])
def shop(request: pytest.FixtureRequest) -> Iterator[Postgres]:
    """A server with a database that sorts by a collation that has a version."""
    server: Postgres = request.getfixturevalue(request.param)
    server.psql(f"CREATE DATABASE shop TEMPLATE template0 LOCALE 'C.UTF-8' {ORDERED[server.version]}")
    yield server
    server.psql("DROP DATABASE shop WITH (FORCE)")


async def changed(server: Postgres, database: str = "shop", **who: Any) -> float | None:
    seen = await see(server.instance(**who), "collations", database=database)
    return seen.get(key(CHANGED, {"database": database}))


async def test_a_database_whose_texts_sort_otherwise_than_noted_is_told_until_it_is_refreshed(shop: Postgres) -> None:
    before = await changed(shop)
    shop.psql("UPDATE pg_database SET datcollversion = '0' WHERE datname = 'shop'")
    during = await changed(shop)
    shop.psql("ALTER DATABASE shop REFRESH COLLATION VERSION")

    assert (0, 1) == (before, during)
    assert 0 == await changed(shop)


async def test_a_collation_that_has_changed_counts_where_something_uses_it(shop: Postgres) -> None:
    shop.psql(f"CREATE COLLATION mine ({COLLATION[shop.version]}, version = '0')", "shop")
    unused = await changed(shop)
    shop.psql("CREATE TABLE agent (nom text); CREATE INDEX ON agent (nom COLLATE mine)", "shop")
    used = await changed(shop)
    shop.psql("UPDATE pg_database SET datcollversion = '0' WHERE datname = 'shop'")
    both = await changed(shop)
    shop.psql("ALTER DATABASE shop REFRESH COLLATION VERSION; ALTER COLLATION mine REFRESH VERSION", "shop")

    assert (0, 1, 2) == (unused, used, both)
    assert 0 == await changed(shop)


async def test_a_pinned_collation_counts_under_an_index_only(postgres_18: Postgres) -> None:
    postgres_18.psql("CREATE DATABASE pinned")
    postgres_18.psql("UPDATE pg_collation SET collversion = '0' WHERE collname = 'pg_unicode_fast'", "pinned")
    unused = await changed(postgres_18, "pinned")
    postgres_18.psql("CREATE TABLE agent (nom text UNIQUE COLLATE pg_unicode_fast)", "pinned")
    used = await changed(postgres_18, "pinned")
    postgres_18.psql("DROP DATABASE pinned WITH (FORCE)")

    assert (0, 1) == (unused, used)


async def test_where_no_version_was_noted_none_is_told(shop: Postgres) -> None:
    shop.psql("UPDATE pg_database SET datcollversion = NULL WHERE datname = 'shop'")

    assert await changed(shop) is None
    assert 0 == await changed(shop, "postgres")  # C has no version, and needs none


async def test_a_login_is_all_that_collations_need(shop: Postgres) -> None:
    assert 0 == await changed(shop, user=BARE)


async def test_an_extension_that_an_upgrade_left_behind_is_told_until_it_is_updated(shop: Postgres) -> None:
    newest = shop.psql("SELECT default_version FROM pg_available_extensions WHERE name = 'pg_stat_statements'")
    language = key(EXTENSION, {"database": "shop", "extension": "plpgsql", "version": "1.0"})

    def seen(outdated: float, version: str) -> dict[str, float]:
        labels = {"database": "shop", "extension": "pg_stat_statements", "version": version}
        return {key(OUTDATED, {"database": "shop"}): outdated, language: 1, key(EXTENSION, labels): 1}

    shop.psql("CREATE EXTENSION pg_stat_statements VERSION '1.8'", "shop")
    before = await see(shop.instance(), "extensions", database="shop")
    shop.psql("ALTER EXTENSION pg_stat_statements UPDATE", "shop")
    after = await see(shop.instance(user=BARE), "extensions", database="shop")

    assert seen(1, "1.8") == before
    assert seen(0, newest) == after
