"""`check`: a plugin for Nagios, Centreon, Icinga."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dbwatch.cli.options import DEFAULT_CONFIG, InstanceName

if TYPE_CHECKING:
    from dbwatch.cli.entry import Answer

Warnings = Annotated[
    list[str] | None,
    typer.Option("--warning", "-w", metavar="NAME=RANGE", help="As in sessions_ratio=0.8 or login_seconds=1."),
]
Criticals = Annotated[list[str] | None, typer.Option("--critical", "-c", metavar="NAME=RANGE", help="The same.")]
ConfigFile = Annotated[
    Path,
    typer.Option("--config.file", "--config", envvar="DBWATCH_CONFIG", help="The configuration: a file or directory."),
]
Direct = Annotated[bool, typer.Option("--direct", help="Ask the server itself, not the daemon.")]
Url = Annotated[str, typer.Option("--url", help="Of the daemon; by default as configured.", show_default=False)]
Timeout = Annotated[float, typer.Option("--timeout", "-t", min=0.1, help="Seconds.")]
CaFile = Annotated[Path | None, typer.Option("--ca-file", help="Who signed the daemon's certificate.")]
User = Annotated[str, typer.Option("--user", help="For basic authentication.", show_default=False)]
PasswordFile = Annotated[Path | None, typer.Option("--password-file", help="Holds that user's password.")]


def register(app: typer.Typer) -> None:
    app.command()(check)


def check(
    context: typer.Context,
    instance: InstanceName,
    *,
    warning: Warnings = None,
    critical: Criticals = None,
    direct: Direct = False,
    url: Url = "",
    timeout: Timeout = 10.0,
    ca_file: CaFile = None,
    user: User = "",
    password_file: PasswordFile = None,
    config: ConfigFile = DEFAULT_CONFIG,
) -> None:
    """Monitoring plugin for Nagios and Centreon.

    One line with perfdata; exit 0 OK, 1 warning, 2 critical, 3 unknown.

    Thresholds are ranges of the plugin guidelines (10, 10:, ~:10, 10:20, @10:20) for sessions_ratio,
    longest_transaction_seconds, longest_query_seconds, blocked_sessions, replication_lag_seconds, login_seconds and
    failed_collectors.
    """
    from dbwatch.cli import checking

    request = checking.Request(
        instance=instance,
        config=config,
        is_config_given=_is_given(context, "config"),
        url=url,
        direct=direct,
        timeout_seconds=timeout,
        ca_file=ca_file,
        user=user,
        password_file=password_file,
        warning=warning or (),
        critical=critical or (),
    )
    verdict = checking.check(request)
    print(verdict)
    answer: Answer = context.obj
    answer.code = verdict.status


def _is_given(context: typer.Context, option: str) -> bool:
    """On the command line or in the environment."""
    source = context.get_parameter_source(option)
    return source is not None and source.name != "DEFAULT"
