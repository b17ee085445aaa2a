"""MySQL 9 is dumped, restored into a throw-away MySQL 9 and compared, with the programs of that version."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from dbwatch.core.backups import comparing
from dbwatch.core.backups.model import ProofName
from dbwatch.core.backups.unread import Unread
from dbwatch.engines import mysql_backup_watching as watching
from dbwatch.engines.backing import DumpOptions
from dbwatch.engines.mysql_backup_session import asker
from tests import mysql_backups as backups
from tests.fix_process import workspace
from tests.lab.conftest import Mysql, prepared
from tests.mysql_asking import instance, ours

if TYPE_CHECKING:
    from pathlib import Path

WRAPPER = """#!/bin/sh
first=
case "$1" in --no-defaults|--defaults-file=*) first=$1; shift;; esac
exec {words} $first {more} "$@"
"""
ODD = """
CREATE DATABASE odd;
CREATE TABLE odd.kinds (kind ENUM('a', ''), s SET('', 'b'), f FLOAT(8, 2));
INSERT INTO odd.kinds VALUES ('none of them', 'b', 99999.99);
CREATE TABLE odd.gone (i INT);
GRANT SELECT, UPDATE (i) ON odd.gone TO app@'%';
DROP TABLE odd.gone;
CREATE FUNCTION odd.gone() RETURNS INT DETERMINISTIC RETURN 1;
SET GLOBAL automatic_sp_privileges = 0;
GRANT EXECUTE ON FUNCTION odd.gone TO app@'%';
DROP FUNCTION odd.gone;
"""
NARROW = """
CREATE USER narrow@'%' IDENTIFIED BY 'secret'; CREATE DATABASE `od@d`;
GRANT PROCESS, RELOAD, REPLICATION CLIENT ON *.* TO narrow@'%';
GRANT SELECT ON mysql.* TO narrow@'%';
GRANT SELECT, SHOW VIEW, TRIGGER, EVENT, LOCK TABLES ON `od@d`.* TO narrow@'%';
"""
PROGRAMS = {"mysqldump": "bin", "mysql": "bin", "mysqld": "sbin"}


def wrapped(server: Mysql, directory: Path) -> Path:
    """The fetched programs, each run by its own loader, where a backup looks for programs."""
    for name, place in PROGRAMS.items():
        words = " ".join(map(str, server._loaded(f"usr/{place}/{name}")))
        where = f"--basedir={server.root / 'usr'} --lc-messages-dir={server.root / 'usr/share/mysql'}"
        path = directory / name
        path.write_text(WRAPPER.format(words=words, more=where if name == "mysqld" else ""))
        path.chmod(0o755)
    return directory


async def test_mysql_is_restored_as_it_was_dumped(mysql_root: Path, tmp_path: Path) -> None:
    with workspace() as directory, workspace() as programs, prepared(Mysql(mysql_root, directory)) as server:
        assert isinstance(server, Mysql)
        backups.furnished(server, ODD)
        first = (wrapped(server, programs),)
        taken = await backups.take(server, tmp_path, replace(backups.PATIENT, program_directories=first))
        names = {each.name: each.name for each in taken.manifest.facts.databases}
        async with backups.scratch(taken, first) as target:
            await backups.restore(taken, target)
            restored = await backups.ENGINE.facts_of(target, taken.manifest, names, 60)
            unsound = await backups.ENGINE.check(target, list(names))
    found = comparing.compare(taken.manifest.facts, restored)

    assert (found.differences, unsound) == ((), ())
    assert dict(found.unread) == dict.fromkeys(("odd.kinds", "shop.parent"), Unread.CHANGED)
    assert "left out: FUNCTION `odd`.`gone`, `odd`.`gone`" in " ".join(taken.preflight.warnings)
    assert comparing.proven(taken.manifest.facts, found)[0] is ProofName.COMPARED


async def test_databases_that_mysql_hides_from_the_account_are_a_fault(mysql_root: Path) -> None:
    with workspace() as directory, workspace() as programs, prepared(Mysql(mysql_root, directory)) as server:
        assert isinstance(server, Mysql)
        backups.furnished(server, NARROW)
        options = DumpOptions(program_directories=(wrapped(server, programs),))
        whole = await backups.ENGINE.preflight(backups.described(server), options)
        account = {"user": "narrow", "password": "secret"}
        narrow = await backups.ENGINE.preflight(instance(server.instance(), backup=account), options)
    lines = [each.line for each in narrow.faults]

    assert whole.faults == ()
    assert [line for line in lines if line.startswith("the account does not see the database od-d `one and 1 more (")]


async def test_who_waits_behind_a_flush_for_a_table_that_the_dump_reads_is_seen(mysql_root: Path) -> None:
    """MySQL lets nobody into a table that was flushed before its last reader is gone."""
    with workspace() as directory, prepared(Mysql(mysql_root, directory)) as server:
        backups.furnished(server, "INSERT INTO shop.log (what) VALUES (1);")
        dump, flush, application = [await server.admin("shop") for _ in range(3)]
        texts = ("SELECT SLEEP(9) FROM `log`", "FLUSH TABLES", "SELECT 1 FROM log LIMIT 1")
        async with asyncio.TaskGroup() as group, asker(backups.described(server), ours(), "dbwatch/test") as opened:
            tasks = []
            for connection, text in zip((dump, flush, application), texts, strict=True):
                tasks.append(group.create_task(connection.query(text), name=text))
                await asyncio.sleep(0.5)
            sessions = [watching.seen(row) for row in await opened.ask("watching", {"ids": dump.thread_id()})]
            for task in tasks:
                task.cancel()
        for connection in (dump, flush, application):
            connection.close()
    blocking = watching.Waits(0.0).blocking(sessions, {dump.thread_id()}, {"log"}, 60.0, holds_all=False)

    assert blocking.sessions == 1
