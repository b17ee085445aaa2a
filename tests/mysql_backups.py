"""A MySQL or MariaDB that is dumped, read and restored as jobs do it, without the jobs."""

from __future__ import annotations

import asyncio
import hashlib
import os
import subprocess
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dbwatch.core.backups.model import BackupKind, Facts, Manifest, Member
from dbwatch.engines.backing import DumpOptions, Selection, Target
from dbwatch.engines.mysql_backup import MysqlBackup
from dbwatch.files import sql_root
from dbwatch.jobs import process
from dbwatch.jobs.serving import serving
from tests.fix_process import program, run, workspace
from tests.mysql_asking import instance, ours

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator

    from dbwatch.core.backups.model import Pairs
    from dbwatch.engines.backing import Output, Pipeline, Source
    from dbwatch.engines.preflight import Preflight
    from dbwatch.settings.models import MysqlInstance
    from tests.fix_mariadb import Mariadb

APPLICATION = "dbwatch/bk/20261122-test"
PASSWORD = """pa'ss"w\\rd#1"""
ACCOUNT = "dbwatch_backup"
GRANTS = (sql_root() / "mysql" / "security" / "05_backup.sql").read_text()
SCRIPT = "SET @dbwatch_backup_password = '" + PASSWORD.replace("\\", "\\\\").replace("'", "''") + "';\n" + GRANTS
ENGINE = MysqlBackup(ours())
PATIENT = DumpOptions(max_blocking_seconds=30)  # a busy machine may take its time to begin

SHOP = """
SET sql_mode = '';
CREATE DATABASE shop CHARACTER SET utf8mb4;
CREATE DATABASE `od-d ``one` CHARACTER SET latin1;
CREATE USER app@'%' IDENTIFIED BY 'secret';
GRANT ALL ON shop.* TO app@'%';
USE shop;
CREATE TABLE parent (
    id INT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(50) NOT NULL, document JSON, picture LONGBLOB, ratio FLOAT,
    big DOUBLE, flags BIT(9), seen TIMESTAMP(6) NULL, born DATE, amount INT DEFAULT 3,
    twice INT GENERATED ALWAYS AS (amount * 2) STORED, loud VARCHAR(60) AS (CONCAT(name, '!')) VIRTUAL,
    kind ENUM('a', 'b'), place POINT, KEY by_name (name));
INSERT INTO parent (name, document, picture, ratio, big, flags, seen, born, kind, place) VALUES
    ('emoji 😀''s\\n--\\n-- Table structure for table `child`', '{"a": [1, 2]}', x'00ff0a0d1a27', 1.1, 2.2,
     b'101010101', '2026-03-29 01:30:00.123456', '0000-00-00', 'a', POINT(1, 2)),
    ('b', NULL, NULL, 16777217, 1e300, NULL, NULL, '2020-00-01', NULL, NULL);
CREATE TABLE child (id INT PRIMARY KEY, parent_id INT, note TEXT,
                    CONSTRAINT of_parent FOREIGN KEY (parent_id) REFERENCES parent (id));
INSERT INTO child VALUES (1, 1, 'one'), (2, 2, NULL), (3, 2, '');
CREATE TABLE log (id INT PRIMARY KEY AUTO_INCREMENT, at TIMESTAMP(6) DEFAULT CURRENT_TIMESTAMP(6), what INT);
DELIMITER ;;
CREATE DEFINER = app@'%' TRIGGER child_note BEFORE INSERT ON child FOR EACH ROW BEGIN
/*
--
-- Table structure for table `parent`
--
*/
SET NEW.note = COALESCE(NEW.note, 'none'); END;;
CREATE DEFINER = app@'%' PROCEDURE count_children() BEGIN SELECT COUNT(*) FROM child; END;;
CREATE FUNCTION one() RETURNS INT DETERMINISTIC RETURN 1;;
CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY DO DELETE FROM log;;
DELIMITER ;
CREATE DEFINER = app@'%' VIEW family AS SELECT c.id, p.name FROM child c JOIN parent p ON p.id = c.parent_id;
GRANT SELECT ON shop.family TO app@'%';
USE `od-d ``one`;
CREATE TABLE `we``ird "t` (`c``1` TEXT);
INSERT INTO `we``ird "t` VALUES ('é'), ('é'), (NULL);
"""
MARIADB_ONLY = """
CREATE ROLE clerk;
GRANT SELECT ON shop.* TO clerk;
GRANT clerk TO app@'%';
SET DEFAULT ROLE clerk FOR app@'%';
CREATE SEQUENCE shop.numbers;
"""


def furnished(server: Mariadb, *more: str) -> Mariadb:
    """The databases, and the account for backups by the documented script."""
    server.sql("\n".join((SHOP, *more, SCRIPT)))
    return server


def described(server: Mariadb) -> MysqlInstance:
    account = {"user": ACCOUNT, "password": PASSWORD}
    return instance(server.instance(), backup=account)


@dataclass
class Taken:
    """A set in a directory."""

    manifest: Manifest
    directory: Path
    evidence: str
    preflight: Preflight
    blocked: list[float] = field(default_factory=list)


async def take(
    server: Mariadb,
    directory: Path,
    options: DumpOptions | None = None,
    *,
    meanwhile: Callable[[Source], Coroutine[Any, Any, None]] | None = None,
) -> Taken:
    """Preflight, dump, facts, as the jobs room does it."""
    options, source_instance = options or PATIENT, described(server)
    preflight = await ENGINE.preflight(source_instance, options)
    assert preflight.faults == ()
    with workspace() as private:
        (step,) = ENGINE.steps(source_instance, preflight, options, directory, private=private, application=APPLICATION)
        async with step.opened() as source:
            facts = await _dumped(source, meanwhile)
            coordinates, exact, evidence = await source.finished()
            members = [_member(each) for each in source.outputs]
    facts = Facts(facts.mode, facts.comparable and exact, evidence, facts.databases, facts.tables, facts.roles)
    return Taken(_manifest(preflight, members, facts, coordinates), directory, evidence, preflight)


async def _dumped(source: Source, meanwhile: Callable[[Source], Coroutine[Any, Any, None]] | None) -> Facts:
    async with asyncio.TaskGroup() as group:
        facts = group.create_task(source.facts(), name="facts")
        if meanwhile is not None:
            group.create_task(meanwhile(source), name="meanwhile")
        for number, pipeline in enumerate(source.pipelines):
            await process.run(pipeline, on_started=source.dump_started if number == 0 else None)
    return facts.result()


def _member(output: Output) -> Member:
    content = output.path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    return Member(output.path.name, len(content), digest, output.role, output.codec, sealed=output.sealed)


def _manifest(preflight: Preflight, members: Iterable[Member], facts: Facts, coordinates: Pairs) -> Manifest:
    return Manifest(
        "20261122T000000Z-000001-00000000",
        1,
        BackupKind.LOGICAL,
        "db",
        "mysql",
        preflight.server,
        1.0,
        2.0,
        1.0,
        tuple(members),
        facts,
        coordinates,
        format=preflight.format,
    )


@contextmanager
def unread(pipeline: Pipeline) -> Iterator[subprocess.Popen[bytes]]:
    """The dump's program alone, with nobody who reads what it writes: it stands still at the first large table."""
    for path, secret in pipeline.secrets.items():
        path.touch(mode=0o600)
        path.write_text(secret.get_secret_value())
    with subprocess.Popen(pipeline.commands[0].argv, stdout=subprocess.PIPE) as running:
        try:
            yield running
        finally:
            running.kill()


def without_end(member: Path) -> bytes:
    """The same stream, whole for the packer, without the last line of the dump."""
    zstd = str(program("zstd"))
    plain = subprocess.run([zstd, "-dc", member], capture_output=True, check=True).stdout
    return subprocess.run([zstd, "-c"], input=plain[:-80], capture_output=True, check=True).stdout


async def decode(taken: Taken) -> None:
    """L2: raise JobError where a member cannot be read to its end."""
    programs = await ENGINE.client_programs(taken.manifest, ())
    for pipeline in ENGINE.decoding(taken.manifest, taken.directory, None, programs):
        await process.run(pipeline)


@asynccontextmanager
async def scratch(taken: Taken, first: Iterable[Path] = ()) -> AsyncIterator[Target]:
    """A throw-away server that answers."""
    programs = await ENGINE.scratch_programs(taken.manifest, tuple(first))
    account = "nobody" if os.getuid() == 0 else None
    with workspace() as directory:
        made = ENGINE.scratch(directory, programs, account)
        for pipeline in made.initialise:
            await process.run(pipeline)
        for path, text in made.files.items():
            path.write_text(text)
        async with AsyncExitStack() as stack:
            running = serving(made.serve, log=made.log, stop_signal=made.stop_signal, name="scratch")
            await stack.enter_async_context(running)
            await ENGINE.wait_ready(made.instance, 60)
            private = Path(directory, "private")
            await asyncio.to_thread(private.mkdir, mode=0o700)
            yield Target(made.instance, private, programs, is_scratch=True)


async def restore(taken: Taken, target: Target, selection: Selection | None = None) -> None:
    pipelines = await ENGINE.restoring(taken.manifest, taken.directory, target, selection or Selection(), None)
    for pipeline in pipelines:
        await process.run(pipeline)


def asked(target: Target, sql: str, database: str = "") -> str:
    """Rows of the scratch server, as its administrator."""
    socket = getattr(target.instance, "socket", "")
    client = next(each.path for each in target.programs if each.name in ("mariadb", "mysql"))
    words: list[str | Path] = [
        client,
        "--no-defaults",
        "-N",
        "-B",
        f"--socket={socket}",
        f"--user={target.instance.monitor.user}",
    ]
    return run([*words, *([database] if database else [])], target.directory.parent, stdin=sql).strip()
