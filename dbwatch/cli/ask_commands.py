"""`ask` and `doctor`: one look at an instance without the daemon."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from dbwatch.cli.options import DEFAULT_CONFIG, Config, InstanceName

Names = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[COLLECTOR]...|sessions|locks|statements",
        help="Collectors by name; or who is connected, who blocks whom, what takes the time.",
    ),
]
Style = Annotated[str, typer.Option("--format", "-f", help="table, prometheus or json.")]
AsJson = Annotated[bool, typer.Option("--json", help="The same as --format json.")]
Collectors = Annotated[
    list[str] | None, typer.Option("--collector", help="A collector, where its name is sessions, locks or statements.")
]
Texts = Annotated[bool, typer.Option("--text", help="With statements: their texts too, without constants.")]
Instances = Annotated[list[str] | None, typer.Argument(help="All, if none is named.", show_default=False)]


def register(app: typer.Typer) -> None:
    app.command()(ask)
    app.command()(doctor)


def ask(
    instance: InstanceName,
    names: Names = None,
    *,
    style: Style = "table",
    as_json: AsJson = False,
    collector: Collectors = None,
    text: Texts = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Ask an instance now: sessions, locks, statements, metrics."""
    from dbwatch.cli import looking

    shown = "json" if as_json else style
    answer = looking.ask(config, instance, names or [], collector or [], shown, with_texts=text)
    print(answer.text)
    print(*answer.complaints, sep="\n", end="\n" if answer.complaints else "", file=sys.stderr)
    raise typer.Exit(1 if answer.complaints else 0)


def doctor(instances: Instances = None, *, config: Config = DEFAULT_CONFIG) -> None:
    """Tell what cannot be seen or backed up, and the GRANT for it. Nothing is dumped."""
    from dbwatch.cli import looking

    healthy = looking.doctor(config, instances or [], print)
    raise typer.Exit(0 if healthy else 1)
