"""What must outlive a restart, in one SQLite file: so far the maintenance windows. One writer, in its own thread."""

from dbwatch.history.commands import commands
from dbwatch.history.database import FILE, opened
from dbwatch.history.maintenance import History, Window

__all__ = ["FILE", "History", "Window", "commands", "opened"]
