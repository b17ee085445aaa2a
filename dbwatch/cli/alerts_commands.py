"""`alerts`: what fires, what happened, who has it in hand, and what is not told."""

from __future__ import annotations

from typing import Annotated

import typer

from dbwatch.cli.options import DEFAULT_CONFIG, Config

app = typer.Typer(help="List, acknowledge and silence alerts.", no_args_is_help=True)

Perhaps = Annotated[str, typer.Argument(help="An instance; all, if none is named.", show_default=False)]
Alert = Annotated[str, typer.Argument(help="The beginning of its id, or its name.", show_default=False)]
PerhapsAlert = Annotated[str, typer.Argument(help="Its name; any, if none is given.", show_default=False)]
OfInstance = Annotated[str, typer.Argument(help="The instance, with a name.", show_default=False)]
Instance = Annotated[str, typer.Option("--instance", help="Of this instance only.", show_default=False)]
Label = Annotated[list[str] | None, typer.Option("--label", help="NAME=VALUE; may be given several times.")]
Lasting = Annotated[str, typer.Option("--for", help="As in 2h or 90m.")]
Since = Annotated[str, typer.Option("--since", help="As in 2h or 7d.")]
Reason = Annotated[str, typer.Option("--reason", help="Why, in a few words.", show_default=False)]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]
Force = Annotated[bool, typer.Option("--force", help="Though no rule or instance has that name.")]
Number = Annotated[int, typer.Argument(help="As `alerts list` shows it.", show_default=False)]


@app.command("list")
def list_(instance: Perhaps = "", *, as_json: AsJson = False, config: Config = DEFAULT_CONFIG) -> None:
    """List what fires or is about to, and the silences."""
    from dbwatch.cli import alerts

    print("\n".join(alerts.listed(config, instance, as_json=as_json)))


@app.command()
def history(
    instance: Perhaps = "", *, since: Since = "1d", as_json: AsJson = False, config: Config = DEFAULT_CONFIG
) -> None:
    """What fired, resolved, was acknowledged or silenced."""
    from dbwatch.cli import alerts

    print("\n".join(alerts.told(config, instance, since, as_json=as_json)))


@app.command()
def ack(alert: Alert, instance: OfInstance = "", *, reason: Reason = "", config: Config = DEFAULT_CONFIG) -> None:
    """Take an alert in hand: no repetition and no escalation until it resolves."""
    from dbwatch.cli import alerts

    print("\n".join(alerts.acknowledge(config, alert, instance, reason)))


@app.command()
def silence(
    alert: PerhapsAlert = "",
    *,
    instance: Instance = "",
    label: Label = None,
    lasting: Lasting,
    reason: Reason = "",
    force: Force = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Tell nobody of some alerts, until then."""
    from dbwatch.cli import alerts

    named = {"alertname": alert, "db_instance": instance}
    print(alerts.silence(config, named, label or [], lasting, reason, is_forced=force))


@app.command()
def unsilence(number: Number, *, config: Config = DEFAULT_CONFIG) -> None:
    """End a silence."""
    from dbwatch.cli import alerts

    print(alerts.unsilence(config, number))
