"""The commands as a person types them, on a real PostgreSQL: `dbwatch` in a process of its own."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psutil
import pyrage
import pytest
import yaml

from tests.fix_daemon import dbwatch_command
from tests.fix_postgres import BARE, PASSWORD
from tests.fix_process import environment, eventually, free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from tests.fix_daemon import NewDaemon
    from tests.fix_mariadb import NewMariadb
    from tests.fix_postgres import NewPostgres, Postgres

pytestmark = [pytest.mark.system, pytest.mark.engine]
CANARY = "canary-Pa55"


@dataclass(frozen=True)
class Shell:
    """A configuration, and the command line on it."""

    directory: Path

    def write(self, instances: Mapping[str, object], **shared: object) -> None:
        own = {"state_directory": str(self.directory / "state"), "control_socket": str(self.directory / "socket")}
        (self.directory / "dbwatch.yml").write_text(yaml.safe_dump({"instances": dict(instances), **own, **shared}))

    def __call__(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*dbwatch_command(), *words],
            env=environment({"DBWATCH_CONFIG": str(self.directory / "dbwatch.yml"), "COLUMNS": "200"}),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


@pytest.fixture
def shell(tmp_path: Path, postgres_18: Postgres) -> Shell:
    made = Shell(tmp_path)
    made.write({"pg1": postgres_18.instance(), "bare": postgres_18.instance(user=BARE)})
    return made


@pytest.fixture
async def blocked(postgres_18: Postgres) -> AsyncIterator[tuple[int, int]]:
    """Two sessions: the first holds a row, the second waits for it. Their pids."""
    holder = await postgres_18.connect("postgres", server_settings={"application_name": "guichet"})
    waiter = await postgres_18.connect("postgres", server_settings={"application_name": "portail"})
    await holder.execute("CREATE TABLE IF NOT EXISTS seat (id int); TRUNCATE seat; INSERT INTO seat VALUES (1)")
    await holder.execute("BEGIN; UPDATE seat SET id = 2")
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(waiter.execute(f"UPDATE seat SET id = 3 /* {CANARY} */"))
        await asyncio.sleep(0.3)
        yield holder.get_server_pid(), waiter.get_server_pid()
        await holder.execute("ROLLBACK")
        await waiting
    await holder.execute("DROP TABLE seat")
    await holder.close()
    await waiter.close()


def test_ask_shows_values_with_their_units(shell: Shell) -> None:
    done = shell("ask", "pg1")

    assert (0, "") == (done.returncode, done.stderr)
    assert done.stdout.startswith("pg1: postgres 18")
    assert any("dbwatch_database_size_bytes" in line and line.endswith("MiB") for line in done.stdout.splitlines())
    assert "active_sessions: who was active at one instant, counted as 1 s" == done.stdout.splitlines()[-1]


def test_ask_one_collector_as_the_exposition(shell: Shell) -> None:
    done = shell("ask", "pg1", "limits", "--format", "prometheus")

    assert 0 == done.returncode
    assert 'dbwatch_sessions_max{db_instance="pg1",engine="postgres"' in done.stdout
    assert "dbwatch_database_size_bytes" not in done.stdout


def test_ask_as_json_can_be_read(shell: Shell) -> None:
    told = json.loads(shell("ask", "pg1", "limits", "--json").stdout)

    assert ("pg1", True) == (told["db_instance"], told["up"])
    assert ["limits"] == [each["name"] for each in told["collectors"]]


def test_ask_without_the_privilege_prints_the_grant(shell: Shell) -> None:
    done = shell("ask", "bare", "locks", "--format", "json")

    assert 1 == done.returncode
    assert f"GRANT pg_monitor TO {BARE};" in done.stderr


def test_an_unknown_instance_is_told_with_the_nearest_name(shell: Shell) -> None:
    done = shell("ask", "pg2")

    assert (2, "dbwatch: no instance 'pg2' in the configuration: did you mean pg1?\n") == (done.returncode, done.stderr)


async def test_ask_sessions_shows_who_waits_and_never_the_query(shell: Shell, blocked: tuple[int, int]) -> None:
    holder, waiter = blocked

    done = await asyncio.to_thread(shell, "ask", "pg1", "sessions")

    line = next(line for line in done.stdout.splitlines() if line.split()[:1] == [str(waiter)])
    assert "portail" in line
    assert str(holder) in line
    assert CANARY not in done.stdout
    assert "UPDATE" not in done.stdout


async def test_ask_locks_draws_the_waiter_under_its_root_blocker(shell: Shell, blocked: tuple[int, int]) -> None:
    holder, waiter = blocked

    done = await asyncio.to_thread(shell, "ask", "pg1", "locks")

    lines = done.stdout.splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith(str(holder)))
    assert "holds" in lines[at]
    assert "idle in transaction" in lines[at]
    assert lines[at + 1].startswith(f"└─ {waiter}")
    told = json.loads((await asyncio.to_thread(shell, "ask", "pg1", "locks", "--json")).stdout)
    by_pid = {each["pid"]: each for each in told}
    assert by_pid[holder]["wait_seconds"] is None
    assert by_pid[holder]["transaction_seconds"] > 0
    assert by_pid[waiter]["wait_seconds"] > 0
    assert ([holder], holder) == (by_pid[waiter]["blocked_by"], by_pid[waiter]["root_blocker"])
    assert {"postgres"} == {each["database"] for each in told}


def test_ask_statements_shows_what_takes_time_and_texts_only_when_asked(shell: Shell) -> None:
    plain = shell("ask", "pg1", "statements").stdout.splitlines()
    texts = shell("ask", "pg1", "statements", "--text", "--format", "json").stdout

    assert "QUERYID" == plain[0].split()[0]
    assert "TEXT" not in plain[0].split()
    assert any("dbwatch" in row["user"] and row["text"] for row in json.loads(texts))


def test_ask_locks_on_a_quiet_server(shell: Shell) -> None:
    assert "nobody waits for a lock\n" == shell("ask", "pg1", "locks").stdout


def test_ask_leaves_no_session_open(shell: Shell, postgres_18: Postgres) -> None:
    shell("ask", "pg1")

    ours = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'dbwatch/%'"
    eventually(lambda: postgres_18.psql(ours) == "0", timeout_seconds=20)


def test_doctor_is_content_with_a_privileged_account(shell: Shell) -> None:
    done = shell("doctor", "pg1")

    assert 0 == done.returncode
    assert "pg1: postgres 18" in done.stdout
    assert "MISSING" not in done.stdout


def test_doctor_prints_each_grant_once_at_the_end(shell: Shell) -> None:
    done = shell("doctor")

    assert 1 == done.returncode
    assert ["-- on bare", f"GRANT pg_monitor TO {BARE};"] == done.stdout.splitlines()[-2:]


def test_doctor_tries_what_a_backup_begins_with_as_its_own_account(
    shell: Shell, postgres_18: Postgres, tmp_path: Path
) -> None:
    own = {"user": BARE, "password": PASSWORD}
    backed = postgres_18.instance(backups={"logical": {"exclude": ["shut"]}})
    bare = postgres_18.instance(backup=own, backups={"logical": {"include": ["shut"]}})
    shell.write({"pg1": backed, "pg2": bare}, backups={"postgres_programs": [str(postgres_18.binaries.directory)]})
    postgres_18.psql("CREATE DATABASE shut")
    postgres_18.psql("CREATE TABLE closed ()", "shut")
    try:
        done = shell("doctor")
        postgres_18.psql(grants(shell("doctor", "pg2").stdout))
        mended = shell("doctor", "pg2")
    finally:
        postgres_18.psql("DROP DATABASE shut")
    (fine,) = (line for line in done.stdout.splitlines() if line.startswith("  ok       backup: "))

    assert 1 == done.returncode
    assert "pg_dump (PostgreSQL) 18" in fine
    everything = f"GRANT pg_read_all_data TO {BARE};"
    what = "the dump would lack table public.closed"
    assert f"  MISSING  backup: permission: shut: {what} -> {everything}\n" in done.stdout
    assert everything in grants(done.stdout).splitlines()
    assert "  ok       backup: 1 database, " in mended.stdout
    assert not (tmp_path / "state").exists()


def test_doctor_counts_the_sessions_of_the_dump_that_the_settings_ask_for(shell: Shell, postgres_18: Postgres) -> None:
    """One that is sealed is one stream, and has no workers."""
    programs = {"postgres_programs": [str(postgres_18.binaries.directory)]}
    own = {"user": BARE, "password": PASSWORD}
    backed = postgres_18.instance(backup=own, backups={"logical": {"include": ["narrow"], "codec": "gzip"}})
    postgres_18.psql(f"ALTER ROLE {BARE} CONNECTION LIMIT 4")
    postgres_18.psql("CREATE DATABASE narrow")
    try:
        shell.write({"pg1": backed}, backups=programs)
        several = shell("doctor").stdout
        key = str(pyrage.x25519.Identity.generate().to_public())
        shell.write({"pg1": backed}, backups=programs | {"encryption": {"recipients": [key]}})
        sealed = shell("doctor").stdout
    finally:
        postgres_18.psql("DROP DATABASE narrow")
        postgres_18.psql(f"ALTER ROLE {BARE} CONNECTION LIMIT -1")

    assert "the account: allows 4 sessions at a time, 0 are in use, and a dump takes up to 6" in several
    assert "  ok       backup: 1 database, " in sealed


def grants(told: str) -> str:
    """What doctor says to run, ready to paste."""
    return told.partition("What to run as an administrator:\n")[2]


def test_the_grants_of_doctor_are_all_that_postgres_needs(shell: Shell, new_postgres: NewPostgres) -> None:
    server = new_postgres()
    shell.write({"pg1": server.instance(user=BARE)})

    server.psql(grants(shell("doctor").stdout))

    assert 0 == (done := shell("doctor")).returncode, done.stdout


def test_the_grants_of_doctor_are_all_that_mariadb_needs(shell: Shell, new_mariadb: NewMariadb) -> None:
    server = new_mariadb()
    shell.write({"m1": server.instance(user=BARE)})

    told = shell("doctor")
    assert 1 == told.returncode, told.stdout
    server.sql(grants(told.stdout))

    assert 0 == (done := shell("doctor")).returncode, done.stdout


def test_ctrl_c_ends_a_question_at_once(shell: Shell, black_hole: int) -> None:
    where = {"engine": "postgres", "host": "127.0.0.1", "port": black_hole, "connect_timeout": "30s"}
    shell.write({"deaf": where | {"monitor": {"user": "dbwatch"}}})
    env = environment({"DBWATCH_CONFIG": str(shell.directory / "dbwatch.yml")})
    asking = subprocess.Popen(
        [*dbwatch_command(), "ask", "deaf"], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )

    eventually(lambda: psutil.Process(asking.pid).net_connections())
    asking.send_signal(signal.SIGINT)

    assert ("", "") == asking.communicate(timeout=15)  # of thirty
    assert 130 == asking.returncode


def test_doctor_explains_a_login_that_fails(shell: Shell, postgres_18: Postgres) -> None:
    shell.write({"pg1": postgres_18.instance() | {"monitor": {"user": "nobody", "password": CANARY}}})

    done = shell("doctor", "pg1")

    assert 1 == done.returncode
    assert "cannot log in" in done.stdout
    assert "logged in as nobody with password in the settings" in done.stdout
    assert CANARY not in done.stdout + done.stderr


def test_check_direct_is_one_line_with_numbers(shell: Shell) -> None:
    done = shell("check", "pg1", "--direct")

    assert 0 == done.returncode, done.stdout
    assert done.stdout.startswith("DBWATCH OK - pg1 up, ")
    assert "| 'sessions'=" in done.stdout
    assert 1 == len(done.stdout.splitlines())


@pytest.mark.parametrize(("option", "code", "word"), [("--warning", 1, "WARNING"), ("--critical", 2, "CRITICAL")])
def test_check_alarms_at_the_threshold_given(shell: Shell, option: str, code: int, word: str) -> None:
    done = shell("check", "pg1", "--direct", option, "login_seconds=0:0.000001")

    assert (code, f"DBWATCH {word}") == (done.returncode, done.stdout.partition(" -")[0])


def test_check_of_a_server_that_is_down_is_critical(shell: Shell, postgres_18: Postgres) -> None:
    shell.write({"gone": postgres_18.instance(port=free_port())})

    done = shell("check", "gone", "--direct")

    assert (2, "DBWATCH CRITICAL - gone is down: refused\n") == (done.returncode, done.stdout)


@pytest.mark.parametrize(
    "words",
    [
        ["pg1", "--url", "http://127.0.0.1:1"],
        ["pg1", "--url", "nonsense"],
        ["nobody", "--direct"],
        ["pg1", "--direct", "--warning", "sessions=0.8"],
        ["pg1", "--nonsense"],
        [],
    ],
)
def test_check_that_cannot_know_is_unknown(shell: Shell, words: list[str]) -> None:
    done = shell("check", *words)

    assert 3 == done.returncode
    assert done.stdout.startswith("DBWATCH UNKNOWN - ")
    assert "Traceback" not in done.stdout + done.stderr


def test_maintenance_without_a_daemon_is_remembered(shell: Shell) -> None:
    started = shell("maintenance", "start", "pg1", "--for", "2h", "--reason", "upgrade")

    assert 0 == started.returncode, started.stderr
    again = shell("maintenance", "start", "pg1", "--reason", "disk").stdout.splitlines()
    assert again[0].startswith("no dbwatch answers on ")
    assert again[-1].startswith("this replaces the window that ")
    assert again[-1].endswith(": upgrade")
    assert "disk" in shell("maintenance", "list").stdout
    assert 0 == shell("maintenance", "stop", "pg1").returncode
    assert "no maintenance window is open\n" == shell("maintenance", "list").stdout


def test_maintenance_of_an_unknown_instance_is_refused(shell: Shell) -> None:
    done = shell("maintenance", "start", "pg2")

    assert (2, "") == (done.returncode, done.stdout)
    assert "did you mean pg1?" in done.stderr


def test_init_writes_a_configuration_once(tmp_path: Path, shell: Shell) -> None:
    done = shell("init", str(tmp_path / "new"))

    assert 0 == done.returncode, done.stderr
    assert (tmp_path / "new" / "dbwatch.yml").exists()
    assert 2 == shell("init", str(tmp_path / "new")).returncode


def test_a_reader_that_leaves_is_no_error(shell: Shell) -> None:
    command = " ".join([*dbwatch_command(), "collectors", "|", "head", "-1"])
    env = environment({"DBWATCH_CONFIG": str(shell.directory)})

    done = subprocess.run(
        ["/bin/bash", "-c", command], env=env, capture_output=True, text=True, timeout=60, check=False
    )

    assert (0, "") == (done.returncode, done.stderr)


def test_the_daemon_answers_check_maintenance_and_reload(daemon: NewDaemon, postgres_18: Postgres) -> None:
    running = daemon({"instances": {"pg1": postgres_18.instance()}})
    shell = Shell(running.directory)
    (shell.directory / "dbwatch.yml").write_text(running.configuration_file.read_text())
    running.wait_for("dbwatch_sessions_max", 100.0, db_instance="pg1")

    assert shell("check", "pg1").stdout.startswith("DBWATCH OK - pg1 up")
    assert 3 == shell("check", "pg2").returncode
    assert "reloaded: 1 instance\n" == shell("reload").stdout
    assert 0 == shell("maintenance", "start", "pg1", "--for", "1h").returncode
    running.wait_for("dbwatch_maintenance", 1.0, db_instance="pg1")
    done = shell("check", "pg1")
    assert 0 == done.returncode
    assert done.stdout.startswith("DBWATCH OK - pg1 is in maintenance (up, ")
    assert 0 == shell("maintenance", "stop", "pg1").returncode
    running.wait_for("dbwatch_maintenance", 0.0, db_instance="pg1")
    assert "pg2" in shell("maintenance", "start", "pg2").stderr
    for file in (running.configuration_file, shell.directory / "dbwatch.yml"):
        file.write_text(f"{file.read_text()}\nhtp: {{}}\n")
    told = shell("reload").stderr.splitlines()
    assert "dbwatch: the old configuration is still in use; the new one has faults:" == told[0]
    assert "htp: is no setting" in told[1]
