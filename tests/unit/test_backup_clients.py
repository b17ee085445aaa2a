"""What programs say of themselves, which of them may speak to a server, and what compresses a dump."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from dbwatch.core.backups.clients import CodecChoice, choose, choose_codec, parse_version, series
from dbwatch.core.backups.model import Codec, JobReason
from dbwatch.errors import JobError

NONE, GZIP, ZSTD = Codec.NONE, Codec.GZIP, Codec.ZSTD


@dataclass(frozen=True)
class Client:
    version: tuple[int, ...]

    @property
    def version_text(self) -> str:
        return "pg_dump " + ".".join(map(str, self.version))


def clients(*versions: tuple[int, ...]) -> list[Client]:
    return [Client(version) for version in versions]


@pytest.mark.parametrize(
    ("output", "program", "flavour", "version"),
    [
        ("pg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n", "pg_dump", "postgres", (15, 18)),
        ("pg_restore (PostgreSQL) 18.1", "pg_restore", "postgres", (18, 1)),
        ("pg_dump (PostgreSQL) 9.6.24", "pg_dump", "postgres", (9, 6, 24)),
        ("postgres (PostgreSQL) 17.2 (Ubuntu 17.2-1.pgdg22.04+1)", "postgres", "postgres", (17, 2)),
        ("pg_dump (EnterpriseDB) 15.2.0", "pg_dump", "postgres", (15, 2, 0)),
        (
            "mysqldump  Ver 8.0.36 for Linux on x86_64 (MySQL Community Server - GPL)",
            "mysqldump",
            "mysql",
            (8, 0, 36),
        ),
        (
            "mysqldump  Ver 8.0.35-27 for Linux on x86_64 (Percona Server (GPL), Release 27, Revision 2f8eeab2)",
            *("mysqldump", "mysql", (8, 0, 35)),
        ),
        ("mysqldump  Ver 10.13 Distrib 5.7.44, for Linux (x86_64)", "mysqldump", "mysql", (5, 7, 44)),
        (
            "/usr/sbin/mysqld  Ver 9.5.0 for Linux on x86_64 (MySQL Community Server - GPL)",
            "mysqld",
            "mysql",
            (9, 5, 0),
        ),
        (
            "mysqldump  Ver 10.19 Distrib 10.11.6-MariaDB, for debian-linux-gnu (x86_64)",
            *("mysqldump", "mariadb", (10, 11, 6)),
        ),
        (
            "mariadb-dump from 11.4.2-MariaDB, client 10.19 for Linux (x86_64)",
            *("mariadb-dump", "mariadb", (11, 4, 2)),
        ),
        (
            "mysqldump: Deprecated program name.\nmysqldump from 11.8.3-MariaDB, client 10.19 for debian (x86_64)",
            *("mysqldump", "mariadb", (11, 8, 3)),
        ),
        (
            "mysql  Ver 15.1 Distrib 10.11.6-MariaDB, for debian-linux-gnu (x86_64) using  EditLine wrapper",
            *("mysql", "mariadb", (10, 11, 6)),
        ),
        (
            "mariadbd  Ver 10.11.19-MariaDB-0+deb12u1 for debian-linux-gnu on x86_64 (Debian 12)",
            *("mariadbd", "mariadb", (10, 11, 19)),
        ),
        ("*** Zstandard CLI (64-bit) v1.5.4, by Yann Collet ***", "zstd", "", (1, 5, 4)),
        ("*** zstd command line interface 64-bits v1.4.8, by Yann Collet ***", "zstd", "", (1, 4, 8)),
        ("gzip 1.12\nCopyright (C) 2018 Free Software Foundation, Inc.", "gzip", "", (1, 12)),
        ("pigz 2.6", "pigz", "", (2, 6)),
    ],
)
def test_every_way_of_telling_a_version_is_understood(
    output: str, program: str, flavour: str, version: tuple[int, ...]
) -> None:
    found = parse_version(output)

    assert (program, flavour, version) == (found.program, found.flavour, found.version)
    assert not found.is_prerelease


@pytest.mark.parametrize(
    ("output", "text", "version"),
    [
        ("pg_dump (PostgreSQL) 19devel", "19devel", (19,)),
        ("pg_dump (PostgreSQL) 18beta1", "18beta1", (18,)),
        ("pg_dump (PostgreSQL) 18rc1 (Debian 18~rc1-1.pgdg120+1)", "18rc1", (18,)),
    ],
)
def test_what_is_not_released_yet_is_known_as_such(output: str, text: str, version: tuple[int, ...]) -> None:
    found = parse_version(output)

    assert found.is_prerelease
    assert (text, version) == (found.text, found.version)


@pytest.mark.parametrize("output", ["", "\n", "Segmentation fault", "pg_dump: error: no such option"])
def test_what_tells_no_version_is_no_program(output: str) -> None:
    with pytest.raises(JobError) as caught:
        parse_version(output)
    assert caught.value.reason == JobReason.CLIENT_MISSING


def test_a_series_is_what_must_not_be_older() -> None:
    assert series("postgres", (18, 1)) == (18,)
    assert series("postgres", (9, 6, 24)) == (9, 6)
    assert series("mysql", (8, 4, 2)) == (8, 4)
    assert series("mariadb", (10, 11, 6)) == (10, 11)


def test_the_newest_client_that_is_not_older_than_the_server() -> None:
    there = clients((13, 20), (15, 18), (15, 9), (18, 1))

    assert choose(there, "postgres", (15, 10)).version == (18, 1)
    assert choose(there, "postgres", (15, 10), same_series_first=True).version == (15, 18)
    assert choose(there, "postgres", (14, 3), same_series_first=True).version == (15, 18)
    assert choose(there, "postgres", (18, 3)).version == (18, 1)  # an older minor release is none the worse


def test_an_older_client_is_refused_with_the_remedy() -> None:
    with pytest.raises(JobError) as caught:
        choose(clients((15, 18), (14, 2)), "postgres", (18, 1))

    assert caught.value.reason == JobReason.CLIENT_OLDER
    assert "pg_dump 15.18" in caught.value.message
    assert "the server is 18: install the client of 18" in caught.value.message


def test_without_any_client_the_remedy_names_the_version() -> None:
    with pytest.raises(JobError, match=r"no client program of version 8\.4 or newer") as caught:
        choose(clients(), "mysql", (8, 4, 2))
    assert caught.value.reason == JobReason.CLIENT_MISSING


@pytest.mark.parametrize(
    ("wanted", "client", "piped", "chosen"),
    [
        (None, {NONE, GZIP, ZSTD}, {ZSTD}, CodecChoice(ZSTD)),
        (None, {NONE, GZIP}, {ZSTD}, CodecChoice(ZSTD, piped=True)),
        (None, {NONE, GZIP}, set(), CodecChoice(GZIP)),
        (None, {NONE}, {GZIP}, CodecChoice(GZIP, piped=True)),
        (None, set(), set(), CodecChoice(NONE)),
        (NONE, {ZSTD}, {ZSTD}, CodecChoice(NONE)),
        (GZIP, {GZIP, ZSTD}, {ZSTD}, CodecChoice(GZIP)),
        (ZSTD, {GZIP}, {ZSTD}, CodecChoice(ZSTD, piped=True)),
    ],
)
def test_the_best_codec_that_was_proven_to_be_there(
    wanted: Codec | None, client: set[Codec], piped: set[Codec], chosen: CodecChoice
) -> None:
    assert chosen == choose_codec(wanted, client, piped)


def test_a_stream_is_compressed_behind_the_client_where_that_can_be() -> None:
    assert choose_codec(None, {ZSTD}, {ZSTD}, streamed=True) == CodecChoice(ZSTD, piped=True)
    assert choose_codec(None, {ZSTD}, set(), streamed=True) == CodecChoice(ZSTD)


def test_a_codec_that_was_asked_for_is_never_replaced_in_silence() -> None:
    with pytest.raises(JobError, match="codec zstd") as caught:
        choose_codec(ZSTD, {GZIP}, {GZIP})
    assert caught.value.reason == JobReason.CLIENT_MISSING
