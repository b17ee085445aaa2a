"""`dbwatch restore`: a plan first, refusals, and what comes back, on real servers."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from dbwatch.jobs import proc
from tests.fix_postgres import Clusters
from tests.fix_process import eventually, workspace
from tests.marseille_backed import Marseille, as_superuser, backed_up, loaded, marseille

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fix_mariadb import NewMariadb
    from tests.fix_postgres import Binaries, Postgres

pytestmark = [pytest.mark.system, pytest.mark.engine]
DATABASE, TABLE = "marseille", "metier.demande_rdv"
CANARY = "Kanarienvogel-7391"
OWNER = "SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = 'metier.demande_rdv'::regclass"
HANGING = f"""
    SELECT (SELECT count(*) FROM pg_index WHERE indrelid = '{TABLE}'::regclass),
           (SELECT count(*) FROM pg_constraint WHERE conrelid = '{TABLE}'::regclass AND contype IN ('p', 'c')),
           (SELECT count(*) FROM pg_trigger WHERE tgrelid = '{TABLE}'::regclass AND NOT tgisinternal),
           (SELECT relacl IS NOT NULL FROM pg_class WHERE oid = '{TABLE}'::regclass),
           pg_get_serial_sequence('{TABLE}', 'id')"""
COUNT = f"SELECT count(*) FROM {TABLE}"
TRIGGER = f"""
    CREATE FUNCTION metier.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
    CREATE TRIGGER touch BEFORE UPDATE ON {TABLE} FOR EACH ROW EXECUTE FUNCTION metier.touch()"""
DOTTED = """CREATE SCHEMA "Sch X"; CREATE TABLE "Sch X"."a.b" AS SELECT 7 AS n"""


@pytest.fixture(scope="module")
def source(clusters: Clusters, postgres_18_binaries: Binaries) -> Iterator[Postgres]:
    with clusters.new(postgres_18_binaries) as server:
        loaded(server)
        server.psql(f"{TRIGGER}; {DOTTED}", DATABASE)
        yield server


@pytest.fixture(scope="module")
def rescue(postgres_18_binaries: Binaries) -> Iterator[Postgres]:
    """An empty server that was initialised apart: copies of one template take each other for the same."""
    with workspace() as directory, Clusters(directory).new(postgres_18_binaries) as server:
        yield server


def with_password(server: Postgres) -> dict[str, object]:
    """It is let in without; its clients are given one all the same."""
    return server.instance(backup={"user": "postgres", "password": CANARY})


@pytest.fixture(scope="module")
def ville(source: Postgres, rescue: Postgres) -> Iterator[Marseille]:
    instances = {"ville": as_superuser(source, backups=backed_up(DATABASE)), "secours": with_password(rescue)}
    with marseille(instances, postgres_programs=[str(source.binaries.directory)]) as town:
        town.says("backup", "ville")
        yield town


def test_a_plan_tells_what_would_be_done_and_does_nothing(ville: Marseille, rescue: Postgres) -> None:
    said = ville.says("restore", "plan", "ville", "--to", "secours")

    (backup,) = ville.ground.published("ville")
    assert f"from       {backup} of ville" in said
    assert re.search(r"^proof +decoded \(L2\)$", said, re.MULTILINE)
    assert re.search(r"^makes +marseille$", said, re.MULTILINE)
    assert "DANGER" not in said
    assert backup in ville.says("restore", "list")
    assert "0" == rescue.psql(f"SELECT count(*) FROM pg_database WHERE datname = '{DATABASE}'")


def test_the_source_and_what_is_there_are_refused_unless_told(ville: Marseille, source: Postgres) -> None:
    rows = source.psql(COUNT, DATABASE)

    said = ville.says("restore", "database", "ville", DATABASE, "--to", "ville", "--yes", code=1)
    assert "refused: ville is the server that this set was taken from" in said
    assert said.rstrip().endswith("--onto-source --into-non-empty")
    assert "nobody can be asked here: say --yes" in ville.says("restore", "full", "ville", "--to", "secours", code=2)
    assert "say where to" in ville.says("restore", "full", "ville", code=2)
    assert "holds no database atlantis" in ville.says("restore", "plan", "ville", "atlantis", "--to", "ville", code=1)

    # Told to, it still overwrites nothing: what is there stands in the way.
    dangers = ["--onto-source", "--into-non-empty"]
    ville.says("restore", "database", "ville", DATABASE, "--to", "ville", "--yes", *dangers, code=1)
    assert rows == source.psql(COUNT, DATABASE)


def test_everything_comes_back_on_another_server_with_owners_and_grants(
    ville: Marseille, source: Postgres, rescue: Postgres
) -> None:
    assert "restored everything in" in ville.says("restore", "full", "ville", "--to", "secours", "--yes")

    for asked in (COUNT, OWNER, HANGING):
        assert source.psql(asked, DATABASE) == rescue.psql(asked, DATABASE)
    assert "marseille_owner" == rescue.psql(OWNER, DATABASE)


def test_a_table_comes_back_beside_the_original_and_the_hand_over_brings_its_rows_back(
    ville: Marseille, source: Postgres
) -> None:
    rows = source.psql(COUNT, DATABASE)
    source.psql(f"DELETE FROM {TABLE} WHERE id NOT IN (SELECT demande_id FROM metier.rendez_vous)", DATABASE)
    assert rows != source.psql(COUNT, DATABASE)

    said = ville.says("restore", "table", "ville", DATABASE, TABLE, "--to", "ville", "--as", "beside", "--yes")

    assert source.psql(HANGING, DATABASE) == source.psql(HANGING, "beside")
    assert rows == source.psql(COUNT, "beside")
    script = said[said.index(f"-- {TABLE} as it was") :]
    source.psql(script)
    assert rows == source.psql(COUNT, DATABASE)


@pytest.mark.parametrize("name", ["Sch X.a.b", '"Sch X"."a.b"'])
def test_a_table_with_a_dot_in_its_name_is_found(ville: Marseille, rescue: Postgres, name: str) -> None:
    ville.says("restore", "table", "ville", DATABASE, name, "--to", "secours", "--as", "dotted", "--yes")

    assert "7" == rescue.psql('SELECT n FROM "Sch X"."a.b"', "dotted")
    rescue.psql("DROP DATABASE dotted")


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_server_of_its_own_stays_until_somebody_ends_it(ville: Marseille) -> None:
    directory = ville.ground.directory / "stays"
    said = ville.says("restore", "database", "ville", DATABASE, "--scratch", str(directory), "--yes")
    assert f" --dbname={DATABASE}\n" in said
    pid = int(re.findall(r"kill -INT (\d+)", said)[0])
    assert alive(pid)
    os.kill(pid, signal.SIGINT)
    eventually(lambda: not alive(pid))
    again = ville.says("restore", "database", "ville", DATABASE, "--scratch", str(directory), "--yes", code=1)
    assert "is not empty" in again
    assert "rm -r" not in again  # it was to stay: nobody is told that it was left behind
    blank = str(ville.ground.directory / "a b")
    said = ville.says("restore", "database", "ville", DATABASE, "--scratch", blank, "--yes", code=1)
    assert f"a server in {blank} cannot be reached: its path holds a blank or a bracket -> name another" in said
    assert not Path(blank).exists()
    long = ville.ground.directory / "made" / ("x" * 100)
    said = ville.says("restore", "database", "ville", DATABASE, "--scratch", str(long), "--yes", code=1)
    assert f"{long} is too long for a unix socket -> give --scratch a shorter path" in said
    assert not long.parent.exists()


# --- restores that are killed or interrupted ---


@contextmanager
def under_way(town: Marseille, *words: str) -> Iterator[subprocess.Popen[str]]:
    """A restore in a process of its own, whose temporary files are on the ground too."""
    (town.ground.directory / "tmp").mkdir(exist_ok=True)
    environment = {**os.environ, "TMPDIR": str(town.ground.directory / "tmp")}
    argv = [sys.executable, "-m", "dbwatch", "restore", *words, "--yes", "--config", str(town.file)]
    with subprocess.Popen(argv, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as run:
        try:
            yield run
        finally:
            run.kill()


def passwords_left(town: Marseille) -> list[Path]:
    """Files with the password in clear, wherever they lie; the configuration is where it belongs."""
    walks = (os.walk(town.ground.directory / place) for place in ("tmp", "scratch"))
    found = [Path(at, name) for walk in walks for at, _, names in walk for name in names]
    return [each for each in found if holds_password(each)]


def holds_password(path: Path) -> bool:
    try:
        return path.is_file() and CANARY in path.read_text(errors="replace")
    except OSError:  # it went meanwhile
        return False


def killed_with_its_password(town: Marseille, *words: str) -> None:
    with under_way(town, *words) as run:
        eventually(lambda: passwords_left(town), timeout_seconds=60, every_seconds=0.002)
        run.kill()
    assert passwords_left(town)


@pytest.mark.parametrize("following", [("restore", "plan", "ville", "--to", "secours"), ("backup", "rescan")])
def test_a_password_that_a_killed_restore_left_goes_with_the_next_command(
    following: tuple[str, ...], ville: Marseille
) -> None:
    name = f"killed_{following[0]}"
    killed_with_its_password(ville, "database", "ville", DATABASE, "--to", "secours", "--as", name)

    ville.says(*following)

    assert [] == passwords_left(ville)
    assert [] == sorted(ville.ground.scratch.glob("dbwatch-*"))


def test_a_password_that_a_killed_restore_of_mariadb_left_goes_with_the_next_command(new_mariadb: NewMariadb) -> None:
    server = new_mariadb()
    server.sql("CREATE DATABASE town; CREATE TABLE town.t AS SELECT seq, MD5(seq) FROM mysql.seq_1_to_200000")
    server.sql(f"CREATE USER keeper@'127.0.0.1' IDENTIFIED BY '{CANARY}'; GRANT ALL ON *.* TO keeper@'127.0.0.1'")
    login = {"user": "keeper", "password": CANARY}
    with marseille({"ville": server.instance(backup=login, backups=backed_up("town"))}) as town:
        town.says("backup", "ville")
        killed_with_its_password(town, "database", "ville", "town", "--to", "ville", "--as", "killed")

        town.says("restore", "plan", "ville", "--to", "ville")

        assert [] == passwords_left(town)


def wait_for_its_server(run: subprocess.Popen[str], directory: Path) -> None:
    running = "dbwatch-scratch-*/server/data/postmaster.pid"
    eventually(lambda: run.poll() is not None or list(directory.glob(running)), timeout_seconds=60)
    assert run.poll() is None, run.communicate()[0]


def working_in(directory: Path) -> list[int]:
    """What was started there ends with who started it, if not at once: an initdb removes what it has made."""
    return [pid for pid in proc.table() if _works_in(pid, directory)]


def _works_in(pid: int, directory: Path) -> bool:
    place = proc.working_directory(pid)
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:  # it has ended
        return False
    return bytes(directory) in words or (place is not None and place.is_relative_to(directory))


def test_who_kills_or_interrupts_a_restore_is_told_what_is_left_and_the_next_try_works(ville: Marseille) -> None:
    directory = ville.ground.directory / "interrupted"
    words = ("full", "ville", "--scratch", str(directory))
    with under_way(ville, *words) as run:
        wait_for_its_server(run, directory)
        run.kill()
    (left,) = directory.iterdir()

    said = ville.says("restore", *words, "--yes", code=1)
    assert "what a restore that was killed left is there" in said
    eventually(lambda: not working_in(left))
    (line,) = set(re.findall(r"-> to remove it: (rm -rf .*)$", said, re.MULTILINE))  # by the plan, and by the refusal
    subprocess.run(["/bin/sh", "-c", line], check=True)
    assert not left.exists()

    with under_way(ville, *words) as run:
        wait_for_its_server(run, directory)
        run.send_signal(signal.SIGINT)
        told = run.communicate(timeout=60)[0]
    assert f"interrupted: what was made in {directory} is removed; nothing else was touched" in told
    assert [] == sorted(directory.iterdir())
    directory.rmdir()

    with under_way(ville, *words) as run:
        wait_for_its_server(run, directory)
        run.send_signal(signal.SIGINT)
        run.communicate(timeout=60)
    assert not directory.exists()  # nobody but the restore had made it


def test_a_set_that_is_damaged_leaves_nothing_where_its_server_was_to_stay(ville: Marseille) -> None:
    """The last of this file: the set is known to be bad from then on."""
    directory = ville.ground.directory / "damaged"
    (backup,) = ville.ground.published("ville")
    member = max(ville.ground.files("ville", backup), key=lambda path: path.stat().st_size)
    good = member.read_bytes()
    try:
        member.write_bytes(good[:100] + bytes([good[100] ^ 1]) + good[101:])
        said = ville.says("restore", "full", "ville", "--scratch", str(directory), "--yes", code=1)
    finally:
        member.write_bytes(good)

    assert "sha256" in said
    assert not directory.exists()
