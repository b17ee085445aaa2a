"""How the filter child between a stream and its reader is started."""

from __future__ import annotations

import sys

from dbwatch.engines.backing import Command


def filtering(*words: str) -> Command:
    """It needs nothing but this interpreter: not the directory it is started in, nor anybody's settings of Python."""
    return Command((sys.executable, "-P", "-m", "dbwatch.engines.mysql_sections", *words))
