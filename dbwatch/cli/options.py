"""The options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

DEFAULT_CONFIG = Path("/etc/dbwatch")

Config = Annotated[
    Path,
    typer.Option(
        "--config.file",
        "--config",
        "-c",
        envvar="DBWATCH_CONFIG",
        help="The configuration: a file, or a directory of *.yml.",
    ),
]
InstanceName = Annotated[str, typer.Argument(help="An instance of the configuration.", show_default=False)]
