"""The Marseille databases on a server of the tests, and the command line that backs them up, restores and rehearses."""

from __future__ import annotations

import asyncio
import datetime as dt
import io
import json
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from dbwatch.cli.entry import main
from dbwatch.demo.databases import Volume, load
from dbwatch.demo.model import Login, ServerAddress
from tests.fix_backups import Ground, backup_ground

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.fix_mariadb import Mariadb
    from tests.fix_postgres import Postgres

TODAY = dt.date(2026, 3, 2)
SCALE = 0.01


@dataclass(frozen=True)
class Marseille:
    """A configuration with the instance `ville`, and what the command line says of it."""

    file: Path
    ground: Ground

    def says(self, *words: str, code: int = 0) -> str:
        """Everything that it prints. In this process: another interpreter would take longer than most commands."""
        said = io.StringIO()
        with redirect_stdout(said), redirect_stderr(said):
            ended = main([*words, "--config", str(self.file)])
        assert code == ended, said.getvalue()
        return said.getvalue()

    @property
    def reports(self) -> Path:
        return self.ground.directory / "state" / "reports"

    def report(self, number: str) -> dict[str, Any]:
        """The last one of a scenario."""
        newest = max(self.reports.glob(f"*_{number}_*.json"))
        found: dict[str, Any] = json.loads(newest.read_text())
        return found


def loaded(server: Postgres) -> None:
    admin = Login("postgres", "")
    programs = server.binaries.directory
    address = ServerAddress("postgres", server.host, server.port, server.directory, server.directory, admin, programs)
    asyncio.run(load(address, Volume(SCALE, TODAY)))


def loaded_mariadb(server: Mariadb) -> None:
    admin = Login("root", "")
    address = ServerAddress("mysql", server.host, server.port, server.socket, server.directory, admin, server.directory)
    asyncio.run(load(address, Volume(SCALE, TODAY)))


@contextmanager
def marseille(instances: dict[str, dict[str, object]], **shared: object) -> Iterator[Marseille]:
    """Of these, `ville` is backed up; the command line works without a daemon."""
    with backup_ground() as directory:
        ground = Ground(directory)
        state = directory / "state"
        state.mkdir()
        settings = {
            "instances": instances,
            "backups": ground.settings(**shared),
            "state_directory": str(state),
            "control_socket": str(directory / "control.sock"),
            "logging": {"level": "error"},
        }
        file = directory / "dbwatch.yml"
        file.write_text(yaml.safe_dump(settings))
        yield Marseille(file, ground)


def as_superuser(server: Postgres, **more: object) -> dict[str, object]:
    return server.instance(backup={"user": "postgres"}) | more


def backed_up(*databases: str) -> dict[str, object]:
    """Read to its end, not restored: that is what the tests do."""
    return {"logical": {"include": list(databases), "verify": {"restore": False}}}
