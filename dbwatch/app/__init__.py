"""The composition root: load, start, reload, stop. Nobody imports it but the command line and the demo."""

from dbwatch.app.daemon import run

__all__ = ["run"]
