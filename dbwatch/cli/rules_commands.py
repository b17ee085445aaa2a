"""`rules`: the alert rules, and where each of them can run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="The alert rules.", no_args_is_help=True)

Directories = Annotated[
    list[Path] | None, typer.Option("--directory", "-d", help="Look at the rules of this directory.", metavar="DIR")
]
CollectorDirectories = Annotated[
    list[Path] | None, typer.Option("--collectors-dir", help="Your own collectors, whose metrics your rules may read.")
]
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]


@app.callback()
def rules() -> None:
    """The alert rules."""


@app.command()
def check(
    *, directory: Directories = None, collectors_dir: CollectorDirectories = None, as_json: AsJson = False
) -> None:
    """Tell of each rule where it can run, what it reads, and what is wrong with it; ends with 0 or 1.

    Without --directory these are the rules that ship.
    """
    from dbwatch.cli import rules_check

    fine, text = rules_check.run(directory or [], collectors_dir or [], as_json=as_json)
    print(text)
    raise typer.Exit(0 if fine else 1)
