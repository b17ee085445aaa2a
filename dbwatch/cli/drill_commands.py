"""`drill`: rehearse disasters."""

from __future__ import annotations

from typing import Annotated

import typer

from dbwatch.cli.options import DEFAULT_CONFIG, Config

Scenarios = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[01|02|03]...",
        help="01 an instance is lost; 02 a restore from the last full backup; 03 pages of a table are corrupt.",
        show_default=False,
    ),
]
Everything = Annotated[bool, typer.Option("--all", help="All scenarios that the engine can play.")]
Instance = Annotated[str, typer.Option("--instance", help="One instance; all that are backed up, if none is named.")]
Table = Annotated[
    str, typer.Option("--table", help="For 03: DATABASE.SCHEMA.TABLE; metier.demande_rdv or the largest, if not given.")
]
Take = Annotated[bool, typer.Option("--take", help="Take a backup where there is no proven one.")]
Keep = Annotated[bool, typer.Option("--keep", help="Leave what the scratch servers held, until dbwatch starts again.")]


def register(app: typer.Typer) -> None:
    app.command()(drill)


def drill(
    scenarios: Scenarios = None,
    *,
    everything: Everything = False,
    instance: Instance = "",
    table: Table = "",
    take: Take = False,
    keep: Keep = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Rehearse disasters from the last proven backup; ends with 0 or 1.

    Everything happens on scratch servers of its own: no instance is touched. It prints recovery time and data lost,
    and leaves a report as Markdown, HTML and JSON.
    """
    from dbwatch.cli import drill as drilling

    raise typer.Exit(
        drilling.run(
            config, scenarios or [], everything=everything, instance=instance, table=table, take=take, keep=keep
        )
    )
