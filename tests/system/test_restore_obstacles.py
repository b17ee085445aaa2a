"""`dbwatch restore`: what surely ends it is told by the plan, and what it left by the error; nothing of others goes."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

import psutil
import pyrage
import pytest

from tests.fix_backups import small_disk
from tests.fix_postgres import Clusters
from tests.fix_process import workspace
from tests.marseille_backed import Marseille, as_superuser, backed_up, marseille

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.fix_mariadb import MariadbServers
    from tests.fix_postgres import Binaries, Postgres

pytestmark = [pytest.mark.system, pytest.mark.engine]
# A reference that leads nowhere, as a damaged disk or a superuser leaves it.
DANGLING = """
    CREATE TABLE public.citizens (id int PRIMARY KEY);
    CREATE TABLE public.visits (citizen int REFERENCES public.citizens);
    SET session_replication_role = replica;
    INSERT INTO public.visits VALUES (741963)"""
PLAIN = "CREATE TABLE public.t AS SELECT 7 AS n"
KEEPER = "CREATE USER b@'127.0.0.1' IDENTIFIED BY 'x'; GRANT ALL ON *.* TO b@'127.0.0.1' WITH GRANT OPTION;"
LOGIN = {"user": "b", "password": "x"}
RESTORE = ("restore", "database", "ville")
INTO = ("--to", "secours", "--into-non-empty", "--yes")


@pytest.fixture(scope="module")
def source(clusters: Clusters, postgres_18_binaries: Binaries) -> Iterator[Postgres]:
    with clusters.new(postgres_18_binaries) as server:
        for name, statements in (("plain", PLAIN), ("other", PLAIN), ("broken", DANGLING)):
            server.psql(f"CREATE DATABASE {name}")
            server.psql(statements, name)
        yield server


@pytest.fixture
def rescue(postgres_18_binaries: Binaries) -> Iterator[Postgres]:
    with workspace() as directory, Clusters(directory).new(postgres_18_binaries) as server:
        yield server


@pytest.fixture
def ville(source: Postgres, rescue: Postgres) -> Iterator[Marseille]:
    kept = backed_up("plain", "other", "broken")
    instances = {"ville": as_superuser(source, backups=kept), "secours": as_superuser(rescue)}
    with marseille(instances, postgres_programs=[str(source.binaries.directory)]) as town:
        town.says("backup", "ville")
        yield town


def test_nobody_is_told_to_drop_a_database_that_the_restore_did_not_make(ville: Marseille, rescue: Postgres) -> None:
    rescue.psql("CREATE DATABASE plain")
    rescue.psql("CREATE TABLE precious AS SELECT 1 AS n; CREATE TABLE t AS SELECT 2 AS n", "plain")

    said = ville.says(*RESTORE, "plain", *INTO, code=1)

    lies = "plain was on secours before, and what was restored until then lies among what it held"
    assert f"{lies} -> do not drop it: look which of its objects are new" in said
    assert "drop it before the next try" not in said
    assert "1|2" == rescue.psql("SELECT p.n, t.n FROM precious AS p, t", "plain")


def test_what_the_restore_made_is_told_apart_from_what_was_there(ville: Marseille, rescue: Postgres) -> None:
    rescue.psql("CREATE DATABASE broken")
    rescue.psql("CREATE TABLE precious AS SELECT 1 AS n", "broken")

    made = ville.says(*RESTORE, "broken", "--as", "half", "--to", "secours", "--yes", code=1)
    whole = ville.says("restore", "full", "ville", *INTO, code=1)

    stays = "what was restored until then stays on secours, incomplete"
    assert f"{stays} (half) -> look at it, or drop it before the next try" in made
    assert "broken was on secours before" in whole
    assert "incomplete (broken" not in whole


def test_each_database_that_holds_something_is_named(ville: Marseille, rescue: Postgres) -> None:
    for name in ("plain", "other"):
        rescue.psql(f"CREATE DATABASE {name}")
        rescue.psql(PLAIN, name)

    said = ville.says("restore", "plan", "ville", "--to", "secours")

    told = "these databases of secours hold something already: other (objects: 1), plain (objects: 1)"
    assert f"DANGER     {told} (allow it with --into-non-empty)" in said


def test_what_no_word_helps_against_is_refused_before_what_one_would_allow(ville: Marseille, rescue: Postgres) -> None:
    rescue.psql("CREATE DATABASE plain")
    rescue.psql(PLAIN, "plain")
    rescue.psql("ALTER ROLE postgres SET default_transaction_read_only = on")

    said = ville.says(*RESTORE, "plain", "--to", "secours", "--yes", code=1)

    assert "refused: on secours default_transaction_read_only is on" in said
    assert "to do it all the same" not in said


@pytest.mark.parametrize(
    ("closing", "remedy"),
    [
        ("ALTER ROLE postgres SET {}", "ALTER ROLE postgres RESET default_transaction_read_only;"),
        ("ALTER DATABASE other SET {}", "ALTER DATABASE other RESET default_transaction_read_only;"),
        (
            "ALTER ROLE postgres IN DATABASE other SET {}",
            "ALTER ROLE postgres IN DATABASE other RESET default_transaction_read_only;",
        ),
        ("ALTER ROLE ALL SET {}", "ALTER ROLE ALL RESET default_transaction_read_only;"),
        ("ALTER SYSTEM SET {}", "ALTER SYSTEM SET default_transaction_read_only = off; SELECT pg_reload_conf();"),
    ],
)
def test_a_server_where_nothing_can_be_written_is_an_obstacle_whose_remedy_works(
    ville: Marseille, rescue: Postgres, closing: str, remedy: str
) -> None:
    rescue.psql("CREATE DATABASE other")
    rescue.psql(closing.format("default_transaction_read_only = true"))
    rescue.psql("SELECT pg_reload_conf()")
    plan = ("restore", "plan", "ville", "other", "--to", "secours")

    said = ville.says(*plan)
    whole = ville.says("restore", "plan", "ville", "--to", "secours")
    elsewhere = ville.says(*plan, "--as", "new")

    told = "OBSTACLE   on secours default_transaction_read_only is on for the account (other"
    assert f"{told}): {remedy}" in said
    assert remedy in whole
    assert (remedy in elsewhere) is ("DATABASE other" not in remedy)
    ville.says(*RESTORE, "other", "--to", "secours", "--yes", code=1)
    for statement in filter(None, remedy.split(";")):
        rescue.psql(f"BEGIN READ WRITE; {statement}; COMMIT" if "SYSTEM" not in remedy else statement)
    assert "OBSTACLE" not in ville.says(*plan)
    ville.says(*RESTORE, "other", "--to", "secours", "--yes")


def test_a_directory_that_is_not_empty_is_told_by_the_plan(ville: Marseille, tmp_path: Path) -> None:
    (tmp_path / "mine").touch()
    scratch = ("--scratch", str(tmp_path))

    said = ville.says("restore", "plan", "ville", *scratch)
    refused = ville.says("restore", "full", "ville", *scratch, "--yes", code=1)

    assert f"OBSTACLE   {tmp_path} is not empty -> name a directory that is, or is not there yet" in said
    assert f"refused: {tmp_path} is not empty" in refused


def test_a_key_that_is_missing_or_another_is_told_by_the_plan(source: Postgres, tmp_path: Path) -> None:
    key, other = pyrage.x25519.Identity.generate(), pyrage.x25519.Identity.generate()
    held = tmp_path / "key"
    held.write_text(str(key))
    instances = {"ville": as_superuser(source, backups=backed_up("plain"))}
    encryption = {"recipients": [str(key.to_public())], "identity_file": str(held)}
    shared = {"postgres_programs": [str(source.binaries.directory)]}
    with marseille(instances, encryption=encryption, **shared) as made:
        made.says("backup", "ville")
        plan = ("restore", "plan", "ville", "--scratch", str(tmp_path / "new"))
        assert "OBSTACLE" not in made.says(*plan)
        held.write_text(str(other))
        wrong = made.says(*plan)
        refused = made.says("restore", "full", *plan[2:], "--yes", code=1)
        held.unlink()
        missing = made.says(*plan)

    mend = "-> name the file of its key in backups.encryption.identity_file"
    why = f"the set is encrypted: the key in {held} is none of those that it was encrypted to {mend}"
    assert f"OBSTACLE   {why}" in wrong
    assert f"refused: {why}" in refused
    unread = f"cannot read the key in {held}: no such file or directory"
    assert f"OBSTACLE   the set is encrypted: {unread} {mend}" in missing


def test_mariadb_tells_what_it_made_apart_from_what_was_there_too(mariadb_servers: MariadbServers) -> None:
    with mariadb_servers.new() as source, mariadb_servers.new() as target:
        source.sql(KEEPER + "CREATE DATABASE made; CREATE DATABASE plain; CREATE TABLE made.a AS SELECT 7 AS n;")
        source.sql("CREATE TABLE plain.a AS SELECT 7 AS n; CREATE TABLE plain.b (n int)")
        target.sql(KEEPER + "CREATE DATABASE plain; CREATE VIEW plain.b AS SELECT 1 AS n")  # where a table is to come
        instances = {
            "ville": source.instance(backup=LOGIN, backups=backed_up("plain", "made")),
            "secours": target.instance(backup=LOGIN),
        }
        with marseille(instances) as town:
            town.says("backup", "ville")
            one = town.says(*RESTORE, "plain", *INTO, code=1)
            whole = town.says("restore", "full", "ville", *INTO, code=1)

    lies = "plain was on secours before, and what was restored until then lies among or in place of what it held"
    assert f"{lies} -> do not drop it: look which of its objects are new" in one
    assert "drop it before" not in one
    assert lies in whole
    assert "stays on secours, incomplete (made) -> look at it, or drop it before the next try" in whole


def test_rows_that_a_server_of_its_own_will_lack_are_told(mariadb_servers: MariadbServers) -> None:
    with mariadb_servers.new() as source:
        source.sql(KEEPER + "CREATE DATABASE d; CREATE TABLE d.kept AS SELECT 7 AS n;")
        source.sql("CREATE TABLE d.held (n int) ENGINE=MEMORY; INSERT INTO d.held VALUES (1)")
        backups = {"logical": {"verify": {"restore": False}, "non_transactional": "accept"}}
        with marseille({"ville": source.instance(backup=LOGIN, backups=backups)}) as town:
            town.says("backup", "ville")
            scratch = ("--scratch", str(town.ground.directory / "new"))
            plan = town.says("restore", "plan", "ville", *scratch)
            said = town.says("restore", "full", "ville", *scratch, "--yes")
            (pid,) = re.findall(r"^to end it: +kill -TERM ([0-9]+)$", said, re.MULTILINE)
            server = psutil.Process(int(pid))
            server.terminate()
            server.wait(60)

    told = "note       d.held are held in memory, and will be EMPTY there: the server is started anew once it is filled"
    assert told in plan
    assert told in said[said.index("restored everything") :]


def test_a_set_on_a_disk_that_is_read_only_is_checked_all_the_same(source: Postgres, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    instances = {"ville": as_superuser(source, backups=backed_up("plain"))}
    shared = {"postgres_programs": [str(source.binaries.directory)], "directory": str(disk / "sets")}
    with small_disk(disk, "64m"), marseille(instances, **shared) as town:
        town.says("backup", "ville")
        (backup,) = (each.name for each in (disk / "sets" / "ville" / "logical").glob("2*"))
        subprocess.run(["/bin/mount", "-o", "remount,ro", str(disk)], check=True)
        said = town.says("backup", "verify", backup, code=1)
        member = next((disk / "sets").rglob("*_plain*"))
        member = next(member.glob("[0-9]*")) if member.is_dir() else member
        subprocess.run(["/bin/mount", "-o", "remount,rw", str(disk)], check=True)
        member.write_bytes(member.read_bytes()[:-1] + b"x")
        subprocess.run(["/bin/mount", "-o", "remount,ro", str(disk)], check=True)
        bad = town.says("backup", "verify", backup, code=1)

    good = f"verify of ville failed (repository): backup {backup}: it was compared, and is good (1 of 1 table"
    assert good in said
    assert "but that could not be written down: cannot write a proof into " in said
    assert "read-only file system -> mount it for writing" in said
    assert "backup_partial_left" not in said
    assert f"verify of ville failed (corrupt): backup {backup}" in bad
