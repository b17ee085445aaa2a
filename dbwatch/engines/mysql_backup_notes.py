"""What a person must know of a restore beside its plan: roles of others, what works on the original, what is kept."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dbwatch.engines.mysql_backup_programs import MARIADB
from dbwatch.errors import EngineError, Reason

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dbwatch.core.backups.model import Manifest
    from dbwatch.engines.backing import Selection
    from dbwatch.engines.mysql_backup_session import Asker

# A name of its own: not the end of a longer one, and something of the database follows.
NAMED = r'(^|[^[:alnum:]_$]){name}[`"]?[[:space:]]*[.]'

FOLLOWS = (
    "replicates from another server, which breaks at what is written here alone -> restore to its source; or make it a"
    " server of its own: {stop} SET GLOBAL read_only = 0;"
)
STOP_MARIADB, STOP = "STOP ALL SLAVES; RESET SLAVE ALL;", "STOP REPLICA; RESET REPLICA ALL;"
READ_ONLY = "is read-only -> SET GLOBAL read_only = 0, if it is nobody's replica"


async def closed(opened: Asker, instance: str, identity: Mapping[str, str]) -> list[str]:
    """Why nothing is to be written there, whatever the account may do."""
    if identity["replicates"] == "ON" or await _follows(opened):
        stop = STOP_MARIADB if opened.hello.flavour == MARIADB else STOP
        return [f"{instance} {FOLLOWS.format(stop=stop)}"]
    return [f"{instance} {READ_ONLY}"] if identity["read_only"] == "ON" else []


async def _follows(opened: Asker) -> bool:
    """Also while its threads are stopped; who may not ask sees those that run."""
    try:
        return bool(await opened.ask("follows"))
    except EngineError as error:
        if error.reason is Reason.PERMISSION:
            return False
        raise


async def roles_of_others(opened: Asker, manifest: Manifest) -> list[str]:
    """Of the set's, those that are there already. Who makes one may give it; who finds one may not."""
    if opened.hello.flavour != MARIADB:
        return []
    try:
        return [name for row in await opened.ask("roles") if f"{(name := str(row['role']))}@" in manifest.facts.roles]
    except EngineError as error:
        if error.reason is Reason.PERMISSION:
            return []  # it may not read accounts, and lacks more than that
        raise


async def afterwards(opened: Asker, manifest: Manifest, selection: Selection) -> tuple[str, ...]:
    if selection.into:
        return await _of_original(opened, selection)
    return () if selection.database else await _kept_roles(opened, manifest)


async def _of_original(opened: Asker, selection: Selection) -> tuple[str, ...]:
    """Bodies are restored as they were written: nobody but a person knows what a name in one means."""
    pattern = NAMED.format(name=re.escape(selection.database))
    names = {"database": selection.into.encode().hex(), "pattern": pattern.encode().hex()}
    found = [f"{row['kind']} {row['name']}" for row in await opened.ask("names_original", names)]
    what = f"these of {selection.into} name {selection.database} and WORK ON IT, not on the copy (or cannot be read)"
    mend = "make each anew for the copy, or drop it, before the copy is used"
    return (f"{what}: {', '.join(found)} -> {mend}",) if found else ()


async def _kept_roles(opened: Asker, manifest: Manifest) -> tuple[str, ...]:
    if opened.hello.flavour != MARIADB:
        return ()
    held = [row for row in await opened.ask("roles_held") if f"{row['role']}@" in manifest.facts.roles]
    account = {row["name"]: str(row["value"]) for row in await opened.ask("identity")}["account"]
    names = ", ".join(str(row["role"]) for row in held)
    what = f"{account} may now use these roles and give them to others, for who makes a role holds it: {names}"
    mend = " ".join(f"REVOKE {row['quoted']} FROM {account};" for row in held)
    return (f"{what}; another restore of everything needs that -> to take it back: {mend}",) if held else ()
