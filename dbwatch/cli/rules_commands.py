"""`rules`: the alert rules, and where each of them can run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dbwatch.cli.options import DEFAULT_CONFIG

app = typer.Typer(help="The alert rules.", no_args_is_help=True)

Directories = Annotated[
    list[Path] | None, typer.Option("--directory", "-d", help="Look at the rules of this directory.", metavar="DIR")
]
CollectorDirectories = Annotated[
    list[Path] | None, typer.Option("--collectors-dir", help="Your own collectors, whose metrics your rules may read.")
]
Configured = Annotated[
    Path | None,
    typer.Option(
        "--config.file",
        "--config",
        "-c",
        envvar="DBWATCH_CONFIG",
        help="The configuration whose rules_dir and collectors_dir are looked at, too.",
        show_default=str(DEFAULT_CONFIG),
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]


@app.callback()
def rules() -> None:
    """The alert rules."""


@app.command()
def check(
    *,
    directory: Directories = None,
    collectors_dir: CollectorDirectories = None,
    config: Configured = None,
    as_json: AsJson = False,
) -> None:
    """Tell of each rule where it can run, what it reads, and what is wrong with it; ends with 0 or 1.

    These are the rules that ship and those of the configuration, if there is one; with --directory only those in it.
    """
    from dbwatch.cli import rules_check

    among = rules_check.configured(config, DEFAULT_CONFIG)
    found = rules_check.judged(directory or [], collectors_dir or [], among)
    fine, text = rules_check.report(found, as_json=as_json)
    print(text)
    raise typer.Exit(0 if fine else 1)
