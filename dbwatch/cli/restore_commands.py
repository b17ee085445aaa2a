"""`restore`: bring back everything, a database or a table, beside what is there."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dbwatch.cli.options import DEFAULT_CONFIG, Config
from dbwatch.cli.restore_wish import Wish
from dbwatch.errors import UsageError

app = typer.Typer(
    help="Restore from a backup: a plan first, and nothing that is there is touched unless told.", no_args_is_help=True
)

Instance = Annotated[str, typer.Argument(help="Whose backup: also one that is no longer configured.")]
Perhaps = Annotated[str, typer.Argument(help="Whose backups; all, if none is named.", show_default=False)]
Database = Annotated[str, typer.Argument(help="A database of it.")]
PerhapsDatabase = Annotated[str, typer.Argument(help="A database of it; all, if none is named.", show_default=False)]
Table = Annotated[str, typer.Argument(help="A table of it: SCHEMA.TABLE (MySQL, MariaDB: TABLE).")]
PerhapsTable = Annotated[str, typer.Argument(help="A table of it: SCHEMA.TABLE.", show_default=False)]
Backup = Annotated[
    str,
    typer.Option(
        "--backup", help="The backup's id, or its last eight characters; the last that is proven, if not given."
    ),
]
To = Annotated[str, typer.Option("--to", metavar="INSTANCE", help="Into this configured instance.")]
Scratch = Annotated[
    Path | None, typer.Option("--scratch", metavar="DIRECTORY", help="Into a new server of its own, which stays.")
]
As = Annotated[str | None, typer.Option("--as", metavar="DATABASE", help="Under this name, in a database that is new.")]
Unproven = Annotated[bool, typer.Option("--unproven", help="Although it was never proven that it can be restored.")]
Onto = Annotated[bool, typer.Option("--onto-source", help="Although it is the server that the backup was taken from.")]
Into = Annotated[
    bool,
    typer.Option(
        "--into-non-empty",
        help="Although something is there already. PostgreSQL: nothing is dropped. "
        "MySQL, MariaDB: tables of the same names are replaced.",
    ),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]


@app.command("list")
def list_(instance: Perhaps = "", *, as_json: AsJson = False, config: Config = DEFAULT_CONFIG) -> None:
    """List what there is on the disk, each with what is proven of it, or why it is bad; needs no daemon.

    Each file is looked at (is it there, has it its size), none is read: `backup verify` does that. Times are UTC.
    """
    from dbwatch.cli import restore

    print("\n".join(restore.listed(config, instance, as_json=as_json)))


@app.command()
def plan(
    instance: Instance,
    database: PerhapsDatabase = "",
    table: PerhapsTable = "",
    *,
    backup: Backup = "",
    to: To = "",
    scratch: Scratch = None,
    into: As = None,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Say what would be done, how long it would take, and what stands in the way."""
    words = tuple(filter(None, (database, table)))
    _run(config, Wish(instance, words, into=_named(into), backup=backup, to=to, scratch=scratch, only_plan=True))


@app.command()
def full(
    instance: Instance,
    *,
    backup: Backup = "",
    to: To = "",
    scratch: Scratch = None,
    unproven: Unproven = False,
    onto_source: Onto = False,
    into_non_empty: Into = False,
    yes: Yes = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Restore roles and all databases."""
    wish = Wish(
        instance,
        (),
        backup=backup,
        to=to,
        scratch=scratch,
        unproven=unproven,
        onto_source=onto_source,
        into_non_empty=into_non_empty,
        is_sure=yes,
    )
    _run(config, wish)


@app.command()
def database(
    instance: Instance,
    database: Database,
    *,
    backup: Backup = "",
    to: To = "",
    scratch: Scratch = None,
    into: As = None,
    unproven: Unproven = False,
    onto_source: Onto = False,
    into_non_empty: Into = False,
    yes: Yes = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Restore one database, under its own name or another."""
    wish = Wish(
        instance,
        (database,),
        into=_named(into),
        backup=backup,
        to=to,
        scratch=scratch,
        unproven=unproven,
        onto_source=onto_source,
        into_non_empty=into_non_empty,
        is_sure=yes,
    )
    _run(config, wish)


@app.command()
def table(
    instance: Instance,
    database: Database,
    table: Table,
    *,
    backup: Backup = "",
    to: To = "",
    scratch: Scratch = None,
    into: As = None,
    unproven: Unproven = False,
    onto_source: Onto = False,
    into_non_empty: Into = False,
    yes: Yes = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Restore one table into a new database beside the original; of PostgreSQL without foreign keys, which are told."""
    wish = Wish(
        instance,
        (database, table),
        into=_named(into),
        backup=backup,
        to=to,
        scratch=scratch,
        unproven=unproven,
        onto_source=onto_source,
        into_non_empty=into_non_empty,
        is_sure=yes,
    )
    _run(config, wish)


def _named(into: str | None) -> str:
    """A name that a script left empty must not lead to the original."""
    if into is not None and not into.strip():
        raise UsageError("--as: the name is empty -> name a database that is new, or leave --as out")
    return into or ""


def _run(config: Path, wish: Wish) -> None:
    from dbwatch.cli import restore

    raise typer.Exit(restore.run(config, wish))
