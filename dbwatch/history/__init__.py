"""What must outlive a restart, in one SQLite file: maintenance windows, alerts and what was told of them, the outbox,
runs of jobs and the index of backups.

One writer, in its own thread.
"""

from dbwatch.history.alerts import Record
from dbwatch.history.commands import commands
from dbwatch.history.database import FILE, opened
from dbwatch.history.events import Event, EventKind
from dbwatch.history.maintenance import History, Window
from dbwatch.history.outbox import Counts, Outcome, Outgoing, Queued

__all__ = [
    "FILE", "Counts", "Event", "EventKind", "History", "Outcome", "Outgoing", "Queued", "Record", "Window", "commands",
    "opened",
]  # fmt: skip
