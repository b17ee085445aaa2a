"""Every command, thin: what it does stands elsewhere and is imported when it runs."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Annotated

import typer

from dbwatch import __version__
from dbwatch.cli import (
    alerts_commands,
    ask_commands,
    backup_commands,
    catalogue_commands,
    check_command,
    config_commands,
    drill_commands,
    jobs_commands,
    mail_commands,
    maintenance_commands,
    restore_commands,
    rules_commands,
)
from dbwatch.cli.options import DEFAULT_CONFIG, Config

app = typer.Typer(
    name="dbwatch",
    help="Watches PostgreSQL, MySQL and MariaDB, and serves what it saw as Prometheus metrics, from memory.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.add_typer(config_commands.app, name="config")
app.add_typer(maintenance_commands.app, name="maintenance")
app.add_typer(rules_commands.app, name="rules")
app.add_typer(alerts_commands.app, name="alerts")
app.add_typer(mail_commands.app, name="mail")
app.add_typer(jobs_commands.app, name="jobs")
app.add_typer(backup_commands.app, name="backup")
app.add_typer(restore_commands.app, name="restore")


def _version(asked: bool) -> None:
    if asked:
        print(f"dbwatch {__version__}")
        raise typer.Exit


Version = Annotated[
    bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
]
Listen = Annotated[
    list[str] | None, typer.Option("--web.listen-address", help="HOST:PORT to serve on; may be given several times.")
]
TelemetryPath = Annotated[str | None, typer.Option("--web.telemetry-path", help="Path of the metrics page.")]
WebConfig = Annotated[
    Path | None, typer.Option("--web.config.file", help="TLS and users, in the exporter-toolkit format.")
]
Lifecycle = Annotated[
    bool | None, typer.Option("--web.enable-lifecycle/--no-web.enable-lifecycle", help="Serve POST /-/reload.")
]
LogLevel = Annotated[str | None, typer.Option("--log.level", help="debug, info, warning or error.")]
LogFormat = Annotated[str | None, typer.Option("--log.format", help="auto, console or json.")]
Seconds = Annotated[float | None, typer.Option("--seconds", min=1, help="End by itself after so many seconds.")]
Scale = Annotated[float, typer.Option("--scale", min=0.01, max=10, help="How much data: 1 is the usual amount.")]
Directory = Annotated[Path, typer.Argument(help="Where to; nothing that stands there is overwritten.")]
WithPrometheus = Annotated[
    bool, typer.Option("--prometheus", help="Also the alert rules, and examples for Prometheus and Alertmanager.")
]


@app.callback()
def dbwatch(*, version: Version = False) -> None:
    """Watches PostgreSQL, MySQL and MariaDB, and serves what it saw as Prometheus metrics, from memory."""
    del version


@app.command()
def run(
    *,
    config: Config = DEFAULT_CONFIG,
    listen: Listen = None,
    telemetry_path: TelemetryPath = None,
    web_config: WebConfig = None,
    lifecycle: Lifecycle = None,
    log_level: LogLevel = None,
    log_format: LogFormat = None,
) -> None:
    """Run the daemon."""
    gc.disable()  # until all is started: what is imported stays, and walking through it takes a tenth of the start

    from dbwatch.cli import running

    options = running.Options(config, tuple(listen or ()), telemetry_path, web_config, lifecycle, log_level, log_format)
    raise typer.Exit(running.run(options))


@app.command()
def demo(*, seconds: Seconds = None, scale: Scale = 1.0) -> None:
    """Show it: databases of its own, at work, watched."""
    from dbwatch.cli import running

    raise typer.Exit(running.demo(seconds, scale))


@app.command()
def reload(*, config: Config = DEFAULT_CONFIG) -> None:
    """Let the daemon read its configuration again.

    That is the one it was started with: -c only tells where its control socket is.
    """
    from dbwatch.cli import running

    print(running.reload(config))


@app.command()
def init(directory: Directory, *, prometheus: WithPrometheus = False) -> None:
    """Write the commented example configuration."""
    from dbwatch.cli import initial

    print("\n".join(initial.write(directory, with_prometheus=prometheus)))


ask_commands.register(app)
drill_commands.register(app)
catalogue_commands.register(app)
check_command.register(app)
