"""What `doctor` makes of the look that a backup begins with."""

from __future__ import annotations

from pathlib import Path

from dbwatch.cli.doctor import Diagnosis, remedies
from dbwatch.cli.doctor_backups import judged, unfit
from dbwatch.core.backups.model import Codec, JobReason, ServerIdentity
from dbwatch.engines.backing import Preflight, Program
from dbwatch.errors import EngineError, JobError, Reason

GRANT = "GRANT CONNECT ON DATABASE rdv TO dbwatch_backup;"
CLIENT = Program("pg_dump", Path("pg_dump"), (18, 1), "pg_dump (PostgreSQL) 18.1")
IDENTITY = ServerIdentity("postgres", (18, 1), "18.1")
WATCHED = Diagnosis("pg1", ("pg1: postgres 18",))


def found(*faults: tuple[str, str], warnings: tuple[str, ...] = ()) -> Preflight:
    databases = (("rdv", 1024**2), ("etat", 0))
    return Preflight(IDENTITY, databases, (CLIENT,), Codec.NONE, "custom", faults, warnings)


def test_a_backup_that_could_begin_is_told_with_what_it_would_take_and_its_warnings() -> None:
    told = judged(WATCHED, found(warnings=("tablespaces are not kept",)))

    assert told.healthy
    assert told.lines == (
        "pg1: postgres 18",
        "  ok       backup: 2 databases, 1 MiB, with pg_dump (PostgreSQL) 18.1",
        "           warning: tablespaces are not kept",
    )


def test_what_the_backup_account_lacks_is_told_and_granted_with_all_the_rest_where_it_is_to_be_run() -> None:
    lacks = (JobReason.PERMISSION, f"rdv: may not be entered -> {GRANT}")

    told = judged(Diagnosis("pg1", (), ("GRANT pg_monitor TO dbwatch;", GRANT)), found(lacks))

    assert not told.healthy
    assert told.lines == (f"  MISSING  backup: permission: rdv: may not be entered -> {GRANT}",)
    given = ["GRANT pg_monitor TO dbwatch;", GRANT, f'\\connect "rdv"\n{GRANT}']
    assert remedies([told])[-4:] == ["-- on pg1", *given]


def test_what_no_grant_mends_is_not_given_to_an_administrator_as_a_statement() -> None:
    gone = (JobReason.OTHER, "no dump gets past a view -> DROP VIEW gone; or exclude its database")
    few = (JobReason.UNREACHABLE, "the account: allows 3 sessions -> ALTER ROLE dbwatch_backup CONNECTION LIMIT 6;")
    blobs = (JobReason.PERMISSION, "etat: the dump would lack large objects (5 of them) -> DO $$END$$; /* or else */")

    assert judged(WATCHED, found(gone, few, blobs)).grants == (
        "ALTER ROLE dbwatch_backup CONNECTION LIMIT 6;",
        '\\connect "etat"\nDO $$END$$; /* or else */',
    )


def test_a_backup_account_that_cannot_log_in_or_a_missing_program_is_a_failure_of_its_own() -> None:
    refused = unfit(WATCHED, EngineError(Reason.AUTH, "the password of dbwatch_backup is wrong"))
    old = unfit(WATCHED, JobError(JobReason.CLIENT_OLDER, "pg_dump 15 is older than the server -> install 18"))

    assert refused.lines[-1] == "  FAILED   backup: auth: the password of dbwatch_backup is wrong"
    assert old.lines[-1] == "  FAILED   backup: client_older: pg_dump 15 is older than the server -> install 18"
    assert not refused.healthy
    assert not old.healthy
