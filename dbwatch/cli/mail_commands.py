"""`mail`: does a letter arrive, and the letter that tells of the daemon's own end."""

from __future__ import annotations

from typing import Annotated

import typer

from dbwatch.cli.options import DEFAULT_CONFIG, Config

app = typer.Typer(help="Send a test letter; tell that the daemon ended.", no_args_is_help=True)

To = Annotated[
    str | None,
    typer.Option("--to", help="To this address only; else to everybody who gets alerts.", show_default=False),
]
Unit = Annotated[str, typer.Argument(help="The unit of systemd that ended.", show_default=False)]


@app.command("test")
def try_(*, to: To = None, config: Config = DEFAULT_CONFIG) -> None:
    """Send a test letter at once, and say who accepted it."""
    from dbwatch.cli import mail

    print("\n".join(mail.test(config, to)))


@app.command()
def failed(unit: Unit, *, config: Config = DEFAULT_CONFIG) -> None:
    """For OnFailure=: tell that a unit ended, without the daemon."""
    from dbwatch.cli import mail

    print("\n".join(mail.failed(config, unit)))
