"""How PostgreSQL's programs are chosen and called."""

from __future__ import annotations

from pathlib import Path

import pytest

from dbwatch.core import quoting
from dbwatch.core.backups.model import Codec, JobReason
from dbwatch.engines import postgres_backup_commands as commands
from dbwatch.engines.backing import DumpOptions, Program
from dbwatch.engines.postgres_backup_preflight import is_meant
from dbwatch.engines.postgres_backup_programs import fitting, scratch_server, version_in
from dbwatch.errors import JobError
from dbwatch.settings.models import PostgresInstance

PLAIN = frozenset({Codec.NONE, Codec.GZIP})
BACKUP = {"user": "a:b", "password": "p:\\w"}
SERVER = PostgresInstance.model_validate(
    {"name": "db", "engine": "postgres", "host": "db.example", "monitor": {"user": "m"}, "backup": BACKUP}
)


def client(major: int, *codecs: Codec, minor: int = 1) -> Program:
    return Program("pg_dump", Path(f"/{major}/bin/pg_dump"), (major, minor), "", frozenset({*PLAIN, *codecs}))


@pytest.mark.parametrize(
    ("has", "others", "expected"),
    [
        ((Codec.ZSTD,), "zstd", commands.Shape("directory", Codec.ZSTD)),
        ((Codec.ZSTD,), "seal", commands.Shape("custom", Codec.ZSTD)),
        ((), "zstd", commands.Shape("custom", Codec.NONE, outside=True)),
        ((), "zstd seal", commands.Shape("custom", Codec.NONE, outside=True)),
        ((), "", commands.Shape("directory", Codec.GZIP)),
    ],
)
def test_the_codec_is_the_best_that_there_is(has: tuple[Codec, ...], others: str, expected: commands.Shape) -> None:
    chosen = commands.shape(client(18, *has), has_zstd="zstd" in others, wanted=None, sealed="seal" in others)

    assert expected == chosen


def test_a_codec_that_was_asked_for_and_is_not_there_is_refused() -> None:
    with pytest.raises(JobError, match="install zstd"):
        commands.shape(client(18), has_zstd=False, wanted=Codec.ZSTD, sealed=False)


@pytest.mark.parametrize(
    ("major", "codec", "expected"), [(15, Codec.GZIP, "1"), (15, Codec.NONE, "0"), (16, Codec.ZSTD, "zstd:1")]
)
def test_an_older_client_knows_levels_only(major: int, codec: Codec, expected: str) -> None:
    assert f"--compress={expected}" == commands.compress(client(major), codec)


def test_the_client_is_of_the_servers_own_version_or_the_next() -> None:
    found = [client(18), client(15), client(16, minor=3), client(16, minor=9)]

    chosen = [fitting(found, major) for major in (15, 16, 17, 19)]

    assert [(15, 1), (16, 9), (18, 1), None] == [each and each.version for each in chosen]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("pg_dump (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)", (15, 20)), ("pg_dump (PostgreSQL) 19beta1", (19,)),
     ("*** Zstandard CLI (64-bit) v1.5.4, by Yann Collet ***", (1, 5, 4)), ("nothing", ())],
)  # fmt: skip
def test_versions_are_read_as_programs_tell_them(text: str, expected: tuple[int, ...]) -> None:
    assert expected == version_in(text)


def test_a_password_stands_in_its_file_only_escaped_as_libpq_wants() -> None:
    file = Path("/run/x")
    said = commands.environment(SERVER, client(18), file, application="dbwatch/bk/1", server_major=18)

    assert "*:*:*:a\\:b:p\\:\\\\w\n" == commands.passwords(SERVER, file)[file].get_secret_value()
    assert "p:" not in "".join(said.values())
    assert ("verify-full", "system", str(file)) == (said["PGSSLMODE"], said["PGSSLROOTCERT"], said["PGPASSFILE"])
    assert "idle_session_timeout=0" in said["PGOPTIONS"]


def test_a_server_is_not_told_of_settings_that_it_does_not_know() -> None:
    said = commands.environment(SERVER, client(13), Path("/run/x"), server_major=13)

    assert "idle_session_timeout" not in said["PGOPTIONS"]


def test_a_database_of_any_name_is_a_name_and_no_connection_string() -> None:
    assert r"dbname='x host=\'evil\' \\'" == quoting.connection_string("x host='evil' \\")
    assert "07_a_b_c" == commands.slug(7, "a/b.. c")


def test_rows_that_row_security_hides_are_never_accepted() -> None:
    argv = commands.dump(
        client(18), commands.Shape("directory", Codec.GZIP), DumpOptions(), "x", "s", target=Path("/t"), standby=False
    )

    assert not [word for word in argv if "row-security" in word]
    assert {"--no-password", "--jobs=2", "--snapshot=s", "--lock-wait-timeout=10000"} <= set(argv)


def test_databases_are_chosen_by_pattern() -> None:
    options = DumpOptions(include=("shop*",), exclude=("*_test",))

    assert ["shop"] == [name for name in ("shop", "shop_test", "other") if is_meant(name, options)]


async def test_an_installation_without_pg_config_is_no_server_to_restore_into_and_says_what_it_lacks(
    tmp_path: Path,
) -> None:
    for name in ("initdb", "postgres"):
        (tmp_path / name).write_text(f'#!/bin/sh\necho "{name} (PostgreSQL) 99.1"\n')
        (tmp_path / name).chmod(0o755)

    with pytest.raises(JobError) as lacking:
        await scratch_server(99, (tmp_path,), ())

    assert lacking.value.reason == JobReason.CLIENT_MISSING
    assert f"{tmp_path}/initdb stands without pg_config beside it" in lacking.value.message
    assert "backups.postgres_programs" in lacking.value.message
