"""`collectors`: what dbwatch can ask."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Names = Annotated[list[str] | None, typer.Argument(help="Show these whole, with their SQL.", show_default=False)]
Engine = Annotated[str | None, typer.Option("--engine", "-e", help="postgres or mysql only.")]
Directories = Annotated[
    list[Path] | None, typer.Option("--collectors-dir", help="The operator's own collectors, beside the built-in.")
]
Docs = Annotated[
    Path | None, typer.Option("--docs", help="Write the reference pages into this directory.", metavar="DIR")
]


def register(app: typer.Typer) -> None:
    app.command()(collectors)


def collectors(names: Names = None, *, engine: Engine = None, directory: Directories = None, docs: Docs = None) -> None:
    """List the collectors; or show some with their SQL."""
    from dbwatch.cli import collectors as listing

    print("\n".join(listing.lines(names or [], engine, directory or [], docs)))
