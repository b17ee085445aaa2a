"""Messages of a real server's log by severity: caused one by one, and counted exactly, in each of its formats."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from dbwatch.cli import doctor
from dbwatch.errors import EngineError, Reason
from dbwatch.host.machine import Machine
from dbwatch.poller.once import Target
from tests.log_following import COLLECTED, NAME, Follower, cause_trouble, counted, story_of_a_rotation, told, until
from tests.postgres_asking import engine, instance, ours

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fix_daemon import NewDaemon
    from tests.fix_postgres import NewPostgres

pytestmark = pytest.mark.engine


@pytest.mark.parametrize("form", ["jsonlog", "csvlog", "stderr"])
async def test_messages_are_counted_exactly_through_a_rotation(new_postgres: NewPostgres, form: str) -> None:
    await story_of_a_rotation(new_postgres(*COLLECTED, f"log_destination = '{form}'"))


@contextmanager
def somebody_else() -> Iterator[None]:
    """To root nothing is closed: as root, be nobody in particular for a while."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(65_533)
    try:
        yield
    finally:
        os.seteuid(before)


async def test_a_log_that_we_may_not_read_is_absent_with_the_reason_and_goes_on_where_it_was(
    new_postgres: NewPostgres,
) -> None:
    server = new_postgres(*COLLECTED)
    follower = Follower(server)
    assert counted() == await follower.look()
    await cause_trouble(server)
    directory = server.data_directory / "log"
    directory.chmod(0)
    with somebody_else():
        assert {} == await follower.look()
    assert follower.note.startswith(f"the account of dbwatch may not read {directory}/postgresql-")
    assert "log_file_mode" in follower.note
    directory.chmod(0o700)

    await until(follower, counted(warning=1, error=2, fatal=1))
    follower.machine = Machine()
    assert counted() == await follower.look()


async def test_without_the_servers_own_files_there_is_nothing_to_count_and_it_is_told(
    new_postgres: NewPostgres,
) -> None:
    server = new_postgres("logging_collector = off")
    said = (await doctor.examine(Target(instance(server.instance(host="local")), engine(), ours()))).lines
    assert "  left out server_log: the server writes no files of its log itself (logging_collector is off)" in said

    server.configure(*COLLECTED, "log_destination = 'syslog'")
    server.restart()
    follower = Follower(server)
    assert {} == await follower.look()
    assert "log_destination is syslog: no file of the log is known" == follower.note
    assert {} == await follower.look(lc_messages="ru_RU.UTF-8")
    assert "lc_messages is ru_RU.UTF-8: how the server calls its severities then is not known here" == follower.note


async def test_nothing_is_read_before_the_server_is_proven_to_be_here(new_postgres: NewPostgres) -> None:
    follower = Follower(new_postgres(*COLLECTED))
    with pytest.raises(EngineError, match="is not on this machine") as caught:
        await follower.look(backend_pid=str(os.getpid()))

    assert Reason.MISSING is caught.value.reason


async def test_a_file_system_that_hangs_costs_one_thread_and_no_message(
    new_postgres: NewPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading from a dead network mount does not come back: a pipe that nobody writes to stands for it."""
    server = new_postgres(*COLLECTED)
    follower = Follower(server)
    await follower.look()
    reading, writing = os.pipe()
    hung = []

    def hanging(told: object) -> None:
        hung.append(told)
        os.read(reading, 1)

    monkeypatch.setattr("dbwatch.host.server_log.proven", hanging)
    await cause_trouble(server)
    async with told(server) as rows:
        for _ in range(2):
            with pytest.raises(EngineError, match="no answer from the file system of /"):
                await follower.machine.look(rows, 0.1)
    assert 1 == len(hung)
    os.write(writing, 100 * b"!")  # the mount is back

    await until(follower, counted(warning=1, error=2, fatal=1))
    os.close(reading)
    os.close(writing)


def test_a_daemon_beside_its_server_counts_and_shows_no_text_of_the_log(
    new_postgres: NewPostgres, daemon: NewDaemon
) -> None:
    server = new_postgres(*COLLECTED)
    here = {**server.instance(host="local"), "collectors": {NAME: {"interval": "1s"}}}
    running = daemon({"instances": {"here": here}})
    running.wait_for("dbwatch_pg_log_messages_total", 0, severity="error")
    with suppress(RuntimeError):
        server.psql("SELECT 'canary-77d1'::int")

    page = running.wait_for("dbwatch_pg_log_messages_total", 1, severity="error")
    assert 0 == page.value("dbwatch_pg_log_messages_total", severity="panic")
    assert "canary" not in running.get("/metrics").text + running.get("/instances/here").text + running.log()
