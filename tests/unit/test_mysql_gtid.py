"""Sets of transactions as the servers write them, and the binary log's files as one row."""

from __future__ import annotations

import pytest

from dbwatch.core.model import Rows
from dbwatch.engines import mysql_gtid
from dbwatch.engines.mysql_binlog import added_up
from dbwatch.engines.mysql_replica import MARIADB, MYSQL, normalised

A, B = "3e11fa47-71ca-11e1-9e33-c80aa9429562", "4e11fa47-71ca-11e1-9e33-c80aa9429562"


@pytest.mark.parametrize(
    ("received", "applied", "number"),
    [
        ("", "", 0),
        (f"{A}:1-10", f"{A}:1-10", 0),
        (f"{A}:1-10", "", 10),
        (f"{A}:1-10", f"{A}:1-7", 3),
        (f"{A}:5-10", f"{A}:1-7:9", 2),
        (f"{A}:1-10,\n{B}:1-3", f"{B}:2", 12),
        (f"{A}:1-3:tagged:1-5", f"{A}:1-3:tagged:2-4", 2),
        (f"{A}:1-5:8-20:30", f"{A}:1-3:5-9:15-40", 6),
        ("", f"{A}:1-10", 0),
    ],
)
def test_transactions_of_one_set_that_are_not_in_another_are_counted(received: str, applied: str, number: int) -> None:
    assert number == mysql_gtid.difference(received, applied)


@pytest.mark.parametrize(
    ("executed", "number"),
    [("", 0), (f"{A}:1-10", 0), (f"{A}:1-3:5-7:9", 2), (f"{A}:1-3:4-7", 0), (f"{A}:1-2:5,\n{B}:1:9:tagged:1-4:6", 3)],
)
def test_holes_in_what_was_applied_are_counted(executed: str, number: int) -> None:
    assert number == mysql_gtid.gaps(executed)


@pytest.mark.parametrize(
    ("received", "applied", "number"),
    [
        ("0-1-100", "0-1-100", 0),
        ("0-1-100", "0-2-97", 3),
        ("0-1-100,1-1-5", "0-1-100,1-1-1,2-1-7", 4),
        ("0-1-90", "0-1-100", 0),
        ("0-1-100,1-1-5", "0-1-100", None),
        ("", "0-1-100", None),
    ],
)
def test_positions_of_mariadb_are_compared_by_domain(received: str, applied: str, number: int | None) -> None:
    assert number == mysql_gtid.behind(received, applied)


def test_a_set_with_very_many_holes_is_counted_in_one_walk() -> None:
    executed = f"{A}:" + ":".join(str(2 * each) for each in range(1, 50_001))

    assert 50_000 == mysql_gtid.difference(f"{A}:1-100000", executed)
    assert 49_999 == mysql_gtid.gaps(executed)


def test_the_files_of_the_binary_log_are_one_row() -> None:
    listed = Rows(("Log_name", "File_size", "Encrypted"), (["b.1", "b.2"], [158, "1000"], ["No", "No"]))

    assert [{"files": 2, "size_bytes": 1158}] == added_up(listed).dicts()
    assert Rows(("n",), ([1],)) == added_up(Rows(("n",), ([1],)))


@pytest.mark.parametrize("spelling", [MARIADB, MYSQL])
def test_a_channel_that_never_reached_its_source_tells_no_lag(spelling: dict[str, str]) -> None:
    never = dict.fromkeys(spelling, "") | {"channel": "", "io": "Connecting", "sql": "Yes", "lag": 0, "io_error": 2003}
    never |= {"gtid": "No" if spelling is MARIADB else 0, "relay_space": 4, "relay_position": 4}
    told = normalised(Rows(tuple(spelling.values()), tuple([never[name]] for name in spelling))).dicts()[0]

    assert (0, 1, 1, 2003) == (told["connected"], told["io_running"], told["sql_running"], told["io_error"])
    assert {None} == {told["lag_seconds"], told["lag_bytes"], told["lag_transactions"], told["gtid_gaps"]}
    assert 0 == told["auto_position"]
