"""Why the content of a table was not compared: only one of the reasons is a matter of time."""

from __future__ import annotations

from enum import StrEnum


class Unread(StrEnum):
    """What TableFacts.unread says."""

    MOVING = "moving"  # no transaction holds it at one moment
    MEMORY = "memory"  # neither, and its rows go with the server
    VERSIONED = "versioned"
    TIME = "time"


WHY = {
    Unread.MOVING: "know no transactions",
    Unread.MEMORY: "are held in memory",
    Unread.VERSIONED: "are versioned, and a dump lacks their history",
    Unread.TIME: "there was no time for: give facts_seconds more",
}
