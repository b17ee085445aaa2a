"""The readers of PostgreSQL's log formats: whole messages, each once, whatever stands in their texts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from dbwatch.host.log_messages import is_known, of_csv, of_json, of_stderr

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable

    Count = Callable[[bytes], tuple[Counter[str], int]]
    Write = Callable[..., bytes]

HEAD = '2026-03-01 10:00:00.123 CET,"app","shop",4711,"[local]",65e1,1,"SELECT",2026-03-01 09:59:59 CET,3/14,0,'
QUERY = 'SELECT\n"a, b",\n\n2026-03-01 10:00:00.123 CET,ERROR:  FATAL:  x\n"error_severity":"PANIC"\\'


def csv(severity: str, text: str = "nothing", encoding: str = "utf-8") -> bytes:
    quoted = text.replace('"', '""')
    return f'{HEAD}{severity},22012,"{quoted}",,,,,"SELECT 1",,,"psql","client backend",,0\n'.encode(encoding)


def as_json(severity: str, text: str = "nothing", encoding: str = "utf-8") -> bytes:
    message = {"timestamp": "2026-03-01", "error_severity": severity, "message": text}
    return (json.dumps(message, ensure_ascii=False) + "\n").encode(encoding)


def stderr(severity: str, text: str = "nothing", encoding: str = "utf-8") -> bytes:
    tabbed = text.replace("\n", "\n\t")
    return f"2026-03-01 10:00:00.123 CET [4711] app@shop psql {severity}:  {tabbed}\n".encode(encoding)


FORMATS = {"csv": (of_csv, csv), "json": (of_json, as_json), "stderr": (of_stderr, stderr)}
formats = pytest.mark.parametrize(("count", "write"), FORMATS.values(), ids=FORMATS)


@formats
def test_each_severity_is_counted_and_what_is_no_trouble_is_not(count: Count, write: Write) -> None:
    words = ("LOG", "WARNING", "ERROR", "ERROR", "FATAL", "PANIC", "NOTICE", "INFO", "DEBUG1")
    data = b"".join(map(write, words))

    assert ({"warning": 1, "error": 2, "fatal": 1, "panic": 1}, len(data)) == count(data)


@formats
def test_a_text_of_many_lines_is_one_message_whatever_it_says(count: Count, write: Write) -> None:
    data = write("LOG", QUERY) + write("ERROR", QUERY) + write("LOG", "ERROR:  ")

    assert ({"error": 1}, len(data)) == count(data)


@formats
def test_what_is_not_yet_whole_is_left_for_the_next_time(count: Count, write: Write) -> None:
    first, second = write("ERROR", QUERY), write("WARNING", "one line")
    whole = first + second
    seen = {}
    for end in range(len(whole) + 1):
        found, used = count(whole[:end])
        again, rest = count(whole[used:end] + whole[end:])
        seen[used] = found + again
        assert used + rest == len(whole)

    # The lines of a plain text are counted by its first one.
    assert [{"error": 1, "warning": 1}] * len(seen) == list(seen.values())


@formats
def test_severities_are_known_in_the_languages_that_servers_speak(count: Count, write: Write) -> None:
    warnings, errors, panics = ("ATTENTION", "WARNUNG", "ATTENZIONE"), ("ERREUR", "FEHLER", "ERRORE"), ("PANIK",)
    data = b"".join(map(write, (*warnings, *errors, *panics, "FATALE", "VARNING", "HINWEIS")))

    assert {"warning": 3, "error": 3, "fatal": 1, "panic": 1} == count(data)[0]


@formats
def test_any_encoding_and_any_rubbish_are_read(count: Count, write: Write) -> None:
    data = write("ERROR", "d\N{LATIN SMALL LETTER E WITH ACUTE}j\N{LATIN SMALL LETTER A WITH GRAVE}", "latin-1")

    assert {"error": 2} == count(b"\xff\x00 rubbish\n[]\n7\n" + data + data)[0]
    assert ({}, 0) == count(b"")


def test_of_a_record_that_we_came_into_nothing_is_counted() -> None:
    record = csv("ERROR", QUERY.replace("2026-03-01 10", "then")) + csv("WARNING")
    inside = record.index(b"\n") + 1

    assert ({"warning": 1}, len(record) - inside) == of_csv(record[inside:])


def test_the_many_lines_of_a_long_message_are_looked_at_once() -> None:
    """Some seconds, were each line to begin anew."""
    data = csv("ERROR", "x\n" * 500_000)

    assert ({"error": 1}, len(data)) == of_csv(data)


@pytest.mark.parametrize("prefix", ["", "%", "[7]", "2026-03-01 10:00:00 CET 7 a@b MYERROR  ", "7 LOG-ERROR: "])
def test_any_prefix_of_a_plain_line_is_passed_over(prefix: str) -> None:
    lines = ("ERROR:  x", "DETAIL:  WARNING:  x", "HINT:  ERROR:  x", "STATEMENT:  ERROR:  x", "CONTEXT:  FATAL:  x")
    translated = ("D\N{LATIN CAPITAL LETTER E WITH ACUTE}TAIL:  FATAL:  x", "ASTUCE :  FATAL:  x", "TIPP:  FATAL:  x")
    data = "".join(f"{prefix}{line}\n" for line in (*lines, *translated)).encode()

    assert ({"error": 1}, len(data)) == of_stderr(data)


def test_what_other_programs_say_is_not_the_servers_word() -> None:
    assert {} == of_stderr(b"P00  ERROR: [056]: no path\nerror:  x\nERROR\n")[0]


def test_the_language_is_that_of_lc_messages() -> None:
    known = ("", "C", "C.UTF-8", "POSIX", "en_US.utf8", "fr_FR.UTF-8", "fr_FR@euro", "de-DE", "es")

    assert [True] * len(known) == list(map(is_known, known))
    assert [False] * 3 == list(map(is_known, ("ru_RU.UTF-8", "sv_SE", "zh_CN.utf8")))
