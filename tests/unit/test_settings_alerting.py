"""Settings of alerting, mail, Alertmanager, heartbeat and thresholds: what is accepted, what is refused, and how."""

from __future__ import annotations

import json
import re
from datetime import time
from multiprocessing.reduction import ForkingPickler
from typing import TYPE_CHECKING

import pytest

from dbwatch import library
from dbwatch.core import thresholds
from dbwatch.core.alerting.model import Severity
from dbwatch.errors import ConfigError
from dbwatch.files import config_root
from dbwatch.settings import suggest
from dbwatch.settings.alerting import (
    Alerting,
    AlertmanagerPush,
    DailyDigest,
    Escalation,
    Flapping,
    Heartbeat,
    Mail,
    QuietHours,
    Relay,
    Route,
    WeeklyTest,
)
from dbwatch.settings.checks import unknown_thresholds
from dbwatch.settings.load import examine, load, load_with_warnings
from dbwatch.settings.models import Settings
from dbwatch.settings.report import check_report
from dbwatch.settings.secrets import read_password

if TYPE_CHECKING:
    from pathlib import Path

CANARY = "canaryhunter2"
ONE = "instances:\n  pg1:\n    engine: postgres\n    monitor: {user: u}\n"
DIRECT = """\
alerting: {notify: direct}
mail: {from: 'dbwatch <dbwatch@marseille.example>', to: astreinte@marseille.example, relays: [{host: localhost}]}
"""
MODELS = (Alerting, QuietHours, Escalation, DailyDigest, WeeklyTest, Flapping, Mail, Relay, Route)
SECTIONS = (*MODELS, AlertmanagerPush, Heartbeat)


def written(directory: Path, text: str) -> Path:
    path = directory / "dbwatch.yml"
    path.write_text(text, encoding="utf-8")
    return path


def faults_of(directory: Path, text: str, **environ: str) -> list[str]:
    path = written(directory, text)
    return [re.sub(r"^.*dbwatch\.yml(:\d+)?: ", "", str(fault)) for fault in examine(path, environ).faults]


def settings_of(directory: Path, text: str, **environ: str) -> Settings:
    return load(written(directory, text), environ)


def test_nobody_is_told_by_default_and_nothing_needs_to_be_configured(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, ONE)
    assert ("off", False, False) == (settings.alerting.notify, settings.alerting.mails, settings.alerting.pushes)
    assert (15.0, 5.0, 30.0, 300.0, 14400.0) == (
        settings.alerting.evaluation_interval,
        settings.alerting.first_critical_wait,
        settings.alerting.group_wait,
        settings.alerting.group_interval,
        settings.alerting.repeat_interval,
    )


def test_the_commented_example_names_every_option_of_alerting() -> None:
    text = (config_root() / "alerting.yml").read_text(encoding="utf-8")
    keys = {key for model in SECTIONS for key in suggest.keys(model)} - {"password_env", "password"}
    assert [] == sorted(key for key in keys if not re.search(rf"\b{key}:", text))


def test_the_commented_defaults_of_alerting_in_the_example_are_the_real_ones(tmp_path: Path) -> None:
    text = (config_root() / "alerting.yml").read_text(encoding="utf-8")
    examples = "templates_dir|page_url|runbook_url|from|to|reply_to|list_id|basic_auth|bearer_token_file|ca_file|url"
    option = re.compile(rf"^  # ((?!(?:{examples}|url_file|connections_used_ratio): )[a-z_]+: \S.*)$", re.MULTILINE)
    told, count = option.subn(r"  \1", text)
    assert count > 20
    assert Settings() == settings_of(tmp_path, told)


def test_every_commented_line_of_the_example_is_accepted(tmp_path: Path) -> None:
    for name in ("smtp.password", "alertmanager.token", "heartbeat.url", "example.pem"):
        (tmp_path / name).write_text("https://hc.example.org/x\n")
        (tmp_path / name).chmod(0o600)
    (tmp_path / "templates").mkdir()
    text = (config_root() / "alerting.yml").read_text(encoding="utf-8").replace("/etc/ssl/certs/", "")
    option = re.compile(r"^  # ((?!url: |basic_auth: |connections_)( *(- )?[a-z_]+:( .*)?))$", re.MULTILINE)
    settings = settings_of(tmp_path, option.sub(r"  \1", text))
    assert ("smtp1.example.org", "smtp2.example.org") == tuple(relay.host for relay in settings.mail.relays)
    assert {"severity": ("critical",), "team": ("etat-civil", "urbanisme")} == settings.mail.routes[0].match
    assert (time(19), time(7, 30)) == (
        settings.alerting.quiet_hours[0].starts_at,
        settings.alerting.quiet_hours[0].ends_at,
    )
    assert tmp_path / "heartbeat.url" == settings.heartbeat.url_file


@pytest.mark.parametrize("written_so", ["22:00", "'22:00'", '"22:00"'])
def test_a_time_of_day_needs_no_quotes_although_yaml_counts_in_sixties(tmp_path: Path, written_so: str) -> None:
    settings = settings_of(tmp_path, f"{ONE}alerting: {{quiet_hours: [{{from: {written_so}, to: 7:05}}]}}\n")
    hours = settings.alerting.quiet_hours[0]
    assert (time(22), time(7, 5)) == (hours.starts_at, hours.ends_at)
    assert (Severity.WARNING,) == hours.severities


@pytest.mark.parametrize("key", ["daily_digest", "weekly_test"])
def test_what_comes_regularly_can_be_switched_off_and_an_empty_section_is_the_default(tmp_path: Path, key: str) -> None:
    assert getattr(settings_of(tmp_path, f"{ONE}alerting: {{{key}: off}}\n").alerting, key) is None
    assert settings_of(tmp_path, ONE) == settings_of(tmp_path, f"{ONE}alerting: {{{key}: }}\n")


def test_off_needs_no_quotes(tmp_path: Path) -> None:
    assert settings_of(tmp_path, ONE) == settings_of(tmp_path, f"{ONE}alerting: {{notify: off}}\n")


def test_a_relay_takes_the_usual_port_of_its_security(tmp_path: Path) -> None:
    relays = "[{host: a}, {host: b, security: tls}, {host: c, security: none}, {host: d, port: 2525}]"
    settings = settings_of(tmp_path, f"{ONE}mail: {{relays: {relays}}}\n")
    assert [587, 465, 25, 2525] == [relay.smtp_port for relay in settings.mail.relays]


def test_a_relays_password_comes_from_a_file_or_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret").write_text(f"{CANARY}\n")
    (tmp_path / "secret").chmod(0o600)
    monkeypatch.setenv("DBWATCH_SMTP", CANARY)
    relays = "[{host: a, user: u, password_file: secret}, {host: b, user: u, password_env: DBWATCH_SMTP}]"
    settings = settings_of(tmp_path, f"{ONE}mail: {{relays: {relays}}}\n", DBWATCH_SMTP=CANARY)
    passwords = [read_password(relay) for relay in settings.mail.relays]
    assert [CANARY, CANARY] == [each.get_secret_value() for each in passwords if each is not None]
    assert CANARY not in repr(settings)


def test_the_environment_overrides_alerting_too(tmp_path: Path) -> None:
    environ = {"DBWATCH_ALERTING__NOTIFY": "alertmanager", "DBWATCH_ALERTMANAGER__URLS": "[http://am1:9093/]"}
    environ |= {"DBWATCH_THRESHOLDS__SOME_RATIO": "0.5"}
    settings = settings_of(tmp_path, ONE, **environ)
    assert settings.alerting.pushes
    assert ("http://am1:9093",) == settings.alertmanager.urls
    assert {"some_ratio": 0.5} == settings.thresholds


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("alerting: {notify: mail}", "alerting.notify: must be one of off, direct, alertmanager, both"),
        ("alerting: {notfy: direct}", "alerting.notfy: is no setting -> did you mean notify?"),
        ("alerting: {evaluation_interval: 1h}", "alerting.evaluation_interval: must be between 100ms and 5m"),
        ("alerting: {repeat_interval: 59s}", "alerting.repeat_interval: must be at least 1m"),
        ("alerting: {quiet_hours: [{from: 7:00, to: 07:00}]}", "alerting.quiet_hours.0: begins when it ends"),
        ("thresholds: {a_ratio: -0.1}", "thresholds.a_ratio: must not be negative -> give 0 or more"),
        ("alerting: {group_wait: soon}", "alerting.group_wait: not a duration -> write 500ms, 15s, 5m or 1h30m"),
        ("alerting: {quiet_hours: [{from: 25:00, to: 7:00}]}", "alerting.quiet_hours.0.from: is no time of day"),
        ("alerting: {daily_digest: {at: 800}}", "alerting.daily_digest.at: is no time of day"),
        ("alerting: {weekly_test: {day: lundi}}", "alerting.weekly_test.day: must be one of monday, tuesday,"),
        ("alerting: {daily_digest: {timezone: Europe/Pari}}", "alerting.daily_digest.timezone: is no time zone"),
        ("alerting: {daily_digest: {timezone: ../x}}", "alerting.daily_digest.timezone: is no time zone"),
        ("alerting: {language: de}", "alerting.language: must be one of fr, en"),
        ("alerting: {rules_dir: nowhere}", "alerting.rules_dir.0: cannot be read: No such file or directory"),
        ("alerting: {templates_dir: nowhere}", "alerting.templates_dir: cannot be read: No such file or directory"),
        (f"alerting: {{page_url: 'http://u:{CANARY}@h'}}", "alerting.page_url: is no web address"),
        ("mail: {to: 'a@b.fr\\nBcc'}", "mail.to.0: is no mail address -> write name@example.org"),
        ('mail: {from: "x\\r\\nBcc: y <a@b.fr>"}', "mail.from: is no mail address"),
        ('mail: {reply_to: "a@b.fr\\n"}', "mail.reply_to: is no mail address"),
        ("mail: {form: a@b.fr}", "mail.form: is no setting -> did you mean from?"),
        ("mail: {list_id: 'a b'}", "mail.list_id: cannot be a list's name"),
        ("mail: {relays: [{host: x, hots: y}]}", "mail.relays.0.hots: is no setting -> did you mean host?"),
        (f"mail: {{relays: [{{host: x, {CANARY}: }}]}}", "mail.relays.0.?: is no setting"),
        (f"mail: {{relays: [{{host: x, password: {CANARY}}}]}}", "mail.relays.0.user: is missing beside a password"),
        ("mail: {relays: [{host: x, user: u}]}", "mail.relays.0.password_file: is missing beside a user"),
        (
            f"mail: {{relays: [{{host: x, security: none, user: u, password: {CANARY}}}]}}",
            "mail.relays.0.security: would send the password in clear over the network",
        ),
        ("mail: {relays: [{host: x, ca_file: nowhere}]}", "mail.relays.0.ca_file: cannot be read"),
        ("mail: {relays: [{host: x, user: u, password_file: nowhere}]}", "mail.relays.0.password_file: cannot be read"),
        ("mail: {routes: [{match: {}, to: []}]}", "mail.routes.0.to: must not be empty"),
        ("mail: {routes: [{match: {a-b: c}, to: a@b.fr}]}", "mail.routes.0.match.a-b: cannot be a label's name"),
        ("alertmanager: {urls: ['ftp://x']}", "alertmanager.urls.0: is no web address"),
        (
            "alertmanager: {basic_auth: {user: u}, bearer_token_file: x}",
            "alertmanager: two ways to authenticate -> keep one of basic_auth and bearer_token_file",
        ),
        ("alertmanager: {bearer_token_file: x}", "alertmanager.bearer_token_file: cannot be read"),
        (f"heartbeat: {{url: hc/{CANARY}}}", "heartbeat.url: is no web address -> write https://host/path"),
        (f"heartbeat: {{'https://hc/{CANARY}': }}", "heartbeat.?: is no setting"),
        ("heartbeat: {url: 'http://x', url_file: y}", "heartbeat: the address comes from two places"),
        ("heartbeat: {url_file: y}", "heartbeat.url_file: cannot be read: No such file or directory"),
        ("thresholds: {a: many}", "thresholds.a: must be a number"),
        ("thresholds: {a: true}", "thresholds.a: must be a number"),
        ("thresholds: {a: .nan}", "thresholds.a: must be a finite number"),
    ],
)
def test_every_mistake_is_one_clear_line(tmp_path: Path, text: str, fault: str) -> None:
    (told,) = faults_of(tmp_path, f"{ONE}{text}\n")
    assert told.startswith(fault)
    assert CANARY not in told


def test_a_way_of_telling_without_its_other_end_is_refused(tmp_path: Path) -> None:
    assert ["mail.relays: names no mail server", "mail.from: is missing", "mail.to: names nobody"] == [
        each.partition(",")[0] for each in faults_of(tmp_path, f"{ONE}alerting: {{notify: direct}}\n")
    ]
    (fault,) = faults_of(tmp_path, f"{ONE}alerting: {{notify: alertmanager}}\n")
    assert fault.startswith("alertmanager.urls: names no Alertmanager")
    assert [] == faults_of(tmp_path, ONE + DIRECT)
    assert [] == faults_of(tmp_path, ONE + DIRECT.replace("to: a", "routes: [{to: a").replace(", relays", "}], relays"))


def test_what_is_given_and_wrong_is_not_told_as_missing(tmp_path: Path) -> None:
    (fault,) = faults_of(tmp_path, ONE + DIRECT.replace("host: localhost", "host: 'a b'"))
    assert fault.startswith("mail.relays.0.host: must be a host name")


def test_the_address_in_a_heartbeat_file_is_looked_at_and_never_told(tmp_path: Path) -> None:
    (tmp_path / "hc").write_text(f"{CANARY}\n")
    (fault,) = faults_of(tmp_path, f"{ONE}heartbeat: {{url_file: hc}}\n")
    assert fault.startswith("heartbeat.url_file: is no web address")
    assert CANARY not in fault
    (tmp_path / "hc").write_text(f"https://hc.example.org/{CANARY}\n")
    assert [] == faults_of(tmp_path, f"{ONE}heartbeat: {{url_file: hc}}\n")


def test_what_weakens_a_secret_is_a_warning(tmp_path: Path) -> None:
    push = "{urls: ['http://am:9093'], basic_auth: {user: u, password: p}}"
    relays = "[{host: x, verify: false}]"
    text = f"{ONE}mail: {{relays: {relays}}}\nalertmanager: {push}\nheartbeat: {{url: 'https://hc/x'}}\n"
    path = written(tmp_path, text)
    path.chmod(0o644)
    told = [warning.where.rpartition(": ")[2] for warning in load_with_warnings(path, {}).warnings]
    expected = ["mail.relays.0.verify", "alertmanager.urls.0", "alertmanager.basic_auth.password", "heartbeat.url"]
    assert expected == told


def test_settings_of_alerting_are_picklable_and_no_input_is_in_their_text(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, f"{ONE}{DIRECT}heartbeat: {{url: 'https://hc/{CANARY}'}}\n")
    assert settings == ForkingPickler.loads(ForkingPickler.dumps(settings))
    assert CANARY not in repr(settings) + json.dumps(settings.model_dump(mode="json"))


TABLE = thresholds.parse(
    "used_ratio: {value: 0.85, help: Share of connections.}\n"
    "slots_bytes: {value: 1000000, help: What slots hold., engines: [postgres]}\n",
    "thresholds.yml",
)


def test_the_instance_wins_over_the_settings_and_these_over_the_table() -> None:
    assert {"used_ratio": 0.85, "slots_bytes": 1e6} == thresholds.values(TABLE, "postgres")
    assert {"used_ratio": 0.85} == thresholds.values(TABLE, "mysql", {"slots_bytes": 5.0})
    assert {"used_ratio": 0.5, "slots_bytes": 2.0} == thresholds.values(
        TABLE, "postgres", {"used_ratio": 0.9, "slots_bytes": 2.0}, {"used_ratio": 0.5}
    )


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("a: {value: 1}", "t.yml: a.help: is missing -> add it"),
        ("a: {value: x, help: A.}", "t.yml: a.value: must be a number"),
        ("a: {value: true, help: A.}", "t.yml: a.value: must be a number"),
        ("a: {value: 1, help: A., engine: [x]}", "t.yml: a.engine: unknown key -> check its spelling, or remove it"),
        ("a: {value: 1, help: A., engines: [oracle]}", "t.yml: a.engines.0: must be one of postgres, mysql, mssql"),
        ("a_bytes: {value: -1, help: A.}", "t.yml: a_bytes.value: must not be negative"),
        ("a: 1", "t.yml: a: must be a section of 'key: value' lines"),
        ("[a]", "t.yml: : must be a section"),
        ("a: {value: 1, help: A.}\na: {value: 1, help: A.}", "t.yml: line 2: the key 'a' stands twice"),
    ],
)
def test_a_table_of_thresholds_is_read_strictly(text: str, fault: str) -> None:
    with pytest.raises(ConfigError) as caught:
        thresholds.parse(text, "t.yml")
    assert str(caught.value.faults[0]).startswith(fault)


def test_an_empty_table_is_one() -> None:
    assert {} == thresholds.parse("# nothing yet\n", "t.yml")


def test_the_table_that_ships_is_read() -> None:
    assert library.thresholds().keys() == set(library.thresholds())


def test_an_unknown_threshold_is_refused_with_the_nearest_name_wherever_it_stands(tmp_path: Path) -> None:
    text = (
        "thresholds: {used_ration: 1}\ndefaults: {thresholds: {used: 1}}\n" + ONE + "    thresholds: {usd_ratio: 1}\n"
    )
    settings = settings_of(tmp_path, text)
    told = [str(fault) for fault in unknown_thresholds(settings, TABLE.keys())]
    meant = "there is no such threshold -> did you mean used_ratio?"
    assert f"thresholds.used_ration: {meant}" in told
    assert f"instances.pg1.thresholds.usd_ratio: {meant}" in told
    assert any(each.startswith("instances.pg1.thresholds.used:") for each in told)
    report = check_report(written(tmp_path, text), {}, library.load_for)
    assert 3 == sum("there is no such threshold" in line for line in report.lines)


def test_a_negative_threshold_is_refused_where_what_it_is_compared_with_has_a_unit(tmp_path: Path) -> None:
    (told,) = faults_of(tmp_path, ONE + "    thresholds: {used_ratio: -1, lag_seconds: 0, growth: -1}\n")
    assert told.startswith("instances.pg1.thresholds.used_ratio: must not be negative")


def test_rules_of_ones_own_may_bring_thresholds_of_their_own_but_not_displace_ours(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "thresholds.yml").write_text("zz_own_ratio: {value: 0.5, help: Ours.}\n")
    assert 0.5 == library.thresholds([tmp_path / "rules"])["zz_own_ratio"].value
    assert library.thresholds() == library.thresholds([tmp_path])
    text = f"{ONE}alerting: {{rules_dir: rules}}\nthresholds: {{zz_own_ratio: 0.7}}\n"
    library.load_for(settings_of(tmp_path, text))
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "thresholds.yml").write_text("zz_own_ratio: {value: 0.5, help: Ours.}\n")
    with pytest.raises(ConfigError, match="zz_own_ratio is a threshold already"):
        library.thresholds([tmp_path / "rules", tmp_path / "more"])


def test_a_changed_threshold_is_no_reason_to_log_in_anew(tmp_path: Path) -> None:
    one, other = (settings_of(tmp_path, f"{ONE}    thresholds: {{a: {value}}}\n") for value in (1, 2))
    assert one.instances["pg1"] != other.instances["pg1"]
    assert one.instances["pg1"].as_polled == other.instances["pg1"].as_polled
