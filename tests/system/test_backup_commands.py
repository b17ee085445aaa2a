"""`dbwatch backup` and `dbwatch jobs`: through the daemon, and without one."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.fix_backups import BACKUP, CANARY, READY_SECONDS, Ground, backup_ground
from tests.fix_daemon import dbwatch_command
from tests.fix_process import environment, eventually
from tests.job_pipelines import alive

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.fix_daemon import NewDaemon
    from tests.fix_postgres import Binaries, Clusters, Postgres

pytestmark = [pytest.mark.system, pytest.mark.engine]
TOWN = "CREATE TABLE citizen AS SELECT i AS id, md5(i::text) AS name FROM generate_series(1, 200) AS i"
HELD = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'BEGIN; LOCK%' AND wait_event = 'PgSleep'"
HOLD = "BEGIN; LOCK TABLE citizen IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(600)"


@dataclass(frozen=True)
class Configured:
    """A configuration, and what the command line says of it."""

    file: Path
    ground: Ground

    def command(self, *words: str) -> list[str]:
        return [*dbwatch_command(), *words, "--config", str(self.file)]

    def says(self, *words: str, code: int = 0) -> str:
        """Everything that it prints."""
        done = subprocess.run(
            self.command(*words), env=environment(), capture_output=True, text=True, timeout=120, check=False
        )
        said = done.stdout + done.stderr
        assert (code, False) == (done.returncode, "Traceback" in said), said
        return said

    @contextmanager
    def started(self, *words: str) -> Iterator[subprocess.Popen[str]]:
        """It runs, and has printed its first line."""
        with subprocess.Popen(
            self.command(*words), env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as running:
            try:
                assert running.stdout is not None
                assert running.stdout.readline()
                yield running
            finally:
                running.kill()


@pytest.fixture(scope="module")
def town(clusters: Clusters, postgres_18_binaries: Binaries) -> Iterator[Postgres]:
    with clusters.new(postgres_18_binaries) as server:
        server.psql(f"CREATE ROLE {BACKUP} LOGIN SUPERUSER PASSWORD '{CANARY}'")
        server.psql("CREATE DATABASE town")
        server.psql(TOWN, "town")
        yield server


def settings(server: Postgres, ground: Ground) -> dict[str, Any]:
    logical = {"schedule": "30 1 * * *", "include": ["town"], "lock_wait": "5m", "verify": {"restore": False}}
    instance = server.instance(
        backup={"user": BACKUP, "password": CANARY}, backups={"logical": logical}, sampler_interval=None
    )
    return {
        "instances": {"list": instance},  # as a command is named
        "backups": ground.settings(postgres_programs=[str(server.binaries.directory)], stop_grace="0.1s"),
    }


@pytest.fixture
def alone(town: Postgres, tmp_path: Path) -> Iterator[Configured]:
    """No daemon runs."""
    with backup_ground() as directory:
        ground = Ground(directory)
        file = tmp_path / "dbwatch.yml"
        paths = {"state_directory": str(tmp_path / "state"), "control_socket": str(tmp_path / "control.sock")}
        file.write_text(yaml.safe_dump(settings(town, ground) | paths))
        yield Configured(file, ground)


@pytest.fixture
def attended(daemon: NewDaemon, town: Postgres) -> Iterator[Configured]:
    """A daemon runs."""
    with backup_ground() as directory:
        ground = Ground(directory)
        running = daemon(settings(town, ground), wait=False).wait_ready(READY_SECONDS)
        yield Configured(running.configuration_file.parent, ground)


def test_without_a_daemon_a_backup_is_taken_listed_kept_and_told(alone: Configured) -> None:
    said = alone.says("backup", "run", "list")

    (backup,) = alone.ground.published("list")
    assert f"backup {backup} of list: " in said
    assert "\n  took " in said
    assert CANARY not in said
    (listed,) = json.loads(alone.says("backup", "list", "--json"))
    assert (backup, "list", ["town"], "decoded") == (
        listed["id"],
        listed["instance"],
        listed["databases"],
        listed["proof"],
    )
    (job,) = json.loads(alone.says("jobs", "--json"))
    assert ("backup", "list", "30 1 * * *", "succeeded") == (
        job["kind"],
        job["instance"],
        job["schedule"],
        job["last"]["state"],
    )
    assert "stays until it is unpinned" in alone.says("backup", "pin", backup[-8:])
    assert "pinned" in alone.says("backup", "retention", "--dry-run")
    back_from_the_trash(alone, backup)


def back_from_the_trash(alone: Configured, backup: str) -> None:
    """What retention let go is told with the way back, and whoever names it too."""
    sets = alone.ground.repository / "list" / "logical"
    (sets / ".trash").mkdir()
    (sets / backup).rename(sets / ".trash" / backup)
    alone.says("backup", "rescan")
    way = f"`dbwatch backup pin list/{backup}`"
    assert f"in the trash: {backup} of list, for good after " in (listed := alone.says("backup", "list"))
    assert way in listed
    assert way in alone.says("backup", "verify", backup[-8:], code=2)
    plan = ("restore", "plan", "list", "--scratch", str(alone.ground.scratch / "x"))
    assert way in alone.says(*plan, "--backup", backup[-8:], code=2)
    assert way in alone.says(*plan, "--backup", f"list/{backup}", code=2)
    assert f"no backup {backup[3:-3]} of list is in " in alone.says(*plan, "--backup", backup[3:-3], code=2)
    shutil.rmtree(alone.file.parent / "state")  # the index of the trash goes with it
    assert way in alone.says("backup", "list")
    copied_trash(alone, backup)
    assert "stays until it is unpinned" in alone.says("backup", "pin", f"list/{backup}")
    assert alone.ground.published("list") == [backup]
    assert "trash" not in alone.says("backup", "list")
    (sets / ".trash").rmdir()
    (sets / ".trash").write_text("in its place")
    listed = alone.says("backup", "list")
    (sets / ".trash").unlink()
    assert backup in listed
    assert "what is in the trash cannot be told: cannot read " in listed


def copied_trash(alone: Configured, backup: str) -> None:
    """Two have one name, and the copy is none of the instance that it lies below: a refusal moves nothing."""
    trash = alone.ground.repository / "other" / "logical" / ".trash"
    shutil.copytree(alone.ground.repository / "list" / "logical" / ".trash", trash)
    both = f"may be any of list/{backup}, other/{backup}, all in the trash"
    assert both in alone.says("backup", "pin", backup, code=2)
    said = alone.says("backup", "pin", f"other/{backup}", code=1)
    assert "its manifest is that of" in said
    assert "it stays in the trash" in said
    assert (trash / backup).is_dir()
    assert [] == alone.ground.published("other")
    shutil.rmtree(trash.parent.parent)


def test_a_mistake_is_one_line(alone: Configured) -> None:
    assert "no instance 'lsit'" in alone.says("backup", "lsit", code=2)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_without_a_daemon_ctrl_c_cancels_and_leaves_nothing(
    alone: Configured, town: Postgres, number: signal.Signals
) -> None:
    with holder(town), alone.started("backup", "run", "list") as running:
        eventually(lambda: alone.ground.partial("list"), timeout_seconds=60)
        running.send_signal(number)
        said = running.communicate(timeout=60)[0]

    assert (130, True) == (running.returncode, "cancelled: nothing of it was kept" in said), said
    assert "Traceback" not in said
    assert ([], []) == (alone.ground.partial("list"), alone.ground.published("list"))


@contextmanager
def holder(town: Postgres) -> Iterator[None]:
    """Somebody who keeps a dump waiting."""
    psql = [str(town.binaries["psql"]), "-h", "127.0.0.1", "-p", str(town.port), "-U", "postgres", "-d", "town"]
    with subprocess.Popen([*psql, "-c", HOLD], env=environment(), stdout=subprocess.DEVNULL) as holding:
        try:
            eventually(lambda: town.psql(HELD) == "1")
            yield
        finally:
            town.psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'BEGIN; LOCK%'")
            holding.wait(60)


def test_with_a_daemon_ctrl_c_leaves_it_to_the_daemon_and_the_job_can_be_cancelled(
    attended: Configured, town: Postgres
) -> None:
    with holder(town):
        with attended.started("backup", "run", "list") as running:
            eventually(lambda: attended.ground.partial("list"), timeout_seconds=60)
            running.send_signal(signal.SIGINT)
            said = running.communicate(timeout=60)[0]
        assert "the daemon goes on with it; to end it: dbwatch jobs cancel " in said
        (job,) = json.loads(attended.says("jobs", "--json"))
        assert "running" == job["running"]["state"]
        assert "under way already" in attended.says("backup", "run", "list", code=1)

        run = job["running"]["id"]
        assert f"backup of list is being cancelled: {run}" in attended.says("jobs", "cancel", run[-8:])
        eventually(lambda: json.loads(attended.says("jobs", "--json"))[0]["running"] is None, timeout_seconds=60)

    assert set() == alive(run)
    assert ([], []) == (attended.ground.partial("list"), attended.ground.published("list"))
    assert "cancelled" in attended.says("jobs")
    assert "backup " in attended.says("backup", "run", "list")


def test_a_daemon_that_dies_under_who_waits_leaves_word_where_to_look(daemon: NewDaemon, town: Postgres) -> None:
    with backup_ground() as directory, holder(town):
        serving = daemon(settings(town, Ground(directory)), wait=False).wait_ready(READY_SECONDS)
        attended = Configured(serving.configuration_file.parent, Ground(directory))
        with attended.started("backup", "run", "list") as running:
            eventually(lambda: attended.ground.partial("list"), timeout_seconds=60)
            serving.kill()
            said = running.communicate(timeout=60)[0]

    assert (1, False) == (running.returncode, "Traceback" in said), said
    assert "; how job 2" in said
    assert "-> when the daemon runs again, `dbwatch jobs` tells" in said


def flipped(member: Path) -> None:
    """One bit, in the middle."""
    body = bytearray(member.read_bytes())
    body[len(body) // 2] ^= 1
    member.write_bytes(body)


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "flipped": (flipped, "differs from what was written"),
    "truncated": (lambda member: member.write_bytes(member.read_bytes()[:-1]), "is truncated"),
    "missing": (lambda member: member.unlink(), "is missing"),
}


def test_whatever_happens_to_a_finished_set_is_found_and_the_earlier_one_is_as_it_was(alone: Configured) -> None:
    for _ in range(3):
        alone.says("backup", "run", "list")
    earlier, damaged, edited = alone.ground.published("list")
    member = max(alone.ground.files("list", damaged), key=lambda each: each.stat().st_size)
    body = member.read_bytes()
    for damage, told in DAMAGES.values():
        damage(member)

        assert told in alone.says("backup", "verify", damaged, code=1)
        member.write_bytes(body)
    manifest = next(alone.ground.repository.glob(f"*/*/{edited}/manifest.json"))
    manifest.write_text(manifest.read_text().replace("town", "gown"))

    assert "manifest" in alone.says("backup", "verify", edited, code=1)
    sets = json.loads(alone.says("backup", "list", "--json"))
    shown = {each["id"]: (each["proof"], bool(each["problem"])) for each in sets}
    assert ("decoded", False) == shown.pop(earlier)
    assert [True, True] == [has_problem or not proof for proof, has_problem in shown.values()]
