"""The command line. Nothing heavy is imported before a command runs: `dbwatch --help` must come at once."""

from dbwatch.cli.entry import main

__all__ = ["main"]
