"""`maintenance`: announce that an instance is worked on."""

from __future__ import annotations

from typing import Annotated

import typer

from dbwatch.cli.options import DEFAULT_CONFIG, Config, InstanceName

app = typer.Typer(help="Announce, end and list maintenance windows.", no_args_is_help=True)

Lasting = Annotated[str | None, typer.Option("--for", help="As in 2h or 90m; until it is stopped, if not given.")]
Reason = Annotated[str, typer.Option("--reason", help="Why, in a few words.", show_default=False)]
Perhaps = Annotated[str, typer.Argument(help="An instance; all, if none is named.", show_default=False)]


@app.command()
def start(
    instance: InstanceName, *, lasting: Lasting = None, reason: Reason = "", config: Config = DEFAULT_CONFIG
) -> None:
    """Open a window: the instance is watched on, and does not alarm."""
    from dbwatch.cli import maintenance

    print(maintenance.start(config, instance, lasting, reason))


@app.command()
def stop(instance: InstanceName, *, config: Config = DEFAULT_CONFIG) -> None:
    """Close the window that is open."""
    from dbwatch.cli import maintenance

    print(maintenance.stop(config, instance))


@app.command("list")
def list_(instance: Perhaps = "", *, config: Config = DEFAULT_CONFIG) -> None:
    """List the windows that are open."""
    from dbwatch.cli import maintenance

    print("\n".join(maintenance.listed(config, instance)))
