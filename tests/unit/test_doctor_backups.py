"""What `doctor` makes of the look that a backup begins with."""

from __future__ import annotations

from pathlib import Path

from dbwatch.cli.doctor import Diagnosis, remedies
from dbwatch.cli.doctor_backups import judged, unfit
from dbwatch.core.backups.model import Codec, JobReason, ServerIdentity
from dbwatch.engines.backing import Program
from dbwatch.engines.preflight import Preflight, PreflightFault, Statement
from dbwatch.errors import EngineError, JobError, Reason
from dbwatch.jobs.faults import job_error

GRANT = "GRANT CONNECT ON DATABASE rdv TO dbwatch_backup;"
CLIENT = Program("pg_dump", Path("pg_dump"), (18, 1), "pg_dump (PostgreSQL) 18.1")
IDENTITY = ServerIdentity("postgres", (18, 1), "18.1")
WATCHED = Diagnosis("pg1", ("pg1: postgres 18",))


def found(*faults: PreflightFault, warnings: tuple[str, ...] = ()) -> Preflight:
    databases = (("rdv", 1024**2), ("etat", 0))
    return Preflight(IDENTITY, databases, (CLIENT,), Codec.NONE, "custom", faults, warnings)


def lacking(line: str, *statements: Statement, hides: str = "") -> PreflightFault:
    return PreflightFault(JobReason.PERMISSION, line, statements, hides)


def test_a_backup_that_could_begin_is_told_with_what_it_would_take_and_its_warnings() -> None:
    told = judged(WATCHED, found(warnings=("tablespaces are not kept",)))

    assert told.healthy
    assert told.lines == (
        "pg1: postgres 18",
        "  ok       backup: 2 databases, 1 MiB, with pg_dump (PostgreSQL) 18.1",
        "           warning: tablespaces are not kept",
    )


def test_what_the_backup_account_lacks_is_told_and_granted_once_with_all_the_rest() -> None:
    shut = lacking(f"rdv: may not be entered -> {GRANT}", Statement(GRANT))

    told = judged(Diagnosis("pg1", (), ("GRANT pg_monitor TO dbwatch;", GRANT)), found(shut, shut))

    assert not told.healthy
    assert told.lines == (f"  MISSING  backup: permission: rdv: may not be entered -> {GRANT}",) * 2
    assert remedies([told])[-3:] == ["-- on pg1", "GRANT pg_monitor TO dbwatch;", GRANT]


def test_a_statement_is_given_with_the_database_that_it_is_of_whatever_the_line_says() -> None:
    read = "GRANT SELECT ON TABLE t TO dbwatch_backup;"
    lines = ["x: y: the dump would lack table t -> ...", "a=b: the dump would lack table t -> ..."]
    faults = [lacking(line, Statement(read, name)) for line, name in zip(lines, ("x: y", "a=b"), strict=True)]

    assert judged(WATCHED, found(*faults, lacking("etat: ...", Statement(read, "etat")))).grants == (
        f"\\connect -reuse-previous=on \"dbname='x: y'\"\n{read}",
        f"\\connect -reuse-previous=on \"dbname='a=b'\"\n{read}",
        f"\\connect etat\n{read}",
    )


def test_of_a_database_whose_name_psql_cannot_take_a_comment_says_what_is_to_be_run() -> None:
    read = "GRANT SELECT ON TABLE t TO dbwatch_backup;"

    told = judged(WATCHED, found(lacking("a\nb: the dump would lack table t", Statement(read, "a\nb"))))

    assert told.lines[-1] == "  MISSING  backup: permission: a?b: the dump would lack table t"
    what = "-- in the database a?b, whose name holds a line break or the like, so that psql cannot enter it"
    assert told.grants == (f"{what} -> connect to it by another program, and run there: {read}",)


def test_a_statement_that_a_terminal_would_obey_is_told_in_a_comment() -> None:
    broken = Statement('GRANT CONNECT ON DATABASE "a\nb" TO dbwatch_backup;')
    obeyed = Statement('GRANT CONNECT ON DATABASE "a\x1b[2Jb" TO dbwatch_backup;')

    what = "-- a name in this holds what cannot be pasted (?) -> run it by another program"
    assert judged(WATCHED, found(lacking("shut", broken, obeyed))).grants == (
        broken.text,
        f'{what}: GRANT CONNECT ON DATABASE "a?[2Jb" TO dbwatch_backup;',
    )


def test_what_can_be_seen_only_after_the_statements_are_run_is_announced_behind_them() -> None:
    first = lacking("no SELECT", Statement("GRANT SELECT ...;"), hides="what views call")
    second = lacking("no PROCESS", Statement("GRANT PROCESS ...;"), hides="what is hidden")

    assert judged(WATCHED, found(first, second)).grants == (
        "GRANT SELECT ...;",
        "GRANT PROCESS ...;",
        "-- then `dbwatch doctor` once more, for only then can be seen: what views call; what is hidden",
    )


def test_what_no_statement_mends_is_not_given_to_an_administrator_as_one() -> None:
    gone = PreflightFault(JobReason.OTHER, "no dump gets past a view -> DROP VIEW gone; or exclude its database")
    limit = "ALTER ROLE dbwatch_backup CONNECTION LIMIT 6;"
    few = PreflightFault(JobReason.UNREACHABLE, f"the account: allows 3 sessions -> {limit}", (Statement(limit),))

    assert judged(WATCHED, found(gone, few)).grants == (limit,)


def test_a_backup_account_that_cannot_log_in_or_a_missing_program_is_a_failure_of_its_own() -> None:
    refused = unfit(WATCHED, [job_error(EngineError(Reason.AUTH, "the password of dbwatch_backup is wrong"))])
    old = unfit(WATCHED, [JobError(JobReason.CLIENT_OLDER, "pg_dump 15 is older than the server -> install 18")])

    assert refused.lines[-1] == "  FAILED   backup: auth: the password of dbwatch_backup is wrong"
    assert old.lines[-1] == "  FAILED   backup: client_older: pg_dump 15 is older than the server -> install 18"
    assert not refused.healthy
    assert not old.healthy


def test_a_server_that_would_be_dumped_is_not_said_to_be_ready_where_its_set_could_not_be_begun() -> None:
    full = JobError(JobReason.DISK_FULL, "1 GiB are needed in /backups: 0 B are free -> free space there")

    told = judged(unfit(WATCHED, [full]), found(warnings=("tablespaces are not kept",)), could_begin=False)

    assert not told.healthy
    assert told.lines[1:] == (
        "  FAILED   backup: disk_full: 1 GiB are needed in /backups: 0 B are free -> free space there",
        "           warning: tablespaces are not kept",
    )
