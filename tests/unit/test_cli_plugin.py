"""The monitoring plugin's judgement."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from dbwatch import library
from dbwatch.cli import checking, main, plugin
from dbwatch.cli.plugin import Status
from dbwatch.cli.samples import Sample
from dbwatch.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

CHECKS = plugin.load()
UP = Sample("dbwatch_up", 1.0)
NOW = 1_000_000.0
MAXIMUM = Sample("dbwatch_sessions_max", 100.0)


def sessions(count: float) -> list[Sample]:
    """Two kinds of sessions that add up."""
    return [
        Sample("dbwatch_sessions", count - 1, {"state": "idle"}),
        Sample("dbwatch_sessions", 1, {"state": "active"}),
    ]


def verdict(*given: Sample, warning: tuple[str, ...] = (), critical: tuple[str, ...] = ()) -> plugin.Verdict:
    return plugin.judge("pg1", given, CHECKS, plugin.thresholds(CHECKS, warning, critical), NOW)


def test_every_family_of_the_checks_exists() -> None:
    assert CHECKS.families() <= library.load().families.keys()


def test_every_default_threshold_can_be_read() -> None:
    assert CHECKS.checks.keys() == plugin.thresholds(CHECKS, (), ()).keys()


def test_a_healthy_instance_is_one_line_with_numbers() -> None:
    expected = "DBWATCH OK - pg1 up, 12/100 sessions | 'sessions'=12;80;90;0;100"

    assert expected == str(verdict(UP, MAXIMUM, *sessions(12)))


@pytest.mark.parametrize(("count", "status"), [(80, Status.OK), (81, Status.WARNING), (91, Status.CRITICAL)])
def test_a_share_is_held_against_its_thresholds(count: float, status: Status) -> None:
    assert status is verdict(UP, MAXIMUM, *sessions(count)).status


def test_what_is_wrong_is_named_with_its_threshold() -> None:
    assert "pg1 up, 95/100 sessions (critical at 90)" == verdict(UP, MAXIMUM, *sessions(95)).text


def test_thresholds_of_the_command_line_win() -> None:
    assert Status.CRITICAL is verdict(UP, MAXIMUM, *sessions(12), critical=("sessions_ratio=0.1",)).status


def test_the_worst_decides() -> None:
    lag = Sample("dbwatch_replication_lag_seconds", 61.0, {"replica": "b"})

    found = verdict(UP, MAXIMUM, *sessions(95), lag)

    assert Status.CRITICAL is found.status
    assert "replication lag 1 min 1 s (warning at 60)" in found.text


def test_down_is_critical_with_its_reason() -> None:
    down = Sample("dbwatch_up", 0.0), Sample("dbwatch_up_reason", 1.0, {"reason": "auth"})

    assert "DBWATCH CRITICAL - pg1 is down: auth" == str(verdict(*down))


def test_maintenance_is_ok_even_when_down_and_says_so() -> None:
    maintained = Sample("dbwatch_maintenance", 1.0)
    down = Sample("dbwatch_up", 0.0), Sample("dbwatch_up_reason", 1.0, {"reason": "auth"})

    assert "DBWATCH OK - pg1 is in maintenance (down: auth)" == str(verdict(*down, maintained))
    assert "DBWATCH OK - pg1 is in maintenance (nothing is known of it yet)" == str(verdict(maintained))


def test_maintenance_is_ok_whatever_the_numbers_and_keeps_them() -> None:
    found = verdict(UP, MAXIMUM, *sessions(95), Sample("dbwatch_maintenance", 1.0))

    assert Status.OK is found.status
    assert found.text.startswith("pg1 is in maintenance (up, ")
    assert found.perfdata == verdict(UP, MAXIMUM, *sessions(95)).perfdata


def test_an_instance_that_was_not_probed_yet_is_unknown() -> None:
    assert Status.UNKNOWN is verdict().status


def test_absent_data_is_left_out_but_unknown_when_asked_for() -> None:
    assert "DBWATCH OK - pg1 up" == str(verdict(UP))
    assert Status.UNKNOWN is verdict(UP, warning=("replication_lag_seconds=10",)).status


def test_no_session_at_all_is_zero_only_where_the_collector_ran() -> None:
    ran = Sample("dbwatch_collector_success", 1.0, {"collector": "sessions"})

    assert "0/100 sessions" in verdict(UP, MAXIMUM, ran).text
    assert "sessions" not in verdict(UP, MAXIMUM).text


def test_collectors_that_failed_are_counted() -> None:
    runs = [Sample("dbwatch_collector_success", value, {"collector": str(value)}) for value in (0.0, 1.0)]

    assert Status.WARNING is verdict(UP, *runs).status


@pytest.mark.parametrize(
    ("age", "interval", "status"),
    [(200, 10, Status.OK), (301, 10, Status.UNKNOWN), (500, 600, Status.OK), (1801, 600, Status.UNKNOWN)],
)
def test_old_data_is_no_data(age: float, interval: float, status: Status) -> None:
    last = Sample("dbwatch_collector_last_success_timestamp_seconds", NOW - age, {"collector": "a"})

    assert status is verdict(UP, last, Sample("dbwatch_collector_interval_seconds", interval)).status


def test_only_the_login_phase_counts_as_login() -> None:
    phases = [Sample("dbwatch_connect_last_duration_seconds", 9.0, {"phase": "tls"})]

    assert Status.OK is verdict(UP, *phases).status


@pytest.mark.parametrize("entry", ["nonsense=1", "sessions_ratio", "sessions_ratio=", "sessions_ratio=x"])
def test_a_threshold_that_means_nothing_is_refused(entry: str) -> None:
    with pytest.raises(UsageError, match="not a threshold"):
        plugin.thresholds(CHECKS, (entry,), ())


def test_a_bar_in_a_message_does_not_begin_the_numbers() -> None:
    assert "DBWATCH UNKNOWN - a / b c" == str(plugin.Verdict(Status.UNKNOWN, "a | b\nc"))


@pytest.mark.parametrize(
    ("address", "url"),
    [
        (":10432", "http://127.0.0.1:10432"),
        ("0.0.0.0:9", "http://127.0.0.1:9"),
        ("[::]:9", "http://[::1]:9"),
        ("[::1]:9", "http://[::1]:9"),
        ("db1:9", "http://db1:9"),
    ],
)
def test_the_daemon_is_asked_where_it_listens(address: str, url: str) -> None:
    assert url == checking.reachable(address)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://ann:canary@db1:9", "--url holds no user: give --user and --password-file"),
        ("http://db1:99999", "--url: 'http://db1:99999' is not http://HOST:PORT"),
        ("db1:9", "is not http://HOST:PORT"),
        ("http://ann:can/ary@db1:9", "--url holds no user: give --user and --password-file"),
        ("http://ann:9#canary@db1:9", "--url holds no user: give --user and --password-file"),
        ("http://[::1", "--url is not http://HOST:PORT"),
        ("http://db 1:9", "--url: 'http://db 1:9' is not http://HOST:PORT"),
    ],
)
def test_a_url_that_is_none_is_told_without_its_password(tmp_path: Path, url: str, told: str) -> None:
    """Whatever a plugin prints stands on the screens of a whole department."""
    verdict = checking.check(checking.Request("pg1", tmp_path, url=url))
    assert Status.UNKNOWN is verdict.status
    assert told in str(verdict)
    assert "canary" not in str(verdict)


def test_a_configuration_given_as_critical_is_told_whole() -> None:
    with pytest.raises(UsageError, match=r"for check, -c is --critical: give the configuration with --config"):
        plugin.thresholds(CHECKS, (), (str(plugin.CHECKS_FILE),))


def test_what_a_threshold_may_be_is_not_cut_off() -> None:
    with pytest.raises(UsageError) as caught:
        plugin.thresholds(CHECKS, ("/etc/dbwatch-somewhere-else/dbwatch.yml",), ())
    assert str(caught.value) == plugin.clean(str(caught.value))


@pytest.mark.parametrize("how", ["option", "environment"])
def test_a_configuration_that_is_given_and_not_there_is_unknown_and_asks_nobody_else(
    how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)  # put back at the end: check takes it
    nowhere = str(tmp_path / "nowhere")
    if how == "environment":
        monkeypatch.setenv("DBWATCH_CONFIG", nowhere)
    assert 3 == main(["check", "pg1", *(["--config", nowhere] if how == "option" else [])])
    assert capsys.readouterr().out.startswith(
        f"DBWATCH UNKNOWN - 1 fault in the configuration: {nowhere}: cannot be read"
    )
