"""`collectors`: what dbwatch can ask, and a check of what operators add."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dbwatch.cli.options import DEFAULT_CONFIG, Config

CHECK = "check"
Names = Annotated[
    list[str] | None,
    typer.Argument(metavar="[NAME]...|check FILE", help="Show these whole, with their SQL; or check a file of yours."),
]
Engine = Annotated[str | None, typer.Option("--engine", "-e", help="postgres or mysql only.")]
Directories = Annotated[
    list[Path] | None, typer.Option("--collectors-dir", help="The operator's own collectors, beside the built-in.")
]
Docs = Annotated[
    Path | None, typer.Option("--docs", help="Write the reference pages into this directory.", metavar="DIR")
]
Against = Annotated[str, typer.Option("--against", help="check: run it once on this instance.", metavar="INSTANCE")]
Databases = Annotated[
    list[str] | None,
    typer.Option("--database", help="check: only in these, by shell pattern; else in the first three it is meant for."),
]


def register(app: typer.Typer) -> None:
    app.command()(collectors)


def collectors(
    names: Names = None,
    *,
    engine: Engine = None,
    directory: Directories = None,
    docs: Docs = None,
    against: Against = "",
    databases: Databases = None,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """List the collectors; show some with their SQL; check one of yours."""
    from dbwatch.cli import collectors as listing

    words = names or []
    if words[:1] == [CHECK] or against:
        _check(words, against, config, databases or [])
    print("\n".join(listing.lines(words, engine, directory or [], docs)))


def _check(words: list[str], against: str, config: Path, databases: list[str]) -> None:
    from dbwatch.cli.collector_check import Request, check
    from dbwatch.errors import UsageError

    if words[:1] != [CHECK] or len(words) != len((CHECK, "FILE")):
        raise UsageError("dbwatch collectors check FILE [--against INSTANCE]: one file")
    fine = check(Request(Path(words[1]), against, config, databases), print)
    raise typer.Exit(0 if fine else 1)
