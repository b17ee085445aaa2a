"""Indexes that are broken, twice there or unused, and keys that run out: nothing listed that somebody needs."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from dbwatch.cli.doctor import examine
from dbwatch.files import sql_root
from dbwatch.poller.once import Target
from tests.fix_postgres import BARE, MONITOR
from tests.fix_process import eventually
from tests.postgres_asking import engine, instance, key, ours, see

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fix_postgres import Postgres
    from tests.postgres_asking import Seen

pytestmark = pytest.mark.engine

INVALID = "dbwatch_index_invalid"
DUPLICATE, REDUNDANT = "dbwatch_index_duplicate_bytes", "dbwatch_index_redundant_bytes"
USED_UP, UNREADABLE = "dbwatch_key_exhaustion_ratio", "dbwatch_pg_sequences_unreadable"
READABLE = f"GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO {MONITOR}"


@pytest.fixture
def shop(quiet_postgres: Postgres) -> Iterator[Postgres]:
    quiet_postgres.psql("CREATE DATABASE shop")
    yield quiet_postgres
    quiet_postgres.psql("DROP DATABASE shop WITH (FORCE)")


async def asked(server: Postgres, name: str, **who: str) -> Seen:
    return await see(server.instance(**who), name, database="shop")


async def duplicates(server: Postgres) -> Seen:
    seen = await asked(server, "index_duplicates")
    return {name: value for name, value in seen.items() if name.startswith(DUPLICATE)}


def of(family: str, **labels: str) -> str:
    return key(family, {"database": "shop", "schema": "public", **labels})


async def test_an_index_whose_concurrent_creation_failed_is_invalid_until_it_is_dropped(shop: Postgres) -> None:
    shop.psql("CREATE TABLE rdv (n int); INSERT INTO rdv VALUES (1), (1)", "shop")
    with pytest.raises(RuntimeError, match="could not create unique index"):
        shop.psql("CREATE UNIQUE INDEX CONCURRENTLY one_each ON rdv (n)", "shop")
    failed = await asked(shop, "index_invalid")
    shop.psql("DROP INDEX one_each", "shop")

    assert {of(INVALID, table="rdv", index="one_each"): 1} == failed
    assert {} == await asked(shop, "index_invalid")


async def test_an_index_that_is_being_built_is_not_invalid(shop: Postgres) -> None:
    shop.psql("CREATE TABLE rdv (n int)", "shop")
    reader, builder = await shop.admin("shop"), await shop.admin("shop")
    await reader.execute(
        "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM rdv; LOCK TABLE rdv IN ROW SHARE MODE"
    )
    await reader.execute("INSERT INTO rdv VALUES (1)")
    building = asyncio.create_task(builder.execute("CREATE INDEX CONCURRENTLY building ON rdv (n)"))
    invalid = "SELECT count(*) FROM pg_index WHERE NOT indisvalid"
    await asyncio.to_thread(eventually, lambda: shop.psql(invalid, "shop") == "1")
    seen = await asked(shop, "index_invalid")
    await reader.execute("COMMIT")
    await building
    for session in (reader, builder):
        session.terminate()

    assert {} == seen
    assert {} == await asked(shop, "index_invalid")


async def test_the_same_index_twice_is_listed_once_and_the_one_that_guards_is_kept(shop: Postgres) -> None:
    shop.psql(
        "CREATE TABLE rdv (n int PRIMARY KEY, at date, note text, more int);"
        "CREATE INDEX again ON rdv (n); CREATE INDEX first ON rdv (at); CREATE INDEX a_much_longer_name ON rdv (at);"
        "CREATE INDEX lower_one ON rdv (lower(note)); CREATE INDEX lower_number_two ON rdv (lower(note));"
        # These differ, each in one thing.
        "CREATE INDEX descending ON rdv (at DESC); CREATE INDEX partial ON rdv (at) WHERE more = 1;"
        "CREATE INDEX other_part ON rdv (at) WHERE more = 2; CREATE INDEX hashed ON rdv USING hash (at);"
        "CREATE INDEX covering ON rdv (at) INCLUDE (more); CREATE INDEX two_columns ON rdv (at, more);"
        'CREATE INDEX collated ON rdv (lower(note) COLLATE "C");'
        "CREATE INDEX other_class ON rdv (lower(note) text_pattern_ops);"
        "INSERT INTO rdv SELECT n, current_date, 'x', n FROM generate_series(1, 1000) AS n; ANALYZE",
        "shop",
    )
    seen = await duplicates(shop)
    size = int(shop.psql("SELECT pg_relation_size('a_much_longer_name')", "shop"))
    twins = {"again": "rdv_pkey", "a_much_longer_name": "first", "lower_number_two": "lower_one"}

    assert {of(DUPLICATE, table="rdv", index=name, duplicate_of=other) for name, other in twins.items()} == seen.keys()
    assert size == seen[of(DUPLICATE, table="rdv", index="a_much_longer_name", duplicate_of="first")]
    shop.psql("DROP INDEX again, a_much_longer_name, lower_number_two", "shop")
    assert {} == await duplicates(shop)


async def test_an_index_that_begins_another_one_is_told_with_it_until_it_is_dropped(shop: Postgres) -> None:
    shop.psql(
        "CREATE TABLE rdv (n int PRIMARY KEY, at date, agent int, nom text, more int);"
        "CREATE INDEX long ON rdv (at, agent, nom); CREATE INDEX middle ON rdv (at, agent);"
        "CREATE INDEX short ON rdv (at); CREATE INDEX twin ON rdv (at);"
        "CREATE INDEX plain ON rdv (nom); CREATE INDEX covering ON rdv (nom) INCLUDE (more);"
        "CREATE INDEX lower_after ON rdv (more, lower(nom)); CREATE INDEX more ON rdv (more);"
        # Each does something that the longer one does not.
        "CREATE INDEX descending ON rdv (at DESC); CREATE INDEX partial ON rdv (at) WHERE more = 1;"
        "CREATE INDEX hashed ON rdv USING hash (at); CREATE INDEX inside ON rdv (agent);"
        'CREATE INDEX collated ON rdv (at, agent, nom COLLATE "POSIX");'
        "CREATE INDEX class ON rdv (nom text_pattern_ops);"
        "CREATE INDEX carries ON rdv (more) INCLUDE (at); CREATE UNIQUE INDEX once ON rdv (agent, at);"
        "CREATE INDEX once_more ON rdv (agent, at, nom); CREATE INDEX key_more ON rdv (n, agent);"
        "CREATE INDEX part_long ON rdv (agent, more) WHERE more = 1;"
        "INSERT INTO rdv SELECT n, current_date, n, 'x', n FROM generate_series(1, 1000) AS n; ANALYZE",
        "shop",
    )
    seen = await asked(shop, "index_duplicates")
    size = int(shop.psql("SELECT pg_relation_size('middle')", "shop"))
    dominant = {"middle": "long", "short": "long", "plain": "covering", "more": "lower_after", "inside": "once_more"}

    assert {of(REDUNDANT, table="rdv", index=name, prefix_of=other) for name, other in dominant.items()} | {
        of(DUPLICATE, table="rdv", index="twin", duplicate_of="short")
    } == seen.keys()
    assert size == seen[of(REDUNDANT, table="rdv", index="middle", prefix_of="long")]
    shop.psql(f"DROP INDEX twin, {', '.join(dominant)}", "shop")
    assert {} == await asked(shop, "index_duplicates")


async def test_an_index_that_is_read_is_counted(shop: Postgres) -> None:
    labels = {"table": "rdv", "index": "rdv_pkey"}
    scans, last = (
        of("dbwatch_pg_index_scans_total", **labels),
        of("dbwatch_pg_index_last_scan_timestamp_seconds", **labels),
    )
    shop.psql("CREATE TABLE rdv (n int PRIMARY KEY); INSERT INTO rdv SELECT generate_series(1, 100); ANALYZE", "shop")
    before = await asked(shop, "index_activity")
    shop.psql("SET enable_seqscan = off; SELECT n FROM rdv WHERE n <= 7; SELECT pg_stat_force_next_flush()", "shop")
    after = await asked(shop, "index_activity")

    assert 0 == before[scans]
    assert last not in before
    assert 1 == after[scans]
    assert 7 == after[of("dbwatch_pg_index_entries_read_total", **labels)]
    assert 16384 == after[of("dbwatch_pg_index_size_bytes", **labels)]
    assert abs(time.time() - after[last]) < 60


async def test_a_sequence_is_as_full_as_the_narrower_of_itself_and_its_column(shop: Postgres) -> None:
    shop.psql(
        "CREATE TABLE small (n smallserial); CREATE TABLE identified (n int GENERATED ALWAYS AS IDENTITY);"
        "CREATE SEQUENCE by_hand; CREATE TABLE defaulted (n int DEFAULT nextval('by_hand'));"
        "CREATE DOMAIN tiny AS smallint; CREATE SEQUENCE of_domain;"
        "CREATE TABLE tinies (n tiny DEFAULT nextval('of_domain'));"
        "CREATE SEQUENCE downwards INCREMENT -1 MINVALUE -1000; CREATE SEQUENCE round_and_round MAXVALUE 10 CYCLE;"
        "CREATE SEQUENCE from_below AS smallint MINVALUE -32768 START -32768; CREATE SEQUENCE untouched MAXVALUE 10;"
        "SELECT setval('small_n_seq', 29491), setval('identified_n_seq', 2147483647 / 2), setval('by_hand', 429496729),"
        " setval('of_domain', 32767), setval('downwards', -250), setval('round_and_round', 10),"
        " setval('from_below', 0);"
        f"{READABLE}",
        "shop",
    )
    seen = await asked(shop, "key_exhaustion")

    assert {
        of(USED_UP, table="small", column="n"): 29491 / 32767,
        of(USED_UP, table="identified", column="n"): 0.5,
        of(USED_UP, table="defaulted", column="n"): 0.2,
        of(USED_UP, table="tinies", column="n"): 1.0,
        of(USED_UP, table="downwards"): 0.25,
        of(USED_UP, table="from_below"): 32768 / 65535,
    } == pytest.approx(seen)


async def test_a_sequence_that_counts_down_to_zero_is_no_division_by_zero(shop: Postgres) -> None:
    shop.psql(
        "CREATE SEQUENCE places_left INCREMENT -1 MINVALUE 0 MAXVALUE 100 START 100;"
        "CREATE SEQUENCE up_to_zero MINVALUE -100 MAXVALUE 0 START -100;"
        "CREATE TABLE seat (n int DEFAULT nextval('places_left'), m int DEFAULT nextval('up_to_zero'), id serial);"
        "INSERT INTO seat DEFAULT VALUES; SELECT setval('places_left', 25), setval('up_to_zero', -50);"
        f"{READABLE}",
        "shop",
    )
    seen = await asked(shop, "key_exhaustion")

    assert {
        of(USED_UP, table="seat", column="n"): 0.75,
        of(USED_UP, table="seat", column="m"): 0.5,
        of(USED_UP, table="seat", column="id"): 1 / 2147483647,
    } == pytest.approx(seen)


async def test_a_key_that_runs_out_is_seen_before_and_mended_after(shop: Postgres) -> None:
    shop.psql(f"CREATE TABLE small (n smallserial); SELECT setval('small_n_seq', 32766); {READABLE}", "shop")
    sample = of(USED_UP, table="small", column="n")
    shop.psql("INSERT INTO small DEFAULT VALUES", "shop")
    full = await asked(shop, "key_exhaustion")
    shop.psql("ALTER TABLE small ALTER n TYPE bigint; ALTER SEQUENCE small_n_seq AS bigint", "shop")
    mended = await asked(shop, "key_exhaustion")

    assert 1 == full[sample]
    assert mended[sample] < 1e-12


async def test_a_sequence_that_we_may_not_read_is_absent_and_counted(shop: Postgres) -> None:
    unreadable = key(UNREADABLE, {"database": "shop"})
    shop.psql(
        "CREATE TABLE first (n serial); CREATE TABLE second (n serial);"
        "SELECT nextval('first_n_seq'), nextval('second_n_seq')",
        "shop",
    )
    seen = [await asked(shop, "key_exhaustion") | await asked(shop, "schema_checks")]
    for granted in (f"GRANT SELECT ON SEQUENCE first_n_seq TO {MONITOR}", READABLE):
        shop.psql(granted, "shop")
        seen.append(await asked(shop, "key_exhaustion") | await asked(shop, "schema_checks"))

    assert [2, 1, 0] == [each[unreadable] for each in seen]
    columns = [[name for name in ("first", "second") if of(USED_UP, table=name, column="n") in each] for each in seen]
    assert [[], ["first"], ["first", "second"]] == columns
    assert {} == await asked(shop, "key_exhaustion", user=BARE)


async def test_the_documented_script_shows_all_sequences_and_doctor_names_what_lacks_without_alarm(
    shop: Postgres,
) -> None:
    script = (sql_root() / "postgres" / "security" / "02_sequences.sql").read_text()
    shop.psql(
        'CREATE SCHEMA "état civil"; CREATE TABLE "état civil".acte (n serial); CREATE TABLE rdv (n serial);'
        "INSERT INTO rdv DEFAULT VALUES",
        "shop",
    )
    target = Target(instance(shop.instance(databases={"include": ["shop"]})), engine(), ours())
    before = await examine(target)
    shop.psql(script + script, "shop")
    shop.psql("CREATE TABLE later (n serial); INSERT INTO later DEFAULT VALUES", "shop")
    after = await examine(target)
    seen = await asked(shop, "key_exhaustion") | await asked(shop, "schema_checks")

    at = next(at for at, line in enumerate(before.lines) if "left out key_exhaustion" in line)
    assert f"GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO {MONITOR};" in "\n".join(before.lines[at : at + 3])
    assert (True, ()) == (before.healthy, before.grants)
    assert (True, ()) == (after.healthy, after.grants)
    assert any("ok       key_exhaustion: 2 series" in line for line in after.lines)
    assert 0 == seen[key(UNREADABLE, {"database": "shop"})]
    assert of(USED_UP, table="later", column="n") in seen


async def test_a_sequence_that_is_being_altered_is_left_alone(shop: Postgres) -> None:
    shop.psql(
        f"CREATE SEQUENCE held; CREATE SEQUENCE free; SELECT nextval('held'), nextval('free'); {READABLE}", "shop"
    )
    migration = await shop.admin("shop")
    await migration.execute("BEGIN; ALTER SEQUENCE held RESTART")
    during = await asked(shop, "key_exhaustion")
    await migration.execute("ROLLBACK")
    migration.terminate()

    assert [of(USED_UP, table="free")] == list(during)
    assert 2 == len(await asked(shop, "key_exhaustion"))


async def test_many_sequences_give_few_series_and_the_fullest_is_among_them(shop: Postgres) -> None:
    shop.psql(
        "DO $$ BEGIN FOR i IN 1..700 LOOP EXECUTE format('CREATE SEQUENCE s%s', i);"
        "PERFORM nextval('s' || i); END LOOP; END $$;"
        f"CREATE TABLE busy (n smallserial, m int); SELECT setval('busy_n_seq', 32000); {READABLE}",
        "shop",
    )
    shop.psql("INSERT INTO busy (n) SELECT 1 FROM generate_series(1, 100)", "shop")
    seen = await asked(shop, "key_exhaustion")

    assert 20 == len(seen)
    assert 32000 / 32767 == seen[of(USED_UP, table="busy", column="n")]


async def test_what_a_schema_lacks_is_counted(shop: Postgres) -> None:
    names = ("dbwatch_tables_without_primary_key", "dbwatch_pg_foreign_keys_unindexed")
    shop.psql(
        "CREATE TABLE agent (n int PRIMARY KEY, m int UNIQUE, UNIQUE (n, m));"
        "CREATE TABLE rdv (agent int REFERENCES agent, n int, m int, FOREIGN KEY (n, m) REFERENCES agent (n, m))",
        "shop",
    )
    bare = await asked(shop, "schema_checks")
    shop.psql("CREATE INDEX ON rdv (n, agent); CREATE INDEX wrong ON rdv (agent) WHERE agent > 5", "shop")
    still = await asked(shop, "schema_checks")
    shop.psql(
        "ALTER TABLE rdv ADD id int PRIMARY KEY; CREATE INDEX ON rdv (agent) WHERE agent IS NOT NULL;"
        "CREATE INDEX ON rdv (m, n, agent)",
        "shop",
    )
    mended = await asked(shop, "schema_checks")

    assert [(1, 2), (1, 2), (0, 0)] == [
        tuple(seen[key(name, {"database": "shop"})] for name in names) for seen in (bare, still, mended)
    ]


async def test_a_constraint_that_was_never_checked_is_counted_until_it_is_validated(shop: Postgres) -> None:
    unvalidated = key("dbwatch_pg_constraints_unvalidated", {"database": "shop"})
    shop.psql(
        "CREATE TABLE agent (n int PRIMARY KEY); INSERT INTO agent VALUES (-1);"
        "CREATE TABLE rdv (agent int REFERENCES agent, CHECK (agent <> 0)) PARTITION BY LIST (agent);"
        "CREATE TABLE first PARTITION OF rdv FOR VALUES IN (1); CREATE TABLE second PARTITION OF rdv DEFAULT;"
        # Not enforced on purpose (PostgreSQL 18): there is nothing to validate.
        "ALTER TABLE agent ADD CHECK (n < 1000) NOT ENFORCED",
        "shop",
    )
    seen = [await asked(shop, "schema_checks")]
    for statement in (
        "ALTER TABLE agent ADD CONSTRAINT positive CHECK (n > 0) NOT VALID",
        # Its partitions' copies are the same constraint.
        "ALTER TABLE rdv ADD CONSTRAINT few CHECK (agent < 100) NOT VALID",
        "ALTER TABLE agent ADD m int; ALTER TABLE agent ADD FOREIGN KEY (m) REFERENCES agent NOT VALID",
        "UPDATE agent SET n = 1; ALTER TABLE agent VALIDATE CONSTRAINT positive",
        "ALTER TABLE rdv VALIDATE CONSTRAINT few; ALTER TABLE agent VALIDATE CONSTRAINT agent_m_fkey",
    ):
        shop.psql(statement, "shop")
        seen.append(await asked(shop, "schema_checks"))

    assert [0, 1, 2, 3, 2, 0] == [each[unvalidated] for each in seen]
