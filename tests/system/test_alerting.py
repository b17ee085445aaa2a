"""From a fault to a mail and back, with a real daemon, real servers and a real SMTP conversation."""

from __future__ import annotations

import asyncio
import json
import socket
import sqlite3
import stat
import subprocess
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.alerting_watching import (
    EVALUATION_SECONDS,
    SHORT_DOWN,
    alerting,
    alerts_of,
    rule,
    rules,
    wait_for_alert,
)
from tests.fix_daemon import dbwatch_command
from tests.fix_life import command_line, fill, full_disk
from tests.fix_mailbox import text_of
from tests.fix_process import eventually, free_port
from tests.postgres_watching import watched

if TYPE_CHECKING:
    from tests.fix_daemon import Daemon, NewDaemon
    from tests.fix_mailbox import Mailbox
    from tests.fix_postgres import NewPostgres, Postgres

PROBE_SECONDS = 1.0
BLOCKED = "max without (job, instance) (dbwatch_blocked_sessions > 0)"


def command(daemon: Daemon, *words: str) -> str:
    """A `dbwatch` command that speaks to this daemon."""
    whole = [*dbwatch_command(), *words, "--config", str(daemon.configuration_file)]
    done = subprocess.run(whole, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def dead_instance(port: int, **labels: str) -> dict[str, object]:
    monitor = {"user": "dbwatch", "password": "unused"}
    return {"engine": "postgres", "host": "127.0.0.1", "port": port, "monitor": monitor, "labels": labels}


def down(tmp_path: Path, *more: dict[str, Any], wait: str = "0s") -> str:
    return rules(tmp_path / "rules", rule("TestDown", SHORT_DOWN % "pg", wait=wait), *more)


def test_a_fault_is_told_in_time_and_its_end_in_the_same_conversation(
    daemon: NewDaemon, new_postgres: NewPostgres, mailbox: Mailbox, tmp_path: Path
) -> None:
    server = new_postgres()
    settings = watched(server, probe_interval=PROBE_SECONDS) | alerting(mailbox, down(tmp_path, wait="1s"))
    running = daemon(settings)
    server.stop()
    stopped = time.monotonic()
    fired = mailbox.wait_for(lambda mail: "pg does not answer" in str(mail["Subject"]))
    seconds = mailbox.at[0] - stopped
    on_page = alerts_of(running, "TestDown")
    server.start()
    resolved = mailbox.wait_for(lambda mail: "RESOLVED" in str(mail["Subject"]))

    # for + one probe + one evaluation + group_wait (that of a first critical) + 5 s
    assert seconds < 1 + PROBE_SECONDS + EVALUATION_SECONDS + 0.5 + 5
    assert [alert["state"] for alert in on_page] == ["firing"]
    assert fired["To"] == "astreinte@marseille.example"
    assert resolved["References"] == fired["Message-ID"]
    assert resolved["Message-ID"] != fired["Message-ID"]
    assert 2 == len(mailbox.mails)


def test_a_killed_daemon_tells_nothing_twice_and_nothing_too_little(
    daemon: NewDaemon, new_postgres: NewPostgres, mailbox: Mailbox, tmp_path: Path
) -> None:
    server = new_postgres()
    running = daemon(watched(server, probe_interval=PROBE_SECONDS) | alerting(mailbox, down(tmp_path)))
    server.stop()
    fired = mailbox.wait_for(lambda mail: "pg does not answer" in str(mail["Subject"]))
    running.wait_for("dbwatch_outbox_letters", 0.0, state="queued")
    running.kill()
    server.start()
    running.start_again()
    resolved = mailbox.wait_for(lambda mail: "RESOLVED" in str(mail["Subject"]))

    assert resolved["References"] == fired["Message-ID"]
    assert 2 == len(mailbox.mails)


def test_a_kill_ends_no_alert_that_goes_on_and_loses_no_acknowledgement(
    daemon: NewDaemon, mailbox: Mailbox, tmp_path: Path
) -> None:
    together = rule("TestTogether", 'max by (engine) (dbwatch_up{db_instance="mute"} == 0)')
    own = rules(tmp_path / "rules", rule("TestDown", SHORT_DOWN % "one|mute"), together)
    with socket.create_server(("127.0.0.1", 0)) as mute:  # takes a connection and says nothing: known late
        late = {**dead_instance(mute.getsockname()[1]), "connect_timeout": 1.0}
        instances = {"one": dead_instance(free_port()), "mute": late}
        running = daemon({"instances": instances} | alerting(mailbox, own, evaluation_interval="0.1s"))
        eventually(lambda: len(alerts_of(running, "TestDown")) == 2)
        wait_for_alert(running, "TestTogether")
        command(running, "alerts", "ack", "TestTogether")
        before = told_by(running)
        running.kill()
        running.start_again()
        running.wait_for("dbwatch_up", 0.0, db_instance="mute")
        time.sleep(1)  # ten looks
    history = json.loads(running.get("/api/v1/alerts").text)["history"]
    ends = [event for event in history if event["name"].startswith("Test") and event["what"] == "resolved"]

    assert before == told_by(running)
    assert [] == ends


def told_by(running: Daemon) -> dict[str, tuple[str, bool]]:
    """Since when each alert of the test fires, and whether somebody has it in hand."""
    found = [*alerts_of(running, "TestDown"), *alerts_of(running, "TestTogether")]
    return {each["fingerprint"]: (each["fired_at"], bool(each["acknowledged"])) for each in found}


def test_a_rule_that_cannot_run_is_told_wherever_somebody_looks(
    daemon: NewDaemon, mailbox: Mailbox, tmp_path: Path
) -> None:
    own = rules(tmp_path / "rules", rule("TestDown", SHORT_DOWN % "one"))
    running = daemon({"instances": {"one": dead_instance(free_port())}} | alerting(mailbox, own))
    rules(tmp_path / "rules", rule("TestUnheard", "max without (job, instance) (pg_unheard_of > 0)", "warning"))
    said = command(running, "reload")
    running.wait_for("dbwatch_rules_left_out", 1.0)
    alert = wait_for_alert(running, "RulesLeftOut")
    left_out = json.loads(running.get("/api/v1/alerts").text)["rules"]["left_out"]

    assert "reloaded: 1 instance; 1 rule left out: TestUnheard: pg_unheard_of is no metric of dbwatch" in said
    assert [{"rule": "TestUnheard", "why": "pg_unheard_of is no metric of dbwatch"}] == left_out
    assert "TestUnheard" in running.get("/alerts").text
    assert alert["severity"] == "warning"


def test_mail_that_cannot_leave_waits_over_a_kill_and_leaves_as_one_letter(
    daemon: NewDaemon, new_postgres: NewPostgres, mailbox: Mailbox, tmp_path: Path
) -> None:
    server = new_postgres()
    settings = watched(server, probe_interval=PROBE_SECONDS) | alerting(mailbox, down(tmp_path))
    settings |= {"thresholds": {"server_restarted_seconds": 0.0}}  # that it is young is another letter
    closed: dict[str, Any] = json.loads(json.dumps(settings))
    closed["mail"]["relays"][0]["port"] = free_port()
    running = daemon(closed)
    server.stop()
    running.wait_for("dbwatch_outbox_letters", 1.0, state="queued", timeout_seconds=20)
    running.kill()
    server.start()
    running.start_again()
    eventually(lambda: not alerts_of(running, "TestDown") and running.scrape().value("dbwatch_up") == 1.0)
    eventually(lambda: ends_in_the_outbox(running))  # the end is told, in the place of the beginning
    running.write(settings)
    command(running, "reload")
    mail = mailbox.wait_for(lambda _: True)
    time.sleep(1)

    assert 1 == len(mailbox.mails)
    assert "pg does not answer" in str(mail["Subject"])
    assert "ALREADY OVER" in str(mail["Subject"])


def ends_in_the_outbox(running: Daemon) -> int:
    """Letters that wait to leave and tell of the end of an alert that nobody has heard of."""
    with closing(sqlite3.connect(running.directory / "state" / "history.sqlite")) as history:
        ended = "SELECT count(*) FROM outbox WHERE state = 'queued' AND letter LIKE '%\"passed\"%'"
        return int(history.execute(ended).fetchone()[0])


async def test_a_blocked_session_brings_a_picture_without_query_texts(
    daemon: NewDaemon, new_postgres: NewPostgres, mailbox: Mailbox, tmp_path: Path
) -> None:
    server = new_postgres()
    server.psql("CREATE TABLE rues (n int)")
    own = rules(tmp_path / "rules", rule("TestBlocked", BLOCKED, "warning", picture="locks"))
    running = daemon(watched(server, fast_interval=0.5) | alerting(mailbox, own))
    holder, waiter = await server.admin(), await server.admin()
    await holder.execute("BEGIN; LOCK TABLE rues /* canary-text */")
    waiting = asyncio.create_task(waiter.execute("BEGIN; LOCK TABLE rues /* canary-text */"))
    await asyncio.sleep(0.2)
    mail = await asyncio.to_thread(mailbox.wait_for, lambda mail: "TestBlocked" in mail.as_string())
    alert = wait_for_alert(running, "TestBlocked")
    await holder.close()
    await asyncio.wait([waiting])
    await waiter.close()
    mode, text = await asyncio.to_thread(mode_and_text, alert["picture"])

    assert mode == 0o640
    assert "holds" in text
    assert "canary" not in text + mail.as_string()
    assert alert["picture"].rpartition("/")[2] in text_of(mail).replace("\n", "")


def mode_and_text(path: str) -> tuple[int, str]:
    """Of a file."""
    return stat.S_IMODE(Path(path).stat().st_mode), Path(path).read_text()


def test_acknowledged_silenced_and_maintained_alerts_are_shown_so_and_not_told(
    daemon: NewDaemon, mailbox: Mailbox, tmp_path: Path
) -> None:
    own = rules(
        tmp_path / "rules",
        rule("TestDown", SHORT_DOWN % "one"),
        rule("TestSilenced", SHORT_DOWN % "two", wait="10s"),  # commands take their time on a busy machine
        rule("TestMaintained", SHORT_DOWN % "three", wait="10s"),
    )
    instances = {name: dead_instance(free_port(), service=name) for name in ("one", "two", "three")}
    running = daemon({"instances": instances} | alerting(mailbox, own, group_wait="4s", first_critical_wait="4s"))
    command(running, "maintenance", "start", "three")
    command(running, "alerts", "silence", "TestSilenced", "--for", "1h")
    mailbox.wait_for(lambda mail: "one does not answer" in str(mail["Subject"]))
    command(running, "alerts", "ack", "TestDown", "one")
    wait_for_alert(running, "TestSilenced")
    wait_for_alert(running, "TestMaintained")
    time.sleep(5)
    shown = {name: alerts_of(running, name)[0] for name in ("TestDown", "TestSilenced", "TestMaintained")}
    subjects = " ".join(mailbox.subjects())

    assert shown["TestDown"]["acknowledged"]
    assert "silence" == shown["TestSilenced"]["muted"]["reason"]
    assert "maintenance" == shown["TestMaintained"]["muted"]["reason"]
    assert "two does not answer" not in subjects
    assert "three does not answer" not in subjects


def test_two_hundred_instances_down_at_once_are_one_mail(daemon: NewDaemon, mailbox: Mailbox, tmp_path: Path) -> None:
    port = free_port()
    own = rules(tmp_path / "rules", rule("TestDown", SHORT_DOWN % "i.*", wait="2s"))
    instances = {f"i{number:03}": dead_instance(port, service=f"service{number}") for number in range(200)}
    # Two hundred first probes are spread over two seconds, and more on a busy machine.
    running = daemon({"instances": instances} | alerting(mailbox, own, first_critical_wait="6s", group_wait="8s"))
    eventually(lambda: len([a for a in alerts_of(running, "TestDown") if a["state"] == "firing"]) == 200)
    mail = mailbox.wait_for(lambda _: True)
    time.sleep(3)

    assert 1 == len(mailbox.mails)
    assert "200" in str(mail["Subject"])


def test_a_broken_rule_file_on_reload_leaves_the_old_rules_at_work(
    daemon: NewDaemon, mailbox: Mailbox, tmp_path: Path
) -> None:
    own = rules(tmp_path / "rules", rule("TestDown", SHORT_DOWN % "one"))
    running = daemon({"instances": {"one": dead_instance(free_port())}} | alerting(mailbox, own))
    wait_for_alert(running, "TestDown")
    Path(own, "own.yml").write_text("groups: [{name: own, rules: [{alert: X, expr: 'rate(dbwatch_up[1h])'}]}]")
    done = subprocess.run(
        [*dbwatch_command(), "reload", "--config", str(running.configuration_file)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    running.wait_for("dbwatch_config_last_reload_successful", 0.0)
    still = alerts_of(running, "TestDown")
    told = json.loads(running.get("/api/v1/alerts").text)["rules"]

    assert "own.yml" in told["reload_error"]
    assert done.returncode != 0
    assert "own.yml" in done.stderr
    assert "Traceback" not in done.stderr
    assert [alert["state"] for alert in still] == ["firing"]


def test_a_changed_threshold_changes_the_metric_and_the_alert_without_a_new_login(
    daemon: NewDaemon, postgres_18: Postgres, mailbox: Mailbox, tmp_path: Path
) -> None:
    own = tmp_path / "rules"
    expression = (
        "max without (job, instance) (dbwatch_sessions_max > on (job, instance, db_instance) group_left () "
        'dbwatch_threshold{name="test_sessions_max"})'
    )
    rules(own, rule("TestThreshold", expression, "warning"))
    (own / "thresholds.yml").write_text('test_sessions_max: {value: 100000, help: "A test\'s."}')
    settings: dict[str, Any] = watched(postgres_18) | alerting(mailbox, str(own))
    running = daemon(settings)
    logins = running.scrape().value("dbwatch_connect_duration_seconds_count")
    before = threshold(running)
    settings["instances"]["pg"]["thresholds"] = {"test_sessions_max": 5}
    running.write(settings)
    command(running, "reload")
    wait_for_alert(running, "TestThreshold")
    after = running.scrape().value("dbwatch_connect_duration_seconds_count")

    assert [before, threshold(running)] == [100000.0, 5.0]
    assert logins is not None
    assert after is not None
    assert after >= logins  # a new poller would count from zero


def of(running: Daemon) -> tuple[str, str]:
    return "--config", str(running.configuration_file)


def threshold(running: Daemon) -> float:
    """The test's own, as the page gives it."""
    found = running.scrape().where("dbwatch_threshold")
    return next(value for labels, value in found.items() if ("name", "test_sessions_max") in labels)


def test_a_full_disk_costs_no_mail_and_is_said(daemon: NewDaemon, mailbox: Mailbox, tmp_path: Path) -> None:
    own = rules(tmp_path / "rules", rule("TestDown", SHORT_DOWN % "one", wait="4s"))
    settings = {"instances": {"one": dead_instance(free_port())}} | alerting(mailbox, own)
    with full_disk(tmp_path / "disk") as disk:
        running = daemon({**settings, "state_directory": str(disk / "state")})
        fill(disk)
        mail = mailbox.wait_for(lambda mail: "one does not answer" in str(mail["Subject"]))
        running.wait_for("dbwatch_outbox_persisted", 0.0)
        shown = command(running, "alerts", "list")
        refused = command_line("alerts", "ack", "TestDown", "--reason", "x" * 400, *of(running))
        time.sleep(2 * EVALUATION_SECONDS + 1)
        claims = running.log().count("outbox_persisted_again")
        (disk / "filler").unlink()
        running.wait_for("dbwatch_outbox_persisted", 1.0, timeout_seconds=20)
        time.sleep(1)
        running.stop()

    assert mail["Message-ID"]
    assert "firing" in shown
    assert 0 == claims
    assert 1 == refused.returncode
    assert "database or disk is full -> free space there; nothing was changed" in refused.stderr
    assert 1 == len([subject for subject in mailbox.subjects() if "one does not answer" in subject])
