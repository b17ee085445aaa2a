"""A daemon that backs up a real server: what it makes, proves and tells, and what is left of it when it dies."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from dbwatch.http.control_client import call
from tests.fix_backups import (
    BACKUP,
    CANARY,
    COPYING,
    READY_SECONDS,
    SESSIONS,
    TOWN,
    Backed,
    Ground,
    backup_ground,
    small_disk,
)
from tests.fix_life import fill
from tests.fix_postgres import BARE, PASSWORD
from tests.fix_process import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fix_daemon import Daemon, NewDaemon
    from tests.fix_mariadb import Mariadb
    from tests.fix_postgres import Binaries, Clusters, Postgres

DATABASE = "town"
MAX_BLOCKING_SECONDS, A_MOMENT_SECONDS = 2, 6.0  # a moment of a busy machine


@pytest.fixture(scope="module")
def town(clusters: Clusters, postgres_18_binaries: Binaries) -> Iterator[Postgres]:
    """A server with a database that takes a while to dump, and an account that may do it."""
    with clusters.new(postgres_18_binaries) as server:
        server.psql(f"CREATE ROLE {BACKUP} LOGIN SUPERUSER PASSWORD '{CANARY}'")
        server.psql(f"CREATE DATABASE {DATABASE}")
        server.psql(TOWN, DATABASE)
        yield server


@pytest.fixture(autouse=True)
def ground() -> Iterator[Ground]:
    """Made before the daemons, so that it goes after them."""
    with backup_ground() as directory:
        yield Ground(directory)


def configuration(server: Postgres, ground: Ground, *, password: str = CANARY, **logical: Any) -> dict[str, Any]:
    options = {"include": [DATABASE], "lock_wait": "2s", "max_blocking": f"{MAX_BLOCKING_SECONDS}s"} | logical
    instance = server.instance(
        backup={"user": BACKUP, "password": password}, backups={"logical": options}, sampler_interval=None
    )
    shared = ground.settings(postgres_programs=[str(server.binaries.directory)])
    return {"instances": {"pg1": instance}, "backups": shared}


LOOKED_AT = {"restore": False, "facts": "off"}  # not restored: that has a story of its own


@pytest.fixture
def backed(daemon: NewDaemon, town: Postgres, ground: Ground) -> Backed:
    return Backed(daemon(configuration(town, ground, verify=LOOKED_AT), wait=False), ground, "pg1")


def test_a_backup_is_made_restored_compared_and_told(daemon: NewDaemon, town: Postgres, ground: Ground) -> None:
    settings = configuration(town, ground)
    without = {"instances": {"pg1": {**settings["instances"]["pg1"], "backups": {}}}}
    started = daemon(without, wait=False).wait_ready(READY_SECONDS)
    assert [] == [name for name, _ in started.scrape() if name.startswith("dbwatch_backup_")]
    started.write(settings)
    started.send(signal.SIGHUP)  # a reload brings them
    backed = Backed(started, ground, "pg1")
    backed.metric("preflight_ok", 1)
    backed.metric("expected", 1, database=DATABASE)
    assert backed.daemon.scrape().value("dbwatch_backup_last_success_timestamp_seconds") is None

    run = backed.run()

    assert ("succeeded", None) == (run["state"], run["reason"])
    assert "equal to the source" in run["detail"]
    assert [run["backup"]] == ground.published("pg1")
    backed.metric("verified_level", 3, database=DATABASE)
    backed.metric("last_result", 1, result="succeeded")
    assert [] == canaries(backed)
    assert ([], []) == (backed.processes(), list(ground.scratch.iterdir()))
    eventually(lambda: town.psql(SESSIONS) == "0")  # a session goes a moment after its client

    flip_a_byte(backed, run["backup"])
    found = backed.verify(run["backup"])

    assert ("failed", "corrupt") == (found["state"], found["reason"])
    backed.metric("verified_level", 0, database=DATABASE)
    backed.metric("count", 1, state="bad")


def canaries(backed: Backed) -> list[str]:
    """Where the password of the backup's account stands, beside the configuration."""
    state = backed.daemon.directory / "state"
    walks = (os.walk(tree) for tree in (state, backed.ground.directory))
    files = [backed.daemon.log_file, *(Path(at, name) for walk in walks for at, _, names in walk for name in names)]
    found = [str(each) for each in files if holds_canary(each) and not is_secret(each)]
    for process in psutil.process_iter():
        try:
            said = [*process.cmdline(), *process.environ().values()]
        except psutil.Error:
            continue
        found += [str(process) for text in said if CANARY in text]
    return found


def is_secret(path: Path) -> bool:
    """A password file of a run that is under way: for our own eyes alone, and not in the repository."""
    if path.name != ".pgpass" or path.parent.parent.name != "passwords":
        return False
    try:
        return [each.stat().st_mode & 0o777 for each in (path, path.parent)] == [0o600, 0o700]
    except FileNotFoundError:  # it went meanwhile
        return True


def holds_canary(path: Path) -> bool:
    try:
        return path.is_file() and CANARY.encode() in path.read_bytes()
    except FileNotFoundError:  # it went meanwhile
        return False


def flip_a_byte(backed: Backed, backup: str) -> None:
    largest = max(backed.ground.files("pg1", backup), key=lambda path: path.stat().st_size)
    content = bytearray(largest.read_bytes())
    content[len(content) // 2] ^= 1
    largest.write_bytes(content)


def test_kill_9_of_the_daemon_leaves_nothing_and_the_next_run_is_good(
    backed: Backed, daemon: NewDaemon, town: Postgres, ground: Ground
) -> None:
    first = backed.run()
    backed.start()
    caught = backed.dumping(town)
    assert [] == canaries(backed)

    other = Backed(daemon(configuration(town, ground, verify=LOOKED_AT), wait=False), ground, "pg1")
    busy = other.run()
    assert ("failed", "busy") == (busy["state"], busy["reason"])
    other.daemon.stop()
    assert psutil.pid_exists(caught)

    backed.daemon.kill()
    backed.daemon.start_again(READY_SECONDS)

    eventually(lambda: not backed.processes(), timeout_seconds=60)
    eventually(lambda: town.psql(SESSIONS) == "0", timeout_seconds=60)
    backed.metric("runs_total", 1, result="orphaned")
    assert [] == list((backed.daemon.directory / "state" / "passwords").iterdir())
    assert ([first["backup"]], []) == (ground.published("pg1"), ground.partial("pg1"))
    assert "succeeded" == backed.run()["state"]


def test_kill_9_of_the_daemon_during_the_proof_leaves_the_set_and_says_so(
    daemon: NewDaemon, town: Postgres, ground: Ground
) -> None:
    backed = Backed(daemon(configuration(town, ground), wait=False), ground, "pg1")
    run = backed.start()
    eventually(lambda: backed.ask("job_status", id=run)["phase"] == "restoring", timeout_seconds=120)

    backed.daemon.kill()
    backed.daemon.start_again(READY_SECONDS)

    (backup,) = ground.published("pg1")
    found = backed.ended(run)
    stays = f"the backup {backup} was published and stays; its proof was not finished"
    assert ("orphaned", f"dbwatch ended while it ran; {stays}") == (found["state"], found["detail"])
    (plan,) = backed.ask("backup_retention", dry_run=True)
    assert [] == plan["frozen"]  # it was read to its end before
    backed.metric("verified_level", 3, database=DATABASE)  # the daemon goes on with what it had begun


def test_whatever_ends_a_dump_the_run_fails_with_one_reason_and_nothing_is_published(
    backed: Backed, town: Postgres, ground: Ground
) -> None:
    first = backed.run()
    ends = {"killed": kill_the_leader, "lost": end_the_session, "blocked_others": alter_the_table}

    for reason, end in ends.items():
        run = backed.start()
        end(town, backed.dumping(town))
        found = backed.ended(run)
        assert ("failed", reason) == (found["state"], found["reason"])
        backed.metric("runs_total", 1, result="failed", reason=reason)
        assert ([first["backup"]], []) == (ground.published("pg1"), ground.partial("pg1"))

    assert [] == backed.processes()
    assert "succeeded" == backed.run()["state"]
    backed.start()
    backed.dumping(town)
    backed.daemon.send(signal.SIGTERM)  # its grace is short, and a stopped dump never ends by itself
    assert 0 == backed.daemon.wait(60)
    assert ([], []) == (backed.processes(), ground.partial("pg1"))
    eventually(lambda: town.psql(SESSIONS) == "0", timeout_seconds=60)


def kill_the_leader(_server: Postgres, pid: int) -> None:
    psutil.Process(pid).kill()


def end_the_session(server: Postgres, pid: int) -> None:
    server.psql(COPYING.replace("count(*)", "count(pg_terminate_backend(pid))"))
    psutil.Process(pid).resume()


def alter_the_table(server: Postgres, _pid: int) -> None:
    """The application comes first: it has the table before a dump that does not end by itself is killed."""
    begun = time.monotonic()
    server.psql("SET lock_timeout = '60s'; ALTER TABLE citizen ALTER COLUMN name SET NOT NULL", DATABASE)
    assert time.monotonic() - begun < MAX_BLOCKING_SECONDS + A_MOMENT_SECONDS


def test_a_run_tells_at_once_whether_the_next_would_fail(daemon: NewDaemon, town: Postgres, ground: Ground) -> None:
    town.psql(f"CREATE ROLE late LOGIN SUPERUSER PASSWORD '{PASSWORD}'")
    settings = configuration(town, ground, verify=LOOKED_AT)
    settings["instances"]["pg1"]["backup"] = {"user": "late", "password": "mended"}
    backed = Backed(daemon(settings, wait=False), ground, "pg1")
    try:
        backed.metric("preflight_ok", 0)
        town.psql("ALTER ROLE late PASSWORD 'mended'")
        assert "succeeded" == backed.run()["state"]
        backed.metric("preflight_ok", 1)
        town.psql("ALTER ROLE late NOSUPERUSER")
        assert "permission" == backed.run()["reason"]
        backed.metric("preflight_ok", 0)
    finally:
        town.psql("DROP ROLE late")


async def test_what_stands_in_the_way_is_told_and_nothing_is_begun(
    daemon: NewDaemon, town: Postgres, ground: Ground
) -> None:
    settings = configuration(town, ground, verify=LOOKED_AT)
    good = settings["instances"]["pg1"]
    settings["instances"] |= {
        "wrong": {**good, "backup": {"user": BACKUP, "password": "wrong"}},
        "bare": {**good, "backup": {"user": BARE, "password": PASSWORD}},
    }
    started = daemon(settings, wait=False)

    def told(name: str = "pg1") -> dict[str, Any]:
        found = Backed(started, ground, name).run()
        assert ("failed", []) == (found["state"], [*ground.published(name), *ground.partial(name)])
        return found

    assert "auth" == (await asyncio.to_thread(told, "wrong"))["reason"]
    missing = await asyncio.to_thread(told, "bare")
    assert ("permission", True) == (missing["reason"], "GRANT" in missing["detail"])
    failure = {"db_instance": "wrong", "reason": "auth"}
    await asyncio.to_thread(started.wait_for, "dbwatch_backup_preflight_ok", 0, db_instance="wrong")
    await asyncio.to_thread(eventually, lambda: started.scrape().value("dbwatch_backup_last_failure", **failure))

    application = await town.admin(DATABASE)
    await application.execute("BEGIN; LOCK TABLE citizen IN ACCESS EXCLUSIVE MODE")
    assert "lock" == (await asyncio.to_thread(told))["reason"]
    await application.close()

    settings["backups"]["reserve_ratio"] = 1.0
    await asyncio.to_thread(reloaded, started, settings)
    assert "disk_full" == (await asyncio.to_thread(told))["reason"]

    (ground.directory / "file").write_text("stands where a directory should")
    settings["backups"] |= {"reserve_ratio": 0, "directory": str(ground.directory / "file")}
    await asyncio.to_thread(reloaded, started, settings)
    assert "repository" == (await asyncio.to_thread(told))["reason"]
    await asyncio.to_thread(started.wait_for, "dbwatch_backup_repository_usable", 0, timeout_seconds=60)
    await asyncio.to_thread(started.wait_for, "dbwatch_up", 1, db_instance="pg1")


def reloaded(started: Daemon, settings: dict[str, Any]) -> None:
    started.write(settings)
    asyncio.run(call(started.directory / "control.sock", "reload"))


def test_a_disk_that_fills_up_meanwhile_ends_the_dump(daemon: NewDaemon, town: Postgres, ground: Ground) -> None:
    with small_disk(ground.repository, "64m"):
        backed = Backed(daemon(configuration(town, ground, verify=LOOKED_AT), wait=False), ground, "pg1")
        run = backed.start()
        caught = backed.dumping(town)
        fill(ground.repository)
        psutil.Process(caught).resume()

        found = backed.ended(run)

        assert ("failed", "disk_full") == (found["state"], found["reason"])
        assert ([], []) == (ground.published("pg1"), ground.partial("pg1"))
        backed.daemon.stop()


def test_a_worker_that_is_killed_fails_the_run(daemon: NewDaemon, town: Postgres, ground: Ground) -> None:
    settings = configuration(town, ground, verify=LOOKED_AT, codec="gzip", parallel=2)  # a directory, by workers
    backed = Backed(daemon(settings, wait=False), ground, "pg1")
    run = backed.start()
    leader = psutil.Process(backed.dumping(town))

    leader.children()[0].kill()
    leader.resume()

    found = backed.ended(run)
    assert ("failed", "killed") == (found["state"], found["reason"])
    assert ([], [], []) == (ground.published("pg1"), ground.partial("pg1"), backed.processes())


def test_the_distributions_server_is_restored_and_compared_too(
    daemon: NewDaemon, postgres_15: Postgres, ground: Ground
) -> None:
    settings = configuration(postgres_15, ground, include=["postgres"])
    settings["instances"]["pg1"]["backup"] = {"user": "postgres"}
    backed = Backed(daemon(settings, wait=False), ground, "pg1")

    run = backed.run()

    assert ("succeeded", True) == (run["state"], "equal to the source" in run["detail"]), run


def test_mariadb_is_restored_and_compared_too(daemon: NewDaemon, mariadb: Mariadb, ground: Ground) -> None:
    mariadb.sql("CREATE DATABASE backed; CREATE TABLE backed.t (id int PRIMARY KEY, name text) ENGINE=InnoDB;")
    mariadb.sql("INSERT INTO backed.t SELECT seq, md5(seq) FROM backed.seq_1_to_2000 AS s", "backed")
    mariadb.sql(f"CREATE USER {BACKUP}@'127.0.0.1' IDENTIFIED BY '{CANARY}'")
    mariadb.sql(f"GRANT ALL PRIVILEGES ON *.* TO {BACKUP}@'127.0.0.1'")
    logical = {"include": ["backed"]}
    instance = mariadb.instance(backup={"user": BACKUP, "password": CANARY}, backups={"logical": logical})
    settings = {"instances": {"my1": instance}, "backups": ground.settings()}
    backed = Backed(daemon(settings, wait=False), ground, "my1")

    run = backed.run()

    mariadb.sql(f"DROP DATABASE backed; DROP USER {BACKUP}@'127.0.0.1'")
    assert ("succeeded", True) == (run["state"], "equal to the source" in run["detail"]), run
    assert ([run["backup"]], []) == (ground.published("my1"), canaries(backed))
