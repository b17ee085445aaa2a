"""`dbwatch config`: check a configuration, describe its format to an editor."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dbwatch.cli.options import DEFAULT_CONFIG, Config

app = typer.Typer(name="config", help="Check the configuration, or describe its format.", no_args_is_help=True)

PathArgument = Annotated[Path | None, typer.Argument(help="The same as --config.", show_default=False)]


@app.command()
def check(path: PathArgument = None, config: Config = DEFAULT_CONFIG) -> None:
    """Print every fault at once, with its place and its remedy; exit 1 if there is any."""
    import os

    from dbwatch import library
    from dbwatch.app import backup_check, rulebook_check
    from dbwatch.http import live_config
    from dbwatch.settings.report import check_report

    report = check_report(
        path or config,
        os.environ,
        library.load_for,
        lambda settings, _: live_config.check(settings),
        lambda settings, _: rulebook_check.refuse_faults(settings),
        lambda settings, _: backup_check.refuse_faults(settings),
        odd=rulebook_check.oddities,
    )
    print("\n".join(report.lines))
    raise typer.Exit(0 if report.ok else 1)


@app.command()
def schema() -> None:
    """Print the JSON Schema of the files, for editors that complete and check YAML."""
    import json

    from dbwatch.settings.schema import file_schema

    print(json.dumps(file_schema(), indent=2))
