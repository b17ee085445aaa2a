"""`dbwatch restore` with accounts as people have them: what they may is asked of the target before anything is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.fix_postgres import PASSWORD, Clusters
from tests.fix_process import workspace
from tests.marseille_backed import Marseille, as_superuser, backed_up, marseille

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fix_postgres import Binaries, Postgres

pytestmark = [pytest.mark.system, pytest.mark.engine]
ACCOUNT = "dbwatch_backup"
SHOP = """
    CREATE TABLE public.orders (id int PRIMARY KEY, note text);
    INSERT INTO public.orders SELECT i, 'n' FROM generate_series(1, 100) AS i;
    ALTER TABLE public.orders OWNER TO shop_owner;
    CREATE TABLE public.visits (id int, day date) PARTITION BY RANGE (day);
    CREATE TABLE public.visits_2025 PARTITION OF public.visits FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
    CREATE TABLE public.visits_2026 PARTITION OF public.visits FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
    INSERT INTO public.visits VALUES (1, '2025-03-01'), (2, '2026-03-01');
    CREATE VIEW public.notes AS SELECT note FROM public.orders;
    CREATE MATERIALIZED VIEW public.totals AS SELECT count(*) AS orders FROM public.orders"""
COUNT = "SELECT count(*) FROM public.orders"


@pytest.fixture(scope="module")
def source(clusters: Clusters, postgres_18_binaries: Binaries) -> Iterator[Postgres]:
    with clusters.new(postgres_18_binaries) as server:
        server.psql(f"CREATE ROLE shop_owner; CREATE ROLE {ACCOUNT} LOGIN BYPASSRLS PASSWORD '{PASSWORD}'")
        server.psql(f"GRANT pg_read_all_data, pg_monitor TO {ACCOUNT}")
        server.psql("CREATE DATABASE shop OWNER shop_owner")
        server.psql(SHOP, "shop")
        yield server


@pytest.fixture(scope="module")
def rescue(postgres_18_binaries: Binaries) -> Iterator[Postgres]:
    with workspace() as directory, Clusters(directory).new(postgres_18_binaries) as server:
        server.psql(f"CREATE ROLE {ACCOUNT} LOGIN SUPERUSER PASSWORD '{PASSWORD}'")
        yield server


@pytest.fixture(scope="module")
def shop(source: Postgres, rescue: Postgres) -> Iterator[Marseille]:
    account = {"user": ACCOUNT, "password": PASSWORD}
    instances = {
        "ville": source.instance(backup=account, backups=backed_up("shop")),
        "patron": as_superuser(source),
        "secours": rescue.instance(backup=account),
        "ailleurs": rescue.instance(backup=account, database="template1"),
    }
    with marseille(instances, postgres_programs=[str(source.binaries.directory)]) as town:
        town.says("backup", "ville")
        yield town


@pytest.mark.parametrize("target", ["secours", "ailleurs"])
@pytest.mark.parametrize("words", [("full", "ville"), ("database", "ville", "shop")])
def test_a_new_server_takes_a_restore_though_no_database_is_named_like_the_account(
    shop: Marseille, rescue: Postgres, target: str, words: tuple[str, ...]
) -> None:
    shop.says("restore", *words, "--to", target, "--yes")

    assert "100" == rescue.psql(COUNT, "shop")
    assert "shop_owner" == rescue.psql("SELECT tableowner FROM pg_tables WHERE tablename = 'orders'", "shop")
    rescue.psql("DROP DATABASE shop")
    rescue.psql("DROP ROLE shop_owner")


def test_what_the_account_may_not_is_told_with_its_remedy_before_anything_is_done(
    shop: Marseille, source: Postgres
) -> None:
    command = ("ville", "shop", "public.orders", "--to", "ville")

    said = shop.says("restore", "plan", *command)
    assert "OBSTACLE   on ville the account may make no database (restored_orders_" in said
    assert f"ALTER ROLE {ACCOUNT} CREATEDB;" in said
    assert f"its owners (shop_owner): ALTER ROLE {ACCOUNT} SUPERUSER;" in said
    refused = shop.says("restore", "table", *command, "--yes", code=1)
    assert f"ALTER ROLE {ACCOUNT} CREATEDB;" in refused
    assert "0" == source.psql("SELECT count(*) FROM pg_database WHERE datname LIKE 'restored%'")

    source.psql(f"ALTER ROLE {ACCOUNT} CREATEDB SUPERUSER")
    assert "OBSTACLE" not in shop.says("restore", "plan", *command)
    shop.says("restore", "table", *command, "--as", "beside", "--yes")
    source.psql(f"ALTER ROLE {ACCOUNT} NOCREATEDB NOSUPERUSER")
    assert "100" == source.psql(COUNT, "beside")


def test_roles_that_nobody_may_make_there_are_an_obstacle(shop: Marseille, rescue: Postgres) -> None:
    rescue.psql(f"ALTER ROLE {ACCOUNT} NOSUPERUSER CREATEDB")
    rescue.psql(f"GRANT pg_read_all_stats TO {ACCOUNT}; GRANT EXECUTE ON FUNCTION pg_control_system() TO {ACCOUNT}")
    try:
        said = shop.says("restore", "full", "ville", "--to", "secours", "--yes", code=1)
    finally:
        rescue.psql(f"ALTER ROLE {ACCOUNT} SUPERUSER NOCREATEDB")

    assert f"may make no role (shop_owner): ALTER ROLE {ACCOUNT} SUPERUSER;" in said
    assert "0" == rescue.psql("SELECT count(*) FROM pg_database WHERE datname = 'shop'")


def test_a_name_that_is_empty_too_long_or_taken_is_refused(shop: Marseille, rescue: Postgres) -> None:
    one = ("restore", "database", "ville", "shop", "--to", "secours", "--yes", "--as")

    assert "the name is empty" in shop.says(*one, "", code=2)
    assert "70 bytes, and the server allows 63" in shop.says(*one, "x" * 70, code=2)
    taken = shop.says(*one, "postgres", code=1)
    assert "the database postgres of secours is there already: --as names one that is new" in taken
    assert taken.rstrip().endswith("--into-non-empty")
    assert "the database template1 of secours is there already" in shop.says(*one, "template1", code=1)
    assert "0" == rescue.psql("SELECT count(*) FROM pg_tables WHERE tablename = 'orders'")


def test_a_partitioned_table_comes_with_its_partitions(shop: Marseille, rescue: Postgres) -> None:
    shop.says("restore", "table", "ville", "shop", "public.visits", "--to", "secours", "--as", "parts", "--yes")

    assert "2" == rescue.psql("SELECT count(*) FROM public.visits", "parts")
    assert "2" == rescue.psql("SELECT count(*) FROM pg_inherits", "parts")


@pytest.mark.parametrize(
    ("name", "kind"), [("public.notes", "view"), ("public.totals", "materialized view"), ("public.nothing", "")]
)
def test_what_is_no_table_is_called_what_it_is(shop: Marseille, name: str, kind: str) -> None:
    said = shop.says("restore", "plan", "ville", "shop", name, "--to", "secours", code=1)

    told = f"{name} of shop is a {kind}, and only tables are restored by themselves" if kind else f"no table {name} of"
    assert told in said
    assert ("restore database ville shop --as NEW_NAME" in said) is bool(kind)
