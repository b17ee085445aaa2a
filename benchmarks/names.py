"""Every name of dbwatch's outside that the benchmarks rely on: one place to change them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.servers import MONITOR, PASSWORD

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.servers import Server

TABLES = ("table_activity", "table_sizes")  # the collectors that expose a database's tables
UP = "dbwatch_up"
LAG = "dbwatch_event_loop_lag_seconds"
LATENESS = "dbwatch_poll_lateness_seconds"
WORST_LATENESS = "dbwatch_poll_lateness_max_seconds"
INTERVAL = "15s"  # the peer is scraped as often
EVERY_SAMPLE = 260_000  # 10,000 tables of 27 series, those whose value is NULL left out
EVERY_TABLE = {"interval": INTERVAL, "timeout": "10s", "top": 20_000, "max_series": 400_000}


def instance(server: Server, database: str, *, every_table: bool = False) -> dict[str, object]:
    """One instance asked as often as the peer is scraped."""
    tables = dict.fromkeys(TABLES, EVERY_TABLE) if every_table else {}
    return {**by_default(server, database), "fast_interval": INTERVAL, "collectors": tables}


def by_default(server: Server, database: str) -> dict[str, object]:
    """One instance as a configuration file gives it, with every interval as it comes."""
    return {
        "engine": "postgres",
        "host": "127.0.0.1",
        "port": server.port,
        "database": database,
        "databases": {"include": [database]},
        "monitor": {"user": MONITOR, "password": PASSWORD},
    }


def settings(instances: dict[str, dict[str, object]], *, port: int, home: Path) -> dict[str, object]:
    """A whole configuration file."""
    return {
        "instances": instances,
        "http": {"listen_addresses": [f"127.0.0.1:{port}"]},
        "logging": {"format": "json", "level": "warning"},
        "state_directory": str(home / "state"),
        "control_socket": str(home / "control.sock"),
    }
