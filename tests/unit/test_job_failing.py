"""What programs say when they fail, as one reason and one line that holds nothing it should not."""

from __future__ import annotations

import signal
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbwatch.core.backups.model import JobReason
from dbwatch.jobs import failing
from dbwatch.jobs.failing import Ended


def ended(text: str = "", code: int = 1, program: str = "pg_dump") -> Ended:
    return Ended(program, code, text, 0.1, 1.0)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('pg_dump: error: could not write to file "x": No space left on device', JobReason.DISK_FULL),
        ("zstd: error 70 : Write error : cannot write block : No space left on device", JobReason.DISK_FULL),
        ("mariadb-dump: Got errno 28 on write", JobReason.DISK_FULL),
        ("ERROR 1114 (HY000) at line 74153: The table 'held' is full", JobReason.DISK_FULL),
        ("ERROR 1524 (HY000) at line 5: Plugin 'auth_socket' is not loaded", JobReason.NO_EXTENSION),
        ("ERROR:  pgaudit must be loaded via shared_preload_libraries", JobReason.NO_EXTENSION),
        ('ERROR:  extension "timescaledb" must be preloaded', JobReason.NO_EXTENSION),
        ('ERROR:  collation "pg_catalog.fr_FR" for encoding "UTF8" does not exist', JobReason.NO_EXTENSION),
        ('ERROR:  could not create locale "fr_FR.utf8": No such file or directory', JobReason.NO_EXTENSION),
        (
            (
                'pg_dump: error: connection to server at "db1" (10.1.1.1), port 5432 failed: '
                'FATAL:  password authentication failed for user "keeper"'
            ),
            JobReason.AUTH,
        ),
        (
            (
                "mariadb-dump: Got error: 1045: \"Access denied for user 'keeper'@'10.0.0.7' (using password: YES)\" "
                "when trying to connect"
            ),
            JobReason.AUTH,
        ),
        (
            'pg_dump: error: connection to server at "127.0.0.1", port 1 failed: Connection refused',
            JobReason.UNREACHABLE,
        ),
        (
            (
                "mariadb-dump: Got error: 2002: \"Can't connect to local server through socket '/x' (2)\" "
                "when trying to connect"
            ),
            JobReason.UNREACHABLE,
        ),
        (
            (
                "pg_dump: error: query failed: ERROR:  canceling statement due to lock timeout\n"
                "pg_dump: detail: Query was: LOCK TABLE public.t IN ACCESS SHARE MODE"
            ),
            JobReason.LOCK,
        ),
        ("pg_dump: error: query failed: ERROR:  permission denied for table citizen", JobReason.PERMISSION),
        (
            'pg_dump: error: query failed: ERROR:  query would be affected by row-level security policy for table "t"',
            JobReason.PERMISSION,
        ),
        (
            (
                "mariadb-dump: keeper@% has insufficent privileges: Access denied; you need (at least one of) the "
                "PROCESS privilege(s) for this operation"
            ),
            JobReason.PERMISSION,
        ),
        (
            (
                'pg_dump: error: Dumping the contents of table "t" failed: PQgetCopyData() failed.\n'
                "pg_dump: detail: Error message from server: FATAL:  terminating connection due to "
                "administrator command"
            ),
            JobReason.LOST,
        ),
        ("mariadb-dump: Error 2013: Lost connection to server during query when dumping table `t`", JobReason.LOST),
        ("pg_dump: error: a worker process died unexpectedly", JobReason.KILLED),
        (
            "pg_dump: error: aborting because of server version mismatch\npg_dump: detail: server version: 18.1; ...",
            JobReason.CLIENT_OLDER,
        ),
        (
            'pg_restore: error: could not execute query: ERROR:  extension "postgis" is not available',
            JobReason.NO_EXTENSION,
        ),
        ("pg_restore: error: could not read from input file: end of file", JobReason.CORRUPT),
        ("zstd: /x: unexpected end of file", JobReason.CORRUPT),
        ("gzip: stdin: unexpected end of file", JobReason.CORRUPT),
        ("age: No matching keys found", JobReason.NO_KEY),
        ("cat: /x: Permission denied", JobReason.REPOSITORY),
        ("something that nobody has seen before", JobReason.TOOL),
    ],
)
def test_what_a_program_says_is_a_reason(text: str, reason: JobReason) -> None:
    assert reason == failing.reason(ended(text))


@pytest.mark.parametrize(
    ("text", "is_told"),
    [
        ('ERROR 1180 (HY000) at line 40: Got error 1 "Operation not permitted" during COMMIT', True),
        ("ERROR 1062 (23000) at line 40: Duplicate entry '123457-1' for key 'PRIMARY'", True),
        ('ERROR 1180 (HY000) at line 40: Got error 150 "?" during COMMIT', False),
        ("ERROR 1146 (42S02) at line 40: Table 'shop.x' doesn't exist", False),
    ],
)
def test_keys_that_a_dump_rounds_are_told_as_the_cause_of_what_cannot_be_restored(text: str, *, is_told: bool) -> None:
    said = failing.sentence(ended(f"--------------\nINSERT INTO `t` VALUES\n--------------\n\n{text}", 1, "mariadb"))

    causes = ("six digits of a FLOAT", "'' of an ENUM or SET beside its members", "back as 0000-00-00")
    mends = ("make FLOATs of unique keys DOUBLE", "give the other values what is a member or a date", "back up again")
    assert [text in said for text in (*causes, *mends)] == [is_told] * 6
    assert "123457" not in said


@pytest.mark.parametrize(
    ("database", "is_told"), [(r"it\'s", True), (r"it\\s", True), (r"it\ns", True), ("gone", False), ("it's", False)]
)
def test_events_that_the_client_cannot_dump_are_told_with_what_is_to_be_done(database: str, *, is_told: bool) -> None:
    text = f"mariadb-dump: Got error: 1049: \"Unknown database '{database}'\" when selecting the database"

    said = failing.sentence(ended(text, 2, "mariadb-dump"))

    assert is_told is ("drop its events, or exclude it from the backup" in said)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ('high key invariant violated for index "a_pkey"', JobReason.TOOL),
        ("canceling statement due to statement timeout", JobReason.DEADLINE),
    ],
)
def test_what_reads_pages_says_on_its_standard_output_what_is_wrong(error: str, reason: JobReason) -> None:
    found = f'btree index "shop.public.a_pkey":\n    ERROR:  {error}\n'
    checked = replace(ended("", 2, "pg_amcheck"), stdout_tail=found)

    assert reason == failing.reason(checked)
    assert f"pg_amcheck ended with code 2: ERROR: {error}" == failing.sentence(checked)


def test_a_table_that_is_full_is_told_with_what_it_lacks() -> None:
    said = failing.sentence(ended("ERROR 1114 (HY000) at line 74153: The table 'held' is full", 1, "mariadb"))

    assert "The table 'held' is full (no room is left on the disk of that server, or its max_heap_table_size" in said


def test_who_was_killed_is_killed_whatever_it_said_before() -> None:
    assert JobReason.KILLED == failing.reason(ended("No space left on device", -signal.SIGKILL))
    assert "pg_dump was killed (SIGKILL)" == failing.sentence(ended(code=-signal.SIGKILL))


@pytest.mark.parametrize(
    "gone", [ended("pg_dump: error: could not write: Broken pipe"), ended(code=-13), ended(code=141, program="sh")]
)
def test_who_only_lost_its_neighbour_is_not_the_culprit(gone: Ended) -> None:
    silent = ended("", 70, "zstd")

    assert silent is failing.culprit([gone, silent])
    assert gone is failing.culprit([gone])


def test_who_says_why_is_told_rather_than_who_does_not() -> None:
    vague, exact = ended("it went wrong"), ended("Write error: No space left on device", program="zstd")

    assert exact is failing.culprit([vague, exact])


PG_RESTORE = """pg_restore: while PROCESSING TOC:
pg_restore: from TOC entry 3; 1 16 TABLE DATA citizen keeper
pg_restore: error: COPY failed for table "citizen": ERROR:  invalid input syntax for type integer: "Jeanne Moulin"
CONTEXT:  COPY citizen, line 7, column age: "Jeanne Moulin"
pg_restore: error: could not execute query: ERROR:  duplicate key value violates unique constraint "citizen_mail"
DETAIL:  Key (mail)=(jeanne@example.org) already exists.
Command was: INSERT INTO citizen
VALUES ('Jeanne Moulin');
"""


@pytest.mark.parametrize(
    "text",
    [
        PG_RESTORE,
        (
            "pg_restore: error: could not execute query: ERROR:  Jeanne Moulin is\nnot Jeanne, hint: VALUES\n"
            "HINT:  ask Jeanne\nCONTEXT:  PL/pgSQL function public.judge(text) line 1 at RAISE\n"
            "Command was: REFRESH MATERIALIZED VIEW x"
        ),
        'pg_restore: error: could not execute query: ERROR:  value "Jeanne" is out of range for type integer',
        'pg_restore: error: could not execute query: ERROR:  "jeanne" is out of range for type double precision',
        "ERROR 1062 (23000) at line 7: Duplicate entry 'Jeanne Moulin' for key 'PRIMARY'",
        "ERROR 1366 (22007) at line 7: Incorrect integer value: 'Jeanne Moulin' for column `t`.`age` at row 1",
        "ERROR 1064 (42000) at line 7: an error in your SQL syntax near 'VALUES (''Jeanne Moulin'')' at line 1",
        'FATAL:  no pg_hba.conf entry for host "10.1.2.3", user "keeper"',
        "Access denied for user 'keeper'@'10.1.2.3'",
    ],
)
def test_no_row_no_query_and_no_address_is_told(text: str) -> None:
    line = failing.line(text)

    assert line
    assert not [each for each in ("Jeanne", "jeanne", "10.1.2.3", "VALUES", "COPY citizen,") if each in line]


LOGGED = "Jeanne Moulin: error 1114: no space left on device"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            (
                f"--------------\nINSERT INTO `log` VALUES\n(1,'{LOGGED}'),\n(1,'permission denied')\n"
                "--------------\n\n"
                "ERROR 1062 (23000) at line 47: Duplicate entry '1' for key 'PRIMARY'\n"
            ),
            "ERROR 1062 (23000) at line 47: Duplicate entry '...' (two keys",
        ),
        (
            f"(1,'{LOGGED}')\n--------------\n\nERROR 1146 (42S02) at line 9: Table 'shop.x' doesn't exist\n",
            "ERROR 1146 (42S02) at line 9: Table 'shop.x' doesn't exist",
        ),
        (
            (
                'pg_restore: error: COPY failed for table "log": ERROR:  new row violates check constraint "c"\n'
                f'DETAIL:  Failing row contains (1, {LOGGED}).\nCONTEXT:  COPY log, line 1: "1\t{LOGGED}"\n'
            ),
            'pg_restore: error: COPY failed for table "log": ERROR: new row violates check constraint "c"',
        ),
        (f"ERROR 1062 (23000) at line 7: Duplicate entry '{LOGGED}' for key 'msg'", "Duplicate entry '...' (two keys"),
    ],
)
def test_what_a_row_says_is_neither_told_nor_taken_for_the_reason(text: str, told: str) -> None:
    failed = ended(text, program="client")

    assert JobReason.TOOL == failing.reason(failed)
    assert told in failing.sentence(failed)
    assert not [each for each in ("Jeanne", "space left", "no room is left") if each in failing.sentence(failed)]


def test_what_pg_restore_could_not_execute_is_told_by_the_names_of_table_and_constraint() -> None:
    text = (
        "pg_restore: while PROCESSING TOC:\n"
        "pg_restore: from TOC entry 3320; 2606 16424 FK CONSTRAINT rdv rdv_fkey postgres\n"
        'pg_restore: error: could not execute query: ERROR:  insert or update on table "rdv" violates foreign key '
        'constraint "rdv_fkey"\n'
        'DETAIL:  Key (citizen)=(741963) is not present in table "citizens".\n'
        "Command was: ALTER TABLE ONLY public.rdv ADD CONSTRAINT rdv_fkey FOREIGN KEY (citizen) REFERENCES citizens;\n"
        "\n\n"
        "pg_restore: error: a worker process died unexpectedly\n"
    )

    assert failing.line(text) == (
        'pg_restore: error: could not execute query: ERROR: insert or update on table "rdv" violates foreign key '
        'constraint "rdv_fkey"'
    )


def test_the_line_that_tells_most_is_told_with_its_detail() -> None:
    text = (
        "pg_dump: warning: something else\n"
        'pg_dump: error: Dumping the contents of table "t" failed: PQgetCopyData() failed.\n'
        "pg_dump: detail: Error message from server: server closed the connection unexpectedly\n"
        "pg_dump: detail: Command was: COPY public.t (id) TO stdout;\n"
    )

    assert (
        'pg_dump: error: Dumping the contents of table "t" failed: PQgetCopyData() failed.; '
        "detail: Error message from server: server closed the connection unexpectedly"
    ) == failing.line(text)


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=3, max_size=40))
def test_a_password_is_struck_out_as_it_stands_in_its_file_and_as_it_is(password: str) -> None:
    secret = password.strip()
    if len(secret) < failing.SHORTEST_SECRET or "\x85" in secret or "\u2028" in secret or "\u2029" in secret:
        return
    escaped = secret.replace("\\", "\\\\").replace(":", "\\:")
    found = failing.secrets_in(f"db1:5432:*:keeper:{escaped}\n")

    assert secret in found
    assert secret not in failing.struck_out(f"FATAL {secret} {escaped}", found).replace(failing.REDACTED, "")


def test_an_option_file_gives_its_password_and_no_more() -> None:
    found = failing.secrets_in('[client]\nuser=keeper\npassword="s3cr=t"\nhost=localhost\n')

    assert {'"s3cr=t"', "s3cr=t"} == found
