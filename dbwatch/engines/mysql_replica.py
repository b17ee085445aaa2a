"""SHOW REPLICA STATUS (MySQL) and SHOW ALL SLAVES STATUS (MariaDB) under one set of names. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dbwatch.core.model import Rows
from dbwatch.engines import mysql_gtid

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Status = Mapping[str, object]  # by our names
    Gtids = tuple[int | None, int | None, int | None]

# Neither statement can be part of a SELECT, so what a SELECT would compute is computed here.
SAME = {
    "relay_space": "Relay_Log_Space",
    "relay_position": "Relay_Log_Pos",
    "io_error": "Last_IO_Errno",
    "sql_error": "Last_SQL_Errno",
    "delay": "SQL_Delay",
    "delay_remaining": "SQL_Remaining_Delay",
    "connect_retry": "Connect_Retry",
}
MARIADB = SAME | {
    "channel": "Connection_name",
    "io": "Slave_IO_Running",
    "sql": "Slave_SQL_Running",
    "lag": "Seconds_Behind_Master",
    "read_file": "Master_Log_File",
    "read_position": "Read_Master_Log_Pos",
    "applied_file": "Relay_Master_Log_File",
    "applied_position": "Exec_Master_Log_Pos",
    "gtid": "Using_Gtid",
    "received": "Gtid_IO_Pos",
    "applied": "Gtid_Slave_Pos",
}
MYSQL = SAME | {
    "channel": "Channel_Name",
    "io": "Replica_IO_Running",
    "sql": "Replica_SQL_Running",
    "lag": "Seconds_Behind_Source",
    "read_file": "Source_Log_File",
    "read_position": "Read_Source_Log_Pos",
    "applied_file": "Relay_Source_Log_File",
    "applied_position": "Exec_Source_Log_Pos",
    "gtid": "Auto_Position",
    "received": "Retrieved_Gtid_Set",
    "applied": "Executed_Gtid_Set",
}
NAMES = (
    "channel",
    "connected",
    "io_running",
    "sql_running",
    "lag_seconds",
    "lag_bytes",
    "io_error",
    "sql_error",
    "lag_transactions",
    "gtid_gaps",
    "auto_position",
    "delay_seconds",
    "delay_remaining_seconds",
    "connect_retry_seconds",
    "relay_bytes",
)


def normalised(rows: Rows) -> Rows:
    """Rows of a replica's status under our names; any other result as it is."""
    for spelling in (MARIADB, MYSQL):
        if spelling["io"] in rows.names:
            gtids = _of_mysql if spelling is MYSQL else _of_mariadb
            ours = ({name: line.get(theirs) for name, theirs in spelling.items()} for line in rows.dicts())
            lines = [_line(status, gtids) for status in ours]
            return Rows(NAMES, tuple(zip(*lines, strict=True)) if lines else tuple(() for _ in NAMES))
    return rows


def _line(status: Status, gtids: Callable[[Status], Gtids]) -> tuple[object, ...]:
    connected, applying = status["io"] == "Yes", status["sql"] == "Yes"
    return (
        status["channel"],
        int(connected),
        int(status["io"] != "No"),  # a thread that is "Connecting" runs, and is not connected
        int(applying),
        # MySQL says 0 seconds behind while it cannot reach its source: a lag is known only while the link is up.
        status["lag"] if connected and applying else None,
        _lag_bytes(status),
        status["io_error"],
        status["sql_error"],
        *gtids(status),
        status["delay"],
        status["delay_remaining"],
        status["connect_retry"],
        status["relay_space"],
    )


def _of_mysql(status: Status) -> Gtids:
    """Transactions received and not applied, holes in what was applied, whether GTIDs lead."""
    received, applied = str(status["received"] or ""), str(status["applied"] or "")
    leads = None if status["gtid"] is None else int(str(status["gtid"]))
    if not applied and not received:
        return None, None, leads
    return mysql_gtid.difference(received, applied), mysql_gtid.gaps(applied), leads


def _of_mariadb(status: Status) -> Gtids:
    """The same; MariaDB keeps one position a domain, and so knows of no holes."""
    if status["gtid"] is None:
        return None, None, None
    leads = status["gtid"] != "No"
    received, applied = str(status["received"] or ""), str(status["applied"] or "")
    return mysql_gtid.behind(received, applied) if leads else None, None, int(leads)


def _lag_bytes(status: Status) -> int | None:
    """What was received and not yet applied: by the source's positions, across files by the relay log's size."""
    same_file = status["read_file"] == status["applied_file"]
    end, begin = ("read_position", "applied_position") if same_file else ("relay_space", "relay_position")
    if not status["read_file"] or status[end] is None or status[begin] is None:
        return None  # never connected: nothing was received, and nothing is known
    return max(0, int(str(status[end])) - int(str(status[begin])))
