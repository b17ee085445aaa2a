"""From files to Settings: what is accepted, what is refused, and that every fault is told at once."""

from __future__ import annotations

import re
import traceback
from multiprocessing.reduction import ForkingPickler
from pathlib import Path

import pytest

from dbwatch import library
from dbwatch.errors import ConfigError
from dbwatch.files import config_root
from dbwatch.settings.checks import unknown_collectors
from dbwatch.settings.load import load, load_with_warnings
from dbwatch.settings.models import (
    BaseInstance,
    CollectorOverride,
    Credentials,
    Http,
    Labels,
    Logging,
    MysqlInstance,
    PostgresInstance,
    Settings,
)
from dbwatch.settings.report import check_report
from dbwatch.settings.secrets import FILE_MEND

EXAMPLE = config_root()
HANDBOOK = Path(__file__).parents[2] / "CONTRIBUTING.md"
CANARY = "hunter2-canary"

ONE = """\
instances:
  pg1:
    engine: postgres
    monitor: {user: dbwatch}
"""

HERE = "state_directory: .\ncontrol_socket: control.sock\n"


GONE = "cannot be read: No such file or directory"


def written(directory: Path, text: str, name: str = "dbwatch.yml") -> Path:
    path = directory / name
    path.write_text(text, encoding="utf-8")
    return path


def faults_of(path: Path, environ: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(path, environ or {})
    return [str(fault).replace(f"{path.parent}/", "") for fault in caught.value.faults]


def test_the_commented_example_loads_without_a_warning() -> None:
    loaded = load_with_warnings(EXAMPLE, {})
    assert {"pg-local", "pg-remote", "mysql-local", "mysql-remote"} == set(loaded.settings.instances)
    assert {"pg-local", "mysql-local"} == {instance.name for instance in loaded.settings.watched}
    assert () == loaded.warnings


def test_the_commented_example_names_every_option() -> None:
    text = "\n".join(file.read_text(encoding="utf-8") for file in EXAMPLE.glob("*.yml"))
    models = (PostgresInstance, MysqlInstance, Http, Logging, Settings, Credentials, CollectorOverride, Labels)
    keys = {key for model in models for key in model.model_fields} - {"name"}
    assert [] == sorted(key for key in keys if f"{key}:" not in text)


def test_the_commented_defaults_of_the_example_are_the_real_ones(tmp_path: Path) -> None:
    text = "".join((EXAMPLE / name).read_text(encoding="utf-8") for name in ("dbwatch.yml", "logging.yml"))
    sections = text[text.index("\nhttp:") :]
    option = re.compile(r"^(\s*)# ((?!web_config_file)[a-z_]+: \S.*)$", re.MULTILINE)
    lines = [line for line in option.sub(r"\1\2", sections).splitlines() if ": " not in line or "#" not in line]
    kept = [line for line in lines if not re.match(r"\s*(true|console|debug)\b", line)]
    assert Settings() == load(written(tmp_path, "\n".join(kept)), {})


def test_a_directory_is_one_configuration(tmp_path: Path) -> None:
    written(tmp_path, "http: {telemetry_path: /m}\n" + ONE, "a.yml")
    written(tmp_path, "http: {enable_lifecycle: true}\n" + ONE.replace("pg1", "pg2"), "b.yml")
    settings = load(tmp_path, {})
    assert ("/m", True) == (settings.http.telemetry_path, settings.http.enable_lifecycle)
    assert {"pg1", "pg2"} == set(settings.instances)


def test_one_key_in_two_files_is_refused_with_both_places(tmp_path: Path) -> None:
    written(tmp_path, ONE + "collectors_dir: .\n", "a.yml")
    path = written(tmp_path, "\n" + ONE + "collectors_dir: .\n", "b.yml")
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, {})
    assert [
        f"{path}:3: instances.pg1: stands in {tmp_path}/a.yml:2 already -> keep one of the two",
        f"{path}:6: collectors_dir: stands in {tmp_path}/a.yml:5 already -> keep one of the two",
    ] == [str(fault) for fault in caught.value.faults]


def test_a_file_that_is_not_read_is_told(tmp_path: Path) -> None:
    written(tmp_path, ONE)
    ignored = written(tmp_path, ONE, "more.yaml")
    (warning,) = load_with_warnings(tmp_path, {}).warnings
    assert str(ignored) == warning.where


@pytest.mark.parametrize("kind", ["missing", "empty directory", "empty file", "only comments", "loop"])
def test_nothing_to_read_is_one_fault(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "x.yml"
    if kind == "empty directory":
        path.mkdir()
    elif kind == "loop":
        path.symlink_to(path)
    elif kind != "missing":
        path.write_text("" if kind == "empty file" else "# nothing\n", encoding="utf-8")
    assert 1 == len(faults_of(path))


def test_every_fault_is_told_at_once_with_line_key_and_remedy(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        """\
defaults:
  connect_timeout: soon
instances:
  pg1:
    engine: postgres
    port: 70000
    monitor: {usr: x, password_file: nowhere}
  pg2:
    engine: postgres
    monitor: {user: x, password_file: nowhere}
  pg3: {engine: oracle}
htp: {}
http: {listen_addresses: [here]}
logging: {level: warn}
""",
    )
    assert [
        "dbwatch.yml:2: defaults.connect_timeout: not a duration -> write 500ms, 15s, 5m or 1h30m",
        "dbwatch.yml:6: instances.pg1.port: must be at most 65535",
        (
            "dbwatch.yml:7: instances.pg1.monitor.user: is missing"
            " -> add the role that dbwatch logs in as, `user: dbwatch`"
        ),
        "dbwatch.yml:7: instances.pg1.monitor.usr: is no setting -> did you mean user?",
        f"dbwatch.yml:7: instances.pg1.monitor.password_file: {GONE} -> {FILE_MEND}",
        f"dbwatch.yml:10: instances.pg2.monitor.password_file: {GONE} -> {FILE_MEND}",
        "dbwatch.yml:11: instances.pg3.engine: must be one of postgres, mysql, mariadb -> correct `engine:`",
        "dbwatch.yml:11: instances.pg3.monitor: is missing -> add `monitor:` with a user and a password_file",
        "dbwatch.yml:12: htp: is no setting -> did you mean http?",
        (
            "dbwatch.yml:13: http.listen_addresses.0: is no address to listen on"
            " -> write '127.0.0.1:10432', ':10432' or '[::1]:10432'"
        ),
        "dbwatch.yml:14: logging.level: must be one of debug, info, warning, error",
    ] == faults_of(path)


@pytest.mark.parametrize(
    "password",
    [
        f"[{CANARY}]",
        f"{{{CANARY}: 1}}",
        f"{{{CANARY}: 1, {CANARY}: 2}}",
        f"{{{{ {CANARY} }}}}",
        f"!{CANARY}",
        f"!!{CANARY} x",
        f"*{CANARY}",
        f"@{CANARY}",
        f"%{CANARY}",
        f"`{CANARY}",
        f"'{CANARY}",
        f'"\\q{CANARY}"',
        f"a: {CANARY}",
        f"|{CANARY}",
        f"&{CANARY} [x]",
        f"\n        - {CANARY}",
        f"{CANARY}\n       x: y",
        f"\n      {CANARY}:",
        f"\n      {CANARY}: 1\n      {CANARY}: !x 2",
        f"'a\\0{CANARY}'\n      password_file: {CANARY}",
    ],
)
def test_a_wrong_password_is_never_printed(tmp_path: Path, password: str) -> None:
    path = written(tmp_path, ONE.replace("{user: dbwatch}", f"\n      user: x\n      password: {password}"))
    with pytest.raises(ConfigError) as caught:
        load(path, {})
    told = [str(caught.value), repr(caught.value), repr(caught.value.faults)]
    told += traceback.format_exception(caught.value)
    told += check_report(path, {}).lines
    assert CANARY not in "\n".join(told)
    assert caught.value.__context__ is None


def test_a_password_in_clear_is_not_in_the_repr(tmp_path: Path) -> None:
    path = written(tmp_path, ONE.replace("{user: dbwatch}", f"{{user: x, password: {CANARY}}}"))
    path.chmod(0o644)
    loaded = load_with_warnings(path, {})
    assert CANARY not in repr(loaded)
    assert ["stands in a file that every account of this machine can read"] == [w.what for w in loaded.warnings]


def test_defaults_stand_below_every_instance(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        """\
defaults:
  engine: postgres
  monitor: {user: u, password_env: PW}
  labels: {env: prod, team: dba}
  database: app
  socket: /run/s
instances:
  pg1:
  pg2: {labels: {env: test}, monitor: {password: inline}, database: other}
  my1: {engine: mariadb, socket: null}
""",
    )
    instances = load(path, {"PW": "x"}).instances
    first, second, third = instances["pg1"], instances["pg2"], instances["my1"]
    assert isinstance(first, PostgresInstance)
    assert ("app", "prod", "PW") == (first.database, first.labels.env, first.monitor.password_env)
    assert ("test", "dba") == (second.labels.env, second.labels.team)
    assert second.monitor.password_env is None
    assert ("mysql", "mysql") == (third.engine, third.identity.engine)


def test_a_fault_of_the_defaults_is_told_once(tmp_path: Path) -> None:
    text = (
        "defaults: {fast_interval: x, host: h, colectors: {}}\n"
        + ONE
        + ONE.removeprefix("instances:\n").replace("1", "2")
    )
    assert [
        "dbwatch.yml:1: defaults.host: is no default -> each instance has its own: move it there",
        "dbwatch.yml:1: defaults.colectors: is no setting -> did you mean collectors?",
        "dbwatch.yml:1: defaults.fast_interval: not a duration -> write 500ms, 15s, 5m or 1h30m",
    ] == faults_of(written(tmp_path, text))


def test_an_instance_is_named_by_its_key_alone(tmp_path: Path) -> None:
    path = written(tmp_path, ONE + "    name: pg1\n")
    assert ["dbwatch.yml:5: instances.pg1.name: is no setting -> remove it: the key above is the name"] == faults_of(
        path
    )


def test_a_section_with_everything_commented_out_is_empty(tmp_path: Path) -> None:
    path = written(tmp_path, "http:\nlogging:\n" + ONE + "    labels:\n    tls:\n    collectors:\n")
    assert Http() == load(path, {}).http


def test_the_order_of_keys_makes_no_other_instance(tmp_path: Path) -> None:
    first = written(
        tmp_path, ONE + "    collectors: {a: {top: 1}, b: {top: 2}}\n    labels: {x: '1', y: '2'}\n", "1.yml"
    )
    second = written(
        tmp_path, ONE + "    labels: {y: '2', x: '1'}\n    collectors: {b: {top: 2}, a: {top: 1}}\n", "2.yml"
    )
    third = written(
        tmp_path, ONE + "    labels: {y: '2', x: '1'}\n    collectors: {b: {top: 2}, a: {top: 3}}\n", "3.yml"
    )
    assert load(first, {}) == load(second, {})
    assert load(first, {}).instances["pg1"] != load(third, {}).instances["pg1"]


def test_settings_are_picklable(tmp_path: Path) -> None:
    settings = load(written(tmp_path, ONE + "    collectors: {a: {top: 1}}\n"), {})
    assert settings == ForkingPickler.loads(ForkingPickler.dumps(settings))


def test_a_name_that_begins_like_loopback_is_not_local() -> None:
    def local(host: str) -> bool:
        return BaseInstance(name="x", host=host, monitor=Credentials(user="u")).is_local

    ours = ("127.0.0.1", "127.8.8.8", "::1", "localhost", "LOCALHOST", "/run/postgresql")
    theirs = ("localhost.evil.example", "127.evil.example", "127.0.0.1.evil.example", "10.0.0.1", "::2")
    assert [True] * len(ours) == [local(host) for host in ours]
    assert [False] * len(theirs) == [local(host) for host in theirs]


def test_two_names_for_one_server_are_a_warning(tmp_path: Path) -> None:
    text = ONE + ONE.removeprefix("instances:\n").replace("1", "2")
    (warning,) = load_with_warnings(written(tmp_path, text), {}).warnings
    assert "has the host, port and socket of pg1" == warning.what


def test_reserved_label_names_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path, ONE + "    labels: {db_instance: x}\n")
    assert ["dbwatch.yml:5: instances.pg1.labels.db_instance"] == [
        fault.rpartition(": db_")[0] for fault in faults_of(path)
    ]


@pytest.mark.parametrize("address", ["127.0.0.1:10432", ":10432", "[::1]:0", "db.example.org:80", "[fe80::1%eth0]:1"])
def test_an_address_to_listen_on_is_accepted(tmp_path: Path, address: str) -> None:
    path = written(tmp_path, ONE + f"http: {{listen_addresses: ['{address}']}}\n")
    assert (address,) == load(path, {}).http.listen_addresses


@pytest.mark.parametrize("address", ["10432", "::1:10432", "unix:/x", "a:70000", "", "a b:1", "http://a:1"])
def test_an_address_of_another_form_is_refused(tmp_path: Path, address: str) -> None:
    assert 1 == len(faults_of(written(tmp_path, ONE + f"http: {{listen_addresses: ['{address}']}}\n")))


def test_an_unknown_collector_gets_a_suggestion(tmp_path: Path) -> None:
    text = ONE + "    collectors: {locs: {top: 1}, digests: {top: 1}, locks: {top: 1}}\n"
    settings = load(written(tmp_path, text), {})
    faults = unknown_collectors(settings, {"postgres": {"locks", "tables"}, "mysql": {"digests"}})
    assert ["instances.pg1.collectors.locs: there is no such collector -> did you mean locks?"] == list(
        map(str, faults)
    )


def test_the_paths_of_backups_are_relative_to_their_file_and_know_systemd_s_credentials(tmp_path: Path) -> None:
    """Relative to wherever a command is typed, a restore would look into another repository than the daemon writes."""
    held, own = tmp_path / "credentials", tmp_path / "etc"
    for directory in (held, own):
        directory.mkdir()
    (held / "sealed.key").touch()
    sections = (
        "backups: {directory: sets, scratch_directory: scratch, reports_directory: reports, postgres_programs: bin,\n"
        "  mysql_programs: [a, b], encryption: {identity_file: '%s'}}\n"
    )
    environ = {"CREDENTIALS_DIRECTORY": str(held)}
    for name in ("sealed.key", "${CREDENTIALS_DIRECTORY}/sealed.key"):
        backups = load(written(own, ONE + sections % name), environ).backups
        assert held / "sealed.key" == backups.encryption.identity_file
    assert [own / "sets", own / "scratch", own / "reports"] == [
        backups.directory,
        backups.scratch_directory,
        backups.reports_directory,
    ]
    assert ((own / "bin",), (own / "a", own / "b")) == (backups.postgres_programs, backups.mysql_programs)


EVERYWHERE = (
    "defaults:\n  engine: postgres\n  monitor: {user: u}\n  labels: {env: prod}\n"
    "  backups: {logical: {schedule: '30 1 * * *', retention: {daily: 3}}}\ninstances:\n"
)


def test_a_section_with_every_line_commented_out_leaves_what_the_defaults_say(tmp_path: Path) -> None:
    """Where it took it away, an instance was not backed up, and nobody was told."""
    text = (
        "  pg1:\n    labels:\n      # team: dba\n    backups:\n      logical:\n        # codec: zstd\n"
        "  pg2:\n    backups:\n"
        "  pg3:\n    backups:\n      logical:\n        retention:\n"
    )
    instances = load(written(tmp_path, EVERYWHERE + text), {}).instances
    found = [each.backups.logical for each in instances.values()]
    assert [("30 1 * * *", 3)] * 3 == [(each.schedule, each.retention.daily) for each in found if each is not None]
    assert {"prod"} == {each.labels.env for each in instances.values()}


@pytest.mark.parametrize("nothing", ["~", "null"])
def test_a_section_may_be_taken_away_from_what_the_defaults_say(tmp_path: Path, nothing: str) -> None:
    text = f"  pg1: {{labels: {nothing}, backups: {{logical: {nothing}}}}}\n  pg2: {{backups: {nothing}}}\n"
    first, second = load(written(tmp_path, EVERYWHERE + text), {}).instances.values()
    assert (None, None, "") == (first.backups.logical, second.backups.logical, first.labels.env)


def test_a_kind_of_backups_with_every_line_commented_out_is_asked_for_by_hand(tmp_path: Path) -> None:
    logical = load(written(tmp_path, ONE + "    backups:\n      logical:\n"), {}).instances["pg1"].backups.logical
    assert logical is not None
    assert logical.schedule is None


def test_facts_may_be_off_without_quotes(tmp_path: Path) -> None:
    text = f"{ONE}    backups: {{logical: {{verify: {{facts: off}}}}}}\n"
    logical = load(written(tmp_path, text), {}).instances["pg1"].backups.logical
    assert logical is not None
    assert logical.verify.facts == "off"


def test_an_instance_that_is_called_like_a_path_is_none(tmp_path: Path) -> None:
    text = "instances:\n  directory: {engine: mysql, host: db1, monitor: {user: u, password: x}}\n"
    instance = load(written(tmp_path, text), {}).instances["directory"]
    assert ("db1", "u") == (instance.host, instance.monitor.user)


def test_paths_are_relative_to_the_file_that_names_them(tmp_path: Path) -> None:
    written(tmp_path, "pw\n", "pw").chmod(0o600)
    (tmp_path / "mine").mkdir()
    path = written(tmp_path, ONE.replace("dbwatch}", "x, password_file: pw}") + "collectors_dir: mine\n")
    settings = load(path, {})
    assert tmp_path / "pw" == settings.instances["pg1"].monitor.password_file
    assert (tmp_path / "mine",) == settings.collectors_dir


def test_the_credentials_of_systemd_come_first(tmp_path: Path) -> None:
    (tmp_path / "cred").mkdir()
    for name in ("pw", "cred/pw", "cred/other"):
        written(tmp_path, "pw\n", name).chmod(0o600)
    text = ONE.replace("dbwatch}", "x, password_file: pw}") + (
        "    audit: {user: x, password_file: '${CREDENTIALS_DIRECTORY}/other'}\n"
    )
    path = written(tmp_path, text)
    instance = load(path, {"CREDENTIALS_DIRECTORY": str(tmp_path / "cred")}).instances["pg1"]
    assert instance.audit is not None
    assert [tmp_path / "cred/pw", tmp_path / "cred/other"] == [
        instance.monitor.password_file,
        instance.audit.password_file,
    ]
    assert [
        (
            "dbwatch.yml:5: instances.pg1.audit.password_file: CREDENTIALS_DIRECTORY is not set"
            " -> LoadCredential= of the systemd unit sets it"
        ),
    ] == faults_of(path)


def test_an_empty_or_open_password_file_is_told(tmp_path: Path) -> None:
    secret = written(tmp_path, "", "pw")
    path = written(tmp_path, ONE.replace("dbwatch}", "x, password_file: pw}"))
    assert "dbwatch.yml:4: instances.pg1.monitor.password_file: is empty" == faults_of(path)[0].partition(" -> ")[0]
    secret.write_text("pw\n", encoding="utf-8")
    secret.chmod(0o644)
    (warning,) = load_with_warnings(path, {}).warnings
    assert "every account of this machine can read the file" == warning.what


def test_what_is_switched_off_may_wait_for_its_files(tmp_path: Path) -> None:
    text = ONE.replace("dbwatch}", "x, password_file: nowhere}") + "    enabled: false\n"
    assert () == load(written(tmp_path, text), {}).watched


def test_the_report_of_a_check_counts_the_instances(tmp_path: Path) -> None:
    off = ONE + "  pg2: {engine: postgres, host: b, monitor: {user: x}, enabled: false}\n"
    path = written(tmp_path, ONE + HERE)
    assert ((f"{path}: 1 instance, ok",), True) == (check_report(path, {}).lines, check_report(path, {}).ok)
    path = written(tmp_path, off + HERE)
    assert (f"{path}: 2 instances, 1 of them disabled, ok",) == check_report(path, {}).lines
    assert not check_report(tmp_path / "none.yml", {}).ok


@pytest.mark.parametrize("host", [f"postgres://u:{CANARY}@db/x", f"u:{CANARY}@db", "db/x", "db x"])
def test_a_host_that_is_more_than_a_host_is_refused_unprinted(tmp_path: Path, host: str) -> None:
    (fault,) = faults_of(written(tmp_path, ONE + f"    host: '{host}'\n"))
    assert fault.startswith("dbwatch.yml:5: instances.pg1.host: ")
    assert CANARY not in fault


@pytest.mark.parametrize("host", ["/var/run/postgresql", "db.example.org", "::1", "fe80::1%eth0"])
def test_a_name_an_address_and_a_socket_directory_are_hosts(tmp_path: Path, host: str) -> None:
    assert host == load(written(tmp_path, ONE + f"    host: '{host}'\n"), {}).instances["pg1"].host


@pytest.mark.parametrize("pace", ["probe_interval: 300ms", "fast_interval: 0.5", "sampler_interval: 0.1"])
def test_a_pace_that_may_hurt_is_a_warning(tmp_path: Path, pace: str) -> None:
    (warning,) = load_with_warnings(written(tmp_path, ONE + f"    {pace}\n"), {}).warnings
    assert warning.where.endswith(f"dbwatch.yml:5: instances.pg1.{pace.partition(':')[0]}")
    assert "asks the server more than" in warning.what


def test_a_connect_timeout_that_hides_a_hang_is_a_warning(tmp_path: Path) -> None:
    (warning,) = load_with_warnings(written(tmp_path, ONE + "    connect_timeout: 31s\n"), {}).warnings
    assert "give 30s or less" == warning.mend


def test_the_longest_duration_is_told_as_people_write_it(tmp_path: Path) -> None:
    (fault,) = faults_of(written(tmp_path, ONE + "    probe_interval: 32d\n"))
    assert "instances.pg1.probe_interval: must be at most 31d" in fault


def test_faults_of_every_floor_are_told_together_with_their_lines(tmp_path: Path) -> None:
    text = ONE + "    labels: {job: x}\n    collectors: {locs: {top: 1}}\n    probe_interval: fast\n"
    path = written(tmp_path, text + HERE)

    report = check_report(path, {}, library.load_for)

    assert not report.ok
    assert ["5: instances.pg1.labels.job", "6: instances.pg1.collectors.locs", "7: instances.pg1.probe_interval"] == [
        line.removeprefix(f"{path}:").rpartition(": ")[0].partition(": db_instance")[0].partition(": not a dur")[0]
        for line in report.lines
    ]


def test_what_stands_in_the_way_of_the_daemons_directories_is_a_fault(tmp_path: Path) -> None:
    path = written(tmp_path, ONE + "state_directory: dbwatch.yml\ncontrol_socket: .\n")
    assert (
        f"{path}:5: state_directory: {path} is not a directory -> choose another path",
        f"{path}:6: control_socket: {tmp_path} is a directory -> give the path of a file in it",
    ) == check_report(path, {}).lines


def test_a_missing_directory_of_the_control_socket_is_a_warning(tmp_path: Path) -> None:
    path = written(tmp_path, ONE + "state_directory: new\ncontrol_socket: run/x.sock\n")
    report = check_report(path, {})
    assert report.ok
    assert f"warning: {path}:6: control_socket: the directory {tmp_path}/run does not exist -> " in report.lines[0]


def test_a_collector_where_nobody_reads_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "postgre").mkdir()
    strays = [written(tmp_path, "SELECT 1", "a.sql"), written(tmp_path, "SELECT 1", "postgre/b.sql")]
    with pytest.raises(ConfigError) as caught:
        library.load([tmp_path])
    mend = f"not read -> put it in {tmp_path}/postgres/ or {tmp_path}/mysql/"
    assert [f"{path}: {mend}" for path in strays] == list(map(str, caught.value.faults))


@pytest.mark.skipif(not HANDBOOK.exists(), reason="the documents are not part of the wheel")
def test_the_example_of_own_collectors_in_the_handbook_works(tmp_path: Path) -> None:
    blocks = re.findall(r"```(?:yaml|sql)\n(.*?)```", HANDBOOK.read_text(), re.DOTALL)
    (tmp_path / "postgres").mkdir()
    written(tmp_path, blocks[0], "families.yml")
    written(tmp_path, blocks[1], "postgres/shop_orders.sql")
    assert ("postgres", "shop_orders") in library.load([tmp_path]).collectors
