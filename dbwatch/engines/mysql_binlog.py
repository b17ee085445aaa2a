"""SHOW BINARY LOGS, a row a file, as one row. It cannot be part of a SELECT, which would add up what is added here."""

from __future__ import annotations

from dbwatch.core.model import Rows

SIZE = "File_size"


def added_up(rows: Rows) -> Rows:
    """The number of files and their bytes; any other result as it is."""
    if rows.names[:2] != ("Log_name", SIZE):
        return rows
    sizes = rows.column(SIZE)
    return Rows(("files", "size_bytes"), ([len(sizes)], [sum(int(str(size)) for size in sizes)]))
