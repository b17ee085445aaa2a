"""SHOW REPLICA STATUS (MySQL) and SHOW ALL SLAVES STATUS (MariaDB) under one set of names. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dbwatch.core.model import Rows

if TYPE_CHECKING:
    from collections.abc import Mapping

# Neither statement can be part of a SELECT, so what a SELECT would compute is computed here.
MARIADB = {
    "channel": "Connection_name",
    "io": "Slave_IO_Running",
    "sql": "Slave_SQL_Running",
    "lag": "Seconds_Behind_Master",
    "read_file": "Master_Log_File",
    "read_position": "Read_Master_Log_Pos",
    "applied_file": "Relay_Master_Log_File",
    "applied_position": "Exec_Master_Log_Pos",
    "relay_space": "Relay_Log_Space",
    "relay_position": "Relay_Log_Pos",
}
MYSQL = {
    "channel": "Channel_Name",
    "io": "Replica_IO_Running",
    "sql": "Replica_SQL_Running",
    "lag": "Seconds_Behind_Source",
    "read_file": "Source_Log_File",
    "read_position": "Read_Source_Log_Pos",
    "applied_file": "Relay_Source_Log_File",
    "applied_position": "Exec_Source_Log_Pos",
    "relay_space": "Relay_Log_Space",
    "relay_position": "Relay_Log_Pos",
}
NAMES = ("channel", "connected", "io_running", "sql_running", "lag_seconds", "lag_bytes")


def normalised(rows: Rows) -> Rows:
    """Rows of a replica's status under our names; any other result as it is."""
    for spelling in (MARIADB, MYSQL):
        if spelling["io"] in rows.names:
            lines = [_line({ours: line[theirs] for ours, theirs in spelling.items()}) for line in rows.dicts()]
            return Rows(NAMES, tuple(zip(*lines, strict=True)) if lines else tuple(() for _ in NAMES))
    return rows


def _line(status: Mapping[str, object]) -> tuple[object, ...]:
    connected, applying = status["io"] == "Yes", status["sql"] == "Yes"
    # MySQL says 0 seconds behind while it cannot reach its source: a lag is known only while the link is up.
    lag = status["lag"] if connected and applying else None
    # A thread that is "Connecting" runs, and is not connected.
    return (status["channel"], int(connected), int(status["io"] != "No"), int(applying), lag, _lag_bytes(status))


def _lag_bytes(status: Mapping[str, object]) -> int | None:
    """What was received and not yet applied: by the source's positions, across files by the relay log's size."""
    same_file = status["read_file"] == status["applied_file"]
    end, begin = ("read_position", "applied_position") if same_file else ("relay_space", "relay_position")
    if not status["read_file"] or status[end] is None or status[begin] is None:
        return None  # never connected: nothing was received, and nothing is known
    return max(0, int(str(status[end])) - int(str(status[begin])))
