"""`jobs`: when backups and drills run, how they ended, and how far they are."""

from __future__ import annotations

from typing import Annotated

import typer

from dbwatch.cli.options import DEFAULT_CONFIG, Config

app = typer.Typer(help="List jobs: when they ran, how they ended, when they run next; cancel one.")

AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]
Id = Annotated[str, typer.Argument(help="As `jobs` shows it; its last eight characters do.", show_default=False)]


@app.callback(invoke_without_command=True)
def jobs(context: typer.Context, *, as_json: AsJson = False, config: Config = DEFAULT_CONFIG) -> None:
    """List jobs: when they ran, how they ended, when they run next."""
    if context.invoked_subcommand is None:
        from dbwatch.cli import jobs as listing

        print("\n".join(listing.listed(config, as_json=as_json)))


@app.command()
def cancel(job: Id, *, config: Config = DEFAULT_CONFIG) -> None:
    """End a job that is under way: nothing of it is left, earlier backups stay."""
    from dbwatch.cli import jobs as listing

    print(listing.cancel(config, job))
