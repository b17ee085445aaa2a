"""The engines by name. A driver is imported only when an instance needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dbwatch.engines.backing import BackupEngine
    from dbwatch.engines.base import Engine, Questions


def load(name: str, questions: Questions) -> Engine:
    """The adapter of an engine; this imports its driver."""
    if name == "postgres":
        from dbwatch.engines.postgres import PostgresEngine

        return PostgresEngine(questions)
    from dbwatch.engines.mysql import MysqlEngine

    return MysqlEngine(questions)


def load_backing(name: str, questions: Questions) -> BackupEngine:
    """An engine's part in backups; this imports its driver."""
    if name == "postgres":
        from dbwatch.engines.postgres_backup import PostgresBackup

        return PostgresBackup(questions)
    from dbwatch.engines.mysql_backup import MysqlBackup

    return MysqlBackup(questions)
