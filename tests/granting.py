"""What `dbwatch doctor` says of a real server, and the single rights that a documented script grants."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dbwatch.cli import doctor
from dbwatch.poller.once import Target
from tests import mysql_asking, postgres_asking

if TYPE_CHECKING:
    from collections.abc import Callable

    from dbwatch.core.catalogue import Catalogue
    from dbwatch.engines.base import Engine
    from dbwatch.settings.models import Instance
    from tests.fix_mariadb import Mariadb
    from tests.fix_postgres import Postgres

GRANT = re.compile(r"^\s*GRANT (?P<rights>[\w, ]+?)(?P<on> ON [^;]+?)? TO (?P<account>[^\s;]+)", re.MULTILINE)
TROUBLE = re.compile(r"\s*(MISSING|FAILED)|.*cannot log in")


@dataclass(frozen=True)
class Right:
    """One right of an account: taken away and given back."""

    name: str  # `PROCESS ON *.*`, `pg_monitor`
    account: str

    @property
    def grant(self) -> str:
        return f"GRANT {self.name} TO {self.account};"

    @property
    def revoke(self) -> str:
        return f"REVOKE {self.name} FROM {self.account};"


def rights(statements: str) -> list[Right]:
    """Each right of each GRANT statement by itself."""
    return [
        Right(f"{name.strip()}{match['on'] or ''}".replace("`", ""), match["account"].replace("`", "'"))
        for match in GRANT.finditer(statements)
        for name in match["rights"].split(",")
        if name.strip() != "USAGE"
    ]


@dataclass(frozen=True)
class Verdict:
    """What doctor said: the lines to act upon, and the rights that it names, as a script spells them."""

    troubles: tuple[str, ...]
    named: frozenset[str]  # also those of what is optional


@dataclass(frozen=True)
class Patient:
    """An instance, and the way in which an administrator runs a statement on its server."""

    engine: Engine
    catalogue: Catalogue
    instance: Instance
    run: Callable[[str], object]

    async def verdict(self) -> Verdict:
        said = await doctor.examine(Target(self.instance, self.engine, self.catalogue))
        named = frozenset(right.name for right in rights("\n".join(said.lines)))
        return Verdict(tuple(line.strip() for line in said.lines if TROUBLE.match(line)), named)

    async def named_without(self, granted: list[Right]) -> dict[str, set[str]]:
        """What doctor names more than before, while each of these rights is taken away."""
        before = (await self.verdict()).named
        found = {}
        for right in granted:
            self.run(right.revoke)
            found[right.name] = set((await self.verdict()).named - before)
            self.run(right.grant)
        return found


def of_postgres(server: Postgres) -> Patient:
    instance = postgres_asking.instance(server.instance())
    return Patient(postgres_asking.engine(), postgres_asking.ours(), instance, server.psql)


def of_mysql(server: Mariadb) -> Patient:
    instance = mysql_asking.instance(server.instance())
    return Patient(mysql_asking.engine(), mysql_asking.ours(), instance, server.sql)


def themselves(granted: list[Right]) -> dict[str, set[str]]:
    """Each right is named where it is missing, and no other."""
    return {right.name: {right.name} for right in granted}
